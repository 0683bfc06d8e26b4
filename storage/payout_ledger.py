"""The ledger of bonuses: estimates, written anew with each event, and what locked months hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.payouts.ledger import Closed
from bot.errors import NotFound
from storage.dialects import AnyRow, among, in_chunks, insert_into, not_among
from storage.tables import contracts, payout_lines, payout_reviews, payout_runs

RULES, DECISION = "rules", "decision"
"""Where a line comes from: computed from the rules, or decided in a dispute."""
_POSTGRES_LOCK = 0x70617973  # any number nobody else uses
PROPOSED, LOCKED = "proposed", "locked"

_LINES = select(payout_lines, contracts.c.number, contracts.c.account_id).outerjoin(
    contracts, contracts.c.id == payout_lines.c.contract_id
)
_IS_OPEN = payout_lines.c.run_id.is_(None)
_NAMES = (
    "contract_id", "person_id", "month", "kind", "fen", "rule_id", "rule_version", "why", "origin",
)  # fmt: skip
_TOLD = [payout_lines.c[name] for name in _NAMES]
_TOLD_OF = attrgetter(*_NAMES)
"""A `NewLine` as the tuple that is read back."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be written to the ledger of bonuses. contract_id, person_id: None where there is
    none, or nobody knows."""

    contract_id: int | None
    person_id: int | None
    month: str
    kind: str
    fen: int
    rule_id: str
    rule_version: int | None
    why: str
    origin: str = RULES


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line of the ledger of bonuses. number, account_id: of its contract. run_id: None while its
    month is open."""

    id: int
    contract_id: int | None
    number: str
    account_id: int | None
    person_id: int | None
    month: str
    kind: str
    fen: int
    rule_id: str
    rule_version: int | None
    why: str
    origin: str
    run_id: int | None
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """One month. total_fen, lines: as proposed, then as locked."""

    id: int
    month: str
    state: str
    cutoff: datetime
    total_fen: int
    lines: int
    proposed_by: int
    proposed_at: datetime
    locked_by: int | None
    locked_at: datetime | None
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class Review:
    """What a person must settle. person_id: who is asked."""

    id: int
    contract_id: int
    number: str
    reason: str
    why: str
    person_id: int | None
    opened_at: datetime


class PayoutLedger:
    """Repository of lines, months and open items of bonuses, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def take_turn(self, *, shared: bool = False) -> None:
        """Before lines are written or locked: on PostgreSQL whoever locks a month waits for those
        who write estimates (shared), and they for it, so that no line is written beside a month
        that is being locked. Before the audit chain is written to, which has a turn of its own.
        SQLite has one writer."""
        if self._conn.dialect.name == "postgresql":
            lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
            await self._conn.execute(select(lock(_POSTGRES_LOCK)))

    async def booked(self, contract_ids: Iterable[int]) -> dict[tuple[int, int | None, str], int]:
        """(contract, person, rule) -> fen in locked months, decisions left out."""
        keys = (payout_lines.c.contract_id, payout_lines.c.person_id, payout_lines.c.rule_id)
        query = (
            select(*keys, func.sum(payout_lines.c.fen).label("fen"))
            .where(
                among(self._conn, payout_lines.c.contract_id, contract_ids),
                payout_lines.c.run_id.is_not(None),
                payout_lines.c.origin == RULES,
            )
            .group_by(*keys)
        )
        return {
            (row.contract_id, row.person_id, row.rule_id): int(row.fen)
            for row in await self._conn.execute(query)
        }

    async def replace_estimates(
        self, contract_ids: Iterable[int], lines: Sequence[NewLine], at: datetime
    ) -> None:
        """Of these contracts. A line that is as it was stays; what locked months hold is not
        touched."""
        told = [_TOLD_OF(one) for one in lines]
        missing = Counter(told)
        gone: list[int] = []
        query = select(payout_lines.c.id, *_TOLD).where(
            among(self._conn, payout_lines.c.contract_id, contract_ids),
            _IS_OPEN,
            payout_lines.c.origin == RULES,
        )
        for number, *kept in await self._conn.execute(query):
            line = tuple(kept)
            if missing[line] > 0:
                missing[line] -= 1
            else:
                gone.append(number)
        for chunk in in_chunks(gone):
            await self._conn.execute(delete(payout_lines).where(payout_lines.c.id.in_(chunk)))
        fresh = [_values(NewLine(*one), at) for one in missing.elements()]
        if fresh:
            await self._conn.execute(insert(payout_lines), fresh)

    async def post(self, line: NewLine, at: datetime) -> int:
        """One line of its own; its number."""
        added = await self._conn.execute(
            insert(payout_lines).values(_values(line, at)).returning(payout_lines.c.id)
        )
        return int(added.scalar_one())

    async def get(self, line_id: int) -> StoredLine:
        """Raises NotFound."""
        found = await self._list(payout_lines.c.id == line_id)
        if not found:
            raise NotFound("没有这一笔奖金。")
        return found[0]

    async def of_person(self, person_id: int, month: str) -> list[StoredLine]:
        return await self._list(
            payout_lines.c.person_id == person_id, payout_lines.c.month == month
        )

    async def of_contract(self, contract_id: int) -> list[StoredLine]:
        return await self._list(payout_lines.c.contract_id == contract_id)

    async def totals(self, month: str, *, is_open: bool) -> dict[int | None, tuple[int, int]]:
        """person -> (fen, lines) of a month; is_open: of what is not locked up to then."""
        which = (
            (payout_lines.c.month <= month, _IS_OPEN)
            if is_open
            else (payout_lines.c.month == month,)
        )
        query = select(payout_lines.c.person_id, func.sum(payout_lines.c.fen), func.count()).where(
            *which
        )
        rows = await self._conn.execute(query.group_by(payout_lines.c.person_id))
        return {person_id: (int(fen), count) for person_id, fen, count in rows}

    async def closed(self) -> list[Closed]:
        """The locked months, the first first."""
        query = select(payout_runs).where(payout_runs.c.state == LOCKED)
        rows = await self._conn.execute(query.order_by(payout_runs.c.month))
        return [Closed(row.month, row.cutoff, row.locked_at) for row in rows]

    async def run_of(self, month: str) -> Run | None:
        """For whoever goes on to change it."""
        query = select(payout_runs).where(payout_runs.c.month == month).with_for_update()
        row = (await self._conn.execute(query)).one_or_none()
        return None if row is None else _to_run(row)

    async def get_run(self, run_id: int) -> Run:
        row = (
            await self._conn.execute(select(payout_runs).where(payout_runs.c.id == run_id))
        ).one_or_none()
        if row is None:
            raise NotFound("没有这次核算。")
        return _to_run(row)

    async def runs(self, *, limit: int) -> list[Run]:
        """The newest month first."""
        query = select(payout_runs).order_by(payout_runs.c.month.desc()).limit(limit)
        return [_to_run(row) for row in await self._conn.execute(query)]

    async def propose(
        self, month: str, *, cutoff: datetime, total_fen: int, lines: int, by: int, at: datetime
    ) -> Run:
        """A month as it stands; one that was proposed before stands as it does now."""
        values = {
            "state": PROPOSED,
            "cutoff": cutoff,
            "total_fen": total_fen,
            "lines": lines,
            "proposed_by": by,
            "proposed_at": at,
        }
        made = await self._conn.execute(
            insert_into(self._conn, payout_runs)
            .values(month=month, **values)
            .on_conflict_do_update(
                index_elements=[payout_runs.c.month],
                set_=values,
                where=payout_runs.c.state == PROPOSED,
            )
            .returning(payout_runs)
        )
        return _to_run(made.one())

    async def lock(self, run: Run, *, by: int, at: datetime) -> Run:
        """What is open up to its month belongs to it from now on."""
        await self._conn.execute(
            update(payout_lines)
            .where(_IS_OPEN, payout_lines.c.month <= run.month)
            .values(run_id=run.id, month=run.month)
        )
        locked = await self._conn.execute(
            update(payout_runs)
            .where(payout_runs.c.id == run.id)
            .values(state=LOCKED, locked_by=by, locked_at=at)
            .returning(payout_runs)
        )
        return _to_run(locked.one())

    async def note_paid(self, run: Run, *, besides: Iterable[int], at: datetime) -> None:
        """The month's lines were paid, but for some."""
        await self._conn.execute(
            update(payout_runs).where(payout_runs.c.id == run.id).values(paid_at=at)
        )
        await self._conn.execute(
            update(payout_lines)
            .where(
                payout_lines.c.run_id == run.id,
                payout_lines.c.paid_at.is_(None),
                not_among(self._conn, payout_lines.c.id, besides),
            )
            .values(paid_at=at)
        )

    async def realised(self, since: str, until: str) -> dict[int, tuple[int, int]]:
        """person -> (fen due, fen paid) of the locked months [since, until]."""
        paid = func.sum(payout_lines.c.fen).filter(payout_lines.c.paid_at.is_not(None))
        query = (
            select(payout_lines.c.person_id, func.sum(payout_lines.c.fen), func.coalesce(paid, 0))
            .where(
                payout_lines.c.month >= since,
                payout_lines.c.month <= until,
                payout_lines.c.run_id.is_not(None),
                payout_lines.c.person_id.is_not(None),
            )
            .group_by(payout_lines.c.person_id)
        )
        rows = await self._conn.execute(query)
        return {person_id: (int(due), int(got)) for person_id, due, got in rows}

    async def keep_reviews(
        self,
        contract_ids: Iterable[int],
        found: Sequence[tuple[int, str, str, int | None]],
        at: datetime,
    ) -> list[Review]:
        """found: (contract, reason, why, who is asked), all that is open of these contracts. Those
        that are new; what is found no more is settled."""
        query = select(payout_reviews).where(
            among(self._conn, payout_reviews.c.contract_id, contract_ids)
        )
        known: dict[tuple[int, str], Any] = {
            (row.contract_id, row.reason): row for row in await self._conn.execute(query)
        }
        open_keys = {(contract_id, reason) for contract_id, reason, _, _ in found}
        gone = [row.id for key, row in known.items() if key not in open_keys and not row.settled_at]
        if gone:
            those = among(self._conn, payout_reviews.c.id, gone)
            await self._conn.execute(update(payout_reviews).where(those).values(settled_at=at))
        fresh = [one for one in found if _is_news(known.get(one[:2]))]
        for contract_id, reason, why, person_id in fresh:
            values = {"why": why, "person_id": person_id, "opened_at": at, "settled_at": None}
            await self._conn.execute(
                insert_into(self._conn, payout_reviews)
                .values(contract_id=contract_id, reason=reason, **values)
                .on_conflict_do_update(
                    index_elements=[payout_reviews.c.contract_id, payout_reviews.c.reason],
                    set_=values,
                )
            )
        new = {(contract_id, reason) for contract_id, reason, _, _ in fresh}
        if not new:
            return []
        of_new = among(self._conn, payout_reviews.c.contract_id, [one[0] for one in new])
        opened = await self._reviews(of_new)
        return [one for one in opened if (one.contract_id, one.reason) in new]

    async def open_reviews(self, *, person_id: int | None = None) -> list[Review]:
        """All of them, or what one person is asked; the oldest first."""
        mine = [payout_reviews.c.person_id == person_id] if person_id is not None else []
        return await self._reviews(*mine)

    async def _reviews(self, *which: ColumnElement[bool]) -> list[Review]:
        rows = await self._conn.execute(
            select(payout_reviews, contracts.c.number)
            .join(contracts, contracts.c.id == payout_reviews.c.contract_id)
            .where(payout_reviews.c.settled_at.is_(None), *which)
            .order_by(payout_reviews.c.opened_at, payout_reviews.c.id)
        )
        return [
            Review(
                row.id,
                row.contract_id,
                row.number,
                row.reason,
                row.why,
                row.person_id,
                row.opened_at,
            )
            for row in rows
        ]

    async def _list(self, *which: ColumnElement[bool]) -> list[StoredLine]:
        rows = await self._conn.execute(
            _LINES.where(*which).order_by(payout_lines.c.month, payout_lines.c.id)
        )
        return [_to_line(row) for row in rows]


def _is_news(known: Any) -> bool:
    return known is None or known.settled_at is not None


def _values(line: NewLine, at: datetime) -> Mapping[str, Any]:
    return {
        "contract_id": line.contract_id,
        "person_id": line.person_id,
        "month": line.month,
        "kind": line.kind,
        "fen": line.fen,
        "rule_id": line.rule_id,
        "rule_version": line.rule_version,
        "why": line.why,
        "origin": line.origin,
        "made_at": at,
    }


def _to_line(row: AnyRow) -> StoredLine:
    return StoredLine(
        id=row.id,
        contract_id=row.contract_id,
        number=row.number or "",
        account_id=row.account_id,
        person_id=row.person_id,
        month=row.month,
        kind=row.kind,
        fen=row.fen,
        rule_id=row.rule_id,
        rule_version=row.rule_version,
        why=row.why,
        origin=row.origin,
        run_id=row.run_id,
        paid_at=row.paid_at,
    )


def _to_run(row: AnyRow) -> Run:
    return Run(
        id=row.id,
        month=row.month,
        state=row.state,
        cutoff=row.cutoff,
        total_fen=row.total_fen,
        lines=row.lines,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        locked_by=row.locked_by,
        locked_at=row.locked_at,
        paid_at=row.paid_at,
    )
