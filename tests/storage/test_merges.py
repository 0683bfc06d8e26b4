"""Merging customers and taking it back: nothing is lost, and an undo restores what was."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot.domain.opportunities import Account, OpportunityState
from bot.domain.people import Person
from bot.messages import StoredFile
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, activity, after, member, sale

NAMES = ("恒锐机电", "甬江轴承", "越城纺机", "温岭泵业")
SHA = "a" * 64


async def filled(tx: UnitOfWork, plan: list[tuple[int, bool, bool, bool]]) -> list[Account]:
    """Customers as drawn: (owner, has 王总, shares the alias, has a credit code)."""
    owners = [await member(tx, "zhang3", "张三"), await member(tx, "li4", "李四")]
    made = []
    for name, (owner, known, alias, coded) in zip(NAMES, plan, strict=False):
        account = await tx.accounts.add(
            name=name,
            owner_id=owners[owner].id,
            at=AT,
            aliases=["老客户"] if alias else [],
            credit_code="91330100799655058B" if coded else "",
        )
        if known:
            await tx.accounts.add_contact(account.id, "王总", mobile="13900000001")
        await tx.accounts.add_contact(account.id, f"{name}的李工")
        deal = await sale(tx, account)
        await tx.opportunities.save(replace(deal, last_valid_at=after(1)))
        await tx.activities.add(activity(account, f"past:{name}", opportunity_id=deal.id))
        made.append(account)
    return made


async def picture(tx: UnitOfWork, customers: list[Account]) -> list[Any]:
    """All that a reader sees of each customer."""
    seen: list[Any] = []
    for one in customers:
        stream, _ = await tx.activities.page(one.id, limit=99, before=None)
        deals = await tx.opportunities.of_account(one.id)
        seen.append(
            (
                await tx.accounts.get(one.id),
                await tx.accounts.contacts(one.id),
                [replace(deal, light_due_at=None) for deal in deals],
                sorted(entry.source_id for entry in stream),
            )
        )
    return seen


async def merge_and_undo(
    tx: UnitOfWork,
    plan: list[tuple[int, bool, bool, bool]],
    merges: list[tuple[int, int]],
    order: list[int],
) -> None:
    customers = await filled(tx, plan)
    before = await picture(tx, customers)
    done = []
    for number, (gone, into) in enumerate(merges):
        one = await tx.accounts.get(customers[gone % len(customers)].id)
        other = await tx.accounts.get(customers[into % len(customers)].id)
        if one.id != other.id:
            at = after(10 + number)
            done.append(await tx.merges.merge(one.id, other.id, by=one.owner_id, at=at))
    stands = await tx.accounts.list_all()
    assert len(stands) == len(customers) - len(done)
    streams = [await tx.activities.page(one.id, limit=99, before=None) for one in stands]
    assert sum(len(page) for page, _ in streams) == len(customers)
    for merge in sorted(done, key=lambda one: order[one.id % len(order)]):
        assert await tx.merges.undo(merge, after(60))
        assert not await tx.merges.undo(merge, after(61))
    assert await picture(tx, customers) == before


@given(
    plan=st.lists(
        st.tuples(st.integers(0, 1), st.booleans(), st.booleans(), st.booleans()),
        min_size=2,
        max_size=4,
    ),
    merges=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4),
    order=st.permutations(range(4)),
)
@settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],  # an example costs a database
)
def test_undoing_merges_in_any_order_restores_every_customer(
    sqlite_template: Path,
    plan: list[tuple[int, bool, bool, bool]],
    merges: list[tuple[int, int]],
    order: list[int],
) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(sqlite_template, Path(folder, "gendan.db"))
            database = await Database.open(f"sqlite:///{folder}/gendan.db")
            try:
                async with database.begin() as tx:
                    await merge_and_undo(tx, plan, merges, order)
            finally:
                await database.close()

    asyncio.run(run())


async def two(tx: UnitOfWork) -> tuple[Person, Account, Account]:
    gone, into = await filled(tx, [(0, True, True, True), (1, True, False, False)])
    return await tx.people.get(into.owner_id), gone, into


async def test_all_that_hangs_on_a_customer_is_found_at_the_survivor(database: Database) -> None:
    async with database.begin() as tx:
        li, gone, into = await two(tx)
        weight = await tx.merges.weigh(gone.id)
        assert (weight.activities, weight.opportunities, weight.contacts) == (1, 1, 2)
        await tx.merges.merge(gone.id, into.id, by=li.id, at=after(10))
        standing = await tx.accounts.get(gone.id)
        assert standing.id == into.id
        assert standing == await tx.accounts.find_by_name(gone.name)
        assert standing.aliases == (gone.name, "老客户")
        assert standing.credit_code == gone.credit_code
        assert [one.name for one in await tx.accounts.contacts(into.id)] == [
            "恒锐机电的李工",
            "王总",
            "甬江轴承的李工",
        ]
        deals = await tx.opportunities.of_account(into.id)
        assert {(deal.owner_id, deal.account_name) for deal in deals} == {(li.id, into.name)}
        page, _ = await tx.activities.page(into.id, limit=1, before=None)
        rest, _ = await tx.activities.page(into.id, limit=9, before=None)
        assert (len(page), len(rest)) == (1, 2)
        assert await tx.accounts.list_all() == [standing]


async def test_entries_of_the_stream_are_not_edited_by_a_merge(database: Database) -> None:
    async with database.begin() as tx:
        li, gone, into = await two(tx)
        before, _ = await tx.activities.page(gone.id, limit=9, before=None)
        await tx.merges.merge(gone.id, into.id, by=li.id, at=after(10))
        assert [await tx.activities.get(one.id) for one in before] == before


async def test_what_was_recorded_since_stays_and_keeps_its_deals_clock(database: Database) -> None:
    async with database.begin() as tx:
        li, gone, into = await two(tx)
        (deal,) = await tx.opportunities.of_account(gone.id)
        merge = await tx.merges.merge(gone.id, into.id, by=li.id, at=after(10))
        await tx.activities.add(
            activity(
                into, "since", opportunity_id=deal.id, valid=True,
                occurred_at=after(20), recorded_at=after(20),
            )
        )  # fmt: skip
        await tx.merges.undo(merge, after(30))
        back = await tx.opportunities.get(deal.id)
        assert (back.owner_id, back.assigned_at) == (gone.owner_id, AT)
        assert back.last_valid_at == after(20)
        page, _ = await tx.activities.page(into.id, limit=9, before=None)
        assert {one.source_id for one in page} == {"past:甬江轴承", "since"}


async def test_a_deal_that_is_over_keeps_its_owner(database: Database) -> None:
    async with database.begin() as tx:
        li, gone, into = await two(tx)
        (deal,) = await tx.opportunities.of_account(gone.id)
        await tx.opportunities.save(replace(deal, state=OpportunityState.WON))
        await tx.merges.merge(gone.id, into.id, by=li.id, at=after(10))
        assert (await tx.opportunities.get(deal.id)).owner_id == gone.owner_id


async def test_one_file_sent_to_two_that_became_one_went_to_one_customer(
    database: Database,
) -> None:
    async with database.begin() as tx:
        li, gone, into = await two(tx)
        await tx.files.record(StoredFile(SHA, 10, "application/pdf", "报价.pdf"), at=AT)
        for account in (gone, into):
            await tx.files.use(SHA, account.id, AT)
        assert await tx.files.accounts_using(SHA) == 2
        merge = await tx.merges.merge(gone.id, into.id, by=li.id, at=after(10))
        assert await tx.files.accounts_using(SHA) == 1
        await tx.merges.undo(merge, after(30))
        assert await tx.files.accounts_using(SHA) == 2
