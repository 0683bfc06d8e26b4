"""The answers that a callback is still waiting for, where the platform calls us.

A callback can be answered in its own HTTP answer for five seconds, and a message once more
through its response_url for an hour. Work that takes longer is announced by a stream, whose
next poll takes the answer. All of it is in memory: after a restart an answer goes another way.
Sources: developer.work.weixin.qq.com/document/path/101031, 101138.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.messages import Address

Body = dict[str, Any]

URL_LIFE = timedelta(minutes=59)
STREAM_LIFE = timedelta(minutes=5, seconds=30)  # the platform stops asking after six
POLLED_WITHIN_S = 4.0
ON_ITS_WAY_S = 1.0  # between the end of the work and the sending of what it queued
_LOOK_EVERY_S = 0.1
_SWEEP_AT = 1000


class Taker:
    """A place for one answer that somebody comes to fetch: offered, taken, and told written."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._offered: asyncio.Future[Body] = loop.create_future()
        self._written: asyncio.Future[bool] = loop.create_future()

    @property
    def is_free(self) -> bool:
        return not self._offered.done()

    async def offer(self, body: Body, *, within_s: float | None = None) -> bool:
        """Whether it was written. False at once when another answer was first, or nobody
        waits any more. within_s: take it back when nobody has fetched it by then."""
        if not self.is_free:
            return False
        self._offered.set_result(body)
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(self._written)
        except TimeoutError:
            self.close()
            return False

    async def wait(self, seconds: float, *, is_at_work: Callable[[], bool]) -> Body | None:
        """The answer; None when none came, and then none will: the time is over, or nobody is
        at work on one and nothing that was queued has been on its way for a second."""
        now = asyncio.get_running_loop().time
        end_at, idle_until = now() + seconds, math.inf
        while not self._offered.done():
            idle_until = math.inf if is_at_work() else min(idle_until, now() + ON_ITS_WAY_S)
            left_s = min(end_at, idle_until) - now()
            if left_s <= 0:
                self.close()
                return None
            await asyncio.wait({self._offered}, timeout=min(left_s, _LOOK_EVERY_S))
        return self._offered.result()

    def fetch(self) -> Body | None:
        """The answer if there is one by now."""
        if not self._offered.done() or self._offered.cancelled() or self._written.done():
            return None
        return self._offered.result()

    def written(self, went_out: bool) -> None:
        if not self._written.done():
            self._written.set_result(went_out)

    def close(self) -> None:
        self._offered.cancel()
        self.written(False)


@dataclass(slots=True, eq=False)
class Chance:
    """What one callback lets us say. source: what our answers' dedupe keys begin with.

    kind: "message", "press" or "welcome". task_id: of the pressed card. direct: the callback's
    own answer, or the stream that it began. url: for one further message until url_until, ""
    once it was used; is_doubtful: it was used, and whether that had an effect is not known.
    idle_since: when it was first seen that nobody is at work on an answer any more.
    """

    source: str
    to: Address
    kind: str
    task_id: str = ""
    direct: Taker | None = None
    is_streamed: bool = False
    url: str = ""
    url_until: datetime | None = None
    is_doubtful: bool = False
    stream: str = ""
    stream_until: datetime | None = None
    idle_since: datetime | None = None

    async def say(self, body: Body) -> bool:
        """Whether the direct answer has taken it."""
        if self.direct is None:
            return False
        within_s = POLLED_WITHIN_S if self.is_streamed else None
        return await self.direct.offer(body, within_s=within_s)


class Replies:
    """The chances of one robot."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._chances: dict[str, Chance] = {}
        self._streams: dict[str, Chance] = {}
        self._sweep_at = _SWEEP_AT

    def add(self, chance: Chance) -> bool:
        """False when the same delivery has come before: its first copy is answered."""
        if chance.source in self._chances:
            return False
        self._sweep()
        self._chances[chance.source] = chance
        return True

    def drop(self, chance: Chance) -> None:
        """It was not stored, so the platform may send it again."""
        self._chances.pop(chance.source, None)

    def forget(self) -> None:
        """Everything, as a restart does."""
        self._chances.clear()
        self._streams.clear()

    def note_url(self, source: str, to: Address, url: str, *, said_at: datetime) -> None:
        """A message that may be answered through `url`; known ones are passed over."""
        until = said_at + URL_LIFE
        if not url or until <= self._clock.now():
            return
        chance = self._chances.get(source)
        if chance is None:
            chance = Chance(source, to, "message")
            self.add(chance)
        if chance.url_until is None:
            chance.url, chance.url_until = url, until

    def of(self, dedupe_key: str, to: Address) -> Chance | None:
        """The callback that this message answers, in the chat that it came from."""
        source = dedupe_key
        while (cut := source.rfind(":")) > 0:
            source = source[:cut]
            chance = self._chances.get(source)
            if chance is not None:
                return chance if chance.to == to else None
        return None

    def url_of(self, chance: Chance) -> str:
        """Where one more message may go; "" when it was used up or is too old."""
        if chance.url_until is None or self._clock.now() >= chance.url_until:
            return ""
        return chance.url

    def begin_stream(self, chance: Chance, stream: str) -> None:
        """The callback is answered by a stream that takes the answer later."""
        chance.direct, chance.is_streamed = Taker(), True
        chance.stream, chance.stream_until = stream, self._clock.now() + STREAM_LIFE
        self._streams[stream] = chance

    def stream(self, name: str) -> Chance | None:
        """The stream that the platform asks about; None when it is over."""
        return self._streams.get(name)

    def end_stream(self, name: str) -> None:
        chance = self._streams.pop(name, None)
        if chance is not None and chance.direct is not None:
            chance.direct.close()

    def is_over(self, chance: Chance) -> bool:
        """The platform is about to ask no more."""
        return chance.stream_until is not None and self._clock.now() >= chance.stream_until

    def is_idle(self, chance: Chance, *, is_at_work: bool) -> bool:
        """Nobody is at work on an answer, and has not been for a while."""
        now = self._clock.now()
        if is_at_work:
            chance.idle_since = None
            return False
        chance.idle_since = chance.idle_since or now
        return now - chance.idle_since >= timedelta(seconds=ON_ITS_WAY_S)

    def _sweep(self) -> None:
        """Forget what nobody can use any more, seldom enough to cost nothing."""
        if len(self._chances) < self._sweep_at:
            return
        now = self._clock.now()
        self._chances = {
            source: chance
            for source, chance in self._chances.items()
            if (chance.url_until or now) > now or (chance.direct and chance.direct.is_free)
        }
        self._streams = {
            name: chance for name, chance in self._streams.items() if not self.is_over(chance)
        }
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._chances))
