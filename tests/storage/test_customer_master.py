"""The filing of customers, and what only one of two may win: a decision, a claim, a lead."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.calendar import WorkingCalendar
from bot.domain.opportunities import OpportunityState
from bot.errors import NotFound
from storage.assignments import Escalation, Outcome
from storage.collisions import Collision
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, after, customer, member, sale

CALENDAR = WorkingCalendar()


async def file_all(tx: UnitOfWork) -> list[int]:
    """Under each of their names; who was not filed before."""
    cards = await tx.duplicates.unfiled(limit=10)
    await tx.duplicates.file({card.id: card.names for card in cards}, AT)
    return [card.id for card in cards]


async def test_a_customer_is_filed_anew_after_each_change(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        assert await file_all(tx) == [account.id]
        assert await file_all(tx) == []
        await tx.accounts.add_contact(account.id, "李工")
        assert await file_all(tx) == []
        await tx.accounts.add_contact(account.id, "王总", mobile="13900000001")
        assert await file_all(tx) == [account.id]
        await tx.accounts.add_alias(account.id, "恒锐")
        assert await tx.duplicates.near(["恒锐"]) == []
        assert await file_all(tx) == [account.id]
        (card,) = await tx.duplicates.near(["恒锐", "别的"])
        assert (card.id, card.names) == (account.id, ("恒锐机电", "恒锐"))
        assert "13900000001" in card.phones


async def test_who_was_merged_is_no_duplicate_any_more(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        gone, into = await customer(tx, zhang, "甬江轴承"), await customer(tx, zhang)
        await file_all(tx)
        merge = await tx.merges.merge(gone.id, into.id, by=zhang.id, at=AT)
        await file_all(tx)
        assert [card.id for card in await tx.duplicates.near(["甬江轴承"])] == [into.id]
        await tx.merges.undo(merge, after(1))
        await file_all(tx)
        assert [card.id for card in await tx.duplicates.near(["甬江轴承"])] == [gone.id]


async def test_of_two_decisions_at_once_one_stands(database: Database) -> None:
    async with database.begin() as tx:
        zhang, li = await member(tx, "zhang3", "张三"), await member(tx, "li4", "李四")
        account = await customer(tx, zhang)
        asked = Collision(0, account.id, zhang.id, li.id, {"name": "恒锐"}, ["core"], asked_at=AT)
        case = await tx.collisions.add(asked)
        assert await tx.collisions.open_between(account.id, li.id) == case

    async def decide(decision: str) -> bool:
        async with database.begin() as tx:
            return await tx.collisions.decide(
                case.id, by=zhang.id, decision=decision, reason="先报先得", at=after(1)
            )

    assert sorted(await asyncio.gather(decide("holder"), decide("claimant"))) == [False, True]
    async with database.begin() as tx:
        assert await tx.collisions.open_between(account.id, li.id) is None
        with pytest.raises(NotFound, match="没有这个撞单"):
            await tx.collisions.get(case.id + 1)


async def test_of_two_claims_at_once_one_gets_the_customer(database: Database) -> None:
    async with database.begin() as tx:
        zhang, li = await member(tx, "zhang3", "张三"), await member(tx, "li4", "李四")
        account = await customer(tx, await member(tx, "wang5", "王五"))
        deal = await sale(tx, account)
        lost = await sale(tx, account, "备件")
        await tx.opportunities.save(replace(lost, state=OpportunityState.LOST))
        assert await tx.pool.put(account.id, reason="不跟了", at=AT, calendar=CALENDAR)
        assert not await tx.pool.put(account.id, reason="再放一次", at=AT, calendar=CALENDAR)
        assert await tx.accounts.list_of_owner(account.owner_id) == []
        assert await tx.pool.list_in("恒锐", limit=5) == ([account.id], 1)

    async def take(person_id: int) -> bool:
        async with database.begin() as tx:
            return await tx.pool.take(
                account.id, person_id, at=after(1), calendar=CALENDAR, claimed=True
            )

    assert sorted(await asyncio.gather(take(zhang.id), take(li.id))) == [False, True]
    async with database.begin() as tx:
        winner = (await tx.accounts.get(account.id)).owner_id
        assert await tx.pool.claims_since(winner, AT) == 1
        assert await tx.pool.claims_held(winner) == 1
        back = await tx.opportunities.get(deal.id)
        assert (back.state, back.owner_id, back.assigned_at) == (
            OpportunityState.OPEN, winner, after(1),
        )  # fmt: skip
        assert (await tx.opportunities.get(lost.id)).state is OpportunityState.LOST


async def test_a_lead_given_anew_leaves_one_that_waits(database: Database) -> None:
    async with database.begin() as tx:
        zhang, li = await member(tx, "zhang3", "张三"), await member(tx, "li4", "李四")
        account = await customer(tx, zhang)
        add = tx.assignments.add
        first = await add(account.id, zhang.id, by=li.id, at=AT, due_at=after(120))
        second = await add(account.id, li.id, by=li.id, at=after(5), due_at=after(125))
        assert await tx.assignments.next_due_at() == after(125)
        assert await tx.assignments.list_due(after(200), limit=9) == [second]
        assert not await tx.assignments.settle(first.id, Outcome.ACCEPTED, after(6))
        await tx.assignments.plan(second.id, Escalation.NOBODY, None)
        assert await tx.assignments.next_due_at() is None
        assert await tx.assignments.settle(second.id, Outcome.ACCEPTED, after(7))
