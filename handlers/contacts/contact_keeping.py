"""External contacts and groups kept as their platforms have them.

Three things wait in the database: what is to be read again because something changed, the
nightly reading of everything, and transfers. Each has a loop of its own here, so that a night's
reading of half a million contacts keeps nothing waiting that changed meanwhile. Whatever ends
in the middle begins again: reading twice changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Protocol

from bot.clock import Clock
from bot.domain.external import ChatGroup, ContactNews
from bot.errors import BotError
from bot.ports import AppKey
from bot.router import Begin
from handlers.contacts.contact_moving import ContactMoving
from handlers.desk import Office
from handlers.texts import binding as texts
from handlers.understanding.names import places
from handlers.upkeep.readings import MOST_TRIES, Readings
from storage.external_reads import CONTACT, EVERYTHING, GROUP, Reading
from storage.unit_of_work import UnitOfWork

AT_ONCE = 4
NIGHTLY_AT = time(3, 30)  # once the directory was read
GROUP_LAGS = timedelta(seconds=2)
PART = 500
"""Contacts in one transaction: others write between two of them."""

FIRST_LOOK = 2_000
"""Contacts after which the database first counts what it has. Plans that PostgreSQL made for an
empty table read it whole each time, a hundred times as slow."""

CHANGED, WHOLE = (CONTACT, GROUP), (EVERYTHING,)

log = logging.getLogger(__name__)


class ContactSource(Protocol):
    """One application that may read contacts. Every method raises BotError."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    @property
    def lists_groups(self) -> bool:
        """Whether `groups` tells all there are."""
        ...

    def everything(self) -> AsyncIterator[ContactNews]:
        """All contacts, in parts; see `ContactNews`."""
        ...

    def groups(self) -> AsyncIterator[ChatGroup]:
        """All groups with customers that the platform tells of, with their members."""
        ...

    async def contact(self, external_id: str) -> ContactNews: ...

    async def group(self, chat_id: str) -> ChatGroup | None:
        """None when it is no group with customers, or no more."""
        ...


class ContactKeeper:
    """The loop that keeps external contacts and groups as the platforms have them. `run` for ever;
    `catch_up` does what is due and returns. queued: called when there is something to send.
    troubles: application -> why its contacts cannot be read."""

    def __init__(
        self,
        office: Office,
        sources: Sequence[ContactSource],
        *,
        begin: Begin[UnitOfWork],
        clock: Clock,
        queued: Callable[[], None] = lambda: None,
    ) -> None:
        self.troubles: dict[str, str] = {}
        self._queued = queued
        self._moving = ContactMoving(office, sources, begin=begin, clock=clock, queued=queued)
        self._office = office
        self._sources: Mapping[AppKey, ContactSource] = {
            (one.platform, one.app): one for one in sources
        }
        self._begin = begin
        self._clock = clock
        self._readings = Readings(
            office,
            self._sources,
            subject="contacts",
            nightly=EVERYTHING,
            cannot_read=texts.cannot_read,
            begin=begin,
            clock=clock,
            queued=queued,
        )

    async def run(self) -> None:
        """Ends by cancellation."""
        if not self._sources:
            return
        await self._plan()
        async with asyncio.TaskGroup() as loops:
            for work, next_at in (
                (self._read_changed, partial(self._readings.next_at, CHANGED)),
                (self._read_everything, partial(self._readings.next_at, WHOLE)),
                (self._moving.work, self._moving.next_at),
            ):
                loops.create_task(self._readings.for_ever(work, next_at))

    async def catch_up(self) -> None:
        await self._plan()
        works = (self._read_everything, self._read_changed, self._moving.work)
        while sum([await work() for work in works]):
            pass

    async def _plan(self) -> None:
        """The first reading of an application is due at once."""
        at = self._clock.now()
        async with self._begin() as tx:
            for platform, app in self._sources:
                whole = Reading(platform, app, EVERYTHING, "", "", at, at)
                await tx.external_reads.ask_once(whole)

    async def _read_changed(self) -> int:
        """How many readings were worked on."""
        due = await self._readings.due(CHANGED)
        room = asyncio.Semaphore(AT_ONCE)

        async def one(reading: Reading) -> None:
            async with room:
                await self._tried(reading, self._read_one)

        await asyncio.gather(*(one(reading) for reading in due))
        return len(due)

    async def _read_everything(self) -> int:
        due = await self._readings.due(WHOLE)
        for reading in due:
            await self._tried(reading, self._read_all)
        return len(due)

    async def _tried(self, reading: Reading, read: Callable[[Reading], Awaitable[None]]) -> None:
        channel = f"{reading.platform}:{reading.app}"
        try:
            await read(reading)
        except BotError as error:
            if reading.what == EVERYTHING:
                self.troubles[channel] = str(error)
            await self._readings.failed(reading, error)
        else:
            if reading.what == EVERYTHING:
                self.troubles.pop(channel, None)

    async def _read_one(self, reading: Reading) -> None:
        source = self._sources[reading.platform, reading.app]
        if reading.what == CONTACT:
            news = await source.contact(reading.key)
            async with self._begin() as tx:
                at = self._clock.now()
                await tx.external_contacts.save(news, places=places(), at=at)
                await tx.external_reads.done(reading)
            return
        group = await source.group(reading.key)
        async with self._begin() as tx:
            at = self._clock.now()
            if group is None:
                await tx.chat_groups.mark_gone(reading.platform, reading.key, at=at)
            else:
                await tx.chat_groups.save(group, at=at)
            if group is not None and _lags(group, reading) and reading.tries < MOST_TRIES:
                await tx.external_reads.put_off(reading, until=at + GROUP_LAGS)
            else:
                await tx.external_reads.done(reading)

    async def _read_all(self, reading: Reading) -> None:
        source = self._sources[reading.platform, reading.app]
        await self._read_contacts(source)
        await self._read_groups(source)
        async with self._begin() as tx:
            await tx.external_reads.put_off(reading, until=self._next_night(), tries=0)

    async def _read_groups(self, source: ContactSource) -> None:
        """A group that was not told is asked about alone, as contacts are."""
        told: set[str] = set()
        async for group in source.groups():
            told.add(group.chat_id)
            async with self._begin() as tx:
                await tx.chat_groups.save(group, at=self._clock.now())
        if source.lists_groups:
            at = self._clock.now()
            async with self._begin() as tx:
                missing = set(await tx.chat_groups.living(source.platform)) - told
                await tx.external_reads.ask(
                    Reading(source.platform, source.app, GROUP, key, "", at, at)
                    for key in sorted(missing)
                )

    async def _read_contacts(self, source: ContactSource) -> None:
        told: dict[str, set[str]] = defaultdict(set)
        waiting: list[ContactNews] = []
        seen, look_at = 0, FIRST_LOOK
        async for news in source.everything():
            waiting.append(news)
            for follow in news.follows:
                told[follow.user_id].add(follow.external_id)
            seen += len(news.follows)
            if news.of_users or news.is_last or _size(waiting) >= PART:
                await self._save(waiting)
                waiting.clear()
                await self._ask_about_untold(source, news, told)
            if seen >= look_at:
                look_at *= 4
                async with self._begin() as tx:
                    await tx.external_contacts.look_how_many()
        await self._save(waiting)
        fields = {"action": "contacts", "channel": f"{source.platform}:{source.app}"}
        log.info("contacts read", extra={**fields, "contacts": seen})

    async def _save(self, waiting: Sequence[ContactNews]) -> None:
        """Parts as the platform told them, in transactions of PART."""
        contacts = [one for news in waiting for one in news.contacts]
        follows = [one for news in waiting for one in news.follows]
        for start in range(0, max(len(contacts), len(follows)), PART):
            part = ContactNews(
                waiting[0].platform,
                contacts=tuple(contacts[start : start + PART]),
                follows=tuple(follows[start : start + PART]),
            )
            async with self._begin() as tx:
                await tx.external_contacts.save(part, places=places(), at=self._clock.now())

    async def _ask_about_untold(
        self, source: ContactSource, news: ContactNews, told: dict[str, set[str]]
    ) -> None:
        """Whoever is known and was not told is asked about alone, since a contact that came
        while the list was read is not in it either."""
        members: Sequence[str] = news.of_users
        if not members and not news.is_last:
            return
        async with self._begin() as tx:
            if news.is_last:
                members = await tx.external_contacts.members(source.platform)
            whole = {user_id: told.pop(user_id, set()) for user_id in members}
            at = self._clock.now()
            await tx.external_reads.ask(
                Reading(source.platform, source.app, CONTACT, key, "", at, at)
                for key in await tx.external_contacts.untold(source.platform, whole)
            )
        self._office.contacts_due.ring()

    def _next_night(self) -> datetime:
        zone = self._office.zone
        now = self._clock.now().astimezone(zone)
        tonight = datetime.combine(now.date(), NIGHTLY_AT, zone)
        return tonight if tonight > now else tonight + timedelta(days=1)


def _size(waiting: Sequence[ContactNews]) -> int:
    return sum(max(len(news.contacts), len(news.follows)) for news in waiting)


def _lags(group: ChatGroup, reading: Reading) -> bool:
    """Whether the platform still tells the group as it was before the change."""
    both = (group.version, reading.version)
    return all(one.isdigit() for one in both) and int(group.version) < int(reading.version)
