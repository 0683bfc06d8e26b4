"""Kept messages enter the stream of the customer whose conversation it is: each once, in order,
with who said it and where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.activities import Activity, Grade, withdrawal_of
from bot.domain.archive import key_between
from bot.domain.bindings import ChatBinding, ChatKind
from bot.messages import Platform
from handlers.archive.bindings import Bindings
from handlers.texts import archive as texts
from storage import archive_files
from storage.archive import KeptMessage
from storage.archive_chats import Chat
from storage.archive_files import FileRow
from storage.unit_of_work import UnitOfWork

AT_ONCE = 500


class Spoken(Protocol):
    """What an entry is made of: a message as it arrives, or as it was kept."""

    @property
    def msgid(self) -> str: ...

    @property
    def sender(self) -> str: ...

    @property
    def recipients(self) -> tuple[str, ...]: ...

    @property
    def text(self) -> str: ...

    @property
    def sent_at(self) -> datetime: ...

    @property
    def revokes(self) -> str: ...


@dataclass(frozen=True, slots=True)
class People:
    """Those who speak. members: user id -> id and name of the person; names: of the others."""

    members: Mapping[str, tuple[int, str]]
    names: Mapping[str, str]

    @classmethod
    async def learn(
        cls, tx: UnitOfWork, bindings: Bindings, corp: str, ids: Collection[str]
    ) -> People:
        members = await tx.people.members(Platform.WECOM, [one.lower() for one in ids])
        others = [one for one in ids if one.lower() not in members]
        return cls(members, await bindings.names(tx, corp, others) if others else {})

    def name(self, user_id: str) -> str:
        member = self.members.get(user_id.lower())
        return member[1] if member else self.names.get(user_id) or texts.outsider(user_id)


def source(corp: str, msgid: str) -> str:
    return f"archive:{corp}:{msgid}"


def entry(
    spoken: Spoken,
    chat: Chat,
    people: People,
    at: datetime,
    *,
    recalled: bool,
    files: Sequence[FileRow] = (),
    retracts_id: int | None = None,
) -> Activity:
    """One message as the stream of the chat's customer has it."""
    assert chat.account_id is not None
    room, text = chat.conversation.room, spoken.text
    if any(file.state == archive_files.WAITING for file in files):
        text += texts.NOT_YET
    elif any(file.state == archive_files.LOST for file in files):
        text += texts.LOST
    listener = "" if room else "、".join(map(people.name, spoken.recipients))
    hashes = tuple(file.sha256 for file in files if file.sha256 is not None)
    return Activity(
        id=0,
        account_id=chat.account_id,
        opportunity_id=None,
        actor_id=None,  # or what a rep said in chats would bury what they recorded
        unit="",
        title=texts.title(in_group=bool(room), recalled=recalled),
        text=texts.said(people.name(spoken.sender), listener, text),
        occurred_at=spoken.sent_at,
        recorded_at=at,
        source_id=source(chat.conversation.corp, spoken.msgid),
        slots={"archive_chat": chat.id},
        file_hashes=tuple(dict.fromkeys(hashes)),
        grade=Grade.PLATFORM_PROVEN,
        retracts_id=retracts_id,
    )


async def recalled_entry(tx: UnitOfWork, corp: str, spoken: Spoken) -> int | None:
    """The entry that a recall takes back, where it stands in the stream."""
    if not spoken.revokes:
        return None
    original = await tx.activities.find_by_source(source(corp, spoken.revokes))
    return original.id if original is not None else None


async def enter(
    tx: UnitOfWork, bindings: Bindings, chat: Chat, messages: Sequence[KeptMessage], at: datetime
) -> None:
    """Kept messages of a bound conversation, in the order given."""
    corp = chat.conversation.corp
    people = await People.learn(tx, bindings, corp, _speakers(messages))
    for message in messages:
        files = await tx.archive_files.of_message(message.id) if _may_have_files(message) else []
        made = entry(
            message,
            chat,
            people,
            at,
            recalled=message.revoked_at is not None,
            files=files,
            retracts_id=await recalled_entry(tx, corp, message),
        )
        await tx.activities.add(made)
        for sha256 in made.file_hashes:
            await tx.files.use(sha256, made.account_id, at)
    await tx.archive.mark_entered([message.id for message in messages], at)


async def enter_waiting(tx: UnitOfWork, bindings: Bindings, chat: Chat, at: datetime) -> int:
    """All that was kept of a conversation that is bound now; how many messages."""
    count = 0
    while messages := await tx.archive.waiting(chat.id, limit=AT_ONCE):
        await enter(tx, bindings, chat, messages, at)
        count += len(messages)
    return count


async def attach(tx: UnitOfWork, bindings: Bindings, bound: ChatBinding, at: datetime) -> int:
    """Somebody said whose conversation it is: what was kept of it enters that customer's stream.
    What stands in another's stays there. How many messages; 0 for a conversation that was never
    heard of, which is found bound with its first message."""
    count = 0
    for chat in await tx.archive_chats.called(await _keys(tx, bound)):
        await tx.archive_chats.bind(chat.id, bound.account_id, at)
        locked = await tx.archive_chats.get_for_update(chat.id)
        count += await enter_waiting(tx, bindings, locked, at)
    return count


async def detach(tx: UnitOfWork, bound: ChatBinding, at: datetime) -> None:
    """The conversation is nobody's again; what is said from now on is kept as of nobody."""
    for chat in await tx.archive_chats.of_customer(bound.account_id):
        one = chat.conversation
        if bound.chat_key in ((one.room,) if one.room else one.outsiders):
            await tx.archive_chats.bind(chat.id, None, at)


async def _keys(tx: UnitOfWork, bound: ChatBinding) -> list[str]:
    if bound.kind is ChatKind.GROUP:
        return [bound.chat_key]
    follows = await tx.external_contacts.follows_of(bound.platform, bound.chat_key)
    return [key_between(one.user_id.lower(), bound.chat_key) for one in follows]


async def enter_recall(tx: UnitOfWork, chat: Chat, message: KeptMessage, at: datetime) -> None:
    """A message was taken back by one that must not be kept: marked, without who and why."""
    original = await tx.activities.find_by_source(source(chat.conversation.corp, message.msgid))
    if original is None:
        return
    await tx.activities.add(
        withdrawal_of(original, texts.TAKEN_BACK, source_id=f"{original.source_id}:recalled", at=at)
    )


async def enter_late_file(
    tx: UnitOfWork,
    bindings: Bindings,
    chat: Chat,
    *,
    message: KeptMessage,
    file: FileRow,
    at: datetime,
) -> None:
    """A file came after its message had entered without it."""
    assert chat.account_id is not None
    assert file.sha256 is not None
    corp = chat.conversation.corp
    people = await People.learn(tx, bindings, corp, [message.sender])
    await tx.activities.add(
        Activity(
            id=0,
            account_id=chat.account_id,
            opportunity_id=None,
            actor_id=None,
            unit="",
            title=texts.title(in_group=bool(chat.conversation.room), recalled=False),
            text=texts.late_file(people.name(message.sender), file.file.name),
            occurred_at=message.sent_at,
            recorded_at=at,
            source_id=f"{source(corp, message.msgid)}:file:{file.place}",
            slots={"archive_chat": chat.id},
            file_hashes=(file.sha256,),
            grade=Grade.PLATFORM_PROVEN,
        )
    )
    await tx.files.use(file.sha256, chat.account_id, at)


def _speakers(messages: Iterable[KeptMessage]) -> set[str]:
    return {user for message in messages for user in (message.sender, *message.recipients)}


def _may_have_files(message: KeptMessage) -> bool:
    return message.kind not in ("text", "markdown", "revoke", "agree")
