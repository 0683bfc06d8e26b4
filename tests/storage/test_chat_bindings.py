"""A conversation belongs to one customer at a time, and everything that was said stays."""

from __future__ import annotations

from bot.domain.bindings import BoundBy, ChatKind
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, after, customer, member

WANG = ("wecom", "wmWang", ChatKind.CONTACT)
GROUP = ("dingtalk", "cidGroup==", ChatKind.GROUP)


async def test_a_bound_conversation_leads_to_its_customer(database: Database) -> None:
    async with database.begin() as tx:
        mine, _ = await _two(tx)
        assert await tx.chat_bindings.customer_of("wecom", "wmWang") is None
        await tx.chat_bindings.bind(
            [(*WANG, mine, BoundBy.MOBILE), (*GROUP, mine, BoundBy.HAND)],
            by=1, at=AT, source_id="1",
        )  # fmt: skip
    async with database.read() as tx:
        assert await tx.chat_bindings.customer_of("wecom", "wmWang") == mine
        assert await tx.chat_bindings.customer_of("dingtalk", "wmWang") is None
        known = await tx.chat_bindings.customers_of("wecom", ["wmWang", "wmNobody"])
        assert known == {"wmWang": mine}
        told = [(one.chat_key, one.how) for one in await tx.chat_bindings.of_customer(mine)]
    assert told == [("wmWang", BoundBy.MOBILE), ("cidGroup==", BoundBy.HAND)]


async def test_what_is_bound_stays_bound_until_it_is_ended(database: Database) -> None:
    async with database.begin() as tx:
        mine, other = await _two(tx)
        first = await tx.chat_bindings.bind(
            [(*WANG, mine, BoundBy.HAND)], by=1, at=AT, source_id="1"
        )
        again = await tx.chat_bindings.bind(
            [(*WANG, other, BoundBy.TAG), (*GROUP, other, BoundBy.TAG)],
            by=1, at=after(1), source_id="2",
        )  # fmt: skip
        assert [one.chat_key for one in again] == ["cidGroup=="]
        assert await tx.chat_bindings.end(first, by=1, at=after(2)) == 1
        assert await tx.chat_bindings.end(first, by=1, at=after(3)) == 0
        assert await tx.chat_bindings.get("wecom", "wmWang") is None
        await tx.chat_bindings.bind(
            [(*WANG, other, BoundBy.HAND)], by=1, at=after(4), source_id="3"
        )
        assert await tx.chat_bindings.customer_of("wecom", "wmWang") == other


async def test_what_was_bound_in_one_go_is_found_by_what_asked_for_it(database: Database) -> None:
    chats = [("wecom", f"wm{n}", ChatKind.CONTACT) for n in range(1_200)]
    async with database.begin() as tx:
        mine, _ = await _two(tx)
        added = await tx.chat_bindings.bind(
            [(*chat, mine, BoundBy.COMPANY) for chat in chats], by=1, at=AT, source_id="bulk"
        )
        assert len(added) == 1_200
        assert await tx.chat_bindings.end(added[:200], by=1, at=after(1)) == 200
        assert len(await tx.chat_bindings.of_source("bulk")) == 1_000
        known = await tx.chat_bindings.customers_of("wecom", (f"wm{n}" for n in range(1_200)))
    assert len(known) == 1_000


async def test_a_merge_takes_the_conversations_along_and_back(database: Database) -> None:
    async with database.begin() as tx:
        mine, other = await _two(tx)
        await tx.chat_bindings.bind([(*WANG, other, BoundBy.HAND)], by=1, at=AT, source_id="1")
        merge = await tx.merges.merge(other, mine, by=1, at=after(1))
        assert await tx.chat_bindings.customer_of("wecom", "wmWang") == mine
        await tx.merges.undo(merge, after(2))
        assert await tx.chat_bindings.customer_of("wecom", "wmWang") == other


async def _two(tx: UnitOfWork) -> tuple[int, int]:
    zhang = await member(tx, "zhang3")
    assert zhang.id == 1
    return (await customer(tx, zhang)).id, (await customer(tx, zhang, "东风机械")).id
