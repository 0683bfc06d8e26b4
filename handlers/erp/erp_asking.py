"""ERPs are asked before a tick's transaction, and what they told is stored in it.

The moment up to which an ERP's news is complete is stored together with it, so a crash between the
two asks again, and a silent ERP moves nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from bot.errors import BotError
from bot.router import Begin
from storage.erp import CUSTOMERS
from storage.unit_of_work import UnitOfWork

FIRST_READ = timedelta(days=400)
ALL_CUSTOMERS = datetime(2000, 1, 1, tzinfo=UTC)
"""Customers are read from the beginning; of all else only the last."""

SILENT_AFTER = timedelta(hours=2)

ONE_READ_A_DAY = timedelta(days=1)
"""Is enough while the sandbox's clock jumps over days on which nothing falls due."""

TRY_AGAIN = timedelta(hours=1)
"""So often a silent ERP is asked while the clock jumps."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

News = TypeVar("News")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Feed(Generic[News]):
    """One kind of news of one ERP. ask: for all since a moment; may raise BotError."""

    system: str
    kind: str
    ask: Callable[[datetime], Awaitable[News]]

    def begins(self, at: datetime) -> datetime:
        """What is read at first reaches back to then."""
        return ALL_CUSTOMERS if self.kind == CUSTOMERS else at - FIRST_READ


class Asking(Generic[News]):
    """Asks the ERPs for news, each feed from where it was left. troubles: of the feeds that told
    nothing when they were last asked, why."""

    def __init__(self, feeds: Sequence[Feed[News]]) -> None:
        self._feeds = feeds
        self._told: dict[Feed[News], News] = {}
        self.troubles: dict[Feed[News], str] = {}
        self._asked_at = _LONG_AGO

    async def ask(self, begin: Begin[UnitOfWork], at: datetime) -> None:
        """Each for what is not known yet; one that is away keeps nothing from the others."""
        self._told.clear()  # of a tick that came to nothing: it is complete up to then only
        self._asked_at = at
        async with begin() as tx:
            known = {feed: await _known_until(tx, feed) for feed in self._feeds}
        for feed, since in known.items():
            try:
                self._told[feed] = await feed.ask(since or feed.begins(at))
                self.troubles.pop(feed, None)
            except BotError as error:
                if feed not in self.troubles:
                    fields = {"action": f"read_erp_{feed.kind}", "channel": f"erp:{feed.system}"}
                    log.warning("ERP out of reach", extra={**fields, "error": str(error)})
                self.troubles[feed] = str(error)

    def told(self, kind: str) -> Iterator[tuple[str, News]]:
        """What each system told of that kind, handed out once."""
        for feed in [one for one in self._told if one.kind == kind]:
            yield feed.system, self._told.pop(feed)

    async def next_due(self, tx: UnitOfWork, *others: datetime | None) -> datetime | None:
        """When there is something to ask, or one of the other moments has come. While somebody is
        silent not before the next try."""
        asked = [await _known_until(tx, feed) or _LONG_AGO for feed in self._feeds]
        moments = [one + ONE_READ_A_DAY for one in asked] + [one for one in others if one]
        due = min(moments, default=None)
        if due is None or not self.troubles:
            return due
        return max(due, self._asked_at + TRY_AGAIN)


async def _known_until(tx: UnitOfWork, feed: Feed[News]) -> datetime | None:
    return (await tx.erp.known_until(feed.kind)).get(feed.system)
