"""Contacts and groups are bound to customers in chat, by proposals and by hand."""

from __future__ import annotations

import pytest

from bot.domain.bindings import BoundBy, ChatKind
from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow, GroupMember
from bot.domain.opportunities import Account
from handlers.customers import duplicates
from handlers.understanding.names import places
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI = "杭州恒锐机电有限公司"
YONGJIANG = "宁波甬江轴承有限公司"
GROUP = "cidEast=="


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def meets(
    chat: Chat,
    external_id: str,
    name: str,
    *,
    who: str = "zhang",
    company: str = "",
    mobile: str = "",
    tag: str = "",
    remark: str = "",
) -> None:
    """A member has this contact."""
    contact = ExternalContact("wecom", external_id, name, company=company)
    mobiles, tags = (mobile,) if mobile else (), (tag,) if tag else ()
    follow = Follow("wecom", who, external_id, remark=remark, mobiles=mobiles, tags=tags)
    news = ContactNews("wecom", (contact,), (follow,))
    async with chat.database.begin() as tx:
        await tx.external_contacts.save(news, places=places(), at=chat.now)


async def filed(chat: Chat) -> None:
    await duplicates.file_all(chat.database.begin, chat.now)


async def phone(chat: Chat, account: Account, number: str) -> None:
    async with chat.database.begin() as tx:
        await tx.accounts.identify(account.id, phone=number)


async def bound(chat: Chat, key: str, platform: str = "wecom") -> int | None:
    async with chat.database.read() as tx:
        return await tx.chat_bindings.customer_of(platform, key)


async def three_contacts(chat: Chat) -> tuple[Account, Account]:
    """One found by mobile, one by company, one by tag, and one by nothing."""
    hengrui, yongjiang = await chat.customer(HENGRUI), await chat.customer(YONGJIANG)
    await phone(chat, hengrui, "13800001111")
    await filed(chat)
    await meets(chat, "wm1", "王总", mobile="+86 138-0000-1111")
    await meets(chat, "wm2", "李工", company="恒锐机电（杭州）有限公司")
    await meets(chat, "wm3", "陈经理", tag="甬江轴承")
    await meets(chat, "wm4", "路人")
    return hengrui, yongjiang


async def test_proposals_are_counted_by_kind_and_bound_by_one_press(chat: Chat) -> None:
    hengrui, yongjiang = await three_contacts(chat)
    shown = await chat.say("zhang", "绑定建议")
    assert "3个外部联系人" in shown
    assert "手机号相同：1个" in shown
    assert f"陈经理 → {YONGJIANG}，标签是客户名" in shown
    assert "路人" not in shown
    assert "已绑定3个" in await chat.press("zhang", chat.card("zhang"), "全部绑定")
    assert [await bound(chat, f"wm{n}") for n in (1, 2, 3, 4)] == [
        hengrui.id, hengrui.id, yongjiang.id, None,
    ]  # fmt: skip
    async with chat.database.read() as tx:
        [by_mobile, by_company] = await tx.chat_bindings.of_customer(hengrui.id)
    assert (by_mobile.how, by_company.how) == (BoundBy.MOBILE, BoundBy.COMPANY)
    assert by_mobile.bound_by == chat.people["zhang"].id
    assert "没有可以自动绑定的" in await chat.say("zhang", "绑定建议")


async def test_one_kind_alone_can_be_bound(chat: Chat) -> None:
    await three_contacts(chat)
    await chat.say("zhang", "绑定建议")
    assert "已绑定1个" in await chat.press("zhang", chat.card("zhang"), "只绑手机号相同的")
    assert [await bound(chat, f"wm{n}") is not None for n in (1, 2, 3)] == [True, False, False]


async def test_a_press_binds_only_what_was_shown_and_still_holds(chat: Chat) -> None:
    hengrui, _ = await three_contacts(chat)
    await chat.say("zhang", "绑定建议")
    await meets(chat, "wm5", "后来的", tag="甬江轴承")
    await meets(chat, "wm3", "陈经理", tag="恒锐机电")
    async with chat.database.begin() as tx:
        await tx.accounts.transfer(hengrui.id, chat.people["chen"].id, chat.now)
    assert "已绑定0个" in await chat.press("zhang", chat.card("zhang"), "全部绑定")
    assert [await bound(chat, f"wm{n}") for n in (1, 2, 3, 5)] == [None] * 4


async def test_declined_proposals_change_nothing(chat: Chat) -> None:
    await three_contacts(chat)
    await chat.say("zhang", "绑定建议")
    await chat.press("zhang", chat.card("zhang"), "先不绑")
    assert await bound(chat, "wm1") is None
    assert chat.shown("zhang").closed == "已忽略"


async def test_what_fits_two_customers_is_proposed_for_none(chat: Chat) -> None:
    await chat.customer("杭州宏达机电有限公司")
    await chat.customer("杭州宏达机电设备有限公司", "zhang", "宏达机电")
    await filed(chat)
    await meets(chat, "wm1", "王总", company="宏达机电")
    assert "没有可以自动绑定的" in await chat.say("zhang", "绑定建议")


async def test_a_namesake_in_another_city_is_not_proposed(chat: Chat) -> None:
    await chat.customer("杭州宏达机电有限公司")
    await filed(chat)
    await meets(chat, "wm1", "王总", company="上海宏达机电有限公司")
    assert "没有可以自动绑定的" in await chat.say("zhang", "绑定建议")


async def test_a_rep_binds_own_contacts_to_own_customers(chat: Chat) -> None:
    await three_contacts(chat)
    assert "没有可以自动绑定的" in await chat.say("chen", "绑定建议")
    assert "3个外部联系人" in await chat.say("li", "绑定建议")
    assert "3个外部联系人" in await chat.say("zhao", "绑定建议")
    await meets(chat, "wm9", "别人的客户", who="chen", tag="甬江轴承")
    assert "没有可以自动绑定的" in await chat.say("chen", "绑定建议")
    assert "4个外部联系人" in await chat.say("li", "绑定建议")


async def test_what_was_bound_in_one_go_is_undone_in_one_go(chat: Chat) -> None:
    await three_contacts(chat)
    await chat.say("zhang", "绑定建议")
    await chat.press("zhang", chat.card("zhang"), "全部绑定")
    assert "没有可以撤销" in await chat.say("chen", "撤销绑定")
    assert "3个会话已解绑" in await chat.say("zhang", "撤销绑定")
    assert await bound(chat, "wm1") is None
    assert "没有可以撤销" in await chat.say("zhang", "撤销绑定")


async def test_what_is_the_colleagues_by_now_is_not_undone(chat: Chat) -> None:
    hengrui, _ = await three_contacts(chat)
    await chat.say("zhang", "绑定建议")
    await chat.press("zhang", chat.card("zhang"), "全部绑定")
    async with chat.database.begin() as tx:
        await tx.accounts.transfer(hengrui.id, chat.people["chen"].id, chat.now)
    assert "1个会话已解绑" in await chat.say("zhang", "撤销绑定")
    assert await bound(chat, "wm1") == hengrui.id
    assert "不在你名下" in await chat.say("zhang", "撤销绑定")


async def test_a_contact_is_bound_by_name(chat: Chat) -> None:
    hengrui, _ = await three_contacts(chat)
    assert "路人已绑定到" in await chat.say("zhang", "绑定客户 路人 恒锐机电")
    assert await bound(chat, "wm4") == hengrui.id
    assert "已经绑定在" in await chat.say("zhang", "绑定客户 路人 甬江轴承")
    assert "已和" in await chat.say("zhang", "解绑客户 路人 恒锐机电")
    assert await bound(chat, "wm4") is None
    assert "路人已绑定到" in await chat.say("li", "绑定客户 路人 甬江轴承")


@pytest.mark.parametrize(
    ("who", "said", "told"),
    [
        ("zhang", "绑定客户 张三丰 恒锐机电", "没有找到叫「张三丰」"),
        ("zhang", "绑定客户 王总", "在有我的群里发"),
        ("zhang", "绑定客户", "在有我的群里发"),
        ("chen", "绑定客户 王总 恒锐机电", "不在你和你团队的客户里"),
        ("zhang", "解绑客户 王总 恒锐机电", "没有找到叫「王总」"),
        ("zhang", "绑定客户 王总 没有这家", "没有"),
    ],
)
async def test_what_cannot_be_bound_says_why(chat: Chat, who: str, said: str, told: str) -> None:
    await three_contacts(chat)
    assert told in await chat.say(who, said)
    assert await bound(chat, "wm1") is None


async def test_two_contacts_of_one_name_are_told_apart_by_their_remark(chat: Chat) -> None:
    hengrui, _ = await three_contacts(chat)
    await meets(chat, "wm8", "王总", remark="恒锐-王总")
    assert "叫「王总」的有2位" in await chat.say("zhang", "绑定客户 王总 恒锐机电")
    assert "恒锐-王总已绑定" in await chat.say("zhang", "绑定客户 恒锐-王总 恒锐机电")
    assert await bound(chat, "wm8") == hengrui.id


async def test_who_belongs_to_no_customer_is_listed(chat: Chat) -> None:
    await three_contacts(chat)
    async with chat.database.begin() as tx:
        await tx.chat_groups.save(ChatGroup("wecom", "wrA", "恒锐项目群", "zhang"), at=chat.now)
    listed = await chat.say("zhang", "未绑定")
    assert "李工（恒锐机电（杭州）有限公司）" in listed
    assert "恒锐项目群" in listed
    assert "都已绑定" in await chat.say("chen", "未绑定")


async def in_group(chat: Chat, chat_id: str, name: str, *external_ids: str) -> None:
    members = tuple(GroupMember(key, is_staff=False) for key in external_ids)
    group = ChatGroup("wecom", chat_id, name, "zhang", (GroupMember("zhang", True), *members))
    async with chat.database.begin() as tx:
        await tx.chat_groups.save(group, at=chat.now)


async def test_a_group_of_one_customers_people_is_proposed(chat: Chat) -> None:
    """In a customer group of WeCom no robot can be spoken to."""
    hengrui, _ = await three_contacts(chat)
    await in_group(chat, "wrA", "恒锐项目群", "wm1", "wm2", "wm4")
    await in_group(chat, "wrB", "两家一起", "wm1", "wm3")
    await chat.say("zhang", "绑定建议")
    await chat.press("zhang", chat.card("zhang"), "全部绑定")
    shown = await chat.say("zhang", "绑定建议")
    assert f"恒锐项目群 → {HENGRUI}，群里是同一家的人" in shown
    assert "两家一起" not in shown
    assert "没有可以自动绑定的" in await chat.say("chen", "绑定建议")
    assert "已绑定1个" in await chat.press("zhang", chat.card("zhang"), "全部绑定")
    assert await bound(chat, "wrA") == hengrui.id
    assert chat.office.groups.customer_of("wecom", "wrA") == hengrui.id
    assert "1个会话已解绑" in await chat.say("zhang", "撤销绑定")
    assert chat.office.groups.customer_of("wecom", "wrA") is None


async def test_a_customer_group_is_bound_by_its_name(chat: Chat) -> None:
    hengrui, _ = await three_contacts(chat)
    await in_group(chat, "wrA", "恒锐项目群", "wm1")
    assert "已绑定到" in await chat.say("li", "绑定客户 恒锐项目群 恒锐机电")
    assert await bound(chat, "wrA") == hengrui.id
    assert "已和" in await chat.say("zhang", "解绑客户 恒锐项目群 恒锐机电")
    assert await bound(chat, "wrA") is None
    await in_group(chat, "wrB", "恒锐项目群", "wm2")
    assert "客户群有2个" in await chat.say("zhang", "绑定客户 恒锐项目群 恒锐机电")


async def test_a_group_is_bound_and_its_words_go_into_the_stream(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("chen", "上周发的图纸客户确认了吗", group=GROUP)
    assert "这个群已绑定到" in await chat.say("zhang", "绑定客户 恒锐机电", group=GROUP)
    assert await bound(chat, GROUP) == account.id
    await chat.say("zhang", "王总今天要来看样机", group=GROUP)
    await chat.say("zhang", "待办", group=GROUP)
    said = [(one.title, one.text, one.valid) for one in await chat.stream(account)]
    assert said == [
        ("群聊", "张伟：王总今天要来看样机", False),
        ("群聊", "陈静：上周发的图纸客户确认了吗", False),
    ]


async def test_another_group_says_nothing_into_the_stream(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "绑定客户 恒锐机电", group=GROUP)
    await chat.say("zhang", "王总今天要来看样机", group="cidOther==")
    await chat.say("zhang", "解绑客户", group=GROUP)
    await chat.say("zhang", "样机改到明天看", group=GROUP)
    assert await chat.stream(account) == []
    assert "没有绑定客户" in await chat.say("zhang", "解绑客户", group=GROUP)


@pytest.mark.parametrize("who", ["chen", "wang"])
async def test_a_group_is_bound_by_who_looks_after_the_customer(chat: Chat, who: str) -> None:
    await chat.customer(HENGRUI)
    told = await chat.say(who, "绑定客户 恒锐机电", group=GROUP)
    assert ("已绑定到" in told) is (who == "wang")


async def test_a_bound_group_tells_a_stranger_not_whose_it_is(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer(YONGJIANG, "chen")
    await chat.say("zhang", "绑定客户 恒锐机电", group=GROUP)
    told = await chat.say("chen", "绑定客户 甬江轴承", group=GROUP)
    assert "另一位同事的客户" in told
    assert "恒锐" not in told
    assert "不在你名下" in await chat.say("chen", "解绑客户", group=GROUP)


async def test_pictures_of_a_bound_group_stand_in_the_stream(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "绑定客户 恒锐机电", group=GROUP)
    await chat.say("zhang", "", group=GROUP, files=("铭牌.png",))
    entry = (await chat.stream(account))[-1]
    assert entry.text == "张伟：铭牌.png"
    assert len(entry.file_hashes) == 1


async def test_the_customers_own_words_are_kept_and_not_answered(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "绑定客户 恒锐机电", group=GROUP)
    said = len(chat.said)
    asked = await chat.hear_outsider("王总", "图纸什么时候给？", group=GROUP, title="恒锐项目群")
    assert asked == ""
    assert len(chat.said) == said
    [entry] = await chat.stream(account)
    assert (entry.title, entry.text, entry.actor_id) == (
        "群聊「恒锐项目群」",
        "王总：图纸什么时候给？",
        None,
    )


async def test_bound_groups_are_known_after_a_restart_and_a_merge(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    kept = await chat.customer(YONGJIANG)
    await chat.say("zhang", "绑定客户 恒锐机电", group=GROUP)
    async with chat.database.begin() as tx:
        gone = await tx.accounts.find_by_name(HENGRUI)
        assert gone is not None
        await tx.merges.merge(gone.id, kept.id, by=chat.people["zhao"].id, at=chat.now)
    await chat.say("zhang", "王总今天要来看样机", group=GROUP)
    assert [one.account_id for one in await chat.stream(kept)] == [kept.id]
    async with chat.database.read() as tx:
        assert await tx.chat_bindings.groups() == {("wecom", GROUP): kept.id}


async def test_a_customers_chats_are_one_press_away(chat: Chat) -> None:
    await three_contacts(chat)
    await meets(chat, "wm7", "何总", who="chen")
    await meets(chat, "wm1", "王总", mobile="13800001111", remark="恒锐-王总")
    await chat.say("zhang", "客户 恒锐机电")
    assert "打开聊天" not in [one.label for one in chat.card("zhang").buttons]
    assert "还没有绑定" in await chat.say("zhang", "打开聊天 恒锐机电")
    await chat.say("zhang", "绑定建议")
    await chat.press("zhang", chat.card("zhang"), "全部绑定")
    await chat.say("zhang", "绑定客户 恒锐机电", group=GROUP)
    await chat.say("zhang", "客户 恒锐机电")
    told = await chat.press("zhang", chat.card("zhang"), "打开聊天")
    assert "**恒锐-王总**（企业微信联系人）：在企业微信顶部搜索这个名字" in told
    assert "（企业微信群）：在企业微信顶部搜索这个群名" in told
    assert "是张伟的联系人" in await chat.say("li", "打开聊天 恒锐机电")
    assert "恒锐-王总" in await chat.say("zhang", "打开聊天", group=GROUP)
    assert "要打开和哪家" in await chat.say("zhang", "打开聊天")


async def test_an_entry_of_dingtalks_book_is_opened_by_a_link(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    contact = ExternalContact("dingtalk", "ext1", "王总", mobile="13800001111")
    async with chat.database.begin() as tx:
        news = ContactNews("dingtalk", (contact,), (Follow("dingtalk", "0123", "ext1"),))
        await tx.external_contacts.save(news, places=places(), at=chat.now)
        bind = [("dingtalk", "ext1", ChatKind.CONTACT, account.id, BoundBy.HAND)]
        await tx.chat_bindings.bind(bind, by=account.owner_id, at=chat.now, source_id="1")
    told = await chat.say("zhang", "打开聊天 恒锐机电")
    assert "[王总](https://applink.dingtalk.com/page/profile?phone=13800001111)" in told
