"""A job once a day: the moment of its next run is known after one tick, also before its first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.clock import FixedClock, MovableClock
from bot.domain.calendar import WorkingCalendar
from bot.messages import OutboundMessage
from bot.router import Job
from bot.scheduler import Scheduler
from handlers.upkeep.daily import Daily
from storage.database import Database
from storage.unit_of_work import UnitOfWork

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGUN = datetime(2026, 1, 28, 10, 0, tzinfo=SHANGHAI).astimezone(UTC)


class Diary:
    """What ran, and how often it was asked."""

    def __init__(self, at: time) -> None:
        self.ran: list[datetime] = []
        self.ticks = 0
        self.at = at
        self.calendar = WorkingCalendar()

    def moment(self) -> time:
        self.ticks += 1
        return self.at

    async def run(self, _: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        self.ran.append(at.astimezone(SHANGHAI))
        return []

    def job(self) -> Job[UnitOfWork]:
        return Daily("diary", self.moment, self.calendar, self.run, late_s=3600).job()


async def jump(database: Database, diary: Diary, *, hours: int) -> None:
    clock = MovableClock(BEGUN, wall=FixedClock(BEGUN))
    ticking: Scheduler[UnitOfWork] = Scheduler(
        store=database, jobs=[diary.job()], next_fire=_next_minute, clock=clock, split=list
    )
    target = BEGUN + timedelta(hours=hours)
    await ticking.jump(clock, target, settle=_nothing, also_due=_nobody)


async def test_a_first_jump_stops_where_something_is_due(database: Database) -> None:
    diary = Diary(time(17))
    await jump(database, diary, hours=3 * 24)
    assert [f"{at:%d %H:%M}" for at in diary.ran] == ["28 17:00", "29 17:00", "30 17:00"]
    assert diary.ticks < 20


async def test_a_day_whose_hour_is_long_over_is_left_out(database: Database) -> None:
    diary = Diary(time(8))
    await jump(database, diary, hours=24)
    assert [f"{at:%d %H:%M}" for at in diary.ran] == ["29 08:00"]
    assert diary.ticks < 20


def _next_minute(_: Job[UnitOfWork], after: datetime) -> datetime:
    return after.replace(second=0, microsecond=0) + timedelta(minutes=1)


async def _nothing() -> None:
    return None


async def _nobody() -> datetime | None:
    return None
