"""The demo customers: every light within a minute, judged by the ordinary rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.calendar import WorkingCalendar
from bot.domain.library import ActionLibrary
from bot.domain.lights import Lead, LeadStanding, judge_light
from bot.domain.opportunities import Light, OpportunityState
from bot.domain.people import Directory, DirectoryUser
from bot.domain.policy import Policy
from config.library import load_library
from config.policy import HERE, load_calendar, load_policy
from connectors.sandbox.demo import populate
from connectors.sandbox.world import Hooks, World
from handlers import demo
from storage.database import Database
from storage.unit_of_work import UnitOfWork

AFTERNOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
OPENINGS = {
    "a Monday afternoon": AFTERNOON,
    "a Saturday": datetime(2026, 11, 28, 2, tzinfo=UTC),
    "just after a holiday": datetime(2026, 10, 8, 1, 30, tzinfo=UTC),
    "a year without an official table": datetime(2031, 5, 14, 2, tzinfo=UTC),
}


@dataclass(frozen=True)
class Rules:
    calendar: WorkingCalendar
    policy: Policy
    library: ActionLibrary


@pytest.fixture(scope="module")
def rules() -> Rules:
    policy = load_policy()
    library = load_library(HERE / "actions" / "manufacturing.toml")
    return Rules(load_calendar(policy.calendar), policy, library)


@pytest.mark.parametrize("at", OPENINGS.values(), ids=OPENINGS.keys())
async def test_every_light_can_be_seen(database: Database, rules: Rules, at: datetime) -> None:
    leads = await _filled(database, rules, at)
    lights = Counter(_standing(lead, rules, at).light for lead in leads if _is_open(lead))
    assert min(lights[light] for light in Light) >= 3
    assert any(_standing(lead, rules, at).stuck for lead in leads)
    assert any(lead.opportunity.state is OpportunityState.ON_HOLD for lead in leads)
    assert any(lead.episode and lead.episode.snoozed(at) for lead in leads)


async def test_more_leads_turn_red_in_the_next_working_days(
    database: Database, rules: Rules
) -> None:
    leads = await _filled(database, rules, AFTERNOON)
    today = rules.calendar.day_of(AFTERNOON)

    def red_after(workdays: int) -> int:
        at = rules.calendar.midnight(rules.calendar.add_workdays(today, workdays))
        return sum(_standing(lead, rules, at).light is Light.RED for lead in leads)

    assert red_after(1) > red_after(0)
    assert red_after(2) > red_after(1)


async def test_supervisors_of_both_platforms_get_red_leads(
    database: Database, rules: Rules
) -> None:
    leads = await _filled(database, rules, AFTERNOON)
    async with database.begin() as tx:
        platforms = {
            (await tx.people.get(lead.opportunity.owner_id)).identities[0].platform
            for lead in leads
            if _standing(lead, rules, AFTERNOON).light is Light.RED
        }
    assert platforms == {"wecom", "dingtalk"}


async def test_nothing_happened_at_night_on_a_day_off_or_in_the_future(
    database: Database, rules: Rules
) -> None:
    await _filled(database, rules, AFTERNOON)
    async with database.begin() as tx:
        for account in await tx.accounts.list_all():
            past, _ = await tx.activities.page(account.id, limit=30, before=None)
            assert past, account.name
            for entry in past:
                local = rules.calendar.local(entry.occurred_at)
                assert rules.calendar.is_workday(local.date())
                assert rules.calendar.opens <= local.time() < rules.calendar.closes
                assert account.created_at <= entry.occurred_at < entry.recorded_at <= AFTERNOON


async def test_only_entries_that_the_rules_accept_count(database: Database, rules: Rules) -> None:
    await _filled(database, rules, AFTERNOON)
    async with database.begin() as tx:
        entries = [
            entry
            for account in await tx.accounts.list_all()
            for entry in (await tx.activities.page(account.id, limit=30, before=None))[0]
        ]
    reasons = Counter(entry.invalid_reason for entry in entries if not entry.valid)
    assert set(reasons) == {"not_counted", "too_short"}
    assert sum(entry.valid for entry in entries) > 60


async def test_two_customers_sound_alike(database: Database, rules: Rules) -> None:
    await _filled(database, rules, AFTERNOON)
    async with database.begin() as tx:
        alike = [account for account in await tx.accounts.list_all() if "恒锐" in account.name]
    assert len(alike) == 2


async def test_filling_twice_fills_once(database: Database, rules: Rules) -> None:
    first = await _filled(database, rules, AFTERNOON)
    again = await _filled(database, rules, datetime(2026, 11, 25, 6, 30, tzinfo=UTC))
    assert [lead.opportunity for lead in again] == [lead.opportunity for lead in first]


async def test_customers_of_unknown_owners_are_left_out(database: Database, rules: Rules) -> None:
    async with database.begin() as tx:
        await _fill(tx, rules, AFTERNOON)
        assert await tx.accounts.list_all() == []


async def _filled(database: Database, rules: Rules, at: datetime) -> list[Lead]:
    """The demo's people and customers; every opportunity there is."""
    async with database.begin() as tx:
        for directory in _directories():
            await tx.people.save_directory(
                directory, roles_by_title=rules.policy.roles.roles_of, at=at
            )
        await _fill(tx, rules, at)
        accounts = await tx.accounts.list_all()
        ids = [deal.id for a in accounts for deal in await tx.opportunities.of_account(a.id)]
        return await tx.lights.list_leads(ids)


async def _fill(tx: UnitOfWork, rules: Rules, at: datetime) -> None:
    await demo.fill(tx, at=at, calendar=rules.calendar, policy=rules.policy, library=rules.library)


def _directories() -> list[Directory]:
    """What the platforms would tell about the demo's people."""

    async def nothing(*_: object) -> Any:
        return None

    world = World(Hooks(lambda: AFTERNOON, nothing, nothing, nothing, nothing))
    populate(world, bot_url="http://bot")
    return [
        Directory(
            platform,
            users=tuple(
                DirectoryUser(member.user_id, member.name, member.mobile, titles=(member.title,))
                for member in world.members
                if member.platform == platform
            ),
        )
        for platform in ("wecom", "dingtalk")
    ]


def _standing(lead: Lead, rules: Rules, at: datetime) -> LeadStanding:
    return judge_light(
        lead.opportunity,
        policy=rules.policy.lights,
        calendar=rules.calendar,
        at=at,
        stage=rules.library.stage(lead.opportunity.stage),
    )


def _is_open(lead: Lead) -> bool:
    return lead.opportunity.state is OpportunityState.OPEN
