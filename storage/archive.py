"""Archived chats, inside one transaction: how far they were read, and what was said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.archive import ArchivedMessage, Conversation, Sealed
from storage.dialects import AnyRow, fixed, in_chunks, insert_into
from storage.tables import (
    archive_bookmarks,
    archive_chats,
    archive_files,
    archive_messages,
    chat_groups,
)

KEPT, SEALED, BROKEN = "kept", "sealed", "broken"
MAX_WHY = 200

_NOT_KEPT = archive_messages.c.state != fixed(KEPT)


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation on record. account_id: whose it is, None while nobody has said."""

    id: int
    conversation: Conversation
    account_id: int | None
    last_at: datetime


@dataclass(frozen=True, slots=True)
class ChatNow:
    """A conversation as it was last seen. account_id: None says nothing about whose it is."""

    conversation: Conversation
    last_at: datetime
    account_id: int | None


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
    """Everything but files (`storage.archive_files`) and consents (`storage.archive_consents`)."""

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

    async def rooms(
        self, corp: str, platform: str, *, spoken_since: datetime, limit: int
    ) -> list[tuple[str, datetime | None]]:
        """(room, when its name was last told) of groups in which somebody spoke since then; those
        that were never told of first."""
        known = and_(
            chat_groups.c.platform == platform, chat_groups.c.chat_id == archive_chats.c.room
        )
        rows = await self._conn.execute(
            select(archive_chats.c.room, chat_groups.c.seen_at)
            .join(chat_groups, known, isouter=True)
            .where(
                archive_chats.c.corp == corp,
                archive_chats.c.room != fixed(""),
                archive_chats.c.last_at >= spoken_since,
            )
            .order_by(chat_groups.c.seen_at.is_not(None), chat_groups.c.seen_at)
            .limit(limit)
        )
        return [(room, seen_at) for room, seen_at in rows]

    async def chats(self, corp: str, keys: Iterable[str]) -> dict[str, Chat]:
        found: dict[str, Chat] = {}
        for chunk in in_chunks(keys):
            query = select(archive_chats).where(
                archive_chats.c.corp == corp, archive_chats.c.key.in_(chunk)
            )
            found |= {row.key: _to_chat(row) for row in await self._conn.execute(query)}
        return found

    async def called(self, keys: Iterable[str]) -> list[Chat]:
        """The conversations with one of these keys, of whichever company's archive."""
        found: list[Chat] = []
        corps = select(archive_bookmarks.c.corp)
        for chunk in in_chunks(keys):
            query = select(archive_chats).where(
                archive_chats.c.corp.in_(corps), archive_chats.c.key.in_(chunk)
            )
            found += [_to_chat(row) for row in await self._conn.execute(query)]
        return found

    async def of_customer(self, account_id: int) -> list[Chat]:
        query = select(archive_chats).where(archive_chats.c.account_id == account_id)
        return [_to_chat(row) for row in await self._conn.execute(query)]

    async def get_chat(self, chat_id: int) -> Chat:
        """Locked, so that nobody binds it while a message of it becomes ready."""
        query = select(archive_chats).where(archive_chats.c.id == chat_id).with_for_update()
        return _to_chat((await self._conn.execute(query)).one())

    async def put_chats(self, now: Sequence[ChatNow], at: datetime) -> None:
        """Conversations as they are now. Whose one is stays, where nobody says anything new."""
        if not now:
            return
        new = insert_into(self._conn, archive_chats)
        rows = [
            {
                "corp": one.conversation.corp,
                "key": one.conversation.key,
                "room": one.conversation.room,
                "outsiders": list(one.conversation.outsiders),
                "members": list(one.conversation.members),
                "last_at": one.last_at,
                "account_id": one.account_id,
                "bound_at": at if one.account_id is not None else None,
            }
            for one in now
        ]
        set_: dict[str, Any] = {
            name: new.excluded[name] for name in ("outsiders", "members", "last_at")
        }
        for name in ("account_id", "bound_at"):
            set_[name] = func.coalesce(new.excluded[name], archive_chats.c[name])
        await self._conn.execute(
            new.on_conflict_do_update(
                index_elements=[archive_chats.c.corp, archive_chats.c.key], set_=set_
            ),
            rows,
        )

    async def bind(self, chat_id: int, account_id: int | None, at: datetime) -> None:
        """Say whose conversation it is; None: nobody's again."""
        await self._conn.execute(
            update(archive_chats)
            .where(archive_chats.c.id == chat_id)
            .values(account_id=account_id, bound_at=at)
        )

    async def unbound(
        self, corp: str, *, limit: int, before: tuple[datetime, int] | None = None
    ) -> list[Chat]:
        """Conversations that are nobody's, the newest first. before: last_at and id of the last
        one of the page before."""
        query: Select[Any] = select(archive_chats).where(
            archive_chats.c.corp == corp, archive_chats.c.account_id.is_(None)
        )
        place = tuple_(archive_chats.c.last_at, archive_chats.c.id)
        if before is not None:
            query = query.where(place < before)
        query = query.order_by(archive_chats.c.last_at.desc(), archive_chats.c.id.desc())
        return [_to_chat(row) for row in await self._conn.execute(query.limit(limit))]

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


def _to_chat(row: AnyRow) -> Chat:
    conversation = Conversation(
        row.corp, row.key, row.room, tuple(row.outsiders), tuple(row.members)
    )
    return Chat(row.id, conversation, row.account_id, row.last_at)
