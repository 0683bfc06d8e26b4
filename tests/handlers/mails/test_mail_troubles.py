"""Servers that refuse, hang, drop or talk nonsense, and mails that break the rules: nothing is
lost, nothing comes twice, and nobody else waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.opportunities import Account
from bot.errors import AuthFailed, Rejected, TimedOut, Unavailable
from storage.database import Database
from tests.handlers.mails.mail_company import ADDRESS, OWN, SHARED, MailCompany, mail_company

LI = "李工 <li@hengrui.cn>"


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[MailCompany]:
    async with mail_company(database, tmp_path, deadline_s=2.0) as opened:
        yield opened


async def bound(company: MailCompany) -> Account:
    account = await company.chat.customer("恒锐机电")
    await company.arrive(LI, "一", "第一封", number="1")
    await company.say("zhang", "邮件 #1 归 恒锐机电")
    return account


async def told(company: MailCompany, account: Account) -> list[str]:
    page = await company.chat.stream(account)
    found = [one for one in reversed(page) if one.source_id.startswith("mail:")]
    return [one.text.partition("\n")[2] for one in found]


async def test_after_a_restart_it_goes_on_where_it_stopped(company: MailCompany) -> None:
    account = await bound(company)
    company.put(LI, "二", "第二封", number="2")
    await company.restart()
    company.server.asked.clear()
    await company.read()
    await company.read()
    assert await told(company, account) == ["第一封", "第二封"]
    assert "UID SEARCH (UID 2:*)" in company.server.asked


async def test_a_crash_between_inbox_and_bookmark_doubles_nothing(company: MailCompany) -> None:
    account = await bound(company)
    company.put(LI, "二", "第二封", number="2")
    reading = company.reading(SHARED)

    async def crash(*_: object) -> None:
        raise KeyboardInterrupt

    reading._move = crash  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await reading.catch_up()
    await company.restart()
    await company.read()
    assert await told(company, account) == ["第一封", "第二封"]


async def test_renumbered_mails_are_known_and_new_ones_come(company: MailCompany) -> None:
    account = await bound(company)
    await company.arrive("路人 <a@elsewhere.cn>", "打扰", "推广", number="2")
    company.server.put(ADDRESS[SHARED], b"From: x@y.cn\r\nSubject: old\r\n\r\n",
                       at=company.chat.now - timedelta(days=60))  # fmt: skip
    company.server.renumber(ADDRESS[SHARED])
    await company.arrive(LI, "三", "第三封", number="3")
    assert await told(company, account) == ["第一封", "第三封"]
    await company.chat.customer("别处机械")
    await company.say("zhang", "邮件 #2 归 别处机械")  # it lies under another UID now
    async with company.chat.database.read() as tx:
        found = await tx.accounts.find_by_name("别处机械")
    assert found is not None
    assert await told(company, found) == ["推广"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [("refuse", AuthFailed), ("hang", TimedOut), ("garbage", Unavailable), ("drip", TimedOut)],
)
async def test_a_bad_server_is_told_of_and_read_again(
    company: MailCompany, fault: str, error: type[Exception]
) -> None:
    account = await bound(company)
    company.put(LI, "二", "第二封", number="2")
    for box in company.boxes.values():
        await box.close()
    company.server.faults.add(fault)
    with pytest.raises(error) as told_why:
        await company.reading(SHARED).catch_up()
    assert "邮箱 sales" in str(told_why.value)
    company.server.faults.clear()
    await company.read()
    assert await told(company, account) == ["第一封", "第二封"]


async def test_nobody_there(company: MailCompany) -> None:
    await company.server.stop()
    with pytest.raises(Unavailable, match="连不上"):
        await company.reading(SHARED).catch_up()


async def test_a_folder_that_is_not_there_is_told_with_what_to_mend(company: MailCompany) -> None:
    del company.server.accounts[ADDRESS[SHARED]].folders["INBOX"]
    with pytest.raises(Rejected, match="请核对 folder"):
        await company.boxes[SHARED].check()


@pytest.mark.parametrize("fault", ["drop fetch", "hang fetch"])
async def test_the_whole_of_a_mail_is_fetched_later(company: MailCompany, fault: str) -> None:
    account = await bound(company)
    company.server.faults.add(fault)
    await company.arrive(LI, "二", "第二封", number="2")
    assert await told(company, account) == ["第一封"]
    company.server.faults.clear()
    await company.read()
    assert await told(company, account) == ["第一封", "第二封"]


async def test_what_never_can_be_fetched_enters_with_its_head(company: MailCompany) -> None:
    account = await bound(company)
    company.server.faults.add("drop fetch")
    await company.arrive(LI, "二", "第二封", number="2")
    for _ in range(6):
        await company.read()
    assert await told(company, account) == ["第一封", "（试了几次，正文没有取到）"]


async def test_one_deleted_before_it_was_bound_enters_with_its_head(company: MailCompany) -> None:
    account = await company.chat.customer("恒锐机电")
    await company.arrive(LI, "一", "第一封")
    company.server.accounts[ADDRESS[SHARED]].folders["INBOX"].clear()
    await company.say("zhang", "邮件 #1 归 恒锐机电")
    assert await told(company, account) == ["（邮箱里已经没有这封邮件，正文没有取到）"]


async def test_too_large_a_mail_leaves_its_body_where_it_is(company: MailCompany) -> None:
    company.most_bytes = 3_000
    account = await bound(company)
    company.server.asked.clear()
    await company.arrive(LI, "图纸", "见附件", number="2", files={"a.pdf": b"x" * 9_000_000})
    assert await told(company, account) == ["第一封", "（邮件有 12 MB，太大，正文没有取）"]
    assert not [one for one in company.server.asked if "BODY.PEEK[]" in one]


async def test_a_mail_without_a_sender_is_set_aside_and_the_rest_goes_on(
    company: MailCompany,
) -> None:
    account = await bound(company)
    company.server.put(ADDRESS[SHARED], b"Subject: =?gbk?B?broken\r\nTo: @\r\n\r\nbody")
    company.server.put(ADDRESS[SHARED], b"\xff\xfe\x00 no mail at all")
    await company.arrive(LI, "二", "第二封", number="2")
    assert await told(company, account) == ["第一封", "第二封"]
    dead = await company.dead()
    assert len(dead) == 2
    assert all("no sender" in reason for reason in dead)


async def test_what_could_not_be_read_can_be_replayed(
    company: MailCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await bound(company)

    def fail(_: bytes) -> None:
        raise AttributeError("a parser that stumbles")

    with monkeypatch.context() as broken:
        broken.setattr("handlers.mails.whole.read", fail)
        await company.arrive(LI, "二", "第二封", number="2")
    assert (await company.dead())[0].startswith("the mail cannot be read: AttributeError")
    async with company.chat.database.begin() as tx:
        assert await tx.delivery.mark_for_replay(True, None, ()) == 1
    await company.settle()
    assert await told(company, account) == ["第一封", "第二封"]


async def test_the_mailbox_is_only_read(company: MailCompany) -> None:
    await bound(company)
    allowed = ("CAPABILITY", "LOGIN", "ID", "EXAMINE", "UID SEARCH", "UID FETCH", "LOGOUT", "NOOP")
    assert {one for one in company.server.asked if not one.startswith(allowed)} == set()
    assert not [one for one in company.server.asked if "BODY[" in one]  # would mark as read


async def test_administrators_hear_once_of_a_mailbox_that_is_away(company: MailCompany) -> None:
    reading = company.reading(OWN)
    watch = company.watch(reading)
    company.server.faults.add("refuse")
    with pytest.raises(AuthFailed) as error:
        await reading.catch_up()
    reading._note_failure(error.value)
    async with company.chat.database.begin() as tx:
        messages = list(await watch.job().run(tx, company.chat.now))
        again = list(await watch.job().run(tx, company.chat.now))
    assert "邮箱 zhang 读不到，还一次都没有读到" in messages[0].content.text
    assert "授权码" in messages[0].content.text
    assert [one.dedupe_key for one in messages] == [one.dedupe_key for one in again]


async def test_the_first_look_leaves_old_mails_alone_for_good(company: MailCompany) -> None:
    long_ago = company.chat.now - timedelta(days=60)
    company.put("旧友 <old@past.cn>", "从前", "很久以前", at=long_ago)
    await company.read()
    await company.read()
    await company.arrive("新人 <new@now.cn>", "今天", "刚才", number="2")
    listed = await company.say("zhang", "未归属邮件")
    assert "new@now.cn" in listed
    assert "old@past.cn" not in listed


async def test_a_mail_that_the_server_cannot_give_holds_up_no_other(company: MailCompany) -> None:
    account = await bound(company)
    company.put(LI, "坏", "坏的", number="2")
    company.server.broken.add(2)
    await company.arrive(LI, "三", "第三封", number="3")
    assert await told(company, account) == ["第一封", "第三封"]
    assert "the message is damaged" in (await company.dead())[0]
