"""The bot keeps in step with its platforms, whatever they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger

from bot.clock import FixedClock, MovableClock
from bot.domain.leaves import Leave
from bot.domain.people import Directory, DirectoryUser, Person
from bot.domain.policy import Policy
from bot.errors import BotError, Unavailable
from bot.messages import Envelope, Platform, Text
from bot.ports import Release
from bot.router import Job
from bot.scheduler import Scheduler
from config.library import load_libraries, read_upload
from config.policy import HERE, load_calendar
from handlers.customers.customer_book import CustomerBook
from handlers.desk import Office, address_book
from handlers.libraries.libraries import LibraryShelf
from handlers.lights.alerts import Alerts
from handlers.policy.policies import PolicyBook
from handlers.understanding.reader import Reader
from handlers.upkeep import upkeep
from handlers.upkeep.upkeep import Upkeep
from storage.database import Database
from storage.unit_of_work import UnitOfWork

EVENING = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)  # a Monday, 20:00 in Shanghai
DAY = timedelta(days=1)
ADMIN = DirectoryUser(user_id="zhaoqian", name="赵倩", titles=("管理员",))


@dataclass
class Remote:
    """A platform that answers, or fails, as a test says."""

    platform: str = "wecom"
    app: str = "sales"
    users: tuple[DirectoryUser, ...] = (ADMIN,)
    failures: dict[str, list[BotError]] = field(default_factory=dict)
    introduced: list[str] = field(default_factory=list)
    readings: int = 0

    async def introduce(self, public_url: str) -> None:
        self._fail("introduce")
        self.introduced.append(public_url)

    async def read_directory(self) -> Directory:
        self._fail("read_directory")
        self.readings += 1
        return Directory(self.platform, users=self.users)

    def _fail(self, what: str) -> None:
        if self.failures.get(what):
            raise self.failures[what].pop(0)


@dataclass
class MeteredRemote(Remote):
    """One whose calls are paid for, and which lists what it could not deliver."""

    platform: str = "dingtalk"
    month: str = "2026-01"
    used: int = 0
    limit: int = 1000
    foretold: int | None = None
    failed: list[list[Envelope]] = field(default_factory=list)

    async def quota(self) -> MeteredRemote:
        return replace(self)

    async def read_failed_events(self) -> Sequence[Envelope]:
        """As the platform does it: a call strikes off what the one before has told."""
        return self.failed.pop(0) if self.failed else []


@dataclass
class LeavesRemote(Remote):
    """One on which leaves are approved."""

    leaves: Sequence[Leave] | None = ()
    asked: list[list[str]] = field(default_factory=list)

    async def read_leaves(self, user_ids: Sequence[str], *, at: datetime) -> Sequence[Leave] | None:
        self._fail("read_leaves")
        self.asked.append(list(user_ids))
        return self.leaves


@dataclass
class Ear:
    """Our own connections to a platform."""

    platform: str = "dingtalk"
    app: str = "sales"
    refusal: str = ""
    trouble: str = ""
    down_since: datetime | None = None


@dataclass
class Bed:
    database: Database
    clock: MovableClock
    upkeep: Upkeep
    scheduler: Scheduler[UnitOfWork]
    accepted: list[str]

    async def jump(self, **span: float) -> None:
        await self.scheduler.jump(
            self.clock, self.clock.now() + timedelta(**span), settle=nothing, also_due=nothing
        )

    async def watch(self, *, after_minutes: float) -> None:
        """One tick of the job that looks at the connections."""
        job = next(one for one in self.upkeep.jobs() if one.name == "watch connections")
        self.clock.move_to(self.clock.now() + timedelta(minutes=after_minutes))
        await self.scheduler.run_tick(job, self.clock.now())

    async def names(self) -> set[str]:
        async with self.database.read() as tx:
            return {person.name for person in await tx.people.list_active()}

    async def _person(self, tx: UnitOfWork, user_id: str) -> Person:
        person = await tx.people.find_by_identity("wecom", user_id)
        assert person is not None
        return person

    async def own_customer(self, user_id: str) -> None:
        async with self.database.begin() as tx:
            owner = await self._person(tx, user_id)
            await tx.accounts.add(name="恒锐机电", owner_id=owner.id, at=self.clock.now())

    async def set_leave(self, user_id: str, until: datetime | None) -> None:
        async with self.database.begin() as tx:
            await tx.people.set_leave((await self._person(tx, user_id)).id, until, None)

    async def away_until(self, user_id: str) -> datetime | None:
        async with self.database.read() as tx:
            person = await self._person(tx, user_id)
            return person.on_leave_until if person.on_leave(self.clock.now()) else None

    async def told(self) -> list[str]:
        """What waits to be sent, oldest first."""
        async with self.database.begin() as tx:
            due = await tx.delivery.take_due(at=self.clock.now(), limit=10)
            for one in due:
                await tx.delivery.give_up(one.id, at=self.clock.now(), reason="read by the test")
        texts = [one.content.text for one in due if isinstance(one.content, Text)]
        return texts + (await self.told() if texts else [])


async def nothing() -> None:
    return None


def office() -> Office:
    policies, calendar = PolicyBook(Policy()), load_calendar()
    libraries = LibraryShelf(load_libraries(HERE / "actions"), "manufacturing")
    addresses = address_book({Platform.WECOM: "sales", Platform.DINGTALK: "sales"})
    return Office(
        policies=policies,
        libraries=libraries,
        read_library=read_upload,
        calendar=calendar,
        reader=Reader(calendar),
        customers=CustomerBook(),
        lights=Alerts(
            policies=policies, libraries=libraries, calendar=calendar, address_of=addresses
        ),
        address_of=addresses,
    )


def next_fire(job: Job[UnitOfWork], after: datetime) -> datetime:
    trigger = CronTrigger(**job.trigger, timezone=ZoneInfo("Asia/Shanghai"))
    found: datetime = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
    return found.astimezone(UTC)


def event(number: int) -> Envelope:
    channel = "dingtalk:sales:events"
    return Envelope(channel, f"e{number}", channel, EVENING, EVENING, b"{}")


def away(times: int) -> list[BotError]:
    return [Unavailable("no answer")] * times


Open = Callable[..., Bed]


@pytest.fixture
def open_bed(database: Database) -> Open:
    def open_it(*remotes: Remote, listeners: Sequence[Ear] = ()) -> Bed:
        clock = MovableClock(EVENING, wall=FixedClock(EVENING))
        accepted: list[str] = []

        async def accept(envelope: Envelope) -> Release:
            if await database.append(envelope) is not None:
                accepted.append(envelope.delivery_id)
            return lambda: None

        keeper = Upkeep(
            office(),
            remotes,
            begin=database.begin,
            accept=accept,
            clock=clock,
            public_url="https://bot.example.com",
            listeners=listeners,
        )
        scheduler = Scheduler(
            store=database,
            jobs=keeper.jobs(),
            next_fire=next_fire,
            clock=clock,
            split=list,
        )
        return Bed(database, clock, keeper, scheduler, accepted)

    return open_it


async def test_at_start_the_bot_introduces_itself_and_learns_who_is_there(open_bed: Open) -> None:
    remote = Remote()
    bed = open_bed(remote)
    await bed.upkeep.settle_in()
    assert remote.introduced == ["https://bot.example.com"]
    assert await bed.names() == {"赵倩"}
    assert bed.upkeep.troubles == {}


async def test_a_platform_that_is_away_is_asked_again_and_logged_once(
    open_bed: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upkeep, "FIRST_WAIT_S", 0.0)
    caplog.set_level("INFO", logger="handlers.upkeep.upkeep")
    remote = Remote(failures={"read_directory": away(3), "introduce": away(2)})
    bed = open_bed(remote, Remote(platform="dingtalk", users=()))
    await bed.upkeep.settle_in()
    assert (remote.introduced, remote.readings) == (["https://bot.example.com"], 1)
    assert [record.message for record in caplog.records] == [
        "platform out of reach",
        "platform in reach again",
    ]
    assert bed.upkeep.troubles == {}


async def test_what_is_wrong_with_a_platform_can_be_seen(open_bed: Open) -> None:
    bed = open_bed(Remote(failures={"introduce": away(1)}))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):  # the next try comes after two seconds
            await bed.upkeep.settle_in()
    assert bed.upkeep.troubles == {"wecom:sales": "no answer"}


async def test_a_directory_that_changed_without_an_event_is_read_at_night(
    open_bed: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Remote()
    bed = open_bed(remote)
    await bed.upkeep.settle_in()
    remote.users = (ADMIN, DirectoryUser(user_id="xin", name="新人"))
    monkeypatch.setattr(upkeep, "ONE_JUMP_S", 0.0)
    await bed.jump(hours=6)
    assert await bed.names() == {"赵倩"}
    await bed.jump(hours=2)
    assert await bed.names() == {"赵倩", "新人"}


async def test_a_jump_over_many_nights_reads_once(open_bed: Open) -> None:
    """The platforms stand still while the sandbox's clock jumps."""
    remote = MeteredRemote()
    bed = open_bed(remote)
    await bed.jump(days=20)
    assert remote.readings == 1


async def test_a_platform_away_at_night_does_not_keep_the_other_from_being_read(
    open_bed: Open,
) -> None:
    lost = Remote(failures={"read_directory": away(1)})
    other = Remote(platform="dingtalk")
    bed = open_bed(lost, other)
    await bed.jump(days=1)
    assert (lost.readings, other.readings) == (0, 1)
    assert set(bed.upkeep.troubles) == {"wecom:sales"}


async def test_undelivered_events_are_stored_before_the_list_is_read_again(open_bed: Open) -> None:
    remote = MeteredRemote(failed=[[event(1), event(2)], [event(2), event(3)], []])
    bed = open_bed(remote)
    await bed.jump(hours=1)
    assert bed.accepted == ["e1", "e2", "e3"]
    assert remote.failed == []


async def test_an_approved_leave_begins_by_itself_and_ends_with_its_withdrawal(
    open_bed: Open,
) -> None:
    zhang = DirectoryUser(user_id="zhang", name="张伟", leaders=("li",), titles=("销售",))
    li = DirectoryUser(user_id="li", name="李敏", titles=("销售主管",))
    begins = datetime(2026, 1, 13, 16, tzinfo=UTC)  # Wednesday the 14th in Shanghai
    remote = LeavesRemote(users=(ADMIN, zhang, li), leaves=[Leave("zhang", begins, begins + DAY)])
    bed = open_bed(remote)
    await bed.upkeep.settle_in()
    await bed.own_customer("zhang")
    await bed.jump(days=1)
    assert "zhang" in remote.asked[0]
    assert await bed.away_until("zhang") is None  # only tomorrow
    await bed.jump(hours=13)
    assert await bed.away_until("zhang") == begins + DAY
    assert [text[:9] for text in await bed.told()] == ["你的请假审批已通过", "张伟请假到1月14"]
    await bed.jump(hours=5)
    assert await bed.told() == []  # known


async def test_what_was_said_of_a_leave_in_chat_goes_before_its_approval(open_bed: Open) -> None:
    zhang = DirectoryUser(user_id="zhang", name="张伟")
    begins = datetime(2026, 1, 12, 16, tzinfo=UTC)
    leave = Leave("zhang", begins, begins + 3 * DAY)
    remote = LeavesRemote(users=(ADMIN, zhang), leaves=[leave])
    bed = open_bed(remote)
    await bed.upkeep.settle_in()
    await bed.jump(hours=13)
    assert await bed.away_until("zhang") == leave.ends_at
    await bed.set_leave("zhang", None)  # back earlier
    await bed.jump(hours=4)
    assert await bed.away_until("zhang") is None
    remote.leaves = [replace(leave, ends_at=begins + 4 * DAY)]  # another approval
    await bed.jump(days=1)
    assert await bed.away_until("zhang") == begins + 4 * DAY
    remote.leaves = None  # the platform says nothing now
    await bed.jump(hours=6)
    assert await bed.away_until("zhang") == begins + 4 * DAY
    remote.leaves = []
    await bed.jump(hours=18)
    assert await bed.away_until("zhang") is None  # withdrawn
    by_hand = bed.clock.now() + 9 * DAY
    await bed.set_leave("zhang", by_hand)
    remote.leaves = [Leave("zhang", bed.clock.now(), bed.clock.now() + 3 * DAY)]
    await bed.jump(days=1)
    assert await bed.away_until("zhang") == by_hand


@pytest.mark.parametrize(
    ("used", "told"),
    [(599, None), (600, "60%"), (810, "80%"), (960, "95%"), (1000, "100%"), (1200, "100%")],
)
async def test_administrators_hear_how_much_of_the_quota_is_used(
    open_bed: Open, used: int, told: str | None
) -> None:
    remote = MeteredRemote(used=used)
    bed = open_bed(remote)
    await bed.upkeep.settle_in()
    await bed.jump(minutes=10)
    texts = await bed.told()
    assert [f"超过 {told}。" in text for text in texts] == ([True] if told else [])
    assert all(f"{used} / 1000" in text for text in texts)


async def test_each_threshold_is_told_once_a_month(
    open_bed: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "ONE_JUMP_S", 0.0)
    remote = MeteredRemote(used=600)
    bed = open_bed(remote)
    await bed.upkeep.settle_in()
    found = []
    for used, month in ((610, "2026-01"), (620, "2026-01"), (810, "2026-01"), (700, "2026-02")):
        remote.used, remote.month = used, month
        await bed.jump(minutes=10)
        found.append(len(await bed.told()))
    assert found == [1, 0, 1, 1]


async def test_administrators_hear_what_the_month_will_come_to(open_bed: Open) -> None:
    bed = open_bed(MeteredRemote(used=640, foretold=1900))
    await bed.upkeep.settle_in()
    await bed.jump(minutes=10)
    (text,) = await bed.told()
    assert "到月底约1900次（190%）" in text


async def test_administrators_hear_once_that_nothing_can_be_heard_and_once_that_it_can(
    open_bed: Open,
) -> None:
    ear = Ear()
    bed = open_bed(Remote(), listeners=[ear])
    await bed.upkeep.settle_in()
    await bed.watch(after_minutes=5)
    assert await bed.told() == []
    ear.down_since, ear.trouble = bed.clock.now(), "没有应答"
    await bed.watch(after_minutes=1)
    assert await bed.told() == []
    for _ in range(3):
        await bed.watch(after_minutes=5)
    (told,) = await bed.told()
    assert "连不上钉钉" in told
    assert "没有应答" in told
    assert bed.upkeep.troubles == {"dingtalk:sales": "没有应答"}
    ear.down_since, ear.trouble = None, ""
    for _ in range(2):
        await bed.watch(after_minutes=5)
    (told,) = await bed.told()
    assert "又连上了" in told
    assert bed.upkeep.troubles == {}


async def test_refused_credentials_are_told_without_waiting(open_bed: Open) -> None:
    ear = Ear(refusal="authFailed", trouble="authFailed", down_since=EVENING)
    bed = open_bed(Remote(), listeners=[ear])
    await bed.upkeep.settle_in()
    await bed.watch(after_minutes=0.1)
    (told,) = await bed.told()
    assert "拒绝" in told
    assert "Client Secret" in told


async def test_a_second_silence_is_told_again(open_bed: Open) -> None:
    ear = Ear(trouble="断了", down_since=EVENING)
    bed = open_bed(Remote(), listeners=[ear])
    await bed.upkeep.settle_in()
    await bed.watch(after_minutes=5)
    ear.down_since = None
    await bed.watch(after_minutes=5)
    ear.down_since = bed.clock.now()
    await bed.watch(after_minutes=5)
    told = await bed.told()
    assert ["又连上" in text for text in told] == [False, True, False]


async def test_a_jump_of_the_clock_does_not_stop_for_connections(open_bed: Open) -> None:
    bed = open_bed(Remote(), listeners=[Ear(trouble="断了", down_since=EVENING)])
    await bed.upkeep.settle_in()
    await bed.jump(days=20)
    assert await bed.told() == []
