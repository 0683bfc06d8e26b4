"""The demo company's customers: a few lively weeks, so that every light can be seen at once.

What happened stands in demo_customers.toml, in working days before the sandbox opens; the
ordinary rules judge it, so the demo shows nothing a real team could not get.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from typing import Any

from bot.domain.activities import Activity, Moment
from bot.domain.calendar import WorkingCalendar
from bot.domain.library import ActionLibrary, ActionUnit
from bot.domain.lights import Lead, judge_lead
from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.payouts.rule_changes import State, effective_on
from bot.domain.policy import Policy
from bot.domain.receivables import ContractTerms, due_at
from bot.domain.valid_actions import ActionFacts, earlier_facts, judge
from storage.unit_of_work import UnitOfWork

Story = Mapping[str, Any]

_DAY = timedelta(days=1)
_RECORDED_AFTER = timedelta(minutes=20)
_MORNING = time(8, 45)


async def fill(
    tx: UnitOfWork,
    *,
    at: datetime,
    calendar: WorkingCalendar,
    policy: Policy,
    library: ActionLibrary,
) -> None:
    """Customers with what happened up to `at`; those already there stay as they are.

    The people must be known before: a customer whose owner is not is left out.
    """
    teller = _Teller(tx, at, calendar, policy, library)
    for story in _stories():
        owner = await tx.people.find_by_identity(*story["owner"].split(":"))
        if owner is not None and await tx.accounts.find_by_name(story["name"]) is None:
            await teller.tell(story, owner.id)
    for told in _read("demo_contracts.toml")["contracts"]:
        account = await tx.accounts.find_by_name(told["customer"])
        if account is not None:
            await teller.sign(told, account)
    await _publish_rules(tx, at)


async def _publish_rules(tx: UnitOfWork, at: datetime) -> None:
    """Bonus rules that the HRBP wrote and the director approved; those that are there stay."""
    author = await tx.people.find_by_identity("wecom", "fengxiao")
    approver = await tx.people.find_by_identity("wecom", "wangjianguo")
    if author is None or approver is None or await tx.payout_rules.published():
        return
    rules = json.loads(files("handlers").joinpath("demo_payout_rules.json").read_text("utf-8"))
    change = await tx.payout_rules.add(rules, author_id=author.id, at=at)
    await tx.payout_rules.move(
        change.id,
        State.PUBLISHED,
        approved_by=approver.id,
        approved_at=at,
        published_by=author.id,
        published_at=at,
    )
    await tx.payout_facts.make_stale(effective_on(change.rules), at)


def _stories() -> Sequence[Story]:
    stories: list[Story] = _read("demo_customers.toml")["customers"]
    return stories


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("handlers").joinpath(name).read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class _Teller:
    """Writes one customer's story. at: where the past ends."""

    tx: UnitOfWork
    at: datetime
    calendar: WorkingCalendar
    policy: Policy
    library: ActionLibrary

    async def tell(self, story: Story, owner_id: int) -> None:
        told = story["deal"]
        account = await self._account(story, owner_id)
        deal = await self._deal(told, account)
        past: list[Activity] = []
        for entry in story["past"]:
            unit = self.library.unit(entry["unit"])
            if unit is not None:
                past.append(await self._record(entry, unit, deal, past))
        left = self._as_told(deal, told, past)
        await self.tx.opportunities.save(left)
        await self.tx.stages.note_state(deal, left, by=owner_id, at=self.at, calendar=self.calendar)
        if "snoozed_for" in told:
            await self._snooze(left, told)

    async def sign(self, told: Story, account: Account) -> None:
        """A contract; one that is on record stays as it is."""
        signed_on = self.calendar.day_of(self._moment(told["signed_ago"], _MORNING))
        terms = ContractTerms(
            number=told["number"],
            amount_fen=told["yuan"] * 100,
            signed_on=signed_on,
            prepayment_fen=told["prepaid_yuan"] * 100 if "prepaid_yuan" in told else None,
            post_paid=told.get("post_paid", False),
        )
        days = self.policy.receivables.due_days
        await self.tx.contracts.add(
            terms,
            account_id=account.id,
            recorded_by=account.owner_id,
            at=self.at,
            check_at=due_at(terms, self.calendar, days=days),
        )

    async def _account(self, story: Story, owner_id: int) -> Account:
        account = await self.tx.accounts.add(
            name=story["name"],
            owner_id=owner_id,
            at=self._moment(story["deal"]["since"], _MORNING),
            industry=story["industry"],
            aliases=story["aliases"],
        )
        for contact in story["contacts"]:
            await self.tx.accounts.add_contact(
                account.id,
                contact["name"],
                title=contact["title"],
                external_id=contact.get("external", ""),
            )
        return account

    async def _deal(self, told: Story, account: Account) -> Opportunity:
        """Due to be judged by the next sweep."""
        return await self.tx.opportunities.add(
            account_id=account.id,
            name=told["name"],
            owner_id=account.owner_id,
            stage=told["stage"],
            rank=self.library.rank(told["stage"]) or 0,
            at=account.created_at,
            amount_fen=told["yuan"] * 100,
            light_due_at=self.at,
        )

    async def _record(
        self, entry: Story, unit: ActionUnit, deal: Opportunity, past: Sequence[Activity]
    ) -> Activity:
        """One entry of the stream, judged as if it had just been reported."""
        occurred_at = self._moment(entry["ago"], entry["time"])
        recorded_at = min(occurred_at + _RECORDED_AFTER, self.at)
        slots = self._slots(entry, self.calendar.day_of(occurred_at))
        verdict = judge(
            unit,
            ActionFacts(occurred_at=occurred_at, recorded_at=recorded_at, slots=slots),
            earlier_facts(past, self.library),
            self.policy.actions,
            self.calendar,
        )
        activity = Activity(
            id=0,
            account_id=deal.account_id,
            opportunity_id=deal.id,
            actor_id=deal.owner_id,
            unit=unit.key,
            title=unit.label,
            text=entry["text"],
            occurred_at=occurred_at,
            recorded_at=recorded_at,
            source_id=f"demo:{deal.id}:{len(past)}",
            slots=slots,
            valid=verdict.valid,
            invalid_reason=str(verdict.reason or ""),
            grade=verdict.grade,
        )
        stored = await self.tx.activities.add(activity)
        assert stored is not None, "a new opportunity has no entries yet"
        return stored

    def _as_told(self, deal: Opportunity, told: Story, past: Sequence[Activity]) -> Opportunity:
        """The opportunity as its past left it."""
        valid = [activity.occurred_at for activity in past if activity.valid]
        hold_until = None
        if "hold_for" in told:
            today = self.calendar.day_of(self.at)
            back_on = self.calendar.add_workdays(today, told["hold_for"])
            hold_until = self.calendar.moment(back_on, _MORNING)
        return replace(
            deal,
            stage_since=self._moment(told["stage_for"], _MORNING),
            last_valid_at=max(valid, default=None),
            state=OpportunityState(told.get("state", "on_hold" if hold_until else "open")),
            hold_until=hold_until,
            next_contact_at=self._promised(past),
        )

    def _promised(self, past: Sequence[Activity]) -> datetime | None:
        if not past or "next_contact" not in past[-1].slots:
            return None
        promised = Moment.parse(str(past[-1].slots["next_contact"]))
        return self.calendar.moment(promised.day, promised.clock or self.calendar.opens)

    async def _snooze(self, deal: Opportunity, told: Story) -> None:
        """The light is on and its pushes wait."""
        judgement = judge_lead(
            Lead(deal),
            policy=self.policy.lights,
            calendar=self.calendar,
            at=self.at,
            stage=self.library.stage(deal.stage),
        )
        await self.tx.lights.save([judgement])
        if not judgement.rises:
            return
        today = self.calendar.day_of(self.at)
        until = self.calendar.midnight(self.calendar.add_workdays(today, told["snoozed_for"]))
        for lead in await self.tx.lights.list_leads([deal.id]):
            await self.tx.lights.snooze(lead, until=until, reason=told["snooze_reason"])

    def _slots(self, entry: Story, day: date) -> dict[str, object]:
        slots: dict[str, object] = {}
        if "minutes" in entry:
            slots |= {"duration_min": entry["minutes"], "objections": entry.get("objections", [])}
        if "contact" in entry:
            slots["contact"] = entry["contact"]
        if "next_in" in entry:
            next_day = self.calendar.add_workdays(day, entry["next_in"])
            slots["next_contact"] = str(Moment(next_day, entry.get("next_time")))
        return slots

    def _moment(self, workdays_ago: int, clock: time) -> datetime:
        day = self.calendar.day_of(self.at)
        while workdays_ago:
            day -= _DAY
            workdays_ago -= self.calendar.is_workday(day)
        return self.calendar.moment(day, clock)
