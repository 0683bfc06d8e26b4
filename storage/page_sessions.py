"""Links to pages and the sessions they open. What they carry is never stored, only its digest:
whoever reads the database can open no page with it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.page_sessions import PageSession, Ticket
from storage.dialects import insert_into
from storage.tables import page_sessions, page_tickets, used_sign_ins

_TICKET = (
    page_tickets.c.person_id, page_tickets.c.path, page_tickets.c.expires_at,
    page_tickets.c.used_at,
)  # fmt: skip
_SESSION = (
    page_sessions.c.id, page_sessions.c.person_id, page_sessions.c.form_key,
    page_sessions.c.expires_at, page_sessions.c.ended_at,
)  # fmt: skip


class PageSessions:
    """Repository of links to pages and the sessions they opened, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add_ticket(self, secret: str, ticket: Ticket, *, at: datetime) -> None:
        """secret: what the link carries."""
        await self._conn.execute(
            insert(page_tickets).values(
                digest=_digest(secret),
                person_id=ticket.person_id,
                path=ticket.path,
                made_at=at,
                expires_at=ticket.expires_at,
            )
        )

    async def find_ticket(self, secret: str) -> Ticket | None:
        """Also one that was used or has expired."""
        rows = await self._conn.execute(
            select(*_TICKET).where(page_tickets.c.digest == _digest(secret))
        )
        row = rows.one_or_none()
        return None if row is None else Ticket(*row)

    async def use_ticket(self, secret: str, *, at: datetime) -> Ticket | None:
        """None when it is unknown, was used or has expired. Of two at once, one gets it."""
        rows = await self._conn.execute(
            update(page_tickets)
            .where(
                page_tickets.c.digest == _digest(secret),
                page_tickets.c.used_at.is_(None),
                page_tickets.c.expires_at > at,
            )
            .values(used_at=at)
            .returning(*_TICKET)
        )
        row = rows.one_or_none()
        return None if row is None else Ticket(*row)

    async def drop_tickets(self, before: datetime) -> None:
        """Those that were made before then."""
        await self._conn.execute(delete(page_tickets).where(page_tickets.c.made_at < before))

    async def begin(
        self,
        secret: str,
        *,
        person_id: int,
        form_key: str,
        came_by: str,
        at: datetime,
        expires_at: datetime,
    ) -> PageSession:
        """secret: what the cookie carries."""
        begun = await self._conn.execute(
            insert(page_sessions)
            .values(
                digest=_digest(secret),
                person_id=person_id,
                form_key=form_key,
                came_by=came_by,
                began_at=at,
                expires_at=expires_at,
            )
            .returning(*_SESSION)
        )
        return PageSession(*begun.one())

    async def use_sign_in(self, state: str, *, at: datetime, expires_at: datetime) -> bool:
        """False when it was used before. Of two at once, one gets it."""
        await self._conn.execute(delete(used_sign_ins).where(used_sign_ins.c.expires_at <= at))
        added = await self._conn.execute(
            insert_into(self._conn, used_sign_ins)
            .values(state=state, expires_at=expires_at)
            .on_conflict_do_nothing(index_elements=[used_sign_ins.c.state])
            .returning(used_sign_ins.c.state)
        )
        return added.one_or_none() is not None

    async def find(self, secret: str) -> PageSession | None:
        """Also one that has ended."""
        rows = await self._conn.execute(
            select(*_SESSION).where(page_sessions.c.digest == _digest(secret))
        )
        row = rows.one_or_none()
        return None if row is None else PageSession(*row)

    async def end(self, session_id: int, *, at: datetime, why: str) -> None:
        await self._end(page_sessions.c.id == session_id, at=at, why=why)

    async def end_all_of(self, person_id: int, *, at: datetime, why: str) -> None:
        await self._end(page_sessions.c.person_id == person_id, at=at, why=why)

    async def _end(self, which: Any, *, at: datetime, why: str) -> None:
        await self._conn.execute(
            update(page_sessions)
            .where(which, page_sessions.c.ended_at.is_(None))
            .values(ended_at=at, ended_why=why)
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
