"""«绑定客户», «解绑客户», «撤销绑定», «未绑定»: orders about one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.bindings import BoundBy, ChatBinding, ChatKind
from bot.domain.external import ChatGroup, ExternalContact, Follow
from bot.domain.opportunities import Account
from bot.domain.people import Identity
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from handlers.binding import attaching, scopes
from handlers.binding.proposing import name_of, tell_unbound
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import binding as texts

MAY_UNDO = timedelta(days=30)


async def bind(desk: Desk, words: str) -> None:
    """«绑定客户 恒锐机电» in a group binds the group; «绑定客户 王总 恒锐机电» binds a contact.

    Raises InvalidInput, NotFound, NotAllowed, Refused with the words to say.
    """
    if desk.message.in_group:
        if not words:
            raise InvalidInput(texts.BIND_WHAT)
        account = await customers.named(desk, words)
        if account is not None:
            await _bind_group(desk, account)
        return
    name, customer = await _contact_and_customer(desk, words)
    if customer is not None:
        await _bind_contact(desk, name, customer)


async def unbind(desk: Desk, words: str) -> None:
    """«解绑客户» in a group, «解绑客户 王总 恒锐机电» elsewhere. What was said stays."""
    if desk.message.in_group:
        binding = await desk.tx.chat_bindings.get(*_here(desk))
        if binding is None:
            raise NotFound(texts.NO_GROUP_BOUND)
        account = await desk.tx.accounts.get(binding.account_id)
        await _end(desk, account, [binding])
        desk.say(texts.unbound_group(account.name))
        return
    name, customer = await _contact_and_customer(desk, words)
    if customer is None:
        return
    bindings = await desk.tx.chat_bindings.of_customer(customer.id)
    named = [one for one in bindings if name in await names_of(desk, one)]
    if not named:
        raise NotFound(texts.no_such_contact(name))
    await _end(desk, customer, named)
    desk.say(texts.unbound_contact(name, customer.name))


async def undo(desk: Desk, _: str) -> None:
    """What the speaker bound last, in one go, is bound no more."""
    bindings = await desk.tx.chat_bindings.last_of_person(desk.rep.id)
    if not bindings or desk.at - bindings[0].bound_at > MAY_UNDO:
        raise Refused(texts.NOTHING_TO_UNDO)
    accounts = {
        number: await desk.tx.accounts.get(number)
        for number in {one.account_id for one in bindings}
    }
    may = {number: await scopes.may_bind(desk, one) for number, one in accounts.items()}
    mine = [one for one in bindings if may[one.account_id]]
    if not mine:
        raise NotAllowed(texts.not_yours(accounts[bindings[0].account_id].name))
    count = await desk.tx.chat_bindings.end(mine, by=desk.rep.id, at=desk.at)
    await attaching.detach(desk, mine)
    _forget_groups(desk, mine)
    await _audit(desk, "undo_binding", f"person:{desk.rep.id}", {"count": count})
    desk.say(texts.undone(count))


async def list_unbound(desk: Desk, _: str) -> None:
    scope = await scopes.of_speaker(desk)
    contacts = await desk.tx.external_contacts.unbound(scope.members, limit=texts.MOST_LISTED + 1)
    groups = await desk.tx.chat_groups.unbound(scope.members, limit=texts.MOST_LISTED)
    if not contacts and not groups:
        desk.say_privately(texts.UNBOUND, texts.NOTHING_UNBOUND)
        return
    tell_unbound(desk, contacts, [one.name for one in groups])


async def names_of(desk: Desk, binding: ChatBinding) -> list[str]:
    """What a bound conversation is called, the usual name first."""
    platform, key = binding.platform, binding.chat_key
    if binding.kind is ChatKind.GROUP:
        return [*(await desk.tx.chat_groups.names(platform, [key])).values()]
    known = await desk.tx.external_contacts.known(platform, [key])
    follows = await desk.tx.external_contacts.follows_of(platform, key)
    contacts = list(known.values())
    called = [name_of(one, follows) for one in contacts]
    return list(dict.fromkeys([*called, *(one.remark for one in follows if one.remark),
                               *(one.name for one in contacts)]))  # fmt: skip


async def put_group(
    desk: Desk, account: Account, chat_id: str, title: str, *, owner: str = ""
) -> None:
    """Binds a group that is bound to nobody, once rights were asked for. owner: the member whose
    group it is, "" where that is not known."""
    platform = str(desk.message.platform)
    group = ChatGroup(platform, chat_id, title, owner)
    await desk.tx.chat_groups.save(group, at=desk.at)
    await _add(desk, account, chat_id, ChatKind.GROUP)


async def bind_chat(
    desk: Desk,
    account: Account,
    chat_key: str,
    kind: ChatKind,
    *,
    platform: str,
    name: str = texts.THIS_CHAT,
) -> None:
    """One that its page or card has shown, once it is known to be the speaker's to bind. Raises
    NotAllowed for another's customer, Refused for what is bound already."""
    await scopes.refuse_others(desk, account)
    binding = await desk.tx.chat_bindings.get(platform, chat_key)
    await _refuse_bound(desk, name, binding)
    await _add(desk, account, chat_key, kind, platform=platform)


async def bind_key(
    desk: Desk, account: Account, platform: str, chat_key: str, kind: ChatKind, *, name: str
) -> None:
    """A conversation that is known to us, by its key. Raises NotAllowed, and Refused where it is
    bound already."""
    await bind_chat(desk, account, chat_key, kind, platform=platform, name=name)
    desk.say(texts.bound_contact(name, account.name))


async def unbind_key(desk: Desk, platform: str, chat_key: str) -> None:
    """Raises NotFound where it is not bound, NotAllowed."""
    binding = await desk.tx.chat_bindings.get(platform, chat_key)
    if binding is None:
        raise NotFound(texts.NOT_BOUND)
    account = await desk.tx.accounts.get(binding.account_id)
    names = await names_of(desk, binding)
    await _end(desk, account, [binding])
    desk.say(texts.unbound_contact(names[0] if names else texts.UNKNOWN_CONTACT, account.name))


async def _bind_group(desk: Desk, account: Account) -> None:
    await scopes.refuse_others(desk, account)
    platform, chat_id = _here(desk)
    await _refuse_bound(desk, "这个群", await desk.tx.chat_bindings.get(platform, chat_id))
    await put_group(desk, account, chat_id, desk.message.chat_title)
    desk.say(texts.bound_group(account.name))


async def _bind_named_group(desk: Desk, name: str, account: Account) -> bool:
    """A customer group of WeCom, in which no robot can be spoken to: by its name, among those
    that the speaker or the customer's owner owns. False where there is none."""
    owner = await desk.tx.people.get(account.owner_id)
    owned = await desk.tx.chat_groups.of_owners([*desk.rep.identities, *owner.identities])
    found = {one.chat_id: one for one in owned if one.name == name}
    if not found:
        return False
    if len(found) > 1:
        raise Refused(texts.several_groups(name, len(found)))
    group = next(iter(found.values()))
    binding = await desk.tx.chat_bindings.get(group.platform, group.chat_id)
    await _refuse_bound(desk, name, binding)
    await _add(desk, account, group.chat_id, ChatKind.GROUP, platform=group.platform)
    desk.say(texts.bound_contact(name, account.name))
    return True


async def _bind_contact(desk: Desk, name: str, account: Account) -> None:
    await scopes.refuse_others(desk, account)
    if await _bind_named_group(desk, name, account):
        return
    contact, follows = await _the_contact(desk, name, account)
    binding = await desk.tx.chat_bindings.get(contact.platform, contact.external_id)
    await _refuse_bound(desk, name, binding)
    await _add(desk, account, contact.external_id, ChatKind.CONTACT, platform=contact.platform)
    desk.say(texts.bound_contact(name_of(contact, follows), account.name))


async def _the_contact(
    desk: Desk, name: str, account: Account
) -> tuple[ExternalContact, list[Follow]]:
    """Among those of the speaker and, for who leads them, of the customer's owner."""
    owner = await desk.tx.people.get(account.owner_id)
    members: list[Identity] = [*desk.rep.identities, *owner.identities]
    found = await desk.tx.external_contacts.named(members, name)
    if not found:
        raise NotFound(texts.no_such_contact(name))
    if len(found) > 1:
        known = await desk.tx.external_contacts.known(found[0][0], [key for _, key in found])
        raise Refused(texts.several_contacts(name, [one.name for one in known.values()]))
    platform, external_id = found[0]
    known = await desk.tx.external_contacts.known(platform, [external_id])
    return known[external_id], await desk.tx.external_contacts.follows_of(platform, external_id)


async def _contact_and_customer(desk: Desk, words: str) -> tuple[str, Account | None]:
    """The name of a contact, then the customer's. None after asking which is meant."""
    name, _, rest = words.strip().partition(" ")
    if not name or not rest.strip():
        raise InvalidInput(texts.BIND_WHAT)
    return name, await customers.named(desk, rest.strip())


async def _refuse_bound(desk: Desk, what: str, binding: ChatBinding | None) -> None:
    """Raises Refused; whose customer it is, only those hear who may see it."""
    if binding is None:
        return
    account = await desk.tx.accounts.get(binding.account_id)
    if await customers.may_show(desk.tx, desk.rep, account, desk.at):
        raise Refused(texts.bound_already(what, account.name))
    raise Refused(texts.bound_elsewhere(what))


async def _add(
    desk: Desk, account: Account, chat_key: str, kind: ChatKind, *, platform: str = ""
) -> None:
    platform = platform or str(desk.message.platform)
    bound = await desk.tx.chat_bindings.bind(
        [(platform, chat_key, kind, account.id, BoundBy.HAND)],
        by=desk.rep.id,
        at=desk.at,
        source_id=desk.incoming.source_id,
    )
    await attaching.attach(desk, bound)
    facts: dict[str, object] = {"platform": platform, "kind": str(kind)}
    await _audit(desk, "bind_chat", f"account:{account.id}", facts)


async def _end(desk: Desk, account: Account, bindings: Sequence[ChatBinding]) -> None:
    await scopes.refuse_others(desk, account)
    await desk.tx.chat_bindings.end(bindings, by=desk.rep.id, at=desk.at)
    await attaching.detach(desk, bindings)
    _forget_groups(desk, bindings)
    await _audit(desk, "unbind_chat", f"account:{account.id}", {"count": len(bindings)})


def _forget_groups(desk: Desk, bindings: Sequence[ChatBinding]) -> None:
    book = desk.office.groups
    groups = [(one.platform, one.chat_key) for one in bindings if one.kind is ChatKind.GROUP]

    def forget() -> None:
        for key in groups:
            book.remove(*key)

    desk.tx.once_committed(forget)


async def _audit(desk: Desk, action: str, subject: str, after: dict[str, object]) -> None:
    await desk.tx.audit.append(
        at=desk.at, actor=f"person:{desk.rep.id}", action=action, subject=subject, before=None,
        after={**after, "source": desk.incoming.source_id},
    )  # fmt: skip


def _here(desk: Desk) -> tuple[str, str]:
    return str(desk.message.platform), desk.message.origin.chat_id or ""
