"""One person on two platforms, joined and parted by the administrator's word."""

from __future__ import annotations

import pytest

from bot.domain.people import Directory, DirectoryDepartment, DirectoryUser, Identity, Role
from bot.messages import Address, Card, CardUpdate, Platform
from handlers.people import directory
from storage.database import Database
from tests.handlers.chat_company import Chat, words

HENGRUI = "杭州恒锐机电有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    """With a 张伟 on DingTalk whose mobile nobody knows, and a 黄河 who is there alone."""
    chat = await Chat(database).open()
    users = (
        DirectoryUser("0123", "张伟", departments=("7",), mobile="13800001234"),
        DirectoryUser("0124", "黄河", departments=("7",)),
    )
    departments = (DirectoryDepartment("7", "华南销售组"),)
    async with database.begin() as tx:
        await tx.people.save_directory(
            Directory("dingtalk", users=users, departments=departments),
            roles_by_title=chat.office.policy.roles.roles_of,
            at=chat.now,
        )
        for user_id in ("0123", "0124"):
            found = await tx.people.find_by_identity("dingtalk", user_id)
            assert found is not None
            await tx.people.set_roles(found.id, [Role.REP])
            chat.people[user_id] = await tx.people.get(found.id)
    return chat


async def identities(chat: Chat, who: str) -> set[Identity]:
    async with chat.database.read() as tx:
        return set((await tx.people.get(chat.people[who].id)).identities)


async def test_the_administrator_sees_both_accounts_before_they_are_joined(chat: Chat) -> None:
    await chat.customer(HENGRUI, "0123")
    asked = await chat.say("zhao", "合并账号 张伟")
    assert "企业微信：张伟" in asked
    assert "钉钉：张伟 · 华南销售组" in asked
    assert "138****1234 · 1家客户" in asked
    assert "13800001234" not in asked
    assert await identities(chat, "zhang") == {Identity("wecom", "zhang")}


async def test_one_press_joins_and_all_that_is_the_others_moves(chat: Chat) -> None:
    account = await chat.customer(HENGRUI, "0123")
    await chat.say("zhao", "合并账号 张伟")
    assert "已合并" in await chat.press("zhao", chat.card("zhao"), "确认合并")
    assert await identities(chat, "zhang") == {
        Identity("wecom", "zhang"),
        Identity("dingtalk", "0123"),
    }
    assert (await chat.deal(account)).owner_id == chat.people["zhang"].id
    assert "合并了" in chat.heard_by("zhang")
    assert "请核对" in await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")


async def test_the_press_is_audited(chat: Chat) -> None:
    await chat.say("zhao", "合并账号 张伟")
    async with chat.database.read() as tx:
        before, _ = await tx.audit.head()
    await chat.press("zhao", chat.card("zhao"), "确认合并")
    async with chat.database.read() as tx:
        assert await tx.audit.head() != before
        assert await tx.audit.verify() is None


@pytest.mark.parametrize(
    "said",
    [
        "绑定 张伟 wecom:zhang dingtalk:0123",
        "绑定 企业微信:ZHANG 钉钉:0123",
        "合并账号 张伟(企业微信)和张伟(钉钉)",
        "合并账号张伟",
        "合并账号 张伟（企微） 与 张伟（钉钉）",
    ],
)
async def test_accounts_are_named_in_several_ways(chat: Chat, said: str) -> None:
    assert "确认是同一个人吗" in await chat.say("zhao", said)
    assert chat.card("zhao").card_id == (
        f"people-{chat.people['zhang'].id}-{chat.people['0123'].id}"
    )


async def test_two_different_names_may_be_one_person(chat: Chat) -> None:
    await chat.say("zhao", "合并账号 陈静和黄河")
    await chat.press("zhao", chat.card("zhao"), "确认合并")
    assert Identity("dingtalk", "0124") in await identities(chat, "chen")


@pytest.mark.parametrize(
    ("who", "said", "told"),
    [
        ("zhang", "合并账号 张伟", "只有管理员"),
        ("li", "账号", "只有管理员"),
        ("li", "拆分账号 张伟", "只有管理员"),
        ("zhao", "合并账号", "要合并谁"),
        ("zhao", "合并账号 张三丰", "没有找到「张三丰」"),
        ("zhao", "绑定 wecom:nobody dingtalk:0123", "没有找到「wecom:nobody」"),
        ("zhao", "合并账号 陈静", "只在一个平台"),
        ("zhao", "合并账号 陈静 和 张伟(企业微信)", "在同一个平台上"),
        ("zhao", "合并账号 陈静 和 张伟", "不止两个"),
        ("zhao", "拆分账号 陈静", "只在一个平台"),
        ("zhao", "拆分账号", "要拆分谁"),
        ("zhao", "账号 张三丰", "没有找到「张三丰」"),
    ],
)
async def test_what_cannot_be_joined_says_why(chat: Chat, who: str, said: str, told: str) -> None:
    assert told in await chat.say(who, said)


async def test_who_lost_the_role_cannot_press_any_more(chat: Chat) -> None:
    await chat.say("zhao", "合并账号 张伟")
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["zhao"].id, [Role.REP])
    assert "只有管理员" in await chat.press("zhao", chat.card("zhao"), "确认合并")
    assert await identities(chat, "zhang") == {Identity("wecom", "zhang")}


async def test_cancelled_and_repeated_presses_change_nothing_more(chat: Chat) -> None:
    await chat.say("zhao", "合并账号 张伟")
    card = chat.card("zhao")
    assert "没有改动" in await chat.press("zhao", card, "取消")
    assert await identities(chat, "zhang") == {Identity("wecom", "zhang")}
    await chat.say("zhao", "合并账号 张伟")
    await chat.press("zhao", chat.card("zhao"), "确认合并")
    assert "已经合并了" in await chat.press("zhao", chat.card("zhao"), "确认合并")
    assert "已经是合并的" in await chat.say("zhao", "合并账号 张伟")


async def test_a_closed_card_is_asked_anew_with_buttons(chat: Chat) -> None:
    """The second card has the id of the first: it must come as a newer picture of it."""
    await chat.say("zhao", "合并账号 张伟")
    await chat.press("zhao", chat.card("zhao"), "取消")
    updates = [one.content for one in chat.said if isinstance(one.content, CardUpdate)]
    await chat.say("zhao", "合并账号 张伟")
    again = chat.card("zhao")
    assert isinstance(again, Card)
    assert again.revision > updates[-1].card.revision
    assert again.buttons


async def test_who_may_be_one_person_is_listed(chat: Chat) -> None:
    listed = await chat.say("zhao", "账号")
    assert "1对同名" in listed
    assert "张伟（企业微信 zhang）" in listed
    assert "黄河" not in listed
    assert "黄河（钉钉 华南销售组、0124）" in await chat.say("zhao", "账号 黄河")
    await chat.say("zhao", "合并账号 张伟")
    await chat.press("zhao", chat.card("zhao"), "确认合并")
    assert "已合并的有1人" in await chat.say("zhao", "账号")


async def test_a_wrong_join_is_parted_and_the_customers_go_back(chat: Chat) -> None:
    came = await chat.customer(HENGRUI, "0123")
    stays = await chat.customer("宁波甬江轴承有限公司")
    await chat.say("zhao", "合并账号 张伟")
    await chat.press("zhao", chat.card("zhao"), "确认合并")
    assert "1家客户已还回去" in await chat.say("zhao", "拆分账号 张伟")
    assert await identities(chat, "zhang") == {Identity("wecom", "zhang")}
    async with chat.database.read() as tx:
        other = await tx.people.find_by_identity("dingtalk", "0123")
    assert other is not None
    assert (other.name, other.mobile) == ("张伟", "13800001234")
    assert (await chat.deal(came)).owner_id == other.id
    assert (await chat.deal(stays)).owner_id == chat.people["zhang"].id
    assert "由张伟负责" in await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")
    told = [one.to for one in chat.said]
    assert Address(Platform.DINGTALK, "sales", user_id="0123") in told


async def test_a_mobile_told_later_joins_and_the_customers_are_known_at_once(chat: Chat) -> None:
    """Such news used to be refused as a whole, and the names in memory kept the owner who
    was no more."""
    await chat.customer(HENGRUI, "0123")
    news = Directory(
        "wecom", users=(DirectoryUser("zhang", "张伟", mobile="13800001234"),), whole=False
    )
    async with chat.database.begin() as tx:
        await directory.save(tx, chat.office, news, chat.now)
    assert "请核对" in await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")


async def test_help_tells_each_what_they_may_do(chat: Chat) -> None:
    assert "合并账号" in await chat.say("zhao", "帮助")
    assert "合并账号" not in (leader := await chat.say("li", "帮助"))
    assert "请假到周五" in leader
    assert "请假到周五" not in await chat.say("zhang", "帮助")


async def test_who_leaves_is_reported_with_the_customers_to_hand_over(chat: Chat) -> None:
    account = await chat.customer(HENGRUI, "0124")
    gone = Directory("dingtalk", users=(DirectoryUser("0123", "张伟"),))
    async with chat.database.begin() as tx:
        told = await directory.save(tx, chat.office, gone, chat.now)
    assert [HENGRUI in words(note.content) for note in told] == [True]
    assert "已从黄河转给陈静" in await chat.say("zhao", f"把{HENGRUI}转给陈静")
    assert (await chat.deal(account)).owner_id == chat.people["chen"].id


async def test_two_of_one_name_are_told_apart_before_anything_is_handed_over(chat: Chat) -> None:
    await chat.customer(HENGRUI, "chen")
    assert "合并账号 张伟" in await chat.say("zhao", "把恒锐机电转给张伟")
