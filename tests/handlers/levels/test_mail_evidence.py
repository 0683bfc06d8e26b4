"""A customer's mail forwarded to the bot becomes evidence by a person's press, never by itself."""

from __future__ import annotations

import pytest

from bot.domain.levels import Level
from bot.domain.opportunities import Account
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.levels.proving import CONFIRMATION, HENGRUI, MAIL, Proving

MAY = "这封邮件可以作为 L2 的预算审批凭据"
FOR_WHOM = "这是给哪家客户的"


@pytest.fixture
async def company(database: Database) -> Proving:
    return await Proving(Chat(database)).open()


async def hengrui(company: Proving, owner: str = "zhang") -> Account:
    account = await company.chat.customer(HENGRUI, owner, "恒锐")
    async with company.chat.database.begin() as tx:
        return await tx.accounts.identify(account.id, domain="hengrui.example")


async def forward(company: Proving, mail: bytes = MAIL, *, who: str = "zhang", **how: str) -> str:
    return await company.chat.say(who, "", files=(company.file("预算批准.eml", mail),), **how)


async def test_a_press_makes_the_mail_evidence_and_nothing_more(company: Proving) -> None:
    chat, account = company.chat, await hengrui(company)
    said = await forward(company)
    assert MAY in said
    assert "发件人 ligong@hengrui.example、邮件头有对方域名的签名（mx.ours.example 记录）" in said
    assert "还没有凭据" in await chat.say("zhang", "凭据 恒锐机电")
    said = await chat.press("zhang", chat.shown(), "作为凭据")
    assert "L2 还缺：盖章的技术确认" in said
    assert await company.level(account) is None
    assert "#1 预算批准邮件，「预算批准.eml」" in await chat.say("zhang", "凭据 恒锐机电")
    entry = (await chat.stream(account))[0]
    assert entry.title == "邮件"
    assert "发件人 ligong@hengrui.example" in entry.text
    assert len(entry.file_hashes) == 1


async def test_with_the_confirmation_the_customer_can_be_set_to_l2(company: Proving) -> None:
    chat, account = company.chat, await hengrui(company)
    await forward(company)
    await chat.press("zhang", chat.shown(), "作为凭据")
    confirmation = company.paper("恒锐技术确认函.pdf", CONFIRMATION)
    said = await chat.say("zhang", "恒锐 升到L2", files=(confirmation,))
    assert "还缺" not in said
    await chat.press("zhang", chat.shown(), "确认定级")
    assert await company.level(account) is Level.L2


async def test_a_mail_counts_once(company: Proving) -> None:
    chat, _ = company.chat, await hengrui(company)
    await forward(company)
    first = chat.shown()
    await forward(company)
    second = chat.shown()
    assert second.card_id != first.card_id
    await chat.press("zhang", first, "作为凭据")
    assert "已经处理过了" in await chat.press("zhang", second, "作为凭据")
    assert "已经处理过了" in await chat.press("zhang", first, "作为凭据")
    assert "已经是 杭州恒锐机电有限公司 的凭据 #1" in await forward(company)


async def test_who_says_no_keeps_the_file_for_something_else(company: Proving) -> None:
    chat, account = company.chat, await hengrui(company)
    await forward(company)
    await chat.press("zhang", chat.shown(), "不作凭据")
    assert "还没有凭据" in await chat.say("zhang", "凭据 恒锐机电")
    assert await chat.stream(account) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"ligong@hengrui.example", b"ligong@qq.com"),  # a public mailbox says nothing
        (b"ligong@hengrui.example", b"ligong@hengrui.example.evil.cn"),
        ("已批准".encode(), "还没批准".encode()),
        ("的预算".encode(), "的样品".encode()),
    ],
)
async def test_other_mails_go_where_every_file_goes(
    company: Proving, old: bytes, new: bytes
) -> None:
    await hengrui(company)
    plain = MAIL.replace(b"=?utf-8?b?6aKE566X5bey5om55YeG?=", b"RE")
    assert MAY in await forward(company, plain)
    said = await forward(company, plain.replace(old, new))
    assert MAY not in said
    assert FOR_WHOM in said


async def test_others_customers_are_not_told(company: Proving) -> None:
    await hengrui(company, "chen")
    assert HENGRUI not in await forward(company)


async def test_a_domain_of_two_customers_names_neither(company: Proving) -> None:
    await hengrui(company)
    other = await company.chat.customer("杭州恒锐软件有限公司")
    async with company.chat.database.begin() as tx:
        await tx.accounts.identify(other.id, domain="hengrui.example")
    assert FOR_WHOM in await forward(company)


async def test_whoever_lost_the_customer_since_cannot_press(company: Proving) -> None:
    chat, account = company.chat, await hengrui(company)
    await forward(company)
    async with chat.database.begin() as tx:
        await tx.accounts.transfer(account.id, chat.people["chen"].id, chat.now)
    await chat.press("zhang", chat.shown(), "作为凭据")
    async with chat.database.begin() as tx:
        deals = await tx.opportunities.open_of_account(account.id)
        assert await tx.levels.evidence_of(deals[0].id) == []


async def test_a_sender_that_no_parser_reads_is_asked_about_like_any_file(company: Proving) -> None:
    await hengrui(company)
    broken = b"From: =?utf-8?b?!!?=\r\nSubject: x\r\n\r\n" + "预算已批准".encode()
    assert FOR_WHOM in await forward(company, broken)
