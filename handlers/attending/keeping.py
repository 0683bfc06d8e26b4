"""Approvals and attendance kept as their platforms have them.

Events only say that something changed; what is read is what counts. Each night what may still
change is read again, because events are lost and the platforms correct days that are over.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Protocol

from bot.clock import Clock
from bot.domain.approvals import Approval
from bot.domain.attendance import CheckIn, CheckInKind
from bot.domain.people import Role
from bot.domain.policy import AttendancePolicy
from bot.errors import BotError
from bot.router import Begin
from handlers.attending import approvals, check_ins
from handlers.attending.noting import APPROVAL, RECORDS, SWEEP
from handlers.desk import Office
from handlers.texts import attending as texts
from handlers.upkeep.readings import Readings
from storage.external_reads import Reading
from storage.unit_of_work import UnitOfWork

NIGHTLY_AT = time(4)  # once the directory was read
POLL, NIGHT, BILLS = "poll", "night", "bills"
"""What is swept: the last days' records; all that may be corrected; approvals."""

_COVERED = frozenset({Role.REP, Role.SUPERVISOR, Role.CSM})


class ApprovalSource(Protocol):
    """One application that may read approvals. templates: id -> what it is about. Every method
    raises BotError."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    @property
    def templates(self) -> Mapping[str, str]: ...

    async def approval(self, number: str, template: str = "") -> Approval | None: ...

    def applied(self, since: datetime, until: datetime) -> AsyncIterator[tuple[str, str]]:
        """(number, template) of those of our templates."""
        ...


class RecordSource(Protocol):
    """One application that may read attendance. Every method raises BotError."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    @property
    def kinds(self) -> frozenset[CheckInKind]:
        """Of the records that it tells."""
        ...

    @property
    def is_told(self) -> bool:
        """Whether events tell of records, so that none need be asked for by the clock."""
        ...

    @property
    def is_paid(self) -> bool:
        """Whether a call counts against a month's quota."""
        ...

    @property
    def is_dear(self) -> bool:
        """Whether each person's days cost paid calls, so that not all are read each night."""
        ...

    async def records(
        self, user_ids: Sequence[str], first: date, last: date, *, day_starts: time
    ) -> Sequence[CheckIn] | None:
        """All that count for these days; None: not now."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """The applications that may read approvals and attendance."""

    approvals: Sequence[ApprovalSource] = ()
    records: Sequence[RecordSource] = ()


class AttendanceKeeper:
    """The loop that keeps approvals and attendance as the platforms have them. `run` for ever;
    `catch_up` does what is due and returns. troubles: application -> why it cannot be read."""

    def __init__(
        self,
        office: Office,
        sources: Sources,
        *,
        begin: Begin[UnitOfWork],
        clock: Clock,
        queued: Callable[[], None] = lambda: None,
    ) -> None:
        self._troubles: dict[tuple[str, str], str] = {}
        self._office = office
        self._approvals = {(one.platform, one.app): one for one in sources.approvals}
        self._records: dict[tuple[str, str], list[RecordSource]] = defaultdict(list)
        for one in sources.records:
            self._records[one.platform, one.app].append(one)
        self._apps = sorted({*self._approvals, *self._records})
        self._begin = begin
        self._clock = clock
        self._queued = queued
        self._readings = Readings(
            office,
            self._apps,
            subject="attendance",
            nightly=SWEEP,
            cannot_read=texts.cannot_read,
            begin=begin,
            clock=clock,
            queued=queued,
        )

    @property
    def troubles(self) -> Mapping[str, str]:
        return {channel: error for (channel, _), error in self._troubles.items()}

    async def run(self) -> None:
        """Ends by cancellation."""
        if not self._apps:
            return
        await self._plan()
        async with asyncio.TaskGroup() as loops:
            for whats in ((APPROVAL, RECORDS), (SWEEP,)):
                work, next_at = partial(self._work, whats), partial(self._readings.next_at, whats)
                loops.create_task(self._readings.for_ever(work, next_at))

    async def catch_up(self) -> None:
        await self._plan()
        while await self._work((APPROVAL, RECORDS, SWEEP)):
            pass

    async def _plan(self) -> None:
        """The first reading of everything is due at once."""
        at = self._clock.now()
        wanted = [(app, BILLS) for app in self._approvals]
        for app, sources in self._records.items():
            wanted.append((app, NIGHT))
            if not all(source.is_told for source in sources):
                wanted.append((app, POLL))
        async with self._begin() as tx:
            for (platform, name), key in wanted:
                await tx.external_reads.ask_once(Reading(platform, name, SWEEP, key, "", at, at))

    async def _work(self, whats: Sequence[str]) -> int:
        """How many readings were worked on."""
        due = await self._readings.due(whats)
        for reading in due:
            await self._tried(reading)
        return len(due)

    async def _tried(self, reading: Reading) -> None:
        channel = f"{reading.platform}:{reading.app}"
        try:
            await _READ[reading.what](self, reading)
        except BotError as error:
            if reading.what == SWEEP:
                self._troubles[channel, reading.key] = str(error)
            await self._readings.failed(reading, error)
        else:
            if reading.what == SWEEP:
                self._troubles.pop((channel, reading.key), None)

    async def _read_approval(self, reading: Reading) -> None:
        source = self._approvals.get((reading.platform, reading.app))
        ours = source is not None and reading.version in source.templates
        if source is not None and ours:
            await self._take_approval(source, reading.key, reading.version)
        async with self._begin() as tx:
            await tx.external_reads.done(reading)

    async def _take_approval(self, source: ApprovalSource, number: str, template: str) -> None:
        told = await source.approval(number, template)
        at = self._clock.now()
        async with self._begin() as tx:
            await self._office.policies.follow(tx, at)
            if told is None:
                notes = await approvals.gone(tx, self._office, source.platform, number, at)
            elif (meaning := source.templates.get(told.template)) is not None:
                notes = await approvals.take(
                    tx, self._office, source.app, meaning=meaning, told=told, at=at
                )
            else:
                return
            await tx.delivery.queue(notes, at=at)
        self._queued()

    async def _read_records(self, reading: Reading) -> None:
        """key: user id|day. A day whose records ended after midnight is read with its neighbours,
        since an event does not say for which day a record counts."""
        sources = self._records.get((reading.platform, reading.app))
        user_id, _, told_day = reading.key.partition("|")
        if sources:
            day = date.fromisoformat(told_day)
            async with self._begin() as tx:
                person = await tx.people.find_by_identity(reading.platform, user_id)
            if person is not None:
                one = timedelta(days=1)
                for source in sources:
                    await self._take_records(source, {user_id: person.id}, day - one, day)
        async with self._begin() as tx:
            await tx.external_reads.done(reading)

    async def _take_records(
        self, source: RecordSource, people: Mapping[str, int], first: date, last: date
    ) -> None:
        told = await source.records(
            sorted(people), first, last, day_starts=self._policy.day_starts_at
        )
        if told is None:
            return
        at = self._clock.now()
        async with self._begin() as tx:
            await self._office.policies.follow(tx, at)
            notes = await check_ins.take(
                tx, self._office, people, told,
                of=check_ins.Scope(source.platform, source.kinds, first, last), at=at,
            )  # fmt: skip
            await tx.delivery.queue(notes, at=at)
        self._queued()

    async def _sweep(self, reading: Reading) -> None:
        sources = self._records.get((reading.platform, reading.app), [])
        at = self._clock.now()
        today = at.astimezone(self._office.zone).date()
        until = self._next_night()
        if reading.key == POLL:
            until = at + await self._poll(sources, at)
        elif reading.key == BILLS:
            await self._reread_approvals(reading, at)
        else:
            for source in sources:
                await self._take_days(source, today - self._reread(source, today), today)
        async with self._begin() as tx:
            await tx.external_reads.put_off(reading, until=until, tries=0)

    async def _poll(self, sources: Sequence[RecordSource], at: datetime) -> timedelta:
        """How long to wait for the next time."""
        policy, zone = self._policy, self._office.zone
        since = (at - timedelta(hours=policy.overlap_h)).astimezone(zone).date()
        polled = [source for source in sources if not source.is_told]
        for source in polled:
            await self._take_days(source, since, at.astimezone(zone).date())
        is_paid = any(source.is_paid for source in polled)
        return timedelta(minutes=policy.poll_paid_min if is_paid else policy.poll_min)

    def _reread(self, source: RecordSource, today: date) -> timedelta:
        """Where that is dear, only yesterday's; but once a month is over all of it, since bonuses
        are settled then."""
        whole = not source.is_dear or today.day == 1
        return timedelta(days=self._policy.reread_days if whole else 1)

    async def _take_days(self, source: RecordSource, first: date, last: date) -> None:
        people = await self._people(source.platform)
        ids = sorted(people)
        for start in range(0, len(ids), _PEOPLE_AT_ONCE):
            some = {user_id: people[user_id] for user_id in ids[start : start + _PEOPLE_AT_ONCE]}
            await self._take_records(source, some, first, last)

    async def _people(self, platform: str) -> dict[str, int]:
        """User id -> person, of those whose attendance matters to bonuses."""
        async with self._begin() as tx:
            people = await tx.people.list_active()
        return {
            one.user_id: person.id
            for person in people
            if person.roles & _COVERED
            for one in person.identities
            if one.platform == platform
        }

    async def _reread_approvals(self, reading: Reading, at: datetime) -> None:
        """Those that are known and may change, and those that no event told of."""
        source = self._approvals.get((reading.platform, reading.app))
        if source is None:
            return
        since = at - timedelta(days=self._policy.approvals_reread_days)
        async with self._begin() as tx:
            known = await tx.approvals.to_reread(source.platform, source.app, since=since)
        wanted = dict(known)
        async for number, template in source.applied(since, at):
            wanted.setdefault(number, template)
        for number, template in wanted.items():
            await self._take_approval(source, number, template)

    @property
    def _policy(self) -> AttendancePolicy:
        return self._office.policy.attendance

    def _next_night(self) -> datetime:
        zone = self._office.zone
        now = self._clock.now().astimezone(zone)
        tonight = datetime.combine(now.date(), NIGHTLY_AT, zone)
        return tonight if tonight > now else tonight + timedelta(days=1)


_PEOPLE_AT_ONCE = 100

_READ: Mapping[str, Callable[[AttendanceKeeper, Reading], Awaitable[None]]] = {
    APPROVAL: AttendanceKeeper._read_approval,
    RECORDS: AttendanceKeeper._read_records,
    SWEEP: AttendanceKeeper._sweep,
}
