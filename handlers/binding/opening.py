"""«打开聊天»: from a customer to the chats with it, each in the way its platform and client have.

WeCom opens a chat with a customer from its own pages' script alone, and DingTalk a group likewise;
neither has a link for it that messages could carry. So
in chat, and in a plain browser, besides the one link there is, a person is told what to search for,
by the name they know it by; a page in the platform's client has a button that calls its script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.domain import markup
from bot.domain.bindings import ChatBinding, ChatKind
from bot.domain.external import Follow
from bot.domain.opportunities import Account
from bot.domain.people import Person
from bot.messages import Platform
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import binding as texts
from storage.unit_of_work import UnitOfWork

MOST = 12
_PROFILE = "https://applink.dingtalk.com/page/profile?phone="


@dataclass(frozen=True, slots=True)
class ClientCall:
    """A function of a platform's script that opens a conversation, in its client alone."""

    platform: str
    function: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatWay:
    """A bound conversation as one person gets into it. url: "" where there is no link. call: in
    the platform's client, where it can be opened there. sought: what finds it by hand, a name or
    a number to copy."""

    name: str
    what: str
    how: str
    url: str = ""
    call: ClientCall | None = None
    sought: str = ""


async def command(desk: Desk, words: str) -> None:
    """«打开聊天 恒锐机电»; in a bound group without a name, its customer."""
    if words:
        account = await customers.named(desk, words)
    else:
        account = await _of_this_group(desk)
    if account is not None:
        await tell(desk, account)


async def tell(desk: Desk, account: Account) -> None:
    """Raises NotFound for who may not see the customer."""
    await customers.refuse_to_show(desk, account)
    ways = await ways_to(desk.tx, account.id, desk.rep)
    title = texts.chats_with(account.name)
    if not ways:
        customers.tell_alone(desk, title, texts.no_chats(account.name))
        return
    links = [markup.link(one.name, one.url) if one.url else "" for one in ways]
    pairs = zip(ways, links, strict=True)
    lines = [texts.way(one.name, one.what, one.how, link) for one, link in pairs]
    customers.tell_alone(desk, title, "\n".join([f"**{title}**", *lines]), links)


async def ways_to(tx: UnitOfWork, account_id: int, person: Person) -> list[ChatWay]:
    """Into the first MOST conversations with the customer."""
    bindings = (await tx.chat_bindings.of_customer(account_id))[:MOST]
    return [await _way(tx, one, person) for one in bindings]


async def _way(tx: UnitOfWork, binding: ChatBinding, person: Person) -> ChatWay:
    what = texts.kind_of(binding.kind, binding.platform)
    if binding.kind is ChatKind.GROUP:
        names = await tx.chat_groups.names(binding.platform, [binding.chat_key])
        name = names.get(binding.chat_key, "")
        how = texts.search_group(binding.platform)
        call = _call_group(binding.platform, binding.chat_key)
        return ChatWay(name or texts.NAMELESS_GROUP, what, how, call=call, sought=name)
    return await _way_to_contact(tx, binding, person, what)


async def _way_to_contact(
    tx: UnitOfWork, binding: ChatBinding, person: Person, what: str
) -> ChatWay:
    platform, key = binding.platform, binding.chat_key
    contact = (await tx.external_contacts.known(platform, [key])).get(key)
    follows = await tx.external_contacts.follows_of(platform, key)
    own_ids = {one.user_id for one in person.identities if one.platform == platform}
    own = [one for one in follows if one.user_id in own_ids]
    called = [one.remark for one in (*own, *follows) if one.remark]
    name = called[0] if called else (contact.name if contact else texts.UNKNOWN_CONTACT)
    if platform == Platform.DINGTALK and contact is not None and contact.mobile:
        url = f"{_PROFILE}{quote(contact.mobile)}"
        return ChatWay(name, what, texts.OPEN_PROFILE, url, sought=contact.mobile)
    if own:
        call = _call_contact(key) if platform == Platform.WECOM else None
        return ChatWay(name, what, texts.search_contact(platform), call=call, sought=name)
    return ChatWay(name, what, texts.ask_colleague(await _names(tx, platform, follows)))


def _call_contact(external_id: str) -> ClientCall:
    args = {"userIds": [], "externalUserIds": [external_id], "groupName": "", "chatId": ""}
    return ClientCall(Platform.WECOM, "openEnterpriseChat", args)


def _call_group(platform: str, chat_id: str) -> ClientCall:
    if platform == Platform.DINGTALK:
        args = {"openConversationId": chat_id}
        return ClientCall(platform, "openChatByConversationId", args)
    one = {"userIds": [], "externalUserIds": [], "groupName": "", "chatId": chat_id}
    return ClientCall(platform, "openEnterpriseChat", one)


async def _names(tx: UnitOfWork, platform: str, follows: Sequence[Follow]) -> list[str]:
    found = [await tx.people.find_by_identity(platform, one.user_id) for one in follows[:2]]
    return [one.name for one in found if one is not None]


async def _of_this_group(desk: Desk) -> Account | None:
    message = desk.message
    if message.in_group and message.origin.chat_id is not None:
        bound = desk.office.groups.customer_of(str(message.platform), message.origin.chat_id)
        if bound is not None:
            return await desk.tx.accounts.get(bound)
    desk.say(texts.OPEN_WHICH)
    return None
