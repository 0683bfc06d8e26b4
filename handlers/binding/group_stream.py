"""What is said to the robot in a bound group stands in the customer's stream, with who and where.

It is no record: it counts as no action. A rep's words may be recorded beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.activities import Activity
from bot.domain.bindings import ChatBinding, ChatKind
from bot.messages import Kind
from handlers.conversation import hearing
from handlers.desk import Desk
from handlers.texts import binding as texts

_SAID = frozenset({
    Kind.TEXT, Kind.VOICE, Kind.MIXED, Kind.IMAGE, Kind.VIDEO, Kind.FILE, Kind.LINK, Kind.LOCATION,
})  # fmt: skip


def is_outsider(desk: Desk) -> bool:
    """Somebody of the customer's speaks to the robot in a bound group."""
    return desk.person is None and _customer(desk) is not None


async def note_outsider(desk: Desk) -> None:
    """Kept, and not answered: what the bot has to say is for our people."""
    await _keep(desk, desk.message.sender_name or texts.SOMEBODY)


def concerns(desk: Desk) -> bool:
    """Whether one of us said something in a bound group."""
    return desk.person is not None and desk.message.kind in _SAID and _customer(desk) is not None


async def follow(desk: Desk) -> None:
    """After such a message was handled."""
    await _keep(desk, desk.rep.name)


async def attach_past(desk: Desk, binding: ChatBinding, conversation: str) -> None:
    """What was said to the robot before the group was bound, as far as it is still kept."""
    heard = await desk.tx.group_words.all_of(conversation)
    if not heard:
        return
    names = await desk.tx.people.names({one.person_id for one in heard})
    groups = await desk.tx.chat_groups.names(binding.platform, [binding.chat_key])
    for one in heard:
        said = _Said(names[one.person_id], one.text, one.said_at, one.source_id, one.person_id)
        await _append(desk, binding.account_id, groups.get(binding.chat_key, ""), said)


@dataclass(frozen=True, slots=True)
class _Said:
    """person_id: None for somebody of the customer's."""

    name: str
    words: str
    at: datetime
    source_id: str
    person_id: int | None
    file_hashes: tuple[str, ...] = ()


async def _keep(desk: Desk, name: str) -> None:
    account_id = _customer(desk)
    assert account_id is not None
    account = await desk.tx.accounts.get(account_id)
    stored = [one.stored for one in desk.incoming.files if one.stored is not None]
    for file in stored:
        await desk.tx.files.record(file, desk.at)
        await desk.tx.files.use(file.sha256, account.id, desk.at)
    readable = desk.message.detail if desk.message.kind in (Kind.LINK, Kind.LOCATION) else ""
    words = hearing.spoken_text(desk) or readable or "、".join(file.name for file in stored)
    if words:
        said = _Said(
            name,
            words,
            desk.message.sent_at,
            desk.incoming.source_id,
            desk.person.id if desk.person is not None else None,
            tuple(file.sha256 for file in stored),
        )
        group = desk.message.chat_title or await _known_name(desk)
        await _append(desk, account.id, group, said)


async def _append(desk: Desk, account_id: int, group: str, said: _Said) -> None:
    await desk.tx.activities.add(
        Activity(
            id=0,
            account_id=account_id,
            opportunity_id=None,
            actor_id=said.person_id,
            unit="",
            title=texts.group_entry(group),
            text=texts.said_by(said.name, said.words),
            occurred_at=said.at,
            recorded_at=desk.at,
            source_id=f"{said.source_id}:group",
            slots={"chat": str(ChatKind.GROUP)},
            file_hashes=said.file_hashes,
        )
    )


async def _known_name(desk: Desk) -> str:
    platform, chat_id = str(desk.message.platform), desk.message.origin.chat_id or ""
    return (await desk.tx.chat_groups.names(platform, [chat_id])).get(chat_id, "")


def _customer(desk: Desk) -> int | None:
    message = desk.message
    if not message.in_group or message.origin.chat_id is None:
        return None
    return desk.office.groups.customer_of(str(message.platform), message.origin.chat_id)
