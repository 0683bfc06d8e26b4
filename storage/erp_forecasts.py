"""What we want the ERPs to hold as forecast, revision by revision, and how far it got.

A revision is appended in the transaction that queues it; how its writing ended is what the
outbox says, so nothing has to be noted twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, and_, cast, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.erp_forecasts import FACTS, ForecastFacts
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import contract_deals, erp_forecasts, outbox

SENT, QUEUED, DEAD = "sent", "queued", "dead"


@dataclass(frozen=True, slots=True)
class ForecastWish:
    """A line that an ERP is to hold, and what it rests on."""

    key: str
    account_id: int
    facts: ForecastFacts
    contract_id: int | None = None
    opportunity_id: int | None = None


@dataclass(frozen=True, slots=True)
class ForecastRevision:
    """One revision of a line. state: of its message in the outbox, "" without one. handle: the
    ERP's number of it, once written. reason: why it was not."""

    system: str
    wish: ForecastWish
    revision: int
    asked_at: datetime
    state: str = ""
    handle: str = ""
    reason: str = ""

    @property
    def dedupe_key(self) -> str:
        return dedupe_key(self.system, self.wish.key, self.revision)


def dedupe_key(system: str, key: str, revision: int) -> str:
    """Of the message that writes a revision."""
    return f"erp-forecast:{system}:{key}:{revision}"


class ErpForecastLines:
    """Repository of what the ERPs are to hold as forecast, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def append(
        self, system: str, wish: ForecastWish, *, revision: int, at: datetime, by: int | None
    ) -> ForecastRevision:
        """by: who asked for it, None for a rule."""
        await self._conn.execute(
            insert(erp_forecasts).values(
                system=system,
                key=wish.key,
                revision=revision,
                account_id=wish.account_id,
                contract_id=wish.contract_id,
                opportunity_id=wish.opportunity_id,
                asked_at=at,
                asked_by=by,
                **{name: getattr(wish.facts, name) for name in FACTS},
            )
        )
        return ForecastRevision(system, wish, revision, at)

    async def latest(
        self, system: str, keys: Collection[str] | None = None
    ) -> dict[str, ForecastRevision]:
        """key -> its newest revision; of all lines where no keys are given."""
        if keys is None:
            return {one.wish.key: one for one in await self._newest(system)}
        found: dict[str, ForecastRevision] = {}
        for chunk in in_chunks(keys):
            rows = await self._newest(system, erp_forecasts.c.key.in_(chunk))
            found |= {one.wish.key: one for one in rows}
        return found

    async def since_last_written(self, system: str, key: str) -> Sequence[ForecastRevision]:
        """The last revision that is known to have been written, and all after it, in order; all
        of them where none was."""
        query = _with_outbox().where(erp_forecasts.c.system == system, erp_forecasts.c.key == key)
        rows = await self._conn.execute(query.order_by(erp_forecasts.c.revision))
        revisions = [_to_revision(row) for row in rows]
        written = [place for place, one in enumerate(revisions) if one.state == SENT]
        return revisions[written[-1] :] if written else revisions

    async def say_deal(
        self, contract_id: int, opportunity_id: int | None, *, by: int, at: datetime
    ) -> None:
        """Somebody says which deal a contract belongs to; None: none that we know."""
        values = {"opportunity_id": opportunity_id, "said_by": by, "at": at}
        await self._conn.execute(
            insert_into(self._conn, contract_deals)
            .values(contract_id=contract_id, **values)
            .on_conflict_do_update(index_elements=[contract_deals.c.contract_id], set_=values)
        )

    async def said_deals(self, contract_ids: Iterable[int]) -> dict[int, int | None]:
        """contract -> the deal that somebody named, of those of which somebody did."""
        found: dict[int, int | None] = {}
        for chunk in in_chunks(contract_ids):
            query = select(contract_deals).where(contract_deals.c.contract_id.in_(chunk))
            rows = await self._conn.execute(query)
            found |= {row.contract_id: row.opportunity_id for row in rows}
        return found

    async def _newest(self, system: str, *which: Any) -> list[ForecastRevision]:
        newest = (
            select(erp_forecasts.c.key, func.max(erp_forecasts.c.revision).label("revision"))
            .where(erp_forecasts.c.system == system, *which)
            .group_by(erp_forecasts.c.key)
            .subquery()
        )
        query = _with_outbox().join(
            newest,
            and_(
                newest.c.key == erp_forecasts.c.key,
                newest.c.revision == erp_forecasts.c.revision,
            ),
        )
        rows = await self._conn.execute(
            query.where(erp_forecasts.c.system == system).order_by(erp_forecasts.c.key)
        )
        return [_to_revision(row) for row in rows]


def _with_outbox() -> Any:
    """Revisions with what became of their messages, found by the unique key of those."""
    revision = cast(erp_forecasts.c.revision, String)
    key = literal("erp-forecast:") + erp_forecasts.c.system + ":" + erp_forecasts.c.key
    key = key + ":" + revision
    return select(
        erp_forecasts, outbox.c.state, outbox.c.handle, outbox.c.reason
    ).select_from(erp_forecasts.outerjoin(outbox, outbox.c.dedupe_key == key))  # fmt: skip


def _to_revision(row: AnyRow) -> ForecastRevision:
    facts = ForecastFacts(**{name: getattr(row, name) for name in FACTS})
    wish = ForecastWish(row.key, row.account_id, facts, row.contract_id, row.opportunity_id)
    return ForecastRevision(
        system=row.system,
        wish=wish,
        revision=row.revision,
        asked_at=row.asked_at,
        state=row.state or "",
        handle=row.handle or "",
        reason=row.reason or "",
    )
