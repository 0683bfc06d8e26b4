"""The same client against pymap, an IMAP server that is none of ours: what the emulator of the
sandbox answers is no misreading of the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage

import pytest

from bot.domain.mails import Mail, MailPlace, Ours
from bot.errors import AuthFailed, Rejected
from bot.messages import Envelope
from connectors.mail.heads import HeadReader
from connectors.mail.mailbox import Mailbox
from connectors.mail.session import MailAccess

USER, CODE = "demouser", "demopass"
LONG_AGO, FAR = date(2000, 1, 1), date(2099, 1, 1)
NOW = datetime(2026, 1, 28, 7, tzinfo=UTC)
READER = HeadReader("demo", Ours())


@pytest.fixture
async def port() -> AsyncIterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from pymap.main import main; main()",
        "--host", "127.0.0.1", "--port", str(number), "--no-tls", "--no-service", "managesieve",
        "dict", "--demo-data", "--demo-user", USER, "--demo-password", CODE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while not await answers(number):
                assert process.returncode is None, "pymap did not start"
                await asyncio.sleep(0.05)
        yield number
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def answers(number: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", number)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def mailbox(
    port: int, *, code: str = CODE, folder: str = "INBOX", reader: HeadReader = READER
) -> Mailbox:
    access = MailAccess(
        name="demo", host="127.0.0.1", port=port, tls="none", user=USER, password=code,
        folder=folder, timeout_s=10.0,
    )  # fmt: skip
    return Mailbox(access, reader)


def read(envelope: Envelope) -> Mail:
    mail = READER.parse(envelope).mail
    assert mail is not None
    return mail


async def test_heads_bookmark_and_the_whole(port: int) -> None:
    box = mailbox(port)
    look = await box.look(None, since=LONG_AGO, at=NOW)
    mails = [read(one) for one in look.envelopes]
    assert ("friend@example.com", "Hello, World!") in [(one.sender, one.subject) for one in mails]
    assert look.place == mails[-1].place
    assert not (await box.look(look.place, since=LONG_AGO, at=NOW)).envelopes
    nothing_yet = await box.look(None, since=FAR, at=NOW)
    assert (nothing_yet.envelopes, nothing_yet.place) == ([], look.place)
    whole = await box.whole(mails[-1], most_bytes=1_000_000)
    assert whole is not None
    assert len(whole) == mails[-1].size
    assert await box.whole(mails[-1], most_bytes=99) == whole[:100]
    gone = replace(mails[-1], place=MailPlace(look.place.validity, look.place.uid + 5))
    assert await box.whole(gone, most_bytes=99) is None
    await box.close()


async def test_what_it_refuses_is_told_with_what_to_mend(port: int) -> None:
    with pytest.raises(AuthFailed, match="授权码"):
        await mailbox(port, code="wrong").check()
    with pytest.raises(Rejected, match="已发送"):
        await mailbox(port, folder="已发送").check()


async def test_mails_that_are_attached_to_one_among_ourselves(port: int) -> None:
    inner, outer = EmailMessage(), EmailMessage()
    inner["From"], inner["Subject"], inner["Message-ID"] = "li@hengrui.cn", "x", "<1@hengrui.cn>"
    inner.set_content("inner")
    outer["From"], outer["To"], outer["Subject"] = "a@ours.cn", "sales@ours.cn", "y"
    outer.set_content("outer")
    outer.add_attachment(inner)
    await asyncio.to_thread(append, port, outer.as_bytes().replace(b"\n", b"\r\n"))
    reader = HeadReader("demo", Ours(domains=frozenset({"ours.cn"})))
    box = mailbox(port, reader=reader)
    look = await box.look(None, since=LONG_AGO, at=NOW)
    found = [mail for one in look.envelopes if (mail := reader.parse(one).mail) is not None]
    (forwarded,) = [mail for mail in found if mail.carrier is not None]
    assert (forwarded.sender, forwarded.message_id) == ("li@hengrui.cn", "<1@hengrui.cn>")
    whole = await box.whole(forwarded, most_bytes=1_000_000)
    assert whole is not None
    assert b"inner" in whole
    assert b"outer" not in whole
    await box.close()


def append(port: int, raw: bytes) -> None:
    with imaplib.IMAP4("127.0.0.1", port) as client:
        client.login(USER, CODE)
        status, told = client.append("INBOX", "", None, raw)  # type: ignore[arg-type]
        assert status == "OK", told
