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
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from bot.clock import Clock
from bot.domain.leaves import Leave
from bot.domain.people import Directory
from bot.errors import BotError
from bot.messages import Envelope, OutboundMessage
from bot.messages import Platform as PlatformName
from bot.ports import Accept
from bot.router import Begin, Job
from handlers.desk import Office
from handlers.people import directory, leaves
from handlers.texts import directory as texts
from storage.unit_of_work import UnitOfWork

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 600.0
LEAVES_AT = {"hour": "7,12", "minute": "50"}
"""Before the morning's lists, and once more for what was approved since."""

MOST_PAGES = 50  # of undelivered events in one go

DEAF_FOR = timedelta(minutes=3)
"""Without a connection before administrators hear of it; most gaps last seconds."""

ONE_JUMP_S = 2.0
"""Ticks closer together than this in real time belong to one jump of the sandbox's clock."""

_WARN_AT_PERCENT = (100, 95, 80, 60)

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


@runtime_checkable
class KnowsLeaves(Protocol):
    """A platform on which leaves are applied for and approved."""

    async def read_leaves(self, user_ids: Sequence[str], *, at: datetime) -> Sequence[Leave] | None:
        """What was approved for these people and is not over, or not long. None: nothing is to
        be read there, or not now."""
        ...


class Quota(Protocol):
    """A month's paid calls of one application. month: "2026-11". used, limit: paid calls. foretold:
    at the month's end, at its pace so far; None while it is too early to say."""

    @property
    def month(self) -> str: ...

    @property
    def used(self) -> int: ...

    @property
    def limit(self) -> int: ...

    @property
    def foretold(self) -> int | None: ...


@runtime_checkable
class Metered(Protocol):
    """A platform whose calls are paid for by the month."""

    async def quota(self) -> Quota: ...


class Listener(Protocol):
    """An application's own connections to its platform, over which pushes come."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    @property
    def refusal(self) -> str:
        """Why the platform lets us open none; "" while it does not say so."""
        ...

    @property
    def trouble(self) -> str:
        """Why no push can come; "" while one can."""
        ...

    @property
    def down_since(self) -> datetime | None:
        """Since when no push can come; None while one can."""
        ...


Step = Callable[[Platform], Awaitable[None]]


class Upkeep:
    """Keeps the applications working: directories, missed events, quotas, connections. `settle_in`
    at start, `jobs` by the clock. `troubles`: application -> why it is away. listens: whether the
    listeners' connections are this process's to keep."""

    def __init__(
        self,
        office: Office,
        platforms: Sequence[Platform],
        *,
        begin: Begin[UnitOfWork],
        accept: Accept,
        clock: Clock,
        public_url: str,
        listeners: Sequence[Listener] = (),
        listens: Callable[[], bool] = lambda: True,
    ) -> None:
        self._office = office
        self._platforms = platforms
        self._begin = begin
        self._accept = accept
        self._clock = clock
        self._public_url = public_url
        self._listeners = listeners
        self._listens = listens
        self._told_down: dict[str, str] = {}
        self._troubles: dict[str, dict[str, str]] = {}
        self._done_at: dict[str, float] = {}

    @property
    def troubles(self) -> Mapping[str, str]:
        found = {name: [*reasons.values()] for name, reasons in self._troubles.items()}
        for one in self._listeners if self._listens() else ():
            if one.trouble:
                found.setdefault(f"{one.platform}:{one.app}", []).append(one.trouble)
        return {name: "; ".join(reasons) for name, reasons in found.items()}

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
            Job("read leaves", LEAVES_AT, _nothing_more, prepare=self._read_leaves),
            Job("watch connections", {"minute": "*/5"}, self._watch_connections, next_due=_never),
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

    async def _read_leaves(self, _: Begin[UnitOfWork], at: datetime) -> None:
        """Also in a jump of the sandbox's clock, since leaves begin by it."""

        async def take_leaves(platform: Platform) -> None:
            if not isinstance(platform, KnowsLeaves):
                return
            async with self._begin() as tx:
                user_ids = await leaves.whose(tx, platform.platform)
            told = await platform.read_leaves(user_ids, at=at)
            if told is not None:
                async with self._begin() as tx:
                    notes = await leaves.take(tx, self._office, platform.platform, told, at)
                    await tx.delivery.queue(notes, at=at)

        for one in self._platforms:
            await self._tried(one, take_leaves)

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
        text = texts.quota(state.used, state.limit, state.foretold, reached)
        async with self._begin() as tx:
            notes = await directory.tell_admins(tx, self._office, text, key=key)
            await tx.delivery.queue(notes, at=self._clock.now())

    async def _watch_connections(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        """Told once when an application hears nothing, and once when it hears again. A refusal
        is told at once, since it does not pass by itself."""
        notes: list[OutboundMessage] = []
        for one in self._listeners:
            name, since = f"{one.platform}:{one.app}", one.down_since
            if since is None and name in self._told_down:
                key, text = self._told_down.pop(name), texts.hears_again(one.platform, one.app)
                notes += await directory.tell_admins(tx, self._office, text, key=f"{key}:over")
            elif since is not None and (one.refusal or at - since >= DEAF_FOR):
                key = self._told_down.setdefault(name, f"deaf:{name}:{since.isoformat()}")
                text = texts.hears_nothing(
                    one.platform, one.app, one.trouble, is_refused=bool(one.refusal)
                )
                silent = PlatformName(one.platform)
                notes += await directory.tell_admins(
                    tx, self._office, text, key=key, rather_not=silent
                )
        return notes


async def _never(_: UnitOfWork) -> datetime | None:
    """A jump of the sandbox's clock moves no connection."""
    return None


async def _nothing_more(_: UnitOfWork, __: datetime) -> Sequence[OutboundMessage]:
    return ()
