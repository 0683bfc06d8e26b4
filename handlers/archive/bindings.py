"""Which customer a conversation belongs to, as the archive asks it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.archive import Conversation
from bot.domain.opportunities import Contact
from bot.messages import Platform
from storage.unit_of_work import UnitOfWork


class Bindings(Protocol):
    """Asked inside the transaction that keeps the messages."""

    async def accounts(
        self, tx: UnitOfWork, conversations: Sequence[Conversation]
    ) -> Mapping[str, int]:
        """`Conversation.key` -> the customer's id, of those that are bound."""
        ...

    async def names(
        self, tx: UnitOfWork, corp: str, outsiders: Collection[str]
    ) -> Mapping[str, str]:
        """What people outside are called, of those that are known."""
        ...


class ContactBindings:
    """By the contacts on record: a conversation between two belongs to the customer whose contact
    carries the id of the one outside, if it is one customer's. Groups are nobody's."""

    async def accounts(
        self, tx: UnitOfWork, conversations: Sequence[Conversation]
    ) -> Mapping[str, int]:
        single = [one for one in conversations if not one.room and len(one.outsiders) == 1]
        of: defaultdict[str, set[int]] = defaultdict(set)
        for contact in await _contacts(tx, [one.outsiders[0] for one in single]):
            of[contact.external_id].add(contact.account_id)
        owners = {one.key: of[_external(one.outsiders[0])] for one in single}
        return {key: min(found) for key, found in owners.items() if len(found) == 1}

    async def names(
        self, tx: UnitOfWork, _corp: str, outsiders: Collection[str]
    ) -> Mapping[str, str]:
        found = {one.external_id: one.name for one in await _contacts(tx, outsiders)}
        return {one: found[_external(one)] for one in outsiders if _external(one) in found}


class BoundChats:
    """By what was bound in chat; between two, else by the contacts on record."""

    def __init__(self) -> None:
        self._recorded = ContactBindings()

    async def accounts(
        self, tx: UnitOfWork, conversations: Sequence[Conversation]
    ) -> Mapping[str, int]:
        chat_keys = {one.key: chat_key for one in conversations if (chat_key := _chat_key(one))}
        bound = await tx.chat_bindings.customers_of(Platform.WECOM, chat_keys.values())
        found = {key: bound[chat] for key, chat in chat_keys.items() if chat in bound}
        rest = [one for one in conversations if one.key not in found]
        return {**await self._recorded.accounts(tx, rest), **found}

    async def names(
        self, tx: UnitOfWork, corp: str, outsiders: Collection[str]
    ) -> Mapping[str, str]:
        known = await tx.external_contacts.known(Platform.WECOM, outsiders)
        recorded = await self._recorded.names(tx, corp, outsiders)
        return {**{key: one.name for key, one in known.items() if one.name}, **recorded}


def _chat_key(conversation: Conversation) -> str:
    """What the conversation is bound by: the group, or the one outside; "" among ourselves."""
    return conversation.room or (conversation.outsiders[0] if conversation.outsiders else "")


async def _contacts(tx: UnitOfWork, outsiders: Collection[str]) -> Sequence[Contact]:
    return await tx.accounts.contacts_called([_external(one) for one in outsiders])


def _external(user_id: str) -> str:
    return f"{Platform.WECOM}:{user_id}"
