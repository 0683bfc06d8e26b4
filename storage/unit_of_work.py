"""The open transaction as handlers see it. storage/writers.py begins and commits it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.accounts import Accounts
from storage.activities import Activities
from storage.aliases import Aliases
from storage.assignments import Assignments
from storage.audit import Audit
from storage.cards import Cards, Dialogs
from storage.clause_reviews import ClauseReviews
from storage.collisions import Collisions
from storage.contracts import Contracts
from storage.deadlines import Deadlines
from storage.delivery import Delivery
from storage.diagnosis import Diagnosis
from storage.drafts import Drafts
from storage.duplicates import Duplicates
from storage.erp import ErpReceipts
from storage.figures import FigureRows
from storage.files import Files
from storage.group_words import GroupWords
from storage.libraries import Libraries
from storage.lights import Lights
from storage.merges import Merges
from storage.opportunities import Opportunities
from storage.people import People
from storage.pool import Pool
from storage.refusals import Refusals
from storage.settings import Settings
from storage.stages import Stages
from storage.teams import Teams
from storage.tokens import Tokens
from storage.tracks import Tracks


class UnitOfWork:
    """One open transaction and everything that can be read and written in it."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self.delivery = Delivery(conn)
        self.audit = Audit(conn)
        self.people = People(conn)
        self.teams = Teams(conn)
        self.accounts = Accounts(conn)
        self.aliases = Aliases(conn)
        self.duplicates = Duplicates(conn)
        self.collisions = Collisions(conn)
        self.merges = Merges(conn)
        self.pool = Pool(conn)
        self.assignments = Assignments(conn)
        self.opportunities = Opportunities(conn)
        self.activities = Activities(conn)
        self.deadlines = Deadlines(conn)
        self.drafts = Drafts(conn)
        self.contracts = Contracts(conn)
        self.erp = ErpReceipts(conn)
        self.clause_reviews = ClauseReviews(conn)
        self.files = Files(conn)
        self.figures = FigureRows(conn)
        self.diagnosis = Diagnosis(conn)
        self.cards = Cards(conn)
        self.dialogs = Dialogs(conn)
        self.group_words = GroupWords(conn)
        self.settings = Settings(conn)
        self.lights = Lights(conn)
        self.tokens = Tokens(conn)
        self.libraries = Libraries(conn)
        self.stages = Stages(conn)
        self.tracks = Tracks(conn)
        self.refusals = Refusals(conn)
        self._once_committed: list[Callable[[], None]] = []

    def once_committed(self, act: Callable[[], None]) -> None:
        """Have what is kept in memory follow, but not before the database has it."""
        self._once_committed.append(act)

    def committed(self) -> None:
        """Called by whoever has committed."""
        for act in self._once_committed:
            act()

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
