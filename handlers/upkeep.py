"""What keeps the bot in step with its platforms: introducing itself, reading who works there,
fetching what was not delivered, and warning before the quota ends.

All of it waits for the network, so it runs before a tick's transaction, in short ones of its
own.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

from bot.clock import Clock
from bot.domain.people import Directory
from bot.errors import BotError
from bot.messages import Envelope, OutboundMessage
from bot.ports import Accept
from bot.router import Begin, Job
from handlers import directory
from handlers.desk import Office
from storage.unit_of_work import UnitOfWork

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 600.0
MOST_PAGES = 50  # of undelivered events in one go

ONE_JUMP_S = 2.0
"""Ticks closer together than this in real time belong to one jump of the sandbox's clock."""

_WARN_AT_PERCENT = (100, 90, 70)

log = logging.getLogger(__name__)

_ALWAYS = datetime.min.replace(tzinfo=UTC)


class Platform(Protocol):
    """One application, as far as it needs upkeep. Every method raises BotError."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    async def introduce(self, public_url: str) -> None:
        """Tell the platform what it is to know of us."""
        ...

    async def read_directory(self) -> Directory: ...


@runtime_checkable
class KeepsFailures(Protocol):
    """A platform that lists the events which it could not deliver."""

    async def read_failed_events(self) -> Sequence[Envelope]:
        """What the call before this one has told is gone from the list."""
        ...


class Quota(Protocol):
    """month: "2026-11". used, limit: paid calls."""

    @property
    def month(self) -> str: ...

    @property
    def used(self) -> int: ...

    @property
    def limit(self) -> int: ...


@runtime_checkable
class Metered(Protocol):
    """A platform whose calls are paid for by the month."""

    async def quota(self) -> Quota: ...


Step = Callable[[Platform], Awaitable[None]]


class Upkeep:
    """`settle_in` at start, `jobs` by the clock. `troubles`: application -> why it is away."""

    def __init__(
        self,
        office: Office,
        platforms: Sequence[Platform],
        *,
        begin: Begin[UnitOfWork],
        accept: Accept,
        clock: Clock,
        public_url: str,
    ) -> None:
        self._office = office
        self._platforms = platforms
        self._begin = begin
        self._accept = accept
        self._clock = clock
        self._public_url = public_url
        self._troubles: dict[str, dict[str, str]] = {}
        self._done_at: dict[str, float] = {}

    @property
    def troubles(self) -> Mapping[str, str]:
        return {name: "; ".join(found.values()) for name, found in self._troubles.items()}

    async def settle_in(self) -> None:
        """Introduce the bot everywhere and read every directory, again and again where a
        platform is away. The bot works meanwhile, for the people it knows already."""
        steps: tuple[Step, ...] = (self._introduce, self._read_directory)
        tasks = [self._until_done(one, step) for one in self._platforms for step in steps]
        await asyncio.gather(*tasks)
        self._done_at["read directories"] = asyncio.get_running_loop().time()

    def jobs(self) -> tuple[Job[UnitOfWork], ...]:
        """Events can be lost, so what we know of a directory does not rest on them alone.

        Undelivered events are asked for once an hour only: DingTalk does not say whether
        that is one of the calls that are paid for.
        """
        return (
            self._job("read directories", {"hour": "3", "minute": "0"}, self._read_directory),
            self._job("fetch failed events", {"minute": "20"}, self._fetch_failed_events),
            self._job("watch quota", {"minute": "*/10"}, self._watch_quota),
        )

    def _job(self, name: str, trigger: dict[str, str], step: Step) -> Job[UnitOfWork]:
        """next_due: where the clock jumps over many ticks, the platforms do not move with
        it, and the first tick finds what there is to find."""

        async def work(_: Begin[UnitOfWork], at: datetime) -> None:
            for platform in self._platforms:
                await self._tried(platform, step)
            self._done_at[name] = asyncio.get_running_loop().time()

        async def next_due(_: UnitOfWork) -> datetime | None:
            since_s = asyncio.get_running_loop().time() - self._done_at.get(name, -math.inf)
            return None if since_s < ONE_JUMP_S else _ALWAYS

        return Job(name, trigger, _nothing_more, next_due=next_due, prepare=work)

    async def _until_done(self, platform: Platform, step: Step) -> None:
        wait_s = FIRST_WAIT_S
        while not await self._tried(platform, step):
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _tried(self, platform: Platform, step: Step) -> bool:
        """One line in the log when a platform goes away, one when it is back."""
        name, what = f"{platform.platform}:{platform.app}", step.__name__
        fields = {"action": "upkeep", "channel": name}
        try:
            await step(platform)
        except BotError as error:
            if name not in self._troubles:
                log.warning("platform out of reach", extra={**fields, "error": str(error)})
            self._troubles.setdefault(name, {})[what] = str(error)
            return False
        except Exception as error:
            log.exception("upkeep failed", extra=fields)
            self._troubles.setdefault(name, {})[what] = type(error).__name__
            return False
        if name in self._troubles:
            self._troubles[name].pop(what, None)
            if not self._troubles[name]:
                del self._troubles[name]
                log.info("platform in reach again", extra=fields)
        return True

    async def _introduce(self, platform: Platform) -> None:
        await platform.introduce(self._public_url)

    async def _read_directory(self, platform: Platform) -> None:
        told = await platform.read_directory()
        at = self._clock.now()
        async with self._begin() as tx:
            notes = await directory.save(tx, self._office, told, at)
            await tx.delivery.queue(notes, at=at)

    async def _fetch_failed_events(self, platform: Platform) -> None:
        """Each page is on disk before the next call strikes it off the list."""
        if not isinstance(platform, KeepsFailures):
            return
        for _ in range(MOST_PAGES):
            envelopes = await platform.read_failed_events()
            if not envelopes:
                return
            for envelope in envelopes:
                release = await self._accept(envelope)
                release()

    async def _watch_quota(self, platform: Platform) -> None:
        """Each threshold is told once a month: known keys are not queued again."""
        if not isinstance(platform, Metered):
            return
        state = await platform.quota()
        percent = state.used * 100 // state.limit
        reached = next((step for step in _WARN_AT_PERCENT if percent >= step), None)
        if reached is None:
            return
        key = f"quota:{platform.app}:{state.month}:{reached}"
        text = _quota_text(state, reached)
        async with self._begin() as tx:
            notes = await directory.tell_admins(tx, self._office, text, key=key)
            await tx.delivery.queue(notes, at=self._clock.now())


async def _nothing_more(_: UnitOfWork, __: datetime) -> Sequence[OutboundMessage]:
    return ()


def _quota_text(state: Quota, reached: int) -> str:
    used = f"钉钉本月接口调用已用 {state.used} / {state.limit} 次，超过 {reached}%。"
    if reached < 90:
        return f"{used}到 90% 时机器人会自动节省。"
    if reached < 100:
        return (
            f"{used}机器人开始节省：处理完的卡片不再刷新，回复尽量走不计费的会话。"
            "请考虑购买扩容包。"
        )
    return (
        f"{used}钉钉可能随时拒绝调用，届时只有会话回复和群机器人还能发。"
        "请购买扩容包，并把新额度写进配置 monthly_calls。"
    )
