"""Where somebody is told of: chats, what was shown in them, entries of the audit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Column, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import ERASURE
from storage.dialects import AnyRow
from storage.tables import audit, cards, dialogs, group_words, inbox, outbox

PAGE = 1_000
BEFORE, AFTER = timedelta(minutes=1), timedelta(minutes=10)
"""Around a draft, how long its chat is taken to be about it."""


@dataclass(slots=True)
class Told:
    """By what a subject is found in what was said.

    words: names and numbers that are one person's. shared_names: those that others bear too, by
    which nothing is found outside the subject's own rows. talks: chats and when they were about it.
    mails: delivery ids of its mails. subjects: as audit entries and cards name what is its.
    """

    words: list[str] = field(default_factory=list)
    shared_names: list[str] = field(default_factory=list)
    talks: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    mails: set[str] = field(default_factory=set)

    def in_talk(self, conversation: str, at: datetime) -> bool:
        return any(chat == conversation and a <= at <= b for chat, a, b in self.talks)

    def told_in(self, text: str) -> bool:
        return any(word in text for word in self.words)

    def told_in_body(self, body: str) -> bool:
        """Of a delivery, as the platform sent it."""
        return self.told_in(body)

    def subjects(self) -> set[str]:
        return set()


async def chat_of(conn: AsyncConnection, told: Told) -> AsyncIterator[AnyRow]:
    """Handled deliveries of the chats it was told in, or with its people's names."""
    async for row in pages(conn, inbox, inbox.c.id):
        if row.state == "new" or not row.body:
            continue
        body = bytes(row.body).decode(errors="replace")
        is_mail = row.channel.startswith("mail:") and row.delivery_id in told.mails
        if is_mail or told.in_talk(row.conversation, row.sent_at) or told.told_in_body(body):
            yield row


async def answers_of(conn: AsyncConnection, told: Told) -> AsyncIterator[AnyRow]:
    """What the bot said there, or with those names."""
    async for row in pages(conn, outbox, outbox.c.id):
        if told.in_talk(row.address, row.queued_at) or told.told_in(row.content):
            yield row


async def cards_of(conn: AsyncConnection, told: Told) -> AsyncIterator[AnyRow]:
    subjects = told.subjects()
    async for row in pages(conn, cards, cards.c.card_id):
        if row.subject in subjects or told.told_in(plain(row.data)):
            yield row


async def group_words_of(conn: AsyncConnection, told: Told) -> AsyncIterator[AnyRow]:
    async for row in pages(conn, group_words, group_words.c.id):
        if told.in_talk(row.conversation, row.said_at) or told.told_in(row.text):
            yield row


async def dialogs_of(conn: AsyncConnection, told: Told) -> set[str]:
    """Chats in which we await something about it."""
    awaited = {chat for chat, _, _ in told.talks}
    for row in await conn.execute(select(dialogs)):
        if told.told_in(plain(row.state)):
            awaited.add(row.conversation)
    return awaited


async def audit_of(conn: AsyncConnection, told: Told) -> AsyncIterator[AnyRow]:
    """Entries that still have a content which is the subject's."""
    subjects = told.subjects()
    async for row in pages(conn, audit, audit.c.seq):
        within = told.told_in(row.before) or told.told_in(row.after)
        if row.salt and row.action != ERASURE and (row.subject in subjects or within):
            yield row


async def pages(conn: AsyncConnection, table: Table, key: Column[object]) -> AsyncIterator[AnyRow]:
    """All of a table, a thousand rows in memory at a time."""
    last = None
    while True:
        query = select(table).order_by(key).limit(PAGE)
        if last is not None:
            query = query.where(key > last)
        page = (await conn.execute(query)).all()
        for row in page:
            yield row
        if len(page) < PAGE:
            return
        last = getattr(page[-1], key.name)


def plain(value: object) -> str:
    """As text to look for words in."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
