"""Lights in the database: what is due, in batches, at a cost that follows what changes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from bot.domain.activities import Activity
from bot.domain.lights import judge_lead
from bot.domain.notifying import Step
from bot.domain.opportunities import Light
from bot.domain.policy import LightPolicy
from config.policy import load_calendar
from storage.database import Database
from storage.light_pushes import NewPush
from storage.tables import accounts, opportunities
from storage.unit_of_work import UnitOfWork
from tests.handlers.light_company import Company, at

CALENDAR = load_calendar()
NOW = datetime(2026, 1, 21, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


async def company_with(database: Database, folder: Path) -> Company:
    company = await Company(database, folder).open()
    await company.lead()
    return company


async def _called(tx: UnitOfWork, company: Company, when: datetime) -> None:
    """A valid call that the light does not know of yet."""
    (lead,) = await tx.lights.list_leads([1])
    call = Activity(
        id=0,
        account_id=lead.opportunity.account_id,
        opportunity_id=1,
        actor_id=company.id("zhang"),
        unit="followup_call",
        title="跟进电话",
        text="通了电话",
        occurred_at=when,
        recorded_at=when,
        source_id="call",
        valid=True,
    )
    await tx.activities.add(call)
    await tx.lights.recount_valid_actions(1)


def push(step: Step = Step.YELLOW, receiver: int = 1, minutes: int = 0) -> NewPush:
    when = NOW + timedelta(minutes=minutes)
    return NewPush(1, 1, step, receiver, owed_at=when, send_at=when)


async def test_a_push_is_owed_once_per_lead_light_step_and_person(
    database: Database, tmp_path: Path
) -> None:
    await company_with(database, tmp_path)
    async with database.begin() as tx:
        await tx.lights.pushes.owe([push(), push(), push(receiver=2), push(Step.RED)])
        await tx.lights.pushes.owe([push(minutes=5)])
        owed = await tx.lights.pushes.list_owed(NOW)
    assert [(one.step, one.receiver_id) for one in owed] == [
        (Step.YELLOW, 1), (Step.YELLOW, 2), (Step.RED, 1),
    ]  # fmt: skip


async def test_a_push_is_owed_until_it_is_pushed_or_dropped(
    database: Database, tmp_path: Path
) -> None:
    await company_with(database, tmp_path)
    async with database.begin() as tx:
        lights = tx.lights.pushes
        await lights.owe([push(), push(Step.RED, minutes=9)])
        assert await lights.next_send_at() == NOW
        (due,) = await lights.list_owed(NOW)
        await lights.mark_pushed([due.id], card_id="lights-1", at=NOW)
        assert await lights.receivers([(1, 1)]) == {(1, 1): {1}}
        assert await lights.receivers([(1, 1)], steps=[Step.ESCALATE]) == {}
        assert await lights.next_send_at() == NOW + timedelta(minutes=9)
        (last,) = await lights.list_owed(LATER)
        await lights.defer({last.id: LATER})
        assert await lights.next_send_at() == LATER
        await lights.drop([last.id], reason="muted")
        assert await lights.next_send_at() is None


async def test_an_older_action_does_not_move_the_last_one(
    database: Database, tmp_path: Path
) -> None:
    company = await Company(database, tmp_path).open()
    deal = await company.lead()
    await company.until("2026-01-14T12:00")
    await company.act(deal)
    await company.act(deal, acted="2026-01-13T12:00")
    async with database.begin() as tx:
        (lead,) = await tx.lights.list_leads([deal.id, 99])
    assert lead.opportunity.last_valid_at == company.now
    assert lead.opportunity.owner_id == company.id("zhang")


async def test_making_due_reaches_the_living_leads_of_one_owner_or_of_all(
    database: Database, tmp_path: Path
) -> None:
    company = await company_with(database, tmp_path)
    await company.lead("陈仓机床", owner="wang")
    won = await company.lead("申克阀门")
    await company.until("2026-01-12T11:00")
    async with database.begin() as tx:
        await tx.lights.make_due(NOW, owner_id=company.id("wang"))
        due = await tx.lights.list_due(at("2026-01-15T00:00"), limit=10)
        assert due == []
        await tx.lights.make_due(company.now)
        due = await tx.lights.list_due(company.now, limit=10)
    assert len(due) == 3
    assert won.id in [lead.opportunity.id for lead in due]


async def test_saving_what_was_judged_opens_reddens_and_ends_an_episode(
    database: Database, tmp_path: Path
) -> None:
    company = await company_with(database, tmp_path)
    days = ["2026-01-16T00:00", "2026-01-21T00:00", "2026-01-21T10:00"]
    seen = []
    async with database.begin() as tx:
        for day in days:
            if day == days[-1]:
                await _called(tx, company, at(day))
                await tx.lights.make_due(at(day))
            await judge_all(tx, at(day))
            (lead,) = await tx.lights.list_leads([1])
            seen.append((lead.opportunity.light, lead.episode and lead.episode.light))
    assert seen == [
        (Light.YELLOW, Light.YELLOW), (Light.RED, Light.RED), (Light.GREEN, None),
    ]  # fmt: skip


@pytest.mark.parametrize("standing", [2_000, 20_000])
async def test_a_sweep_reads_what_is_due_and_leaves_the_rest(
    sqlite_url: str, tmp_path: Path, standing: int
) -> None:
    """The figures for 200,000 leads are in the benchmarks; here: only the due ones are read,
    fast enough that no full scan can hide."""
    database = await Database.open(sqlite_url)
    company = await Company(database, tmp_path).open()
    await fill(database, company.id("zhang"), standing=standing, due=500)
    began = time.perf_counter()
    async with database.begin() as tx:
        judged = await judge_all(tx, NOW)
        assert judged == 500
        assert await tx.lights.list_due(NOW, limit=10) == []
    assert time.perf_counter() - began < 2
    await database.close()


async def judge_all(tx: UnitOfWork, when: datetime) -> int:
    judged = 0
    while leads := await tx.lights.list_due(when, limit=200):
        policy = LightPolicy()
        await tx.lights.save(
            [judge_lead(lead, policy=policy, calendar=CALENDAR, at=when) for lead in leads]
        )
        judged += len(leads)
    return judged


async def fill(database: Database, owner_id: int, *, standing: int, due: int) -> None:
    """`due` leads are to be judged now, the others some day."""
    rows = [
        {
            "id": number,
            "account_id": number,
            "name": f"商机{number}",
            "owner_id": owner_id,
            "stage": "quote",
            "stage_since": NOW - timedelta(days=9),
            "state": "open",
            "created_at": NOW - timedelta(days=9),
            "assigned_at": NOW - timedelta(days=9),
            "light_due_at": NOW if number <= due else LATER,
        }
        for number in range(1, standing + 1)
    ]
    named = [
        {"id": row["id"], "name": f"客户{row['id']}", "aliases": [], "owner_id": owner_id,
         "created_at": NOW}
        for row in rows
    ]  # fmt: skip
    async with database.begin() as tx:
        await tx.lights._conn.execute(insert(accounts), named)
        await tx.lights._conn.execute(insert(opportunities), rows)
