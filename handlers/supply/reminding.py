"""Who has not pressed 收到: the station is reminded once, then whoever leads it hears."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain import supply as rules
from bot.domain.leaders import find_supervisor
from bot.domain.people import Person, Role
from bot.domain.supply import ROLES, Station, Step
from bot.messages import Address, OutboundMessage, Text
from bot.router import Job
from handlers.desk import Office
from handlers.supply import groups
from handlers.texts import supply as texts
from storage.supply import Silence
from storage.unit_of_work import UnitOfWork

LATE_S = 24 * 3600


class Reminding:
    """The job that asks stations which have not taken note."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def job(self) -> Job[UnitOfWork]:
        return Job(
            "supply notices nobody took note of",
            {"minute": "*/5"},
            self._run,
            next_due=self._next_due,
            too_late_s=LATE_S,
        )

    def _due_at(self, silence: Silence) -> datetime:
        policy = self._office.policy.supply
        return rules.due_at(
            silence.notice.at, silence.reminded_at, policy=policy, calendar=self._office.calendar
        )

    async def _next_due(self, tx: UnitOfWork) -> datetime | None:
        return min((self._due_at(one) for one in await tx.supply.silences()), default=None)

    async def _run(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        due = [one for one in await tx.supply.silences() if self._due_at(one) <= at]
        deals = await tx.opportunities.list_some(one.notice.opportunity_id for one in due)
        messages: list[OutboundMessage] = []
        for one in due:
            customer = deals[one.notice.opportunity_id].account_name
            step = Step.STATION if one.reminded_at is None else Step.LEAD
            await tx.supply.remind(one.notice.id, one.station, step, at)
            if step is Step.STATION:
                text = texts.not_acknowledged(one.notice, customer)
                to = await groups.addresses(tx, self._office, one.station)
            else:
                text = texts.still_silent(one.notice, one.station, customer)
                to = await self._above(tx, one.station, at)
            key = f"{one.notice.key}:{one.station}:{step}"
            messages += self._messages(text, to, at, key=key)
        return messages

    async def _above(self, tx: UnitOfWork, station: Station, at: datetime) -> list[Address]:
        """Who leads the station; else the sales directors; else administrators."""
        staff = await tx.people.list_by_role(ROLES[station])
        leads = [one for one in staff if Role.SUPERVISOR in one.roles]
        if not leads:
            above = [await _supervisor(tx, one.id, at) for one in staff]
            leads = [one for one in above if one is not None]
        for people in (
            leads,
            await tx.people.list_by_role(Role.SALES_DIRECTOR),
            await tx.people.list_by_role(Role.ADMIN),
        ):
            reached = [self._office.address_of(one) for one in people]
            if any(reached):
                return [to for to in dict.fromkeys(reached) if to is not None]
        return []

    def _messages(
        self, text: str, to: Sequence[Address], at: datetime, *, key: str
    ) -> list[OutboundMessage]:
        morning = self._office.first_allowed(at)
        return [
            OutboundMessage(f"{key}:{one.key}", one, Text(text), not_before=morning) for one in to
        ]


async def _supervisor(tx: UnitOfWork, person_id: int, at: datetime) -> Person | None:
    return find_supervisor(await tx.people.leader_facts(person_id), at)
