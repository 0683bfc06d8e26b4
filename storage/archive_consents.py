"""Who agreed to the chat archive, inside one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.archive import Consent, Pair, Status
from storage.dialects import insert_into, pairs_among
from storage.tables import archive_consents


class ArchiveConsents:
    """A row for each member or group and person outside; it stays as the proof."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def of(self, corp: str, pairs: Iterable[Pair]) -> dict[Pair, tuple[Consent, datetime]]:
        """What is known of them, and when it was asked or told."""
        found: dict[Pair, tuple[Consent, datetime]] = {}
        table = archive_consents
        wanted = [(pair.party, pair.outsider) for pair in pairs]
        of_them = pairs_among(self._conn, (table.c.party, table.c.outsider), wanted)
        for row in await self._conn.execute(select(table).where(table.c.corp == corp, of_them)):
            consent = Consent(Status(row.status), row.changed_at)
            found[Pair(row.party, row.outsider)] = (consent, row.asked_at)
        return found

    async def put(self, corp: str, consents: Iterable[tuple[Pair, Consent]], at: datetime) -> None:
        rows = [
            {
                "corp": corp,
                "party": pair.party,
                "outsider": pair.outsider,
                "status": str(consent.status),
                "changed_at": consent.changed_at,
                "asked_at": at,
            }
            for pair, consent in consents
        ]
        if not rows:
            return
        new = insert_into(self._conn, archive_consents)
        keys = [archive_consents.c[name] for name in ("corp", "party", "outsider")]
        now = {name: new.excluded[name] for name in ("status", "changed_at", "asked_at")}
        await self._conn.execute(new.on_conflict_do_update(index_elements=keys, set_=now), rows)
