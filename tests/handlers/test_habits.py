"""What a rep calls a customer: learnt, used, shared, taken away again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.policy import DraftPolicy, Policy
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI, ZIDONGHUA = "杭州恒锐机电有限公司", "无锡恒锐自动化有限公司"
YONGJIANG = "宁波甬江轴承有限公司"
UNCLEAR = "恒锐通了8分钟，嫌贵，明天再打"
MISHEARD = "跟恒瑞机电通了10分钟，嫌贵，下周三联系"


@pytest.fixture
async def chat(database: Database) -> Chat:
    chat = await Chat(database).open()
    await chat.customer(HENGRUI)
    await chat.customer(ZIDONGHUA)
    await chat.customer(YONGJIANG)
    return chat


async def teach(chat: Chat, said: str = UNCLEAR, label: str = "杭州恒锐机电") -> None:
    assert "请核对" not in await chat.say("zhang", said)
    await chat.press("zhang", chat.card(), label)
    assert "已记录" in await chat.say("zhang", "确认")


async def test_the_same_words_are_not_asked_about_again_and_the_card_says_why(chat: Chat) -> None:
    await teach(chat)
    said = await chat.say("zhang", UNCLEAR)
    assert HENGRUI in said
    assert "请核对" in said
    assert "按你的习惯，「恒锐」记为" in said


async def test_a_misheard_name_is_learnt_when_the_rep_says_yes(chat: Chat) -> None:
    await chat.say("zhang", MISHEARD)
    await chat.say("zhang", "是的")
    await chat.say("zhang", "确认")
    assert "按你的习惯，「恒瑞机电」" in await chat.say("zhang", MISHEARD)


async def test_an_unknown_name_is_learnt_from_the_name_that_the_rep_gives(chat: Chat) -> None:
    await chat.say("zhang", "跟甬轴重工集团打了10分钟电话，没异议，下周一联系")
    await chat.say("zhang", "甬江轴承")
    await chat.say("zhang", "确认")
    assert "按你的习惯，「甬轴重工集团」" in await chat.say(
        "zhang", "跟甬轴重工集团打了12分钟电话，没异议，下周二联系"
    )


async def test_a_choice_teaches_nothing_before_the_record_is_confirmed(chat: Chat) -> None:
    await chat.say("zhang", UNCLEAR)
    await chat.press("zhang", chat.card(), "杭州恒锐机电")
    await chat.say("zhang", "取消")
    assert "哪一家" in await chat.say("zhang", UNCLEAR)


async def test_it_is_still_known_after_a_restart(chat: Chat) -> None:
    await teach(chat)
    await chat.restart()
    assert "按你的习惯" in await chat.say("zhang", UNCLEAR)


async def test_one_reps_habit_is_not_another_reps(chat: Chat) -> None:
    await teach(chat)
    assert "哪一家" in await chat.say("li", UNCLEAR)


async def test_what_two_reps_call_a_customer_is_its_name_for_everybody(chat: Chat) -> None:
    for who in ("zhang", "li"):
        await chat.say(who, MISHEARD)
        await chat.say(who, "是的")
        await chat.say(who, "确认")
    await chat.restart()
    said = await chat.say("zhao", MISHEARD)
    assert "请核对" in said
    assert HENGRUI in said
    assert f"「{HENGRUI}」" not in said
    async with chat.database.begin() as tx:
        (account,) = [one for one in await tx.accounts.list_all() if one.name == HENGRUI]
    assert account.aliases == ("恒瑞机电",)


async def test_who_denies_it_takes_it_from_everybody(chat: Chat) -> None:
    for who in ("zhang", "li"):
        await chat.say(who, MISHEARD)
        await chat.say(who, "是的")
        await chat.say(who, "确认")
    assert "不当作" in await chat.say("zhao", "恒瑞机电不是恒锐机电")
    await chat.restart()
    assert "是指" in await chat.say("zhao", MISHEARD)
    assert "按你的习惯" in await chat.say("zhang", MISHEARD)


async def test_words_that_fit_two_customers_become_nobodys_name(chat: Chat) -> None:
    """Each means their own by it."""
    await teach(chat)
    await chat.say("li", UNCLEAR)
    await chat.press("li", chat.card("li"), "杭州恒锐机电")
    await chat.say("li", "确认")
    said = await chat.say("zhao", UNCLEAR)
    assert "按同事的习惯" in said
    assert await aliases_of(chat, HENGRUI) == ()


async def test_the_denial_is_asked_about_at_once_and_later(chat: Chat) -> None:
    await teach(chat)
    await chat.say("zhang", UNCLEAR)
    said = await chat.say("zhang", "恒锐不是恒锐机电")
    assert "会先问你" in said
    assert "请核对" not in said.splitlines()[-1]
    await chat.say("zhang", "取消")
    assert "哪一家" in await chat.say("zhang", UNCLEAR)


async def test_undoing_the_record_forgets_what_it_taught(chat: Chat) -> None:
    await teach(chat)
    await chat.say("zhang", "撤销")
    assert "哪一家" in await chat.say("zhang", UNCLEAR)


async def test_correcting_the_customer_forgets_what_was_taught(chat: Chat) -> None:
    await teach(chat)
    await chat.say("zhang", "客户搞错了，是甬江轴承")
    assert "已更正" in await chat.say("zhang", "确认")
    assert "哪一家" in await chat.say("zhang", UNCLEAR)


async def test_correcting_a_draft_that_a_habit_opened_ends_the_habit(chat: Chat) -> None:
    await teach(chat)
    await chat.say("zhang", UNCLEAR)
    assert YONGJIANG in await chat.say("zhang", "客户搞错了，是甬江轴承")
    await chat.say("zhang", "取消")
    assert "哪一家" in await chat.say("zhang", UNCLEAR)


async def test_words_once_used_for_two_customers_are_always_asked_about(chat: Chat) -> None:
    await teach(chat)
    await chat.say("zhang", "恒锐不是恒锐机电")
    await teach(chat, label="无锡恒锐自动化")
    await chat.say("zhang", UNCLEAR)
    assert "按你的习惯" in await chat.say("zhang", "恒锐")
    assert ZIDONGHUA in chat.card().title


async def test_another_customer_than_those_offered_teaches_nothing(chat: Chat) -> None:
    await chat.say("zhang", MISHEARD)
    await chat.say("zhang", "不是，是甬江轴承")
    await chat.say("zhang", "确认")
    assert "是指" in await chat.say("zhang", MISHEARD)


async def test_the_name_of_a_new_customer_goes_before_what_was_learnt(chat: Chat) -> None:
    await chat.say("zhang", "跟甬轴重工集团打了10分钟电话，没异议，下周一联系")
    await chat.say("zhang", "甬江轴承")
    await chat.say("zhang", "确认")
    await chat.say("zhang", "新建客户 甬轴重工集团")
    assert "甬轴重工集团" in await chat.say(
        "zhang", "跟甬轴重工集团打了12分钟电话，没异议，下周二联系"
    )
    assert YONGJIANG not in chat.card().title


async def test_a_customer_that_was_handed_over_is_not_written_to_by_habit(chat: Chat) -> None:
    await teach(chat)
    await chat.say("li", "把恒锐机电转给陈静")
    said = await chat.say("zhang", UNCLEAR)
    assert "请核对" not in said or HENGRUI not in said


async def test_everything_learnt_and_forgotten_is_in_the_audit(chat: Chat) -> None:
    await teach(chat)
    await chat.say("zhang", "撤销")
    async with chat.database.begin() as tx:
        assert await tx.audit.verify() is None
        seq, _ = await tx.audit.head()
    assert seq >= 4


async def test_the_policy_may_want_the_question_each_time(database: Database) -> None:
    policy = replace(Policy(), drafts=DraftPolicy(use_habits=False))
    chat = await Chat(database, policy).open()
    await chat.customer(HENGRUI)
    await chat.customer(ZIDONGHUA)
    await teach(chat)
    assert "哪一家" in await chat.say("zhang", UNCLEAR)


async def aliases_of(chat: Chat, name: str) -> tuple[str, ...]:
    async with chat.database.begin() as tx:
        account = await tx.accounts.find_by_name(name)
    assert account is not None
    return account.aliases
