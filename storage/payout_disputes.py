"""Disputes about lines of bonuses, and what was asked and answered in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.payouts.disputes import DECIDED, Earlier, SlaClock, State, Step
from bot.errors import NotFound
from storage.dialects import AnyRow
from storage.merges import family
from storage.tables import activities, payout_dispute_notes, payout_disputes, payout_lines

_TABLE = payout_disputes
QUESTION, ANSWER = "question", "answer"


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute. step: what happens at next_at. appeal_of: the dispute whose decision it goes
    against."""

    id: int
    line_id: int
    contract_id: int | None
    person_id: int
    state: State
    reason: str
    file_hashes: tuple[str, ...]
    drafted_at: datetime
    submitted_at: datetime | None
    clock: SlaClock
    step: Step
    next_at: datetime | None
    arbiter_id: int | None
    report: str
    ruling: str
    awarded_fen: int | None
    decided_by: int | None
    decided_at: datetime | None
    appeal_of: int | None


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody added to a dispute."""

    person_id: int
    kind: str
    text: str
    file_hashes: tuple[str, ...]
    at: datetime


class PayoutDisputes:
    """Repository of disputes, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def draft(
        self,
        *,
        line_id: int,
        contract_id: int | None,
        person_id: int,
        appeal_of: int | None,
        at: datetime,
    ) -> Dispute:
        """A new one; a draft of the same line that was left lying is taken up again."""
        known = await self._list(_TABLE.c.line_id == line_id, _TABLE.c.state == str(State.DRAFT))
        if known:
            return known[0]
        added = await self._conn.execute(
            insert(_TABLE)
            .values(
                line_id=line_id,
                contract_id=contract_id,
                person_id=person_id,
                state=str(State.DRAFT),
                reason="",
                file_hashes=[],
                drafted_at=at,
                worked_s=0,
                step=str(Step.NOTHING),
                report="",
                ruling="",
                appeal_of=appeal_of,
            )
            .returning(_TABLE)
        )
        return _to_dispute(added.one())

    async def get(self, dispute_id: int) -> Dispute:
        """For whoever goes on to change it. Raises NotFound."""
        query = select(_TABLE).where(_TABLE.c.id == dispute_id).with_for_update()
        row = (await self._conn.execute(query)).one_or_none()
        if row is None:
            raise NotFound("没有这次申诉。")
        return _to_dispute(row)

    async def look_at(self, dispute_id: int) -> Dispute:
        """To read only. Raises NotFound."""
        found = await self._list(_TABLE.c.id == dispute_id)
        if not found:
            raise NotFound("没有这次申诉。")
        return found[0]

    async def change(
        self, dispute: Dispute, *, clock: SlaClock | None = None, **values: Any
    ) -> Dispute:
        """values: columns as they are from now on."""
        if clock is not None:
            values["clock_since"] = clock.since
            values["worked_s"] = int(clock.worked.total_seconds())
        changed = await self._conn.execute(
            update(_TABLE).where(_TABLE.c.id == dispute.id).values(**values).returning(_TABLE)
        )
        return _to_dispute(changed.one())

    async def open_of(self, line_id: int) -> Dispute | None:
        """Submitted and not ended; a draft is nobody's business yet."""
        found = await self._list(
            _TABLE.c.line_id == line_id,
            _TABLE.c.closed_at.is_(None),
            _TABLE.c.state != str(State.DRAFT),
        )
        return found[0] if found else None

    async def earlier_of(self, line_id: int) -> list[tuple[int, Earlier]]:
        """(number, dispute) of those about the line that have ended, the first first."""
        found = await self._list(_TABLE.c.line_id == line_id, _TABLE.c.closed_at.is_not(None))
        return [
            (one.id, Earlier(one.state, one.decided_at, one.decided_by, one.appeal_of is not None))
            for one in found
        ]

    async def open_lines(self, run_id: int) -> set[int]:
        """Lines of a month that are disputed now."""
        query = (
            select(_TABLE.c.line_id)
            .join(payout_lines, payout_lines.c.id == _TABLE.c.line_id)
            .where(
                payout_lines.c.run_id == run_id,
                _TABLE.c.closed_at.is_(None),
                _TABLE.c.state != str(State.DRAFT),
            )
        )
        return set((await self._conn.execute(query)).scalars())

    async def of_person(self, person_id: int, *, limit: int) -> list[Dispute]:
        """What somebody disputes, the newest first."""
        return await self._list(
            _TABLE.c.person_id == person_id, _TABLE.c.state != str(State.DRAFT), limit=limit
        )

    async def due(self, until: datetime) -> list[Dispute]:
        return await self._list(_TABLE.c.next_at.is_not(None), _TABLE.c.next_at <= until)

    async def next_due_at(self) -> datetime | None:
        query = select(_TABLE.c.next_at).where(_TABLE.c.next_at.is_not(None))
        moment: datetime | None = await self._conn.scalar(query.order_by(_TABLE.c.next_at).limit(1))
        return moment

    async def decided(self, since: datetime, until: datetime) -> list[Dispute]:
        return await self._list(
            _TABLE.c.decided_at.is_not(None), _TABLE.c.decided_at >= since,
            _TABLE.c.decided_at < until,
            _TABLE.c.state.in_([str(one) for one in sorted(DECIDED)]),
        )  # fmt: skip

    async def count_open(self) -> int:
        query = select(func.count()).where(
            _TABLE.c.closed_at.is_(None), _TABLE.c.state != str(State.DRAFT)
        )
        return await self._conn.scalar(query) or 0

    async def add_note(self, dispute: Dispute, note: Note) -> None:
        await self._conn.execute(
            insert(payout_dispute_notes).values(
                dispute_id=dispute.id,
                contract_id=dispute.contract_id,
                person_id=note.person_id,
                kind=note.kind,
                text=note.text,
                file_hashes=list(note.file_hashes),
                at=note.at,
            )
        )

    async def notes(self, dispute_id: int) -> list[Note]:
        rows = await self._conn.execute(
            select(payout_dispute_notes)
            .where(payout_dispute_notes.c.dispute_id == dispute_id)
            .order_by(payout_dispute_notes.c.id)
        )
        return [
            Note(row.person_id, row.kind, row.text, tuple(row.file_hashes), row.at) for row in rows
        ]

    async def entries_by_actor(self, account_id: int, until: datetime) -> dict[int | None, int]:
        """How many entries each person wrote into a customer's stream before a moment; None: what
        no person wrote."""
        query = (
            select(activities.c.actor_id, func.count())
            .where(
                activities.c.account_id.in_(await family(self._conn, account_id)),
                activities.c.occurred_at < until,
                activities.c.unit != "",
                activities.c.retracts_id.is_(None),
            )
            .group_by(activities.c.actor_id)
        )
        return {actor_id: count for actor_id, count in await self._conn.execute(query)}

    async def release_line(self, line_id: int, *, paid_at: datetime) -> None:
        """A disputed line of a month that was paid out is paid once it is decided."""
        await self._conn.execute(
            update(payout_lines)
            .where(payout_lines.c.id == line_id, payout_lines.c.paid_at.is_(None))
            .values(paid_at=paid_at)
        )

    async def _list(self, *which: ColumnElement[bool], limit: int | None = None) -> list[Dispute]:
        order = _TABLE.c.id.desc() if limit is not None else _TABLE.c.id
        query = select(_TABLE).where(*which).order_by(order).limit(limit)
        return [_to_dispute(row) for row in await self._conn.execute(query)]


def _to_dispute(row: AnyRow) -> Dispute:
    return Dispute(
        id=row.id,
        line_id=row.line_id,
        contract_id=row.contract_id,
        person_id=row.person_id,
        state=State(row.state),
        reason=row.reason,
        file_hashes=tuple(row.file_hashes),
        drafted_at=row.drafted_at,
        submitted_at=row.submitted_at,
        clock=SlaClock(row.clock_since, timedelta(seconds=row.worked_s)),
        step=Step(row.step),
        next_at=row.next_at,
        arbiter_id=row.arbiter_id,
        report=row.report,
        ruling=row.ruling,
        awarded_fen=row.awarded_fen,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        appeal_of=row.appeal_of,
    )
