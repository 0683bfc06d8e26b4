"""Mails that one of us forwards by hand into the company's mailbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest

from bot.domain.activities import Activity, Grade
from bot.domain.opportunities import Account
from bot.messages import Text
from connectors.mail.session import MOST_LOOKED_INTO
from storage.database import Database
from tests.handlers.mails.mail_company import (
    ADDRESS,
    OWN,
    SHARED,
    MailCompany,
    letter,
    mail_company,
)

LI, CHEN, ZHANG = "李工 <li@hengrui.cn>", "陈静 <chen@ours.cn>", "张伟 <zhangwei@ours.cn>"


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[MailCompany]:
    async with mail_company(database, tmp_path) as opened:
        yield opened


async def bound(company: MailCompany) -> Account:
    """恒锐机电, of whom 李工 has written before."""
    account = await company.chat.customer("恒锐机电")
    yesterday = company.chat.now - timedelta(days=1)
    await company.arrive(LI, "你好", "请寄资料", number="first", at=yesterday)
    await company.say("zhang", "邮件 #1 归 恒锐机电")
    return account


def theirs(company: MailCompany, number: str = "2", *, sender: str = LI) -> bytes:
    """As it lay in the mailbox of whoever forwards it, an hour before."""
    return letter(
        sender, "chen@ours.cn", "Re: 询价", "请报 R10 的价格", number=number,
        at=company.chat.now - timedelta(hours=1), files={"图纸.pdf": b"%PDF-1.4 drawing"},
        In_Reply_To="<x@ours.cn>",
    )  # fmt: skip


def forward(
    company: MailCompany, *mails: bytes, subject: str = "转发：询价", before: bytes = b"",
    sender: str = CHEN, box: str = SHARED, as_file: bool = False,
) -> None:  # fmt: skip
    """before: another file, which stands before the mails."""
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = sender, ADDRESS[box], subject
    outer["Date"], outer["Message-ID"] = format_datetime(company.chat.now), "<fw@ours.cn>"
    outer.set_content("请看附件")
    if before:
        outer.add_attachment(before, maintype="application", subtype="pdf", filename="大.pdf")
    for raw in mails:
        if as_file:
            outer.add_attachment(
                raw, maintype="application", subtype="octet-stream", filename="询价.eml"
            )
        else:
            outer.add_attachment(message_from_bytes(raw, policy=policy.default))
    raw = outer.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    company.server.put(ADDRESS[box], raw, at=company.chat.now)


async def entries(company: MailCompany, account: Account) -> list[Activity]:
    """Of mails, the oldest first."""
    page = await company.chat.stream(account)
    return [one for one in reversed(page) if one.source_id.startswith("mail:")]


def wholes_asked(company: MailCompany, after: int) -> list[str]:
    return [one for one in company.server.asked[after:] if "[]" in one]


async def told(company: MailCompany) -> list[str]:
    async with company.chat.database.begin() as tx:
        due = await tx.delivery.take_due(at=company.chat.now + timedelta(days=1), limit=50)
    return [one.content.text for one in due if isinstance(one.content, Text)]


@pytest.mark.parametrize("as_file", [False, True])
async def test_an_attached_mail_is_filed_as_its_writers(
    company: MailCompany, as_file: bool
) -> None:
    account = await bound(company)
    forward(company, theirs(company), as_file=as_file)
    await company.read()
    last = (await entries(company, account))[-1]
    assert last.title == "来信"
    assert last.text == "李工 <li@hengrui.cn>：《Re: 询价》\n请报 R10 的价格\n（陈静 转发）"
    assert last.occurred_at == company.chat.now - timedelta(hours=1)
    assert last.grade is Grade.SELF_REPORTED
    assert await company.files.get(last.file_hashes[0]) == b"%PDF-1.4 drawing"
    assert await company.signals() == []
    assert not any("转发" in one for one in await told(company))


async def test_one_of_an_unknown_writer_waits_on_the_list(company: MailCompany) -> None:
    account = await company.chat.customer("恒锐机电")
    forward(company, theirs(company), subject="看一下")
    await company.read()
    assert "李工 li@hengrui.cn《Re: 询价》（sales）" in await company.say("zhang", "未归属邮件")
    company.server.renumber(ADDRESS[SHARED])
    await company.say("zhang", "邮件 #1 归 恒锐机电")
    assert "请报 R10 的价格" in (await entries(company, account))[-1].text


async def test_each_of_several_is_filed(company: MailCompany) -> None:
    account = await bound(company)
    forward(company, theirs(company, "2"), theirs(company, "3", sender="采购 <cg@hengrui.cn>"))
    await company.read()
    found = [one.text.partition("：")[0] for one in await entries(company, account)]
    assert sorted(found[1:]) == ["李工 <li@hengrui.cn>", "采购 <cg@hengrui.cn>"]


async def test_the_same_mail_heard_otherwise_is_one_entry(company: MailCompany) -> None:
    account = await bound(company)
    company.server.put(ADDRESS[OWN], theirs(company), at=company.chat.now)
    await company.read()
    forward(company, theirs(company))
    await company.read()
    assert len(await entries(company, account)) == 2


async def test_a_head_that_a_program_wrote_anew_is_known_by_its_id(company: MailCompany) -> None:
    account = await bound(company)
    company.server.put(ADDRESS[SHARED], theirs(company), at=company.chat.now)
    await company.read()
    forward(company, theirs(company, sender='"Li" <li@hengrui.cn>'))
    await company.read()
    assert len(await entries(company, account)) == 2
    assert "没有未归属的邮件" in await company.say("zhang", "未归属邮件")


async def test_who_forwards_within_the_text_is_told_once_what_to_do(company: MailCompany) -> None:
    await bound(company)
    await company.arrive(ZHANG, "转发：询价", "发件人: 李工\n\n请报价", number="2")
    company.server.renumber(ADDRESS[SHARED])
    await company.read()
    said = [one for one in await told(company) if "转发" in one]
    assert said == [
        "你转发的《转发：询价》认不出是谁写的，没有归到客户。"
        "请作为附件转发，或存成 .eml 发给机器人。"
    ]
    assert "没有未归属的邮件" in await company.say("zhang", "未归属邮件")


async def test_of_an_address_that_is_nobodys_it_stands_on_the_list(company: MailCompany) -> None:
    await bound(company)
    await company.arrive(CHEN, "Fwd: 询价", "From: 李工\n\n请报价", number="2")
    listed = await company.say("zhang", "未归属邮件")
    assert "陈静 chen@ours.cn 转发《Fwd: 询价》（sales）：认不出是谁写的，请作为附件转发" in listed
    number = listed.partition("#")[2].split()[0]
    assert "归不了客户" in await company.say("zhang", f"邮件 #{number} 归 恒锐机电")
    assert "已从名单里拿掉" in await company.say("zhang", f"邮件 #{number} 不是客户")


async def test_one_behind_a_large_file_is_not_passed_over(company: MailCompany) -> None:
    forward(company, theirs(company), subject="看一下", before=b"x" * MOST_LOOKED_INTO)
    await company.read()
    assert "陈静 chen@ours.cn 转发《看一下》" in await company.say("zhang", "未归属邮件")


async def test_somebodys_own_mailbox_is_not_looked_into(company: MailCompany) -> None:
    account = await bound(company)
    asked = len(company.server.asked)
    forward(company, theirs(company), box=OWN)
    await company.arrive(CHEN, "转发：体检", "见下", box=OWN, number="3")
    assert not wholes_asked(company, asked)
    assert len(await entries(company, account)) == 1
    assert "没有未归属的邮件" in await company.say("zhang", "未归属邮件")


async def test_any_other_mail_among_ourselves_stays_there(company: MailCompany) -> None:
    asked = len(company.server.asked)
    await company.arrive(CHEN, "团建", "周五聚餐", files={"菜单.pdf": b"%PDF"})
    assert not wholes_asked(company, asked)
    assert "团建" not in await company.stored()
