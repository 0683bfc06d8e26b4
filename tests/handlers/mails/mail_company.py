"""The chatting company with two mailboxes on an emulated IMAP server: sales@ is the company's,
zhangwei@ is 张伟's own. Heads go through the real dispatcher, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.domain.mails import Ours
from bot.handling import Handling, Wording
from bot.messages import Card
from connectors.mail.heads import HeadReader
from connectors.mail.mailbox import Mailbox
from connectors.mail.session import MailAccess
from connectors.sandbox.imap import Account, ImapServer
from handlers import Handlers
from handlers.mails.fetching import MailFetching
from handlers.mails.reading import MailReading
from handlers.mails.watching import MailWatch
from handlers.signals import gathering
from storage.database import Database
from storage.files import FileFolder
from storage.tables import customer_signals, inbox, mails
from storage.unit_of_work import UnitOfWork
from tests.handlers.chat_company import Chat

SHARED, OWN = "sales", "zhang"
ADDRESS = {SHARED: "sales@ours.cn", OWN: "zhangwei@ours.cn"}
OURS = Ours(frozenset(ADDRESS.values()), frozenset({"ours.cn"}))


def letter(
    sender: str,
    to: str,
    subject: str,
    words: str,
    *,
    at: datetime,
    number: str = "1",
    files: Mapping[str, bytes] | None = None,
    **headers: str,
) -> bytes:
    """A mail as its server has it. headers: with _ for -."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = format_datetime(at), f"<{number}@mail.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(words)
    for name, data in (files or {}).items():
        mail.add_attachment(data, maintype="application", subtype="pdf", filename=name)
    return mail.as_bytes().replace(b"\n", b"\r\n")


@dataclass
class MailCompany:
    chat: Chat
    server: ImapServer
    clock: FixedClock
    files: FileFolder
    boxes: dict[str, Mailbox] = field(default_factory=dict)
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    most_bytes: int = 25_000_000
    dispatcher: Dispatcher[UnitOfWork] | None = None

    async def arrive(self, sender: str, subject: str, words: str, **given: Any) -> None:
        """At the company's mailbox; box: another one. Read and handled when this returns."""
        self.put(sender, subject, words, **given)
        await self.read()

    def put(self, sender: str, subject: str, words: str, **given: Any) -> None:
        box = given.pop("box", SHARED)
        at = given.pop("at", self.chat.now)
        to = given.pop("to", ADDRESS[box])
        raw = letter(sender, to, subject, words, at=at, **given)
        self.server.put(ADDRESS[box], raw, at=at)

    async def read(self, *boxes: str) -> None:
        """All that there is, as a bot that has just been started does it."""
        for box in boxes or (SHARED, OWN):
            await self.reading(box).catch_up()
        await self.settle()

    def reading(self, box: str) -> MailReading:
        return MailReading(
            self.boxes[box],
            accept=self.running().accept,
            begin=self.chat.database.begin,
            clock=self.clock,
            poll_s=60,
            first_days=7,
            wake=self.wanted.set,
        )

    def watch(self, *readings: MailReading, keep_days: int = 30) -> MailWatch:
        days = dict.fromkeys((SHARED, OWN), keep_days)
        return MailWatch(self.chat.office, readings, keep_days=days)

    def running(self) -> Dispatcher[UnitOfWork]:
        if self.dispatcher is None:
            self.dispatcher = Dispatcher(
                Handling(
                    store=self.chat.database,
                    connectors={},
                    files=self.files,
                    handle=self.chat.handlers.handle,
                    clock=self.clock,
                    wording=Wording(apology=lambda reference: reference),
                    preparations=[
                        MailFetching(
                            self.boxes,
                            self.files,
                            most_bytes=dict.fromkeys(self.boxes, self.most_bytes),
                            calendar=self.chat.office.calendar,
                            read=self.chat.database.read,
                        )
                    ],
                    readers={("mail", box): HeadReader(box, OURS) for box in ADDRESS},
                    backoff_s=0.0,
                ),
            )
        return self.dispatcher

    async def restart(self) -> None:
        """What is in memory is gone; what was stored goes on."""
        if self.dispatcher is not None:
            await self.dispatcher.stop()
        self.dispatcher = None
        await self.settle()

    async def settle(self) -> None:
        await self.running().drained()
        self.wanted.clear()
        await self.running().recover()
        await self.running().drained()

    async def say(self, who: str, text: str) -> str:
        """Everything the bot answers; what follows from it is done when this returns."""
        answer = await self.chat.say(who, text)
        if self.wanted.is_set():
            await self.settle()
        return answer

    async def stored(self) -> str:
        """All that the inbox and the list hold, as text."""
        async with self.chat.database.read() as tx:
            bodies = (await tx.delivery._conn.execute(select(inbox.c.body))).scalars()
            rows = (await tx.delivery._conn.execute(select(mails))).all()
        told = b"".join(bytes(body) for body in bodies).decode()
        return told + str([row._asdict() for row in rows])

    async def card(self) -> Card:
        """The last that was sent to somebody by itself."""
        async with self.chat.database.begin() as tx:
            due = await tx.delivery.take_due(at=self.chat.now, limit=50)
        cards = [one.content for one in due if isinstance(one.content, Card)]
        return cards[-1]

    async def signals(self) -> list[str]:
        """What the rules find, a minute later."""
        self.chat.now += timedelta(minutes=1)
        self.clock.at = self.chat.now
        async with self.chat.database.begin() as tx:
            await gathering.run(tx, self.chat.office, self.chat.now)
            found = (await tx.delivery._conn.execute(select(customer_signals.c.rule))).scalars()
            return list(found)

    async def dead(self) -> list[str]:
        """Why mails were set aside."""
        async with self.chat.database.read() as tx:
            return [one.reason for one in await tx.delivery.dead_letters(10)]


@asynccontextmanager
async def mail_company(
    database: Database, folder: Path, *, deadline_s: float = 20.0
) -> AsyncIterator[MailCompany]:
    chat = await Chat(database).open()
    clock = FixedClock(chat.now)
    server = ImapServer(lambda: chat.now, id_wanted=True)
    await server.start()
    company = MailCompany(chat, server, clock, FileFolder(folder / "files"))
    for box, address in ADDRESS.items():
        server.accounts[address] = Account("code")
        access = MailAccess(
            name=box, host="127.0.0.1", port=server.port, tls="none", user=address,
            password="code", folder="INBOX", is_own=box == OWN,
        )  # fmt: skip
        company.boxes[box] = Mailbox(access, HeadReader(box, OURS), deadline_s=deadline_s)
    owners = {SHARED: "", OWN: "wecom:zhang"}
    chat.office = replace(
        chat.office,
        mailboxes=owners,
        mail_owners={ADDRESS[OWN]: owners[OWN]},
        wake_inbox=company.wanted.set,
    )
    chat.handlers = Handlers(chat.office, read=database.read)
    try:
        yield company
    finally:
        for box in company.boxes.values():
            await box.close()
        if company.dispatcher is not None:
            await company.dispatcher.stop()
        await server.stop()
