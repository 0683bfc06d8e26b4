"""Jobs once a day, at a time of day that may be changed while the bot runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.domain.calendar import WorkingCalendar
from bot.messages import OutboundMessage
from bot.router import Job
from storage.unit_of_work import UnitOfWork

TICK_LATE_S = 2 * 60
"""A later tick does what a missed one would have done."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Daily:
    """A job once a day. moment: the local time of day, asked for anew with each tick. The last day
    that is done stands in the database, so a day is served once whatever the time is moved to, and
    one whose time passed by more than `late_s` seconds ago is left out."""

    name: str
    moment: Callable[[], time]
    calendar: WorkingCalendar
    run: Callable[[UnitOfWork, datetime], Awaitable[Sequence[OutboundMessage]]]
    late_s: int

    def job(self) -> Job[UnitOfWork]:
        every_minute = {"minute": "*"}
        return Job(
            self.name, every_minute, self._tick, next_due=self._next_due, too_late_s=TICK_LATE_S
        )

    async def _tick(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        today = self.calendar.day_of(at)
        due_at = self.calendar.moment(today, self.moment())
        done_on = await self._done_on(tx)
        if done_on is None and at < due_at:
            await self._note(tx, today - _DAY, at)  # so that today's moment is the next due one
        if at < due_at or done_on == today:
            return ()
        await self._note(tx, today, at)
        if at > due_at + timedelta(seconds=self.late_s):
            return ()
        return await self.run(tx, at)

    async def _next_due(self, tx: UnitOfWork) -> datetime | None:
        done_on = await self._done_on(tx)
        if done_on is None:
            return _ALWAYS
        return self.calendar.moment(done_on + _DAY, self.moment())

    async def _note(self, tx: UnitOfWork, done_on: date, at: datetime) -> None:
        await tx.settings.put(self._row, done_on.isoformat(), at)

    async def _done_on(self, tx: UnitOfWork) -> date | None:
        told = await tx.settings.get(self._row)
        return date.fromisoformat(told) if isinstance(told, str) else None

    @property
    def _row(self) -> str:
        return f"daily.{self.name}"
