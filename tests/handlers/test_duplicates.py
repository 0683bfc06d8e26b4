"""A second customer never comes to be silently: likely duplicates are shown with reasons, and
two people who want one customer are heard by whoever leads both."""

from __future__ import annotations

import pytest

from bot.messages import Card
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI = "杭州恒锐机电有限公司"
CODE = "91330100799655058B"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def names(chat: Chat) -> dict[str, str]:
    """Every customer that stands, and who owns it."""
    people = {person.id: person.name for person in chat.people.values()}
    async with chat.database.begin() as tx:
        return {one.name: people[one.owner_id] for one in await tx.accounts.list_all()}


async def test_a_new_customer_keeps_the_numbers_said_with_it(chat: Chat) -> None:
    said = await chat.say(
        "zhang", f"新建客户 {HENGRUI} {CODE.lower()} 0571-87654321 www.hengrui.com"
    )
    assert "已新建客户「杭州恒锐机电有限公司」" in said
    async with chat.database.begin() as tx:
        account = await tx.accounts.find_by_name(HENGRUI)
    assert account is not None
    assert (account.credit_code, account.phone, account.domain) == (
        CODE,
        "+8657187654321",
        "hengrui.com",
    )


async def test_a_credit_code_with_a_slip_is_refused(chat: Chat) -> None:
    assert "校验位不对" in await chat.say("zhang", f"新建客户 {HENGRUI} 91330100799655058C")
    assert await names(chat) == {}


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (HENGRUI, "恒锐机电（杭州）股份有限公司", "名称只差地名或「有限公司」"),
        (HENGRUI, "杭州恒瑞机电有限公司", "读音相同"),
        (f"{HENGRUI} 13812345678", "甬江轴承 +86-138-1234-5678", "同一电话"),
        (f"{HENGRUI} hengrui.com", "甬江轴承 wang@hengrui.com", "同一网址或邮箱域名"),
    ],
)
async def test_what_is_like_it_is_shown_with_the_reason(
    chat: Chat, first: str, second: str, reason: str
) -> None:
    await chat.say("zhang", f"新建客户 {first}")
    said = await chat.say("zhang", f"新建客户 {second}")
    assert f"「{HENGRUI}」（张伟负责）：{reason}" in said
    assert len(await names(chat)) == 1
    pressed = await chat.press("zhang", chat.card("zhang"), "是另一家，新建")
    assert "已新建" in pressed
    assert len(await names(chat)) == 2
    assert "已经处理过" in await chat.press("zhang", chat.card("zhang"), "create")
    assert len(await names(chat)) == 2


async def test_the_same_credit_code_is_never_created_twice(chat: Chat) -> None:
    await chat.say("zhang", f"新建客户 {HENGRUI} {CODE}")
    for words in ("新建客户", "确认新建客户"):
        said = await chat.say("zhang", f"{words} 甬江轴承有限公司 {CODE}")
        assert "已经在册，负责人是张伟（同一统一信用代码）" in said
    assert list(await names(chat)) == [HENGRUI]


async def test_the_draft_that_waits_takes_the_customer_that_was_meant(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "跟杭州恒锐机械李总打了10分钟电话，没异议，下周一联系")
    await chat.say("zhang", "新建客户 杭州恒锐机械有限公司")
    assert "杭州恒锐机械有限公司" in chat.card("zhang").title
    said = await chat.press("zhang", chat.card("zhang"), "就是杭州恒锐机电")
    assert f"就用「{HENGRUI}」" in said
    assert list(await names(chat)) == [HENGRUI]


async def clash(chat: Chat, asked: str = "恒锐机电（杭州）股份有限公司") -> Card:
    """陈静 enters 张伟's customer; the card that 李敏 gets."""
    await chat.customer(HENGRUI)
    said = await chat.say("chen", f"新建客户 {asked}")
    assert "已请李敏裁定" in said
    return chat.card("li")


async def test_both_reps_are_told_why_and_their_supervisor_is_asked(chat: Chat) -> None:
    card = await clash(chat)
    assert "和你的「杭州恒锐机电有限公司」很可能是同一家（名称只差地名" in chat.heard_by("zhang")
    assert [button.label for button in card.buttons] == ["归张伟", "归陈静", "两家都留"]
    assert list(await names(chat)) == [HENGRUI]
    assert "已经在等裁定" in await chat.say("chen", "确认新建客户 恒锐机电（杭州）股份有限公司")


async def test_a_decision_wants_a_reason_and_is_kept_in_the_audit(chat: Chat) -> None:
    card = await clash(chat)
    assert "先在卡片上选裁定理由" in await chat.press("li", card, "归陈静")
    assert await names(chat) == {HENGRUI: "张伟"}
    await chat.press("li", card, "归陈静", reason="按区域划分")
    assert await names(chat) == {HENGRUI: "陈静"}
    for who in ("zhang", "chen"):
        assert "李敏裁定归陈静，理由：按区域划分" in chat.heard_by(who)
    assert chat.book.owned_by(chat.people["chen"].id, HENGRUI)
    assert "最近动态" in await chat.say("chen", "客户 恒锐机电（杭州）股份有限公司")


async def test_both_may_be_kept(chat: Chat) -> None:
    card = await clash(chat)
    await chat.press("li", card, "两家都留", reason="确实是两家公司")
    assert await names(chat) == {HENGRUI: "张伟", "恒锐机电（杭州）股份有限公司": "陈静"}


async def test_of_two_opposite_decisions_the_first_stands_and_the_second_is_told(
    chat: Chat,
) -> None:
    card = await clash(chat)
    await chat.press("li", card, "归张伟", reason="先报先得")
    said = await chat.press("wang", card, "归陈静", reason="按区域划分")
    assert "别人已经先裁定了" in said
    assert "李敏裁定归张伟，理由：先报先得" in said
    assert await names(chat) == {HENGRUI: "张伟"}


@pytest.mark.parametrize(("button", "owner"), [("归张伟", "张伟"), ("归陈静", "陈静")])
async def test_a_decision_holds_also_when_the_customer_changed_hands_meanwhile(
    chat: Chat, button: str, owner: str
) -> None:
    card = await clash(chat)
    await chat.say("zhang", "放回公海 恒锐机电 没有需求")
    await chat.say("chen", "领取 恒锐机电")
    await chat.press("li", card, button, reason="按区域划分")
    assert await names(chat) == {HENGRUI: owner}
    if button == "归张伟":
        await chat.say("zhang", "放回公海 恒锐机电 没有需求")
        assert "先裁定了" in await chat.press("li", card, "归陈静", reason="按区域划分")


async def test_the_parties_do_not_decide_themselves(chat: Chat) -> None:
    card = await clash(chat)
    for who in ("zhang", "chen"):
        assert "由两位同事共同的主管裁定" in await chat.press(
            who, card, "归陈静", reason="先报先得"
        )
    assert await names(chat) == {HENGRUI: "张伟"}


async def test_one_legal_entity_is_not_kept_twice(chat: Chat) -> None:
    card = await clash(chat, HENGRUI)
    assert [button.label for button in card.buttons] == ["归张伟", "归陈静"]


async def test_a_supervisor_who_enters_their_reps_customer_is_shown_it(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    said = await chat.say("li", "新建客户 杭州恒锐机电股份有限公司")
    assert f"「{HENGRUI}」（张伟负责）" in said


async def test_a_table_brings_no_duplicates_in(chat: Chat) -> None:
    await chat.say("zhang", f"新建客户 {HENGRUI} {CODE}")
    table = (
        "name,owner,credit_code,phone\n"
        f"甬江轴承有限公司,张伟,{CODE},\n"
        "绍兴越城纺机有限公司,陈静,,0575-88886666\n"
        "越城纺织机械,张伟,,0575-88886666\n"
        "温州瓯海锁具有限公司,张伟,123,\n"
        "台州温岭泵业有限公司,张伟,,abc\n"
        "杭州恒锐机械有限公司,张伟,,\n"
    )
    said = await chat.upload("zhao", "客户.csv", table.encode())
    assert "新建2家" in said
    assert f"第2行「甬江轴承有限公司」没有新建：像在册的「{HENGRUI}」（同一统一信用代码）" in said
    assert "第4行「越城纺织机械」没有新建：像在册的「绍兴越城纺机有限公司」（同一电话）" in said
    assert "第5行「温州瓯海锁具有限公司」没有新建：统一信用代码「123」应为18位" in said
    assert "第6行「台州温岭泵业有限公司」没有新建：电话「abc」认不出来" in said
    assert f"第7行「杭州恒锐机械有限公司」已新建，但像在册的「{HENGRUI}」（名称只差一个字）" in said


async def test_numbers_told_later_are_kept_and_show_who_has_the_same(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer("宁波甬江轴承有限公司", "chen")
    await chat.say("chen", f"客户资料 甬江轴承 {CODE}")
    said = await chat.say("zhang", f"客户资料 恒锐机电 {CODE} 0571-87654321")
    assert f"统一信用代码{CODE}，电话+8657187654321" in said
    assert "「宁波甬江轴承有限公司」（陈静负责）和它同一统一信用代码" in said


async def test_numbers_of_a_colleagues_customer_are_not_touched(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    said = await chat.say("chen", f"客户资料 {HENGRUI} {CODE}")
    assert "不在你和你团队的客户里" in said or "由张伟负责" in said
    async with chat.database.begin() as tx:
        account = await tx.accounts.find_by_name(HENGRUI)
    assert account is not None
    assert account.credit_code == ""


@pytest.mark.parametrize("words", ["客户资料", "客户资料 恒锐机电"])
async def test_without_numbers_an_example_is_shown(chat: Chat, words: str) -> None:
    await chat.customer(HENGRUI)
    assert "例如「客户资料 恒锐机电" in await chat.say("zhang", words)
