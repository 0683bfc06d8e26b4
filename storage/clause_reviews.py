"""合同条款复核: one row a contract; who reviews, what is ticked off, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.receivables import Outcome
from storage.dialects import AnyRow, fixed, insert_into
from storage.tables import clause_reviews


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One item of a review's checklist. done_by: the name of who ticked it off, "" until then."""

    item: str
    done_by: str = ""


@dataclass(frozen=True, slots=True)
class ClauseReview:
    """The review of a contract whose prepayment is missing. reviewers: ids of people. outcome: None
    while it is open. round: rises each time that it is opened again. note: what was decided, in
    words."""

    id: int
    contract_id: int
    round: int
    opened_at: datetime
    deadline_at: datetime
    reviewers: tuple[int, ...]
    checklist: tuple[CheckItem, ...]
    outcome: Outcome | None
    note: str
    decided_by: int | None
    decided_at: datetime | None


class ClauseReviews:
    """Reviews, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def open(
        self,
        contract_id: int,
        *,
        reviewers: Sequence[int],
        items: Sequence[str],
        at: datetime,
        deadline_at: datetime,
    ) -> ClauseReview | None:
        """The contract's review, open, in its first or next round; None if it is open now."""
        fresh = {
            "opened_at": at,
            "deadline_at": deadline_at,
            "remind_at": deadline_at,
            "reviewers": list(reviewers),
            "checklist": [{"item": item, "done_by": ""} for item in items],
            "outcome": "",
            "note": "",
            "decided_by": None,
            "decided_at": None,
        }
        opened = await self._conn.execute(
            insert_into(self._conn, clause_reviews)
            .values(contract_id=contract_id, round=1, **fresh)
            .on_conflict_do_update(
                index_elements=[clause_reviews.c.contract_id],
                set_={"round": clause_reviews.c.round + 1, **fresh},
                where=clause_reviews.c.outcome != "",
            )
            .returning(clause_reviews)
        )
        row = opened.one_or_none()
        return None if row is None else _to_review(row)

    async def get(self, review_id: int) -> ClauseReview | None:
        """For whoever goes on to change it: nobody else does meanwhile."""
        query = select(clause_reviews).where(clause_reviews.c.id == review_id).with_for_update()
        row = (await self._conn.execute(query)).one_or_none()
        return None if row is None else _to_review(row)

    async def of_contract(self, contract_id: int) -> ClauseReview | None:
        query = select(clause_reviews).where(clause_reviews.c.contract_id == contract_id)
        row = (await self._conn.execute(query)).one_or_none()
        return None if row is None else _to_review(row)

    async def close(
        self,
        review_id: int,
        outcome: Outcome,
        *,
        note: str,
        decided_by: int | None,
        at: datetime,
    ) -> ClauseReview | None:
        """None when it was closed already: the first decision stands."""
        closed = await self._conn.execute(
            update(clause_reviews)
            .where(clause_reviews.c.id == review_id, clause_reviews.c.outcome == "")
            .values(
                outcome=str(outcome),
                note=note,
                decided_by=decided_by,
                decided_at=at,
                remind_at=None,
            )
            .returning(clause_reviews)
        )
        row = closed.one_or_none()
        return None if row is None else _to_review(row)

    async def tick(self, review: ClauseReview, number: int, name: str) -> ClauseReview:
        """Item `number`, from 0, was done by somebody."""
        ticked = [
            {"item": one.item, "done_by": name if index == number else one.done_by}
            for index, one in enumerate(review.checklist)
        ]
        changed = await self._conn.execute(
            update(clause_reviews)
            .where(clause_reviews.c.id == review.id)
            .values(checklist=ticked)
            .returning(clause_reviews)
        )
        return _to_review(changed.one())

    async def to_remind(self, until: datetime) -> Sequence[ClauseReview]:
        """Open ones whose deadline has passed and nobody was told of; they count as told."""
        changed = await self._conn.execute(
            update(clause_reviews)
            .where(clause_reviews.c.remind_at.is_not(None), clause_reviews.c.remind_at <= until)
            .values(remind_at=None)
            .returning(clause_reviews)
        )
        return [_to_review(row) for row in changed]

    async def open_ones(self, limit: int) -> Sequence[ClauseReview]:
        """The soonest due first."""
        query = (
            select(clause_reviews)
            .where(clause_reviews.c.outcome == fixed(""))
            .order_by(clause_reviews.c.deadline_at)
            .limit(limit)
        )
        return [_to_review(row) for row in await self._conn.execute(query)]

    async def next_remind_at(self) -> datetime | None:
        query = (
            select(clause_reviews.c.remind_at)
            .where(clause_reviews.c.remind_at.is_not(None))
            .order_by(clause_reviews.c.remind_at)
            .limit(1)
        )
        moment: datetime | None = (await self._conn.execute(query)).scalar()
        return moment


def _to_review(row: AnyRow) -> ClauseReview:
    return ClauseReview(
        id=row.id,
        contract_id=row.contract_id,
        round=row.round,
        opened_at=row.opened_at,
        deadline_at=row.deadline_at,
        reviewers=tuple(row.reviewers),
        checklist=tuple(CheckItem(one["item"], one["done_by"]) for one in row.checklist),
        outcome=Outcome(row.outcome) if row.outcome else None,
        note=row.note,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
