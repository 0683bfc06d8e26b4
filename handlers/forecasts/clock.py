"""What forecasts ask for by the clock: reminders, the lock, signatures that did not come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain import forecasts as rules
from bot.domain.people import Person
from bot.messages import OutboundMessage, Text
from bot.router import Job
from handlers.desk import Office
from handlers.forecasts import cosigning
from handlers.leading import teams
from handlers.texts import submissions as texts
from handlers.upkeep.daily import Daily
from storage.unit_of_work import UnitOfWork

LATE_S = 8 * 3600


class Rounds:
    """The jobs of forecasts."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def jobs(self) -> list[Job[UnitOfWork]]:
        office = self._office
        remind = Daily("forecast reminder", lambda: office.policy.forecasts.remind_at,
                       office.calendar, self.remind, LATE_S)  # fmt: skip
        lock = Daily("forecast lock", lambda: office.policy.forecasts.lock_at,
                     office.calendar, self.lock, LATE_S)  # fmt: skip
        overdue = Job(
            "second signatures",
            {"minute": "*/5"},
            self._escalate,
            next_due=lambda tx: tx.forecasts.next_cosign_due_at(),
            too_late_s=24 * 3600,
        )
        return [remind.job(), lock.job(), overdue]

    async def remind(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        """On the day of submission: reps with something to forecast, and what is due."""
        messages: list[OutboundMessage] = []
        today = self._office.calendar.day_of(at)
        lock = f"{self._office.policy.forecasts.lock_at:%H:%M}"
        due = rules.due_buckets(today, self._office.calendar)
        for _, rep, deals in await self._open(tx, at):
            to = self._office.address_of(rep)
            if to is not None:
                told = texts.reminder(due, deals, lock)
                messages.append(OutboundMessage(f"forecast-due:{today}:{rep.id}", to, Text(told)))
        return messages

    async def lock(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        """Supervisors hear who submitted nothing."""
        today = self._office.calendar.day_of(at)
        missing: dict[int, list[str]] = {}
        for supervisor_id, rep, _ in await self._open(tx, at):
            missing.setdefault(supervisor_id, []).append(rep.name)
        messages = []
        for supervisor_id, names in missing.items():
            person = await tx.people.get(supervisor_id) if supervisor_id else None
            to = self._office.address_of(person) if person is not None else None
            if to is not None:
                told = texts.not_submitted(rules.week_of(today), names)
                key = f"forecast-lock:{today}:{supervisor_id}"
                messages.append(OutboundMessage(key, to, Text(told)))
        return messages

    async def _open(self, tx: UnitOfWork, at: datetime) -> list[tuple[int, Person, int]]:
        """(supervisor, rep, deals) of those who have some to forecast and have not submitted, on
        the day of submission. Counted at once for all: nobody else writes meanwhile."""
        calendar = self._office.calendar
        today = calendar.day_of(at)
        if rules.submission_day(today, calendar) != today:
            return []
        reps = [
            (supervisor, rep)
            for supervisor, people in (await teams.by_supervisor(tx, at)).items()
            for rep in people
        ]
        ids = [rep.id for _, rep in reps]
        known = await tx.forecasts.newest_of_week(rules.week_of(today), ids)
        until = today + timedelta(days=rules.HORIZON_DAYS)
        deals = await tx.forecast_sums.to_submit(ids, until=until)
        return [
            (supervisor, rep, deals[rep.id])
            for supervisor, rep in reps
            if rep.id in deals and rep.id not in known
        ]

    async def _escalate(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await cosigning.escalate(tx, self._office, at)
