"""Somebody leaves: no access from then on, and one dialogue hands over all that was theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow
from bot.domain.people import Directory, DirectoryUser
from bot.messages import Card, OutboundMessage
from handlers import Handlers
from handlers.people import directory
from storage.contact_transfers import TransferState
from storage.database import Database
from tests.handlers.chat_company import PEOPLE, Chat

HENGRUI = "杭州恒锐机电有限公司"
YONGJIANG = "宁波甬江轴承有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await working(await Chat(database).open(), "wecom")


async def working(chat: Chat, *platforms: str) -> Chat:
    """With applications on these platforms that may hand contacts over."""
    chat.office = replace(chat.office, platforms_with_contacts=frozenset(platforms))
    chat.handlers = Handlers(chat.office, read=chat.database.read)
    return chat


async def leaves(chat: Chat, who: str) -> list[OutboundMessage]:
    """The platform says so; what the bot tells because of it."""
    async with chat.database.begin() as tx:
        news = Directory("wecom", whole=False, left_user_ids=(who,))
        notes = await directory.save(tx, chat.office, news, chat.now)
    chat.said += notes
    return notes


async def owner(chat: Chat, name: str) -> int:
    async with chat.database.read() as tx:
        account = await tx.accounts.find_by_name(name)
    assert account is not None
    return account.owner_id


async def has_contacts(chat: Chat, *external_ids: str, who: str = "zhang") -> None:
    async with chat.database.begin() as tx:
        for key in external_ids:
            news = ContactNews(
                "wecom",
                (ExternalContact("wecom", key, f"客户{key}"),),
                (Follow("wecom", who, key),),
            )
            await tx.external_contacts.save(news, places=frozenset(), at=chat.now)
        await tx.chat_groups.save(ChatGroup("wecom", "wrA", "恒锐项目群", who), at=chat.now)


async def test_the_supervisor_is_asked_who_gets_everything(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await has_contacts(chat, "wm1", "wm2")
    [note] = await leaves(chat, "zhang")
    card = note.content
    assert note.to.user_id == "li"
    assert isinstance(card, Card)
    assert card.title == "张伟工作交接"
    assert dict(card.facts) == {"客户": HENGRUI, "商机": "1个", "外部联系": "2位", "客户群": "1个"}
    assert [option.label for option in card.fields[0].options] == ["陈静", "李敏"]


async def test_one_press_hands_over_customers_deals_drafts_and_contacts(chat: Chat) -> None:
    account, other = await chat.customer(HENGRUI), await chat.customer(YONGJIANG)
    await has_contacts(chat, "wm1", "wm2")
    await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")
    await leaves(chat, "zhang")
    chen = chat.people["chen"].id
    told = await chat.press("li", chat.card("li"), "全部交接", to=str(chen))
    assert "2家客户、2个商机、1条没确认的草稿交给陈静" in told
    assert "2位外部联系人正在由企业微信转接" in told
    assert "1个客户群正在换成陈静做群主" in told
    assert {await owner(chat, HENGRUI), await owner(chat, YONGJIANG)} == {chen}
    assert {(await chat.deal(one)).owner_id for one in (account, other)} == {chen}
    assert "恒锐机电通了10分钟" in chat.heard_by("chen")
    assert chat.shown("li").closed == "已全部交给陈静"
    async with chat.database.read() as tx:
        assert await tx.drafts.open_of_person(chat.people["zhang"].id) == []
        due = await tx.contact_transfers.due(["wecom"], at=chat.now, limit=9)
    group = due.pop()
    assert (group.kind, group.external_id, group.to_user) == ("group", "wrA", "chen")
    assert [(one.external_id, one.from_user, one.to_user) for one in due] == [
        ("wm1", "zhang", "chen"),
        ("wm2", "zhang", "chen"),
    ]
    assert all(one.has_left and one.state is TransferState.ASKED for one in due)
    assert "请核对" in await chat.say("chen", "恒锐机电通了10分钟，下周五联系")


async def test_a_second_press_finds_nothing_left(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await leaves(chat, "zhang")
    card, to = chat.card("li"), str(chat.people["chen"].id)
    await chat.press("li", card, "全部交接", to=to)
    assert "没有要交接的" in await chat.press("li", card, "give", to=to)


async def test_nothing_is_handed_over_before_somebody_is_chosen(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await leaves(chat, "zhang")
    assert "请先在卡片上选好" in await chat.press("li", chat.card("li"), "全部交接")
    assert await owner(chat, HENGRUI) == chat.people["zhang"].id


async def test_who_has_left_is_turned_away_at_once(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")
    draft = chat.card("zhang")
    await leaves(chat, "zhang")
    assert "已离职或停用" in await chat.press("zhang", draft, "确认")
    assert "已离职或停用" in await chat.say("zhang", "客户 恒锐机电")
    assert await chat.stream(account) == []


async def test_who_has_nothing_leaves_without_a_question(chat: Chat) -> None:
    assert await leaves(chat, "chen") == []


async def test_without_a_supervisor_the_administrators_are_asked(chat: Chat) -> None:
    await chat.customer(HENGRUI, "wang")
    [note] = await leaves(chat, "wang")
    assert note.to.user_id == "zhao"
    assert isinstance(note.content, Card)
    assert "张伟" in {option.label for option in note.content.fields[0].options}


@pytest.mark.parametrize(
    ("who", "said", "told"),
    [
        ("li", "交接 张伟 给 陈静", "1家客户"),
        ("zhao", "交接 张伟的工作给陈静", "1家客户"),
        ("chen", "交接 张伟 给 陈静", "要由离职同事的主管"),
        ("li", "交接 张伟 给 王建国", "要由离职同事的主管"),
        ("li", "交接 张三丰 给 陈静", "没有找到「张三丰」"),
        ("li", "交接 张伟 给 张三丰", "没有找到「张三丰」"),
        ("li", "交接 张伟", "请写清楚交给谁"),
        ("li", "交接 陈静 给 陈静", "不能交给陈静"),
    ],
)
async def test_it_is_also_said_in_words(chat: Chat, who: str, said: str, told: str) -> None:
    await chat.customer(HENGRUI)
    await leaves(chat, "zhang")
    assert told in await chat.say(who, said)
    handed = await owner(chat, HENGRUI) == chat.people["chen"].id
    assert handed is (told == "1家客户")


async def test_contacts_stay_where_the_new_owner_is_not(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await has_contacts(chat, "wm1")
    await working(chat)
    await leaves(chat, "zhang")
    told = await chat.say("li", "交接 张伟 给 陈静")
    assert "1位外部联系人没法自动转给陈静" in told
    assert "客户群恒锐项目群请在企业微信里更换群主" in told


async def test_somebody_who_comes_back_is_listened_to_again(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await leaves(chat, "zhang")
    async with chat.database.begin() as tx:
        back = DirectoryUser("zhang", PEOPLE["zhang"][0])
        news = Directory("wecom", users=(back,), whole=False)
        await directory.save(tx, chat.office, news, chat.now)
    assert "请核对" in await chat.say("zhang", "恒锐机电通了10分钟，下周五联系")


async def test_who_owns_nothing_but_a_group_hands_it_over(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        await tx.chat_groups.save(ChatGroup("wecom", "wrA", "恒锐项目群", "chen"), at=chat.now)
    [note] = await leaves(chat, "chen")
    assert isinstance(note.content, Card)
    assert dict(note.content.facts) == {"客户群": "1个"}
