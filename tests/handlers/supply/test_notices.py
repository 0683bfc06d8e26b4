"""A large sale at L1 reaches warehouse and planning, once, and so does what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.domain.levels import Cause, Evidence, EvidenceKind, Level
from bot.domain.opportunities import Opportunity
from bot.domain.people import Directory, DirectoryUser, Role
from bot.domain.supply import NoticeKind, Station
from bot.messages import Address, Card, Markdown, OutboundMessage, Platform
from handlers.levels import changing
from storage.database import Database
from tests.handlers.chat_company import PEOPLE, Chat, words
from tests.handlers.light_company import at

HENGRUI = "杭州恒锐机电有限公司"
STAFF = {"ma": ("马东", Role.WAREHOUSE), "gao": ("高远", Role.PLANNING)}


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


@pytest.fixture
async def deal(chat: Chat) -> Opportunity:
    return await chat.deal(await chat.customer(HENGRUI, "zhang", "恒锐机电"))


async def hire(chat: Chat) -> None:
    """马东 keeps the warehouse, 高远 plans."""
    users = tuple(DirectoryUser(key, name) for key, (name, _) in (PEOPLE | STAFF).items())
    async with chat.database.begin() as tx:
        directory = Directory("wecom", users=users)
        await tx.people.save_directory(
            directory, roles_by_title=chat.policy.roles.roles_of, at=chat.now
        )
        for key, (_, role) in (PEOPLE | STAFF).items():
            found = await tx.people.find_by_identity("wecom", key)
            assert found is not None
            await tx.people.set_roles(found.id, [role])


async def worth(chat: Chat, deal: Opportunity, yuan: int) -> None:
    async with chat.database.begin() as tx:
        locked = await tx.opportunities.get_for_update(deal.id)
        await tx.opportunities.save(replace(locked, amount_fen=yuan * 100))


async def order(chat: Chat, deal: Opportunity, number: str = "PO-2026-018") -> Evidence:
    async with chat.database.begin() as tx:
        return await tx.levels.add_evidence(
            Evidence(
                id=0,
                opportunity_id=deal.id,
                kind=EvidenceKind.PURCHASE_ORDER,
                added_by=chat.people["zhang"].id,
                added_at=chat.now,
                expires_at=changing.end_of_evidence(chat.office, chat.now),
                number=number,
                sha256="a" * 64,
            )
        )


async def level(
    chat: Chat, deal: Opportunity, to: Level | None, cause: Cause = Cause.CLAIMED, reason: str = ""
) -> list[OutboundMessage]:
    """What is sent because of it."""
    async with chat.database.begin() as tx:
        locked = await tx.opportunities.get_for_update(deal.id)
        done = await changing.set_level(
            tx, chat.office, locked, to, cause=cause, at=chat.now, reason=reason
        )
        await tx.delivery.queue(done.messages, at=chat.now)
    chat.said += done.messages
    return done.messages


async def notices(chat: Chat, deal: Opportunity) -> list[tuple[NoticeKind, int, str]]:
    async with chat.database.begin() as tx:
        found = await tx.supply.of(deal.id)
    return [(one.kind, one.amount_fen // 100, one.evidence_id) for one in found]


async def test_more_than_the_threshold_is_pushed_and_exactly_it_is_not(
    chat: Chat, deal: Opportunity
) -> None:
    await hire(chat)
    await order(chat, deal)
    await worth(chat, deal, 200_000)
    assert await level(chat, deal, Level.L1) == []
    await level(chat, deal, None, Cause.LOWERED, "客户说再等等")
    await worth(chat, deal, 200_001)
    pushed = await level(chat, deal, Level.L1)
    assert [one.to.user_id for one in pushed] == ["ma", "gao"]
    told = words(pushed[0].content)
    for part in ("CK20260128-0001", "恒锐机电", "200,001元", "PO-2026-018", "张伟", "收到"):
        assert part in told
    assert pushed[0].dedupe_key == f"supply:{deal.id}:push:1:warehouse:wecom:sales:u:ma"


async def test_what_the_rep_says_later_changes_withdraws_and_arms_again(
    chat: Chat, deal: Opportunity
) -> None:
    await hire(chat)
    await order(chat, deal)
    await worth(chat, deal, 300_000)
    await level(chat, deal, Level.L1)
    await chat.say("zhang", "给恒锐机电发了报价，35万")
    await chat.press("zhang", chat.card("zhang"), "先记下，不计有效")
    assert "金额由 30万元 改为 35万元" in chat.heard_by("ma")
    await chat.say("zhang", "撤销")
    assert "金额由 35万元 改为" in chat.heard_by("gao")
    chat.now += timedelta(minutes=1)
    await level(chat, deal, None, Cause.LOWERED, "客户撤单")
    assert "客户撤单" in chat.heard_by("ma")
    assert "请暂停备货" in chat.heard_by("ma")
    await worth(chat, deal, 300_000)
    await level(chat, deal, Level.L1)
    found = await notices(chat, deal)
    assert [kind for kind, _, _ in found] == [
        NoticeKind.PUSH,
        NoticeKind.CHANGE,
        NoticeKind.CHANGE,
        NoticeKind.WITHDRAWAL,
        NoticeKind.PUSH,
    ]
    assert [number[-4:] for _, _, number in found] == ["0001"] * 4 + ["0002"]


async def test_a_lost_deal_is_withdrawn(chat: Chat, deal: Opportunity) -> None:
    await hire(chat)
    await order(chat, deal)
    await worth(chat, deal, 300_000)
    await level(chat, deal, Level.L1)
    await chat.say("zhang", "恒锐机电丢了，嫌价格高")
    await chat.press("zhang", chat.card("zhang"), "确认")
    assert [kind for kind, _, _ in await notices(chat, deal)] == [
        NoticeKind.PUSH,
        NoticeKind.WITHDRAWAL,
    ]
    assert "丢单" in chat.heard_by("gao")


async def test_groups_of_the_configuration_go_before_people_and_robots_get_text(
    chat: Chat, deal: Opportunity
) -> None:
    await hire(chat)
    chat.office = replace(
        chat.office,
        supply_groups={
            Station.WAREHOUSE: ("wecom:sales:w:cangku",),
            Station.PLANNING: ("dingtalk:factory:g:cidX==",),
        },
    )
    await order(chat, deal)
    await worth(chat, deal, 300_000)
    robot, group = await level(chat, deal, Level.L1)
    assert robot.to == Address(Platform.WECOM, "sales", webhook="cangku")
    assert isinstance(robot.content, Markdown)
    assert f"supply:{deal.id}:push:1" in robot.content.text
    assert "收到 CK20260128-0001" in robot.content.text
    assert group.to == Address(Platform.DINGTALK, "factory", chat_id="cidX==")
    assert isinstance(group.content, Card)


async def test_a_group_says_that_it_wants_to_hear(chat: Chat, deal: Opportunity) -> None:
    await hire(chat)
    assert "管理员" in await chat.say("zhang", "仓储推送到本群", group="g1")
    assert "群里" in await chat.say("zhao", "仓储推送到本群")
    assert "发到本群" in await chat.say("zhao", "仓储推送到本群", group="g1")
    await order(chat, deal)
    await worth(chat, deal, 300_000)
    pushed = await level(chat, deal, Level.L1)
    assert [one.to.key for one in pushed] == ["wecom:sales:g:g1", "wecom:sales:u:gao"]
    assert "不再发到本群" in await chat.say("zhao", "仓储不再推送到本群", group="g1")
    await worth(chat, deal, 400_000)
    again = await level(chat, deal, None, Cause.LOWERED, "客户撤单")
    assert [one.to.key for one in again] == ["wecom:sales:u:ma", "wecom:sales:u:gao"]


async def test_where_nobody_would_hear_the_administrators_do(chat: Chat, deal: Opportunity) -> None:
    await order(chat, deal)
    await worth(chat, deal, 300_000)
    [told] = await level(chat, deal, Level.L1)
    assert told.to.user_id == "zhao"
    assert "没有送到仓储、计划" in words(told.content)


async def test_each_station_acknowledges_once_by_button_or_by_words(
    chat: Chat, deal: Opportunity
) -> None:
    await hire(chat)
    await order(chat, deal)
    await worth(chat, deal, 300_000)
    await level(chat, deal, Level.L1)
    card = chat.card("ma")
    assert "仓储、计划或管理员" in await chat.press("gao", card, "收到")
    assert "已记下" in await chat.press("ma", card, "收到")
    assert "仓储 马东" in chat.shown_as(card).closed
    assert "计划还没确认" in await chat.say("wang", "备货")
    assert "已记下" in await chat.say("gao", "收到 CK20260128-0001")
    assert "计划 高远" in chat.shown_as(chat.card("gao")).closed
    assert "还没确认" not in await chat.say("wang", "备货")
    assert "没有编号" in await chat.say("gao", "收到 CK20260128-0009")
    assert "由仓储" in await chat.say("zhang", "备货")
    assert "由仓储" in await chat.say("zhang", "收到 CK20260128-0001")
    async with chat.database.begin() as tx:
        assert await tx.audit.verify() is None


async def test_at_night_it_waits_for_the_morning(chat: Chat, deal: Opportunity) -> None:
    await hire(chat)
    await order(chat, deal)
    await worth(chat, deal, 300_000)
    chat.now = at("2026-01-28 22:00")
    [first, _] = await level(chat, deal, Level.L1)
    assert first.not_before == at("2026-01-29 08:30")


async def test_the_threshold_is_a_setting(chat: Chat, deal: Opportunity) -> None:
    await hire(chat)
    await order(chat, deal)
    await worth(chat, deal, 60_000)
    await chat.say("zhao", "设置 备货推送金额 5")
    await chat.press("zhao", chat.card("zhao"), "确认修改")
    await chat.say("zhao", "设置记录")
    assert len(await level(chat, deal, Level.L1)) == 2


async def test_numbers_of_a_day_are_given_once_even_to_two_at_once(database: Database) -> None:
    day = date(2026, 1, 28)

    async def take() -> int:
        async with database.begin() as tx:
            number = await tx.supply.next_number(day)
            await asyncio.sleep(0)
            return number

    assert sorted(await asyncio.gather(*(take() for _ in range(8)))) == list(range(1, 9))
    with contextlib.suppress(RuntimeError):
        async with database.begin() as tx:
            await tx.supply.next_number(day)
            raise RuntimeError
    assert await take() == 9
    async with database.begin() as tx:
        assert await tx.supply.next_number(day + timedelta(days=1)) == 1


async def test_an_amount_that_is_corrected_in_the_forecast_counts(
    chat: Chat, deal: Opportunity
) -> None:
    await hire(chat)
    await order(chat, deal)
    await worth(chat, deal, 100_000)
    await level(chat, deal, Level.L1)
    assert await notices(chat, deal) == []
    await chat.say("zhang", "改预测 恒锐机电 30万 2月6日")
    [(kind, yuan, _)] = await notices(chat, deal)
    assert (kind, yuan) == (NoticeKind.PUSH, 300_000)
