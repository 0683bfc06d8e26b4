"""Who did what, when, from what to what. Append only, each entry sealed with the one before.

The chain shows an edited, removed or inserted entry. Cutting off its end shows only against
a `head` that was written down elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import AnyRow
from storage.tables import audit

START = "0" * 64
PAGE = 1_000

_POSTGRES_LOCK = 0x67656E64  # any number nobody else uses


class Audit:
    """The chain, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def append(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """actor: "person:5", "system" or "admin:cli". before and after: JSON values.

        Call it late in a transaction: on PostgreSQL those behind it wait for the commit.
        """
        await self._take_turn()
        seq, previous_hash = await self.head()
        entry = {
            "seq": seq + 1,
            "at": at,
            "actor": actor,
            "action": action,
            "subject": subject,
            "before": _canonical(before),
            "after": _canonical(after),
            "previous_hash": previous_hash,
        }
        await self._conn.execute(insert(audit).values(**entry, hash=_seal(entry)))

    async def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry; worth keeping where nobody can edit it."""
        rows = await self._conn.execute(
            select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
        )
        row = rows.one_or_none()
        return (0, START) if row is None else (row.seq, row.hash)

    async def verify(self) -> int | None:
        """The number of the first entry that does not fit; None when all do."""
        seq, seal = 0, START
        while True:
            page = await self._page(after=seq)
            for row in page:
                seq += 1
                if row.seq != seq or row.previous_hash != seal or row.hash != _seal(row._asdict()):
                    return seq
                seal = row.hash
            if len(page) < PAGE:
                return None

    async def _page(self, *, after: int) -> list[AnyRow]:
        rows = await self._conn.execute(
            select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(PAGE)
        )
        return list(rows)

    async def _take_turn(self) -> None:
        """SQLite's one writer needs no lock."""
        if self._conn.dialect.name == "postgresql":
            await self._conn.execute(select(func.pg_advisory_xact_lock(_POSTGRES_LOCK)))


def _canonical(value: Mapping[str, Any] | None) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _seal(entry: Mapping[str, Any]) -> str:
    """SHA-256 over the entry and the seal of the one before, as canonical JSON."""
    sealed = [
        entry["seq"],
        entry["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        *(entry[name] for name in ("actor", "action", "subject", "before", "after")),
        entry["previous_hash"],
    ]
    text = json.dumps(sealed, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
