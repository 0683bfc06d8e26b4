"""«建群 恒锐机电»: a group with the robot in it (DingTalk), or to which the application may write
(WeCom), bound to the customer from the start.

The platform makes it before the message's transaction. It knows the group by the delivery that
asked for it, so asking again after a crash makes no second one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from bot.domain.bindings import ChatBinding, ChatKind
from bot.domain.leaders import find_supervisor
from bot.domain.opportunities import Account
from bot.errors import InvalidInput, PermanentError, Refused, TransientError, UserError
from bot.messages import (
    Address,
    InboundMessage,
    Incoming,
    Kind,
    OutboundMessage,
    Platform,
    Text,
)
from bot.ports import AppKey
from handlers.binding import scopes
from handlers.binding.by_hand import put_group
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.texts import binding as texts
from storage.unit_of_work import UnitOfWork

_ORDER = re.compile(r"(?:建群|建客户群)[ :：]+(?P<name>.{2,60})", re.DOTALL)
MOST_TITLE = 20  # characters
OWN = "gd"
"""How the ids of the groups begin that an application of WeCom made at our word."""


class MakesGroups(Protocol):
    """An application that can make groups with its robot in them."""

    async def make_group(self, title: str, *, owner: str, members: Sequence[str], key: str) -> str:
        """The group's chat id; the same for the same key. Raises TransientError or
        PermanentError."""
        ...


@dataclass(frozen=True, slots=True)
class MadeGroup:
    """A group that was asked for. chat_id: "" where it could not be made, for the reason in
    `trouble`."""

    account_id: int
    title: str
    chat_id: str = ""
    trouble: str = ""


class GroupMaking:
    """Makes the group that somebody asks for, before the message's transaction. A
    `bot.ports.Preparation`."""

    def __init__(
        self,
        office: Office,
        makers: Mapping[AppKey, MakesGroups],
        *,
        read: Callable[[], AbstractAsyncContextManager[UnitOfWork]],
    ) -> None:
        self._office = office
        self._makers = makers
        self._read = read

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """What may not be made, and why, the handler finds out and says."""
        message = incoming.message
        maker = self._makers.get((message.platform, message.app))
        name = _asked(message)
        if maker is None or name is None:
            return incoming
        try:
            async with self._read() as tx:
                desk = await Desk.open(tx, incoming, self._office)
                if desk.person is None:
                    return incoming
                account = await customers.named(desk, name)
                if account is None:
                    return incoming
                await scopes.refuse_others(desk, account)
                members = await _members(desk)
        except UserError:
            return incoming
        made = MadeGroup(account.id, texts.group_title(account.name)[:MOST_TITLE])
        try:
            chat_id = await maker.make_group(
                made.title, owner=message.sender_id, members=members, key=incoming.source_id
            )
        except (TransientError, PermanentError) as error:
            if isinstance(error, TransientError) and not last_try:
                raise
            return replace(incoming, looked_up=replace(made, trouble=str(error)))
        return replace(incoming, looked_up=replace(made, chat_id=chat_id))


async def make(desk: Desk, words: str) -> None:
    """Binds what was made. Raises Refused where it could not be."""
    if not words:
        raise InvalidInput(texts.MAKE_WHICH)
    account: Account | None
    made = desk.incoming.looked_up
    if not isinstance(made, MadeGroup):
        account = await customers.named(desk, words)
        if account is not None:
            await scopes.refuse_others(desk, account)
            raise Refused(texts.CANNOT_MAKE)
        return
    account = await desk.tx.accounts.get(made.account_id)
    if not made.chat_id:
        raise Refused(texts.not_made(account.name, made.trouble))
    owner = desk.message.sender_id
    await put_group(desk, account, made.chat_id, made.title, owner=owner)
    platform = desk.message.platform
    if platform is Platform.WECOM:  # a group shows up with its first message
        words = texts.first_words(account.name, desk.rep.name)
        _say_in(desk, made.chat_id, words)
    desk.say(texts.made(str(platform), made.title, account.name))


async def send(desk: Desk, words: str) -> None:
    """«发到群 恒锐机电 内容»: into the group that was made for the customer. Raises InvalidInput,
    Refused."""
    name, _, text = words.strip().partition(" ")
    if not name or not text.strip():
        raise InvalidInput(texts.SEND_HOW)
    account = await customers.named(desk, name)
    if account is None:
        return
    await scopes.refuse_others(desk, account)
    platform = str(desk.message.platform)
    bound = await desk.tx.chat_bindings.of_customer(account.id)
    groups = [
        one.chat_key
        for one in bound
        if one.platform == platform and one.kind is ChatKind.GROUP and _is_ours(one)
    ]
    if not groups:
        raise Refused(texts.no_group_of_ours(account.name))
    for chat_id in groups:
        _say_in(desk, chat_id, texts.said_in_group(desk.rep.name, text.strip()))
    desk.say(texts.SENT_TO_GROUP)


def _is_ours(bound: ChatBinding) -> bool:
    """WeCom's application writes only to groups that it made, DingTalk's robot wherever it is."""
    return bound.platform != Platform.WECOM or bound.chat_key.startswith(OWN)


def _say_in(desk: Desk, chat_id: str, words: str) -> None:
    to = Address(desk.message.platform, desk.message.app, chat_id=chat_id)
    key = f"{desk.incoming.source_id}:group:{chat_id}"
    desk.add([OutboundMessage(key, to, Text(words))])


def _asked(message: InboundMessage) -> str | None:
    match = _ORDER.fullmatch(message.text.strip()) if message.kind is Kind.TEXT else None
    return match["name"].strip(" 。！!？?") if match is not None else None


async def _members(desk: Desk) -> list[str]:
    """The speaker and, where they are on the same platform, the supervisor."""
    supervisor = find_supervisor(await desk.tx.people.leader_facts(desk.rep.id), desk.at)
    above = supervisor.identities if supervisor is not None else ()
    platform = str(desk.message.platform)
    found = [one.user_id for one in above if one.platform == platform]
    return list(dict.fromkeys([desk.message.sender_id, *found]))
