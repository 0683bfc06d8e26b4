"""Two customers made one by whoever leads both, seen before it is done, and taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.opportunities import Light
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI = "杭州恒锐机电有限公司"
FACTORY = "萧山恒达轴承厂"


@pytest.fixture
async def chat(database: Database) -> Chat:
    chat = await Chat(database).open()
    await chat.customer(HENGRUI, "zhang")
    await chat.customer(FACTORY, "chen", "恒达老厂")
    return chat


async def merge(chat: Chat) -> str:
    await chat.say("li", f"合并客户 {FACTORY} 到 {HENGRUI}")
    return await chat.press("li", chat.card("li"), "确认合并")


async def names(chat: Chat) -> list[str]:
    async with chat.database.begin() as tx:
        return [one.name for one in await tx.accounts.list_all()]


async def test_what_would_move_is_shown_before_anything_does(chat: Chat) -> None:
    said = await chat.say("li", f"合并客户 {FACTORY} 到 {HENGRUI}")
    for told in ("动态：1条", "商机：1个", "负责人不同（陈静、张伟），合并后归张伟", "还没有改动"):
        assert told in said
    assert await names(chat) == [HENGRUI, FACTORY]
    assert "没有合并" in await chat.press("li", chat.card("li"), "取消")
    assert await names(chat) == [HENGRUI, FACTORY]


async def test_after_the_merge_both_names_mean_one_customer_with_one_stream(chat: Chat) -> None:
    assert "30天内发「撤销合并 萧山恒达轴承厂」" in await merge(chat)
    for who in ("zhang", "chen"):
        assert f"李敏把「{FACTORY}」并入了「{HENGRUI}」" in chat.heard_by(who)
    for words in (FACTORY, "恒达老厂", HENGRUI):
        said = await chat.say("zhang", f"客户 {words}")
        assert said.startswith(HENGRUI)
        assert said.count("第一次通话") == 2
    assert await names(chat) == [HENGRUI]
    assert "已经在册" in await chat.say("zhang", f"新建客户 {FACTORY}")
    await chat.restart()
    assert (await chat.say("zhang", "客户 恒达老厂")).startswith(HENGRUI)


async def test_a_record_by_the_old_name_goes_to_the_survivor(chat: Chat) -> None:
    await merge(chat)
    await chat.say("zhang", "跟恒达老厂王总打了20分钟电话，没异议，后天再联系")
    await chat.press("zhang", chat.card("zhang"), "确认")
    assert [title for title in await chat.living()] == [HENGRUI]


async def test_an_undo_gives_back_what_was(chat: Chat) -> None:
    await merge(chat)
    said = await chat.say("li", f"撤销合并 {FACTORY}")
    assert "又是两家" in said
    assert await names(chat) == [HENGRUI, FACTORY]
    assert (await chat.say("chen", "客户 恒达老厂")).startswith(FACTORY)
    async with chat.database.begin() as tx:
        back = await tx.accounts.find_by_name(FACTORY)
        assert back is not None
        (deal,) = await tx.opportunities.of_account(back.id)
        survivor = await tx.accounts.find_by_name(HENGRUI)
    assert deal.owner_id == back.owner_id == chat.people["chen"].id
    assert survivor is not None
    assert survivor.aliases == ()
    assert "没有找到" in await chat.say("li", f"撤销合并 {FACTORY}")


async def test_an_undo_by_the_survivors_name_where_only_one_was_merged(chat: Chat) -> None:
    await merge(chat)
    assert "又是两家" in await chat.say("li", f"撤销合并 {HENGRUI}")


async def test_an_undo_comes_too_late_after_thirty_days(chat: Chat) -> None:
    await merge(chat)
    chat.now += timedelta(days=30, minutes=1)
    assert "已超过30天" in await chat.say("li", f"撤销合并 {FACTORY}")
    assert await names(chat) == [HENGRUI]


async def test_lights_are_judged_anew_by_a_merge_and_by_its_undo(chat: Chat) -> None:
    async def light() -> tuple[str, Light]:
        async with chat.database.begin() as tx:
            factory = await tx.accounts.find_by_name(FACTORY)
            assert factory is not None
            (deal,) = [
                deal
                for deal in await tx.opportunities.of_account(factory.id)
                if deal.name == FACTORY
            ]
            return (await tx.people.get(deal.owner_id)).name, deal.light

    await chat.later(days=12)
    assert await light() == ("陈静", Light.RED)
    await merge(chat)
    assert await light() == ("张伟", Light.GREEN)
    await chat.say("li", f"撤销合并 {FACTORY}")
    assert await light() == ("陈静", Light.RED)


async def test_a_customer_in_the_pool_is_neither_merged_nor_parted(chat: Chat) -> None:
    await merge(chat)
    await chat.say("zhang", f"放回公海 {HENGRUI} 不跟了")
    assert "在公海里" in await chat.say("li", f"撤销合并 {FACTORY}")
    await chat.say("li", f"分配 {HENGRUI} 给 陈静")
    assert "又是两家" in await chat.say("li", f"撤销合并 {FACTORY}")
    await chat.say("chen", f"放回公海 {FACTORY} 不跟了")
    assert "在公海里" in await chat.say("li", f"合并客户 {FACTORY} 到 {HENGRUI}")


async def test_a_card_pressed_after_another_merge_changes_nothing(chat: Chat) -> None:
    await chat.say("li", f"合并客户 {FACTORY} 到 {HENGRUI}")
    earlier = chat.card("li")
    await chat.say("li", f"合并客户 {HENGRUI} 到 {FACTORY}")
    await chat.press("li", chat.card("li"), "确认合并")
    assert "已经合并过了" in await chat.press("li", earlier, "确认合并")
    assert await names(chat) == [FACTORY]


@pytest.mark.parametrize("who", ["zhang", "chen"])
async def test_reps_do_not_merge(chat: Chat, who: str) -> None:
    said = await chat.say(who, f"合并客户 {FACTORY} 到 {HENGRUI}")
    assert "由两家共同的主管或管理员" in said or "不在你和你团队的客户里" in said
    await chat.say("li", f"合并客户 {FACTORY} 到 {HENGRUI}")
    said = await chat.press(who, chat.card("li"), "确认合并")
    assert "由两家共同的主管或管理员" in said
    assert await names(chat) == [HENGRUI, FACTORY]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("合并客户", "要合并哪两家"),
        (f"合并客户 {HENGRUI}", "要合并哪两家"),
        (f"合并客户 {HENGRUI} 到 {HENGRUI}", "已经是同一家"),
        (f"合并客户 没有这家公司 到 {HENGRUI}", "没有找到"),
        ("撤销合并", "要撤销哪次合并"),
        (f"撤销合并 {HENGRUI}", "没有找到"),
    ],
)
async def test_what_cannot_be_done_is_said(chat: Chat, words: str, told: str) -> None:
    assert told in await chat.say("li", words)
    assert await names(chat) == [HENGRUI, FACTORY]
