"""The open transaction as handlers see it. storage/writers.py begins and commits it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.accounts import Accounts
from storage.activities import Activities
from storage.aliases import Aliases
from storage.audit import Audit
from storage.cards import Cards, Dialogs
from storage.delivery import Delivery
from storage.drafts import Drafts
from storage.files import Files
from storage.group_words import GroupWords
from storage.lights import Lights
from storage.opportunities import Opportunities
from storage.people import People
from storage.refusals import Refusals
from storage.settings import Settings
from storage.tokens import Tokens
from storage.tracks import Tracks


class UnitOfWork:
    """One open transaction and everything that can be read and written in it."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self.delivery = Delivery(conn)
        self.audit = Audit(conn)
        self.people = People(conn)
        self.accounts = Accounts(conn)
        self.aliases = Aliases(conn)
        self.opportunities = Opportunities(conn)
        self.activities = Activities(conn)
        self.drafts = Drafts(conn)
        self.files = Files(conn)
        self.cards = Cards(conn)
        self.dialogs = Dialogs(conn)
        self.group_words = GroupWords(conn)
        self.settings = Settings(conn)
        self.lights = Lights(conn)
        self.tokens = Tokens(conn)
        self.tracks = Tracks(conn)
        self.refusals = Refusals(conn)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """A part that is undone alone when it raises; the transaction goes on. Not nested."""
        await self._conn.execute(text("SAVEPOINT attempt"))
        try:
            yield
        except BaseException:
            await self._conn.execute(text("ROLLBACK TO SAVEPOINT attempt"))
            raise
        finally:
            await self._conn.execute(text("RELEASE SAVEPOINT attempt"))
