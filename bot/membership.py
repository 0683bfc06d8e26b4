"""This process among those that share one database: what it holds, and since when not any more.

A lease runs for a while and is renewed long before. Whoever cannot renew it stops relying on it
a margin before the database would give it to somebody else, by a clock that cannot be set. What
was begun under it may still be under way then; the database refuses its end (`Fence`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bot.domain.sharing import Division
from bot.ports import Fence

LEASE_S = 6.0
"""How long a lease runs in the database. A process that dies is replaced after this and a beat."""

MARGIN_S = 1.5
BEAT_S = 1.0
SLOWEST_BEAT_S = 3.0

log = logging.getLogger(__name__)

OnChange = Callable[[frozenset[str], frozenset[str]], None]
"""Told what was gained and what was lost. Lost and gained again in between is told as both."""


class LeaseBook(Protocol):
    """Where leases stand for all to see."""

    async def beat(self, node: str, names: Sequence[str], *, lease_s: float) -> Mapping[str, int]:
        """Renew what `node` has, take and give what is due: name -> term of all it has now.
        Raises whatever the database says."""
        ...

    async def leave(self, node: str) -> None:
        """Give everything back."""
        ...


class Membership:
    """A `bot.ports.Shares` of one of several processes; see `SoleProcess` for one alone."""

    def __init__(self, node: str, division: Division, book: LeaseBook) -> None:
        self.node = node
        self._division = division
        self._book = book
        self._terms: dict[str, int] = {}
        self._until = 0.0
        self._listeners: list[OnChange] = []
        self._changed = asyncio.Condition()

    def on_change(self, tell: OnChange) -> None:
        self._listeners.append(tell)

    def fence(self, name: str) -> Fence | None:
        term = self._terms.get(name)
        if term is None or _now() >= self._until:
            return None
        return Fence(name, term)

    def fence_of(self, conversation: str) -> Fence | None:
        return self.fence(self._division.of_conversation(conversation))

    def sends(self, platform: str, app: str) -> bool:
        return self.fence(self._division.of_sending((platform, app))) is not None

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._terms)

    async def join(self) -> None:
        """The first beat; raises what the database says."""
        await self._beat()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self._beat()
            except Exception as error:  # noqa: BLE001 - whatever it is, the lease runs on
                log.warning("no beat", extra={"action": "beat", "error": repr(error)})
                if _now() >= self._until:
                    await self._settle({})

    async def leave(self) -> None:
        """Others take over at once."""
        await self._settle({})
        try:
            async with asyncio.timeout(SLOWEST_BEAT_S):
                await self._book.leave(self.node)
        except Exception as error:  # noqa: BLE001 - the leases run out by themselves
            log.warning("not given back", extra={"action": "beat", "error": repr(error)})

    async def held(self, name: str) -> None:
        """Wait until this process has it."""
        async with self._changed:
            await self._changed.wait_for(lambda: name in self._terms)

    async def lost(self, name: str) -> None:
        """Wait until it has it no more, or not without a break."""
        async with self._changed:
            term = self._terms.get(name)
            await self._changed.wait_for(lambda: self._terms.get(name) != term or term is None)

    async def _beat(self) -> None:
        begun = _now()
        async with asyncio.timeout(SLOWEST_BEAT_S):
            terms = await self._book.beat(self.node, self._division.names, lease_s=LEASE_S)
        if begun >= self._until:  # what ran out meanwhile was not held without a break
            await self._settle({})
        self._until = begun + LEASE_S - MARGIN_S
        await self._settle(dict(terms))

    async def _settle(self, terms: dict[str, int]) -> None:
        before, self._terms = self._terms, terms
        gained = frozenset(name for name in terms if before.get(name) != terms[name])
        lost = frozenset(name for name in before if terms.get(name) != before[name])
        if not gained and not lost:
            return
        fields = {"action": "beat", "gained": sorted(gained), "lost": sorted(lost)}
        log.info("leases changed", extra=fields)
        for tell in self._listeners:
            tell(gained, lost)
        async with self._changed:
            self._changed.notify_all()


class SoleProcess:
    """A `bot.ports.Place` of the only process: everything is here, for ever."""

    async def held(self, name: str) -> None:
        """At once."""

    async def lost(self, name: str) -> None:
        """Never."""
        await asyncio.Event().wait()


def _now() -> float:
    return asyncio.get_running_loop().time()
