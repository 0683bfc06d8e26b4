"""Evidence comes to its end: the rep hears of it days before, and the level follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.levels import REQUIRED, Cause, Evidence, Level, is_higher
from bot.domain.opportunities import Opportunity
from bot.messages import OutboundMessage, Text
from bot.router import Job
from handlers.desk import Office
from handlers.levels import changing
from handlers.levels.showing import what
from handlers.texts import levels as texts
from handlers.upkeep.daily import Daily
from storage.unit_of_work import UnitOfWork

WARNING_LATE_S = 8 * 3600


class Expiry:
    """The job that warns of evidence about to end, and lowers levels when it has."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def jobs(self) -> list[Job[UnitOfWork]]:
        office = self._office
        warning = Daily(
            "evidence that will end",
            lambda: office.policy.pushes.digest_at,
            office.calendar,
            self.warn,
            WARNING_LATE_S,
        )
        ending = Job(
            "evidence that has ended",
            {"minute": "*/5"},
            self.end,
            next_due=lambda tx: tx.levels.next_expiry_at(),
            too_late_s=24 * 3600,
        )
        return [warning.job(), ending]

    async def warn(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        """What a level rests on and will end soon; and levels lowered by word, whose time is up."""
        days = self._office.policy.forecasts.evidence_warn_days
        messages: list[OutboundMessage] = []
        found = await tx.levels.to_warn_of(at, until=at + timedelta(days=days))
        current = await tx.levels.current({one.opportunity_id for one in found})
        for one in found:
            change = current.get(one.opportunity_id)
            level = change.after if change is not None else None
            if level is not None and one.kind in _carrying(level):
                messages += await self._warn_of(tx, one, level, at)
        await tx.levels.mark_warned([one.id for one in found], at)
        for change in await tx.levels.words_ended(at):
            deal = await tx.opportunities.get_for_update(change.opportunity_id)
            done = await changing.settle(tx, self._office, deal, cause=Cause.EXPIRED, at=at)
            messages += done.messages if done else []
        return messages

    async def end(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        messages: list[OutboundMessage] = []
        for one in await tx.levels.expired(at):
            await tx.levels.mark_lapsed([one.id], at)
            deal = await tx.opportunities.get_for_update(one.opportunity_id)
            done = await changing.settle(tx, self._office, deal, cause=Cause.EXPIRED, at=at)
            if done is not None:
                text = texts.has_expired(deal.account_name, what(one), done.change)
                messages += await self._tell(tx, deal, text, f"evidence-ended:{one.id}", at)
                messages += done.messages
        return messages

    async def _warn_of(
        self, tx: UnitOfWork, evidence: Evidence, level: Level, at: datetime
    ) -> list[OutboundMessage]:
        deal = await tx.opportunities.get(evidence.opportunity_id)
        calendar = self._office.calendar
        last = calendar.day_of(evidence.expires_at - timedelta(seconds=1))
        days = (last - calendar.day_of(at)).days
        day = f"{last.month}月{last.day}日"
        text = texts.expires_soon(deal.account_name, level, what(evidence), day, days)
        return await self._tell(tx, deal, text, f"evidence-ends:{evidence.id}", at)

    async def _tell(
        self, tx: UnitOfWork, deal: Opportunity, text: str, key: str, at: datetime
    ) -> list[OutboundMessage]:
        to = self._office.address_of(await tx.people.get(deal.owner_id))
        if to is None:
            return []
        not_before = self._office.first_allowed(at)
        return [OutboundMessage(key, to, Text(text), not_before=not_before)]


def _carrying(level: Level) -> set[object]:
    """Kinds that a level may rest on: its own, and those of surer ones."""
    own = Level.L2 if level is Level.L2_5 else level
    return {kind for one, kinds in REQUIRED.items() if not is_higher(own, one) for kind in kinds}
