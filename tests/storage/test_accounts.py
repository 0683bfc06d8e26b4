"""Customers, their contacts, and the possible sales to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.opportunities import Light, OpportunityState
from bot.errors import NotFound, Refused
from storage.database import Database
from tests.storage.samples import AT, after, customer, member, sale


async def test_a_customer_is_found_by_name_and_id(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        added = await tx.accounts.add(
            name=" 恒锐机电 ",
            owner_id=zhang.id,
            at=AT,
            industry="机床",
            aliases=["恒锐", "恒锐", ""],
        )
        assert (added.name, added.aliases, added.industry) == ("恒锐机电", ("恒锐",), "机床")
        assert await tx.accounts.get(added.id) == added
        assert await tx.accounts.find_by_name("恒锐机电") == added
        assert await tx.accounts.find_by_name("恒锐") is None
        assert await tx.accounts.list_all() == await tx.accounts.list_of_owner(zhang.id) == [added]
        with pytest.raises(NotFound, match="没有这个客户"):
            await tx.accounts.get(added.id + 1)


async def test_a_name_that_is_taken_is_refused_with_its_owner(database: Database) -> None:
    async with database.begin() as tx:
        zhang, li = await member(tx, "zhang3", "张三"), await member(tx, "li4", "李四")
        await customer(tx, zhang)
        with pytest.raises(Refused, match=r"恒锐机电.*负责人是张三"):
            await customer(tx, li)
        assert len(await tx.accounts.list_all()) == 1


async def test_two_reps_who_add_the_same_customer_at_once(database: Database) -> None:
    async def add(user_id: str) -> None:
        async with database.begin() as tx:
            owner = await tx.people.find_by_identity("wecom", user_id)
            assert owner is not None
            await customer(tx, owner)

    async with database.begin() as tx:
        await member(tx, "zhang3", "张三")
        await member(tx, "li4", "李四")
    outcomes = await asyncio.gather(add("zhang3"), add("li4"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [Refused]


async def test_an_alias_is_added_once(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        await tx.accounts.add_alias(account.id, "恒锐")
        await tx.accounts.add_alias(account.id, "恒锐机电")
        assert (await tx.accounts.add_alias(account.id, " 恒锐 ")).aliases == ("恒锐",)
        assert (await tx.accounts.get(account.id)).aliases == ("恒锐",)


async def test_a_contact_is_one_by_name_and_learns(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        wang = await tx.accounts.add_contact(account.id, "王总")
        await tx.accounts.add_contact(account.id, "李工", mobile="13900000001")
        again = await tx.accounts.add_contact(account.id, "王总", title="采购总监")
        assert again == replace(wang, title="采购总监")
        assert await tx.accounts.add_contact(account.id, "王总") == again
        assert [one.name for one in await tx.accounts.contacts(account.id)] == ["王总", "李工"]


async def test_handing_over_restarts_the_clock_of_what_lives(database: Database) -> None:
    async with database.begin() as tx:
        zhang, li = await member(tx, "zhang3", "张三"), await member(tx, "li4", "李四")
        account = await customer(tx, zhang)
        living, won = await sale(tx, account, "改造"), await sale(tx, account, "备件")
        await tx.opportunities.save(replace(living, last_valid_at=AT, light=Light.RED))
        await tx.opportunities.save(replace(won, state=OpportunityState.WON))
        await tx.accounts.transfer(account.id, li.id, after(60))
        moved = await tx.opportunities.get(living.id)
        assert (moved.owner_id, moved.assigned_at, moved.last_valid_at) == (li.id, after(60), None)
        assert (moved.light, moved.light_due_at) == (Light.RED, after(60))
        assert (await tx.opportunities.get(won.id)).owner_id == zhang.id
        assert (await tx.accounts.get(account.id)).owner_id == li.id


async def test_an_opportunity_is_saved_as_a_whole(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        added = await tx.opportunities.add(
            account_id=account.id, name="设备改造", owner_id=account.owner_id, stage="lead", rank=0,
            at=AT, amount_fen=12_345_678_900, light_due_at=after(5),
        )  # fmt: skip
        assert (added.account_name, added.state, added.stage_since) == (
            "恒锐机电",
            OpportunityState.OPEN,
            AT,
        )
        changed = replace(
            await tx.opportunities.get_for_update(added.id),
            state=OpportunityState.ON_HOLD,
            hold_until=after(60),
            light=Light.YELLOW,
            stuck=True,
            light_due_at=None,
            episode=2,
            next_contact_at=after(30),
        )
        await tx.opportunities.save(changed)
        assert await tx.opportunities.get(added.id) == changed


async def test_living_opportunities_are_open_or_on_hold(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        deals = [await sale(tx, account, str(state)) for state in OpportunityState]
        for deal, state in zip(deals, OpportunityState, strict=True):
            await tx.opportunities.save(replace(deal, state=state))
        living = await tx.opportunities.open_of_account(account.id)
        assert [deal.name for deal in living] == ["open", "on_hold"]
        assert len(await tx.opportunities.of_account(account.id)) == len(OpportunityState)


async def test_an_owners_opportunities_come_page_by_page(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        account = await customer(tx, zhang)
        ids = [(await sale(tx, account, str(number))).id for number in range(7)]
        seen: list[int] = []
        while page := await tx.opportunities.list_of_owner(
            zhang.id, limit=3, after_id=seen[-1] if seen else 0
        ):
            seen += [deal.id for deal in page]
        assert seen == ids
        with pytest.raises(NotFound, match="没有这个商机"):
            await tx.opportunities.get(10**6)
