"""How things stand now, for the metrics: each figure is one look at an index of what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.opportunities import Light
from bot.domain.payouts.disputes import State
from bot.ports import AppKey
from storage.dialects import fixed
from storage.tables import light_episodes, outbox, payout_disputes


@dataclass(frozen=True, slots=True)
class OpenDisputes:
    """Disputes that are not decided. oldest_at: when the one that has been open longest was
    submitted."""

    count: int
    oldest_at: datetime | None


class Standing:
    """Queries of how much waits, for /metrics, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def outbox_due(self) -> dict[AppKey, datetime]:
        """Application -> when the first message that waits for it is or was due."""
        rows = await self._conn.execute(
            select(outbox.c.platform, outbox.c.app, func.min(outbox.c.due_at))
            .where(outbox.c.state == fixed("queued"))
            .group_by(outbox.c.platform, outbox.c.app)
        )
        return {(row[0], row[1]): row[2] for row in rows}

    async def lights(self) -> dict[Light, int]:
        """How many are on, by colour."""
        columns = func.count(), func.count(light_episodes.c.red_at)
        still_on = select(*columns).where(light_episodes.c.cleared_at.is_(None))
        every, red = (await self._conn.execute(still_on)).one()
        return {Light.YELLOW: every - red, Light.RED: red}

    async def disputes(self) -> OpenDisputes:
        """Those that were submitted and not ended."""
        table = payout_disputes
        still_open = select(func.count(), func.min(table.c.submitted_at)).where(
            table.c.closed_at.is_(None), table.c.state != fixed(str(State.DRAFT))
        )
        return OpenDisputes(*(await self._conn.execute(still_open)).one())
