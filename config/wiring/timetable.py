"""When jobs run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from bot.router import Job
from bot.scheduler import NextFire
from storage.unit_of_work import UnitOfWork


def next_fire_in(zone: ZoneInfo) -> NextFire[UnitOfWork]:
    """APScheduler's arithmetic of cron fields; the clock is ours, since it can jump."""
    triggers: dict[str, CronTrigger] = {}

    def next_fire(job: Job[UnitOfWork], after: datetime) -> datetime:
        trigger = triggers.get(job.name)
        if trigger is None:
            trigger = triggers[job.name] = CronTrigger(**job.trigger, timezone=zone)
        found: datetime = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        return found.astimezone(UTC)

    return next_fire
