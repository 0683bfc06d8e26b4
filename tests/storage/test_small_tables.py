"""Cards, dialogs, settings, tokens and call counts."""

from __future__ import annotations

import asyncio

from storage.cards import ShownCard
from storage.database import Database
from storage.tokens import SharedTokens
from tests.storage.samples import AT, ZHANG, after, member


async def test_a_card_is_remembered_as_it_is_now(database: Database) -> None:
    async with database.begin() as tx:
        assert await tx.cards.get("draft-1") is None
        for revision, state in ((1, "open"), (2, "closed")):
            data = {"lines": ["时长 25分钟"]}
            await tx.cards.put(
                ShownCard("draft-1", revision, "draft:1", ZHANG.key, state, data, after(revision))
            )
        card = await tx.cards.get("draft-1")
    assert card is not None
    assert (card.revision, card.state, card.updated_at) == (2, "closed", after(2))
    assert (card.subject, card.address, card.data) == (
        "draft:1",
        ZHANG.key,
        {"lines": ["时长 25分钟"]},
    )


async def test_a_dialog_belongs_to_one_person_in_one_chat(database: Database) -> None:
    async with database.begin() as tx:
        zhang, li = await member(tx, "zhang3", "张三"), await member(tx, "li4", "李四")
        await tx.dialogs.put("group", zhang.id, {"awaits": "customer"}, AT)
        await tx.dialogs.put("group", zhang.id, {"awaits": "file"}, AT)
        assert await tx.dialogs.get("group", zhang.id) == {"awaits": "file"}
        assert await tx.dialogs.get("group", li.id) is None
        await tx.dialogs.clear("group", zhang.id)
        assert await tx.dialogs.get("group", zhang.id) is None


async def test_a_setting_is_any_json(database: Database) -> None:
    async with database.begin() as tx:
        for value in ({"days": [1, 2.5, None]}, "red", 3, False, ["停滞"]):
            await tx.settings.put("x", value, AT)
            assert await tx.settings.get("x") == value
        assert await tx.settings.get("y") is None


async def test_a_token_is_dropped_only_by_whoever_saw_it_fail(database: Database) -> None:
    tokens = SharedTokens(database)
    assert await tokens.load_token("wecom:sales") is None
    await tokens.save_token("wecom:sales", "old", AT)
    await tokens.save_token("wecom:sales", "new", after(120))
    await tokens.drop_token("wecom:sales", "old")
    assert await tokens.load_token("wecom:sales") == ("new", after(120))
    await tokens.drop_token("wecom:sales", "new")
    assert await tokens.load_token("wecom:sales") is None


async def test_calls_add_up_by_month_from_many_tasks(database: Database) -> None:
    tokens = SharedTokens(database)
    totals = await asyncio.gather(
        *(tokens.add_calls("dingtalk:sales:api", "2026-01", 2) for _ in range(10))
    )
    assert sorted(totals) == list(range(2, 21, 2))
    assert await tokens.add_calls("dingtalk:sales:api", "2026-02", 1) == 1
