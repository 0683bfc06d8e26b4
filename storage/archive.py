"""Archived messages, inside one transaction: how far they were read, and what was said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.archive import ArchivedMessage, Sealed
from storage.dialects import AnyRow, fixed, in_chunks, insert_into
from storage.tables import (
    archive_bookmarks,
    archive_files,
    archive_messages,
)

KEPT, SEALED, BROKEN = "kept", "sealed", "broken"
MAX_WHY = 200

_NOT_KEPT = archive_messages.c.state != fixed(KEPT)


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A decrypted message on record. chat_id: of its conversation. waits_for: how many of its
    files were not tried yet."""

    id: int
    seq: int
    msgid: str
    chat_id: int
    kind: str
    sender: str
    recipients: tuple[str, ...]
    text: str
    sent_at: datetime
    waits_for: int
    entered_at: datetime | None
    revokes: str
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be put on record. recipients: those we may name. entered: it stands in a
    stream already, so its text need not be kept here."""

    seq: int
    message: ArchivedMessage
    key_version: int
    chat_id: int
    recipients: tuple[str, ...]
    entered: bool
    revoked: bool


class Archive:
    """Beside it: conversations (`storage.archive_chats`), files (`storage.archive_files`) and
    consents (`storage.archive_consents`)."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def bookmark(self, corp: str) -> tuple[int, datetime | None]:
        """Up to which seq it was read; everything sent before that moment is here."""
        query = select(archive_bookmarks.c.seq, archive_bookmarks.c.known_until)
        rows = await self._conn.execute(query.where(archive_bookmarks.c.corp == corp))
        row = rows.one_or_none()
        return (0, None) if row is None else (row.seq, row.known_until)

    async def move_bookmark(self, corp: str, seq: int, *, known_until: datetime) -> None:
        """Only forward."""
        new = insert_into(self._conn, archive_bookmarks)
        await self._conn.execute(
            new.values(corp=corp, seq=seq, known_until=known_until).on_conflict_do_update(
                index_elements=[archive_bookmarks.c.corp],
                set_={"seq": seq, "known_until": known_until},
                where=archive_bookmarks.c.seq <= seq,
            )
        )

    async def states(self, corp: str, msgids: Iterable[str]) -> dict[str, str]:
        """msgid -> KEPT, SEALED or BROKEN, of those on record."""
        found: dict[str, str] = {}
        for chunk in in_chunks(msgids):
            query = select(archive_messages.c.msgid, archive_messages.c.state).where(
                archive_messages.c.corp == corp, archive_messages.c.msgid.in_(chunk)
            )
            found |= {row.msgid: row.state for row in await self._conn.execute(query)}
        return found

    async def add(self, corp: str, new: Sequence[NewMessage], at: datetime) -> None:
        """Ones that are not on record."""
        if new:
            rows = [_row(corp, one, at) for one in new]
            await self._conn.execute(insert(archive_messages), rows)

    async def set_aside(
        self, corp: str, sealed: Sequence[tuple[Sealed, str, str]], at: datetime
    ) -> None:
        """Messages that were not decrypted: each with SEALED or BROKEN, and why."""
        if not sealed:
            return
        rows = [
            {
                **_BLANK,
                "corp": corp,
                "seq": one.seq,
                "msgid": one.msgid,
                "state": state,
                "fetched_at": at,
                "key_version": one.key_version,
                "sealed": {"key": one.key, "body": one.body},
                "why": why[:MAX_WHY],
            }
            for one, state, why in sealed
        ]
        new = insert_into(self._conn, archive_messages)
        changed = {name: new.excluded[name] for name in ("state", "why")}
        await self._conn.execute(
            new.on_conflict_do_update(
                index_elements=[archive_messages.c.corp, archive_messages.c.msgid],
                set_=changed,
                where=archive_messages.c.state != KEPT,
            ),
            rows,
        )

    async def drop_closed(self, corp: str, msgids: Iterable[str]) -> None:
        """Forget the encrypted form of messages that are decrypted now, or must not be kept."""
        for chunk in in_chunks(msgids):
            await self._conn.execute(
                delete(archive_messages).where(
                    archive_messages.c.corp == corp, archive_messages.c.msgid.in_(chunk), _NOT_KEPT
                )
            )

    async def sealed(self, corp: str, versions: Collection[int], *, limit: int) -> list[Sealed]:
        """The oldest of those that lacked a key of one of these versions."""
        query = (
            select(archive_messages)
            .where(
                archive_messages.c.corp == corp,
                archive_messages.c.state == SEALED,
                _NOT_KEPT,
                archive_messages.c.key_version.in_(versions),
            )
            .order_by(archive_messages.c.seq)
            .limit(limit)
        )
        return [
            Sealed(row.seq, row.msgid, row.key_version, row.sealed["key"], row.sealed["body"])
            for row in await self._conn.execute(query)
        ]

    async def closed_versions(self, corp: str) -> dict[int, int]:
        """Key version -> how many messages lack it."""
        query = (
            select(archive_messages.c.key_version, func.count())
            .where(archive_messages.c.corp == corp, archive_messages.c.state == SEALED, _NOT_KEPT)
            .group_by(archive_messages.c.key_version)
        )
        return {row[0]: row[1] for row in await self._conn.execute(query)}

    async def broken_count(self, corp: str) -> int:
        query = select(func.count()).where(
            archive_messages.c.corp == corp, archive_messages.c.state == BROKEN, _NOT_KEPT
        )
        return await self._conn.scalar(query) or 0

    async def try_broken_again(self) -> int:
        """Set-aside messages are decrypted anew; how many."""
        again = update(archive_messages).where(archive_messages.c.state == BROKEN, _NOT_KEPT)
        return (await self._conn.execute(again.values(state=SEALED))).rowcount

    async def recalled_among(self, corp: str, msgids: Iterable[str]) -> set[str]:
        """Those that a message on record takes back."""
        found: set[str] = set()
        for chunk in in_chunks(msgids):
            query = select(archive_messages.c.revokes).where(
                archive_messages.c.corp == corp,
                archive_messages.c.revokes != fixed(""),
                archive_messages.c.revokes.in_(chunk),
            )
            found.update((await self._conn.execute(query)).scalars())
        return found

    async def recall(self, corp: str, msgids: Iterable[str], at: datetime) -> list[KeptMessage]:
        """Mark messages as taken back; those of them on record that were not before."""
        found = []
        for chunk in in_chunks(msgids):
            changed = await self._conn.execute(
                update(archive_messages)
                .where(
                    archive_messages.c.corp == corp,
                    archive_messages.c.msgid.in_(chunk),
                    archive_messages.c.revoked_at.is_(None),
                    archive_messages.c.state == KEPT,
                )
                .values(revoked_at=at)
                .returning(archive_messages)
            )
            found += [_to_message(row) for row in changed]
        return found

    async def get(self, message_id: int) -> KeptMessage:
        query = select(archive_messages).where(archive_messages.c.id == message_id)
        return _to_message((await self._conn.execute(query)).one())

    async def ids(self, corp: str, msgids: Iterable[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for chunk in in_chunks(msgids):
            query = select(archive_messages.c.msgid, archive_messages.c.id).where(
                archive_messages.c.corp == corp, archive_messages.c.msgid.in_(chunk)
            )
            found |= {row.msgid: row.id for row in await self._conn.execute(query)}
        return found

    async def tried_a_file(self, message_id: int, text: str | None = None) -> KeptMessage:
        """One of its files was tried for the first time. text: what the message says now, with
        what was heard in the file."""
        values: dict[str, Any] = {"waits_for": archive_messages.c.waits_for - 1}
        if text is not None:
            values["text"] = text
        changed = await self._conn.execute(
            update(archive_messages)
            .where(archive_messages.c.id == message_id)
            .values(values)
            .returning(archive_messages)
        )
        return _to_message(changed.one())

    async def waiting(self, chat_id: int, *, limit: int) -> list[KeptMessage]:
        """Kept messages that are ready for the stream, the oldest first."""
        query = (
            select(archive_messages)
            .where(
                archive_messages.c.chat_id == chat_id,
                archive_messages.c.entered_at.is_(None),
                archive_messages.c.waits_for == 0,
            )
            .order_by(archive_messages.c.sent_at, archive_messages.c.seq)
            .limit(limit)
        )
        return [_to_message(row) for row in await self._conn.execute(query)]

    async def mark_entered(self, ids: Iterable[int], at: datetime) -> None:
        """They stand in a stream now; their text is there."""
        for chunk in in_chunks(ids):
            await self._conn.execute(
                update(archive_messages)
                .where(archive_messages.c.id.in_(chunk))
                .values(entered_at=at, text="")
            )

    async def purge(self, corp: str, before: datetime, *, limit: int) -> int:
        """Forget messages fetched before then, whose time is over; how many, `limit` at most."""
        old = (
            select(archive_messages.c.id)
            .where(archive_messages.c.corp == corp, archive_messages.c.fetched_at < before)
            .order_by(archive_messages.c.fetched_at)
            .limit(limit)
        )
        ids = list((await self._conn.execute(old)).scalars())
        for chunk in in_chunks(ids):
            await self._conn.execute(
                delete(archive_files).where(archive_files.c.message_id.in_(chunk))
            )
            await self._conn.execute(
                delete(archive_messages).where(archive_messages.c.id.in_(chunk))
            )
        return len(ids)


_BLANK: dict[str, Any] = {
    "chat_id": None,
    "kind": "",
    "sender": "",
    "recipients": [],
    "text": "",
    "sent_at": None,
    "waits_for": 0,
    "entered_at": None,
    "revokes": "",
    "revoked_at": None,
    "sealed": None,
    "why": "",
}


def _row(corp: str, new: NewMessage, at: datetime) -> dict[str, Any]:
    message = new.message
    return {
        "corp": corp,
        "seq": new.seq,
        "msgid": message.msgid,
        "state": KEPT,
        "chat_id": new.chat_id,
        "kind": message.kind[:40],
        "sender": message.sender,
        "recipients": list(new.recipients),
        "text": "" if new.entered else message.text,
        "sent_at": message.sent_at,
        "fetched_at": at,
        "waits_for": len(message.files),
        "entered_at": at if new.entered else None,
        "revokes": message.revokes,
        "revoked_at": at if new.revoked else None,
        "key_version": new.key_version,
        "why": "",
    }


def _to_message(row: AnyRow) -> KeptMessage:
    return KeptMessage(
        id=row.id,
        seq=row.seq,
        msgid=row.msgid,
        chat_id=row.chat_id,
        kind=row.kind,
        sender=row.sender,
        recipients=tuple(row.recipients),
        text=row.text,
        sent_at=row.sent_at,
        waits_for=row.waits_for,
        entered_at=row.entered_at,
        revokes=row.revokes,
        revoked_at=row.revoked_at,
    )
