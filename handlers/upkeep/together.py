"""This process beside others on one PostgreSQL: what it tells them and does upon their word.

What each of them does stands in leases (`bot.membership`). Words only make it quick: without
them everything would still be found by looking, some seconds later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from prometheus_client import Gauge

from bot.domain.sharing import HOME, Division
from bot.membership import Membership
from bot.tasks import cancel_all
from handlers.upkeep.bell import Bell
from handlers.upkeep.in_step import Following
from storage.leases import Leases
from storage.news import News

TOOK, QUEUED, DUE, ARCHIVE = "took:", "queued", "due", "archive:"

_HELD = Gauge("gendan_leases", "What this process does for all on its database, by number.")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """Of the bot, as far as others' words concern them. take: what was stored for a conversation
    of ours. recover: all that is stored and ours. drop_others: what is ours no more. look: whether
    there is anything to send. due: rung when contacts are to be read."""

    take: Callable[[Sequence[int]], Awaitable[None]]
    recover: Callable[[], Awaitable[int]]
    drop_others: Callable[[], None]
    look: Callable[[], None]
    wake_archive: Callable[[str], None]
    due: Bell
    following: Following


class Together:
    """Made before the bot, which asks it what to do; `running` once the bot is there."""

    def __init__(self, url: str, division: Division) -> None:
        self._early: list[str] = []
        node = f"{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._leases = Leases(url)
        self._division = division
        self.membership = Membership(node, division, self._leases)
        self._news = News(url, heard=self._heard, on_gap=self._missed)
        self._parts: Parts | None = None
        self._took: list[int] = []
        self._told = asyncio.Event()
        self._look_at_all = asyncio.Event()

    @property
    def is_home(self) -> bool:
        return self.membership.fence(HOME) is not None

    async def may_connect(self) -> bool:
        """Whether long connections may be opened from here."""
        return self.is_home

    def hand_over(self, conversation: str, stored: int) -> None:
        """Stored here; whoever has the conversation takes it from the database."""
        self._news.tell(f"{TOOK}{self._division.of_conversation(conversation)}:{stored}")

    def queued(self) -> None:
        """Something is to be sent, perhaps by somebody else."""
        senders = self._division.senders
        if not (self.is_home and all(self.membership.sends(*app) for app in senders)):
            self._news.tell(QUEUED)

    def wake_archive(self, app: str) -> None:
        self._news.tell(f"{ARCHIVE}{app}")

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """From here on nothing that others change is missed; before memory is loaded."""
        task = asyncio.create_task(self._news.run(), name="news")
        try:
            await self._news.listening.wait()
            yield
        finally:
            await cancel_all([task])
            await self._leases.close()

    async def join(self, parts: Parts) -> None:
        """Take a share of the work. Raises what the database says."""
        self._parts = parts
        for word in self._early:
            parts.following.heard(word)
        self._early.clear()
        self.membership.on_change(self._on_change)
        await self.membership.join()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """After `join`. On leaving, everything is given back at once; by then nothing that was
        begun may be under way any more."""
        assert self._parts is not None
        loops = [
            asyncio.create_task(self.membership.run(), name="membership"),
            asyncio.create_task(self._parts.following.run(), name="following"),
            asyncio.create_task(self._take(self._parts), name="take"),
            asyncio.create_task(self._look(self._parts), name="look"),
            asyncio.create_task(self._pass_on(self._parts.due), name="pass on"),
        ]
        try:
            yield
        finally:
            await cancel_all(loops)
            await self.membership.leave()

    def _on_change(self, gained: frozenset[str], lost: frozenset[str]) -> None:
        assert self._parts is not None
        _HELD.set(len(self.membership.names))
        if lost:
            self._parts.drop_others()
        if gained:
            self._look_at_all.set()
        self._parts.look()

    def _heard(self, word: str) -> None:
        parts = self._parts
        if parts is None:
            self._early.append(word)
            return
        if word.startswith(TOOK):
            lease, _, stored = word.removeprefix(TOOK).rpartition(":")
            if self.membership.fence(lease) is not None:
                self._took.append(int(stored))
                self._told.set()
        elif word == QUEUED:
            parts.look()
        elif word == DUE and self.is_home:
            parts.due.ring()
        elif word.startswith(ARCHIVE) and self.is_home:
            parts.wake_archive(word.removeprefix(ARCHIVE))
        else:
            parts.following.heard(word)

    def _missed(self) -> None:
        if self._parts is not None:
            self._parts.following.missed()
            self._parts.look()
            self._look_at_all.set()

    async def _take(self, parts: Parts) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            stored, self._took = self._took, []
            try:
                await parts.take(stored)
            except Exception as error:  # noqa: BLE001 - it is stored, and looked for
                log.warning("not taken", extra={"action": "take", "error": repr(error)})
                self._look_at_all.set()

    async def _look(self, parts: Parts) -> None:
        """At once after a take-over; what words did not tell of is found by the
        loop that finds what `replay` has put back."""
        while True:
            await self._look_at_all.wait()
            self._look_at_all.clear()
            try:
                await parts.recover()
            except Exception as error:  # noqa: BLE001 - asked for again
                log.warning("not looked", extra={"action": "recover", "error": repr(error)})
                await asyncio.sleep(1.0)
                self._look_at_all.set()

    async def _pass_on(self, due: Bell) -> None:
        """Contacts are read at home, whoever learns that they changed."""
        rung = due.listener()
        while True:
            await rung.wait()
            rung.clear()
            if not self.is_home:
                self._news.tell(DUE)
