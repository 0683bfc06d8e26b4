"""Lights, as the rest of the bot uses them: the jobs of the timer, what a record or a change
does to a light, and what people may do about one."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime

from bot.domain.calendar import WorkingCalendar
from bot.domain.opportunities import Opportunity
from bot.domain.people import Person
from bot.messages import Address, CardAction, OutboundMessage
from bot.ports import FileStore
from bot.router import Begin, Job
from handlers.deadlines import deadline_rounds
from handlers.leading import morning_cards, team_digest
from handlers.libraries.libraries import LibraryShelf
from handlers.lights import light_changes, light_heat, light_presses, light_rounds
from handlers.lights.heatmap import HeatMap
from handlers.lights.light_cards import Watch
from handlers.lights.light_rounds import Picture
from handlers.policy.policies import PolicyBook
from handlers.texts import alerts as texts
from handlers.upkeep.daily import Daily
from storage.unit_of_work import UnitOfWork

Draw = Callable[[HeatMap], Awaitable[bytes]]
"""A heat map as PNG; see `handlers.lights.heatmap.Painter.paint`."""

ANY_LATE_S = 10 * 60
"""A round serves whatever is due, so a missed one needs no making up for long."""

DIGEST_LATE_S = 3 * 3600

DRAWING_S = 20.0
"""For all heat maps of a round together: the cards wait for them, and go without the rest."""

JUDGED_BY = "lights.judged_by"

log = logging.getLogger(__name__)


class Alerts:
    """The lights: sweeps, pushes and presses. One per program; holds no state of its own but the
    pictures drawn for the next round.

    draw, files: leave both out to send lights without heat maps.
    """

    def __init__(
        self,
        *,
        policies: PolicyBook,
        libraries: LibraryShelf,
        calendar: WorkingCalendar,
        address_of: Callable[[Person], Address | None],
        draw: Draw | None = None,
        files: FileStore | None = None,
    ) -> None:
        self._watch = Watch(policies, libraries, calendar, address_of)
        self._draw = draw
        self._files = files
        self._pictures: dict[int, Picture] = {}

    def jobs(self) -> tuple[Job[UnitOfWork], ...]:
        """Each round looks at what is due; minutes without anything due cost one index read."""
        every_minute = {"minute": "*"}
        digest = Daily(
            "digest of lights",
            lambda: self._watch.policy.pushes.digest_at,
            self._watch.calendar,
            self.digest,
            DIGEST_LATE_S,
        )
        return (
            Job("sweep lights", every_minute, self.sweep_lights,
                next_due=lambda tx: tx.lights.next_due_at(), too_late_s=ANY_LATE_S),
            Job("remind and escalate", every_minute, self.repeat_and_escalate,
                next_due=lambda tx: tx.lights.next_step_at(), too_late_s=ANY_LATE_S),
            Job("sweep deadlines", every_minute, self.sweep_deadlines,
                next_due=lambda tx: tx.deadlines.next_due_at(), too_late_s=ANY_LATE_S),
            digest.job(),
            Job("push lights", every_minute, self.push_lights,
                next_due=lambda tx: tx.lights.pushes.next_send_at(), too_late_s=ANY_LATE_S,
                prepare=self.draw_pictures),
        )  # fmt: skip

    async def sweep_lights(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """Judge what may have changed: open, redden and end episodes, owe pushes."""
        return await light_changes.sweep(tx, self._watch, at)

    async def repeat_and_escalate(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        await light_rounds.remind(tx, self._watch, at)
        return []

    async def sweep_deadlines(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """Remind of what records still owe, and lock what was not made good in time."""
        return await deadline_rounds.sweep(tx, self._watch, at)

    async def digest(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """Working days: each rep's list of what to do, each supervisor's digest."""
        if not self._watch.calendar.is_workday(self._watch.calendar.day_of(at)):
            return []
        lists = await morning_cards.send(tx, self._watch, at)
        return [*lists, *await team_digest.send(tx, self._watch, at)]

    async def draw_pictures(self, begin: Begin[UnitOfWork], at: datetime) -> None:
        """Before a round of pushes: a heat map for each leader who is about to hear of red
        leads. Drawn between transactions; without one the card goes out alone."""
        self._pictures = {}
        if self._draw is None or self._files is None:
            return
        async with begin() as tx:
            maps = await light_heat.maps_due(tx, self._watch, at)
        name = texts.picture_name(self._watch.calendar.day_of(at))
        try:
            async with asyncio.timeout(DRAWING_S):
                for receiver_id, (opportunity_ids, heat_map) in maps.items():
                    stored = await self._files.put(await self._draw(heat_map), name=name)
                    self._pictures[receiver_id] = Picture(opportunity_ids, stored)
        except TimeoutError:
            late = len(maps) - len(self._pictures)
            log.warning("cards without heat maps", extra={"action": "draw", "maps": late})

    async def push_lights(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """Send what is owed and due, grouped per receiver."""
        return await light_rounds.push(tx, self._watch, at, self._pictures)

    async def on_valid_action(
        self, tx: UnitOfWork, opportunity: Opportunity, acted_at: datetime, at: datetime
    ) -> list[OutboundMessage]:
        """A valid action was recorded: the light ends at once, queued pushes are dropped, and
        who was told of a red hears of its end. opportunity: locked; it is saved as handed in, with
        its light."""
        return await light_changes.after_valid_action(tx, self._watch, opportunity, acted_at, at)

    async def on_retracted(
        self, tx: UnitOfWork, opportunity: Opportunity, at: datetime
    ) -> list[OutboundMessage]:
        """An entry was taken back, and is stored so: count anew from the stream."""
        return await light_changes.after_retraction(tx, self._watch, opportunity.id, at)

    async def on_state_changed(
        self, tx: UnitOfWork, opportunity: Opportunity, at: datetime
    ) -> list[OutboundMessage]:
        """State, stage or owner changed, and is saved."""
        return await light_changes.rejudge(tx, self._watch, [opportunity.id], at)

    async def on_leave_changed(self, tx: UnitOfWork, person: Person, at: datetime) -> None:
        """A leave began, moved or was cancelled, and is saved; the next sweep judges."""
        await tx.lights.make_due(at, owner_id=person.id)

    async def note_rules(self, tx: UnitOfWork, at: datetime) -> bool:
        """At start: if the holiday tables or the numbers of the lights are not the ones that
        the leads were last judged by, the next sweep judges all anew. Answers whether it will."""
        calendar = self._watch.calendar
        numbers = self._watch.policies.numbers_of_lights()
        rules = (sorted(calendar.overrides.items()), calendar.zone.key, *numbers)
        digest = hashlib.sha256(repr(rules).encode()).hexdigest()
        if await tx.settings.get(JUDGED_BY) == digest:
            return False
        await tx.lights.make_due(at)
        await tx.settings.put(JUDGED_BY, digest, at)
        return True

    async def press(
        self, tx: UnitOfWork, action: CardAction, person: Person, at: datetime
    ) -> list[OutboundMessage]:
        """A button of a card of lights. Raises UserError with the words to say."""
        return await light_presses.press(tx, self._watch, action, person, at)

    async def acknowledge(
        self, tx: UnitOfWork, opportunity_ids: Iterable[int], person: Person, at: datetime
    ) -> str:
        """What to say then. Raises Refused or NotAllowed."""
        count = await light_presses.acknowledge(tx, opportunity_ids, person, at)
        return texts.acknowledged(count)

    async def snooze(
        self,
        tx: UnitOfWork,
        opportunity: Opportunity,
        person: Person,
        *,
        reason: str,
        at: datetime,
        until_on: date | None = None,
        workdays: int | None = None,
    ) -> str:
        """What to say then. Neither `until_on` nor `workdays`: as long as a rep may. Raises
        Refused or NotAllowed."""
        until = await light_presses.snooze(
            tx,
            self._watch,
            opportunity.id,
            person,
            at=at,
            reason=reason,
            until_on=until_on,
            workdays=workdays,
        )
        return texts.snoozed(opportunity.account_name, until)
