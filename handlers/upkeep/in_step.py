"""What one process keeps in memory follows what others have committed.

Words come from the triggers of migration 0028, our own included, so nobody who writes must think
of it. They come within milliseconds, not at once: whoever hears of a customer that was entered
elsewhere in the same moment may not know it yet. Within a conversation that cannot happen, since
one process handles it; and where it counts, the database decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from handlers.desk import Office
from storage.unit_of_work import UnitOfWork

CUSTOMER, GROUPS, LIBRARIES = "customer:", "groups", "libraries"
PAUSE_S = 1.0

log = logging.getLogger(__name__)


class Following:
    """Brings what this process keeps in memory up to what others have committed. `heard` notes a
    word; `run` acts on what was noted, for ever."""

    def __init__(
        self, office: Office, read: Callable[[], AbstractAsyncContextManager[UnitOfWork]]
    ) -> None:
        self._office = office
        self._read = read
        self._customers: set[int] = set()
        self._others: set[str] = set()
        self._all = False
        self._noted = asyncio.Event()

    def heard(self, word: str) -> None:
        """Words that are none of ours are passed over."""
        if word.startswith(CUSTOMER):
            self._customers.add(int(word.removeprefix(CUSTOMER)))
        elif word in (GROUPS, LIBRARIES):
            self._others.add(word)
        else:
            return
        self._noted.set()

    def missed(self) -> None:
        """News may have been lost, so everything is read anew."""
        self._all = True
        self._noted.set()

    async def run(self) -> None:
        """Ends by cancellation."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            customers, others, everything = self._customers, self._others, self._all
            self._customers, self._others, self._all = set(), set(), False
            try:
                await self._follow(customers, others, everything=everything)
            except Exception:
                log.exception("memory could not follow", extra={"action": "follow"})
                self._customers |= customers
                self._others |= others
                self._all |= everything
                self._noted.set()
                await asyncio.sleep(PAUSE_S)

    async def _follow(self, customers: set[int], others: set[str], *, everything: bool) -> None:
        office = self._office
        async with self._read() as tx:
            if everything:
                standing = {one.id: one for one in await tx.accounts.list_all()}
                customers = customers | office.customers.known | standing.keys()
            else:
                standing = await tx.accounts.list_some(list(customers))
            for account_id in customers:
                if account_id in standing:
                    office.customers.put(standing[account_id])
                else:
                    office.customers.forget(account_id)
            if everything or GROUPS in others:
                office.groups.load(await tx.chat_bindings.groups())
            if everything or LIBRARIES in others:
                await office.libraries.load(tx, office.read_library)
