"""«谁没看»: who has not read what the bot wrote, and «收回上一条»: it takes its last message back.

The platform is asked before the message's transaction. In a group it is about the group's last
message; one-to-one a leader hears of the last message to each of their team.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.people import Person, Role
from bot.domain.reading import Readers
from bot.errors import BotError, NotAllowed, Refused, TransientError
from bot.messages import Address, InboundMessage, Incoming, Kind, Platform
from bot.ports import AppKey
from handlers.desk import Desk, Office
from handlers.leading import teams
from handlers.texts import reading_back as texts
from storage.outbox import SentMessage
from storage.unit_of_work import UnitOfWork

WHO = "谁没看|谁还没看|谁没读|谁没看消息|已读情况"
BACK = "收回上一条|收回上一条消息|收回刚才的消息"
KNOWN_FOR = timedelta(hours=24)
MOST_ASKED = 20  # people, each of whom is a paid call
LEADERS = frozenset({Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.ADMIN})

_ORDER = re.compile(rf"(?:(?P<who>{WHO})|(?P<back>{BACK}))[。！!？? ]*")


class ReadsBack(Protocol):
    """An application whose platform tells who read a message. Every method raises BotError."""

    async def readers(self, to: Address, handle: str) -> Readers: ...

    async def recall(self, to: Address, handle: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What the platform tells of the bot's last messages in this chat. asked: (whom it went to,
    None in a group; the message; who read it). recalled: the last message here was taken back.
    trouble: why nothing is known."""

    asked: tuple[tuple[Person | None, SentMessage, Readers], ...] = ()
    recalled: bool = False
    trouble: str = ""


class ReadingBack:
    """Asks who read a message, or takes it back, before the transaction of the word for it. A
    `bot.ports.Preparation`."""

    def __init__(
        self,
        office: Office,
        readers: Mapping[AppKey, ReadsBack],
        *,
        read: Callable[[], AbstractAsyncContextManager[UnitOfWork]],
    ) -> None:
        self._office = office
        self._readers = readers
        self._read = read

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """Who may not ask is told so by the handler."""
        message = incoming.message
        platform = self._readers.get((message.platform, message.app))
        order = _asked(message)
        if platform is None or order is None:
            return incoming
        async with self._read() as tx:
            desk = await Desk.open(tx, incoming, self._office)
            if desk.person is None or not desk.person.roles & LEADERS:
                return incoming
            sent = await self._messages(desk, alone=bool(order["back"]))
        try:
            found = await self._ask(platform, sent, back=bool(order["back"]))
        except BotError as error:
            if isinstance(error, TransientError) and not last_try:
                raise
            found = Found(trouble=str(error))
        return replace(incoming, looked_up=found)

    async def _messages(
        self, desk: Desk, *, alone: bool
    ) -> list[tuple[Person | None, Address, SentMessage]]:
        message, since = desk.message, desk.at - KNOWN_FOR
        outbox = desk.tx.delivery
        if message.in_group or alone:
            last = await outbox.last_to([message.origin.key], since=since, but=texts.OWN)
            return [(None, message.origin, one) for one in last.values()]
        people = await teams.below(desk.tx, desk.rep)
        addresses = {
            Address(message.platform, message.app, user_id=one.user_id).key: (person, one.user_id)
            for person in people
            for one in person.identities
            if one.platform == message.platform
        }
        last = await outbox.last_to(list(addresses)[: 5 * MOST_ASKED], since=since, but=texts.OWN)
        newest = sorted(last.items(), key=lambda one: one[1].sent_at, reverse=True)
        return [
            (
                addresses[key][0],
                Address(message.platform, message.app, user_id=addresses[key][1]),
                one,
            )
            for key, one in newest[:MOST_ASKED]
        ]

    async def _ask(
        self,
        platform: ReadsBack,
        sent: Sequence[tuple[Person | None, Address, SentMessage]],
        *,
        back: bool,
    ) -> Found:
        if back:
            for _, to, one in sent:
                await platform.recall(to, one.handle)
            return Found(recalled=bool(sent))
        asked = []
        for person, to, one in sent:
            asked.append((person, one, await platform.readers(to, one.handle)))
        return Found(tuple(asked))


async def who(desk: Desk, _: str) -> None:
    """Raises NotAllowed, Refused."""
    found = _looked_up(desk)
    if found.trouble:
        raise Refused(texts.trouble(found.trouble))
    if desk.message.in_group:
        await _of_group(desk, found)
        return
    if not found.asked:
        raise Refused(texts.NOBODY_WRITTEN_TO)
    unread = [
        (person.name, one.title, _local(desk, one.sent_at))
        for person, one, readers in found.asked
        if person is not None and readers.unread and not readers.recalled
    ]
    desk.say(texts.team(unread, len(found.asked) - len(unread)))


async def take_back(desk: Desk, _: str) -> None:
    """Raises NotAllowed, Refused."""
    found = _looked_up(desk)
    if found.trouble:
        raise Refused(texts.not_recalled(found.trouble))
    if not found.recalled:
        raise Refused(texts.NO_MESSAGE)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="recall_message",
        subject=f"chat:{desk.message.origin.key}"[:120],
        before=None,
        after=None,
    )
    desk.say(texts.RECALLED)


async def _of_group(desk: Desk, found: Found) -> None:
    if not found.asked:
        raise Refused(texts.NO_MESSAGE)
    _, message, readers = found.asked[0]
    platform = str(desk.message.platform)
    known = await desk.tx.people.members(platform, readers.read)
    read_ids = {person_id for person_id, _ in known.values()}
    team = [
        one
        for one in await teams.below(desk.tx, desk.rep)
        if any(each.platform == platform for each in one.identities)
    ]
    unread = [one.name for one in team if one.id not in read_ids]
    desk.say(texts.group(message.title, [name for _, name in known.values()], unread))


def _looked_up(desk: Desk) -> Found:
    if not desk.rep.roles & LEADERS:
        raise NotAllowed(texts.ONLY_LEADERS)
    found = desk.incoming.looked_up
    if not isinstance(found, Found):
        raise Refused(texts.NOT_HERE)
    return found


def _local(desk: Desk, at: datetime) -> datetime:
    return at.astimezone(desk.office.zone)


def _asked(message: InboundMessage) -> re.Match[str] | None:
    if message.kind is not Kind.TEXT or message.platform is not Platform.DINGTALK:
        return None
    return _ORDER.fullmatch(message.text.strip())
