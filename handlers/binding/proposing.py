"""«绑定建议»: contacts that have a mobile, a company or a tag in common with one customer, shown
by kind and bound by one press.

What is proposed is looked up before the message's transaction: in a large company the search
goes through hundreds of thousands of contacts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.bindings import BoundBy, ChatKind
from bot.domain.company_names import take_apart
from bot.domain.external import ExternalContact, Follow, Match, choose, same_company
from bot.domain.opportunities import Account
from bot.errors import InvalidInput
from bot.messages import Button, Card
from handlers.binding import attaching, scopes
from handlers.binding.scopes import Scope
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import binding as texts
from handlers.understanding.names import places
from storage.contact_matches import KeyInCommon
from storage.unit_of_work import UnitOfWork

CARD = "bind-"
ALL, DECLINE = "all", "decline"
MOST = 500
"""Proposed on one card; the next ones follow when these are bound."""

EXAMPLES = 5
_KEYS_A_PAGE = 2_000
_MOST_PAGES = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """This contact or group may belong to that customer. company: as far as anybody noted it."""

    platform: str
    chat_key: str
    name: str
    company: str
    account_id: int
    customer: str
    how: BoundBy
    kind: ChatKind = ChatKind.CONTACT


@dataclass(frozen=True, slots=True)
class Proposals:
    """Some of the contacts and groups that may belong to customers. more: there may be further
    ones."""

    found: tuple[Proposal, ...]
    more: bool


async def read(desk: Desk) -> Proposals:
    """What «绑定建议» shows to the speaker."""
    scope = await scopes.of_speaker(desk)
    found = await _groups(desk.tx, scope)
    place = ("", "")
    for _ in range(_MOST_PAGES):
        keys, following = await desk.tx.contact_matches.page(
            scope.members, after=place, limit=_KEYS_A_PAGE
        )
        found += await _settle(desk.tx, scope, keys)
        if following is None:
            return Proposals(tuple(found[:MOST]), len(found) > MOST)
        place = following
        if len(found) >= MOST:
            break
    return Proposals(tuple(found[:MOST]), more=True)


async def of_chat(tx: UnitOfWork, scope: Scope, platform: str, chat_key: str) -> list[Proposal]:
    """The same for one conversation alone: none, or one."""
    place = [(platform, chat_key)]
    keys = await tx.contact_matches.of(scope.members, place)
    return [*await _groups(tx, scope, among=place), *await _settle(tx, scope, keys)]


async def show(desk: Desk, _: str) -> None:
    looked_up = desk.incoming.looked_up
    proposals = looked_up if isinstance(looked_up, Proposals) else await read(desk)
    if not proposals.found:
        desk.say_privately(texts.TITLE, texts.NO_PROPOSALS)
        return
    counts = Counter(one.how for one in proposals.found)
    in_order = {how: counts[how] for how in BoundBy if counts[how]}
    lines = texts.proposals(in_order, more=proposals.more)
    lines += [
        texts.proposed(one.name, one.company, one.customer, one.how)
        for one in proposals.found[:EXAMPLES]
    ]
    kinds = [Button(str(how), f"只绑{texts.HOW[how]}的") for how in in_order]
    card = Card(
        card_id=f"{CARD}{desk.rep.id}-{desk.at:%Y%m%d%H%M%S}",
        title=texts.TITLE,
        lines=tuple(lines),
        buttons=(
            Button(ALL, "全部绑定", style="primary"),
            *(kinds if len(kinds) > 1 else ()),
            Button(DECLINE, "先不绑"),
        ),
    )
    pairs = [[one.platform, one.chat_key, one.account_id] for one in proposals.found]
    data = {"pairs": pairs, "more": proposals.more}
    await desk.show_privately(card, subject=f"person:{desk.rep.id}", data=data)


async def press(desk: Desk) -> None:
    """Binds what stood on the card and still holds: each contact is looked at again."""
    action = desk.message.action
    assert action is not None
    card = Card(action.card_id, texts.TITLE, closed=texts.DECLINED)
    if action.action != DECLINE:
        known = await desk.tx.cards.get(action.card_id)
        shown: dict[str, Any] = known.data if known is not None else {}
        count = await bind_shown(desk, shown.get("pairs", ()), action.action)
        card = replace(card, closed=texts.DONE)
        desk.say(texts.accepted(count, more=bool(shown.get("more"))))
    await desk.change(card, subject=f"person:{desk.rep.id}")


async def bind_shown(desk: Desk, pairs: Sequence[Sequence[Any]], kind: str) -> int:
    """What was shown and still holds: (platform, chat key, customer) each. kind: ALL or a
    BoundBy. How many were bound. Raises InvalidInput."""
    if kind != ALL and kind not in {str(how) for how in BoundBy}:
        raise InvalidInput(texts.BIND_WHAT)
    scope = await scopes.of_speaker(desk)
    shown = {(platform, chat_key): account_id for platform, chat_key, account_id in pairs}
    keys = await desk.tx.contact_matches.of(scope.members, list(shown))
    present = await _groups(desk.tx, scope, among=list(shown))
    present += await _settle(desk.tx, scope, keys)
    still = [
        one
        for one in present
        if shown[one.platform, one.chat_key] == one.account_id and kind in (ALL, str(one.how))
    ]
    bound = await desk.tx.chat_bindings.bind(
        [(one.platform, one.chat_key, one.kind, one.account_id, one.how) for one in still],
        by=desk.rep.id,
        at=desk.at,
        source_id=desk.incoming.source_id,
    )
    await attaching.attach(desk, bound)
    if bound:
        await desk.tx.audit.append(
            at=desk.at,
            actor=f"person:{desk.rep.id}",
            action="bind_contacts",
            subject=f"person:{desk.rep.id}",
            before=None,
            after={"source": desk.incoming.source_id, "count": len(bound)},
        )
    return len(bound)


async def _groups(
    tx: UnitOfWork, scope: Scope, *, among: Sequence[tuple[str, str]] | None = None
) -> list[Proposal]:
    """Groups in which all bound contacts are of one customer that the speaker may say."""
    found = await tx.contact_matches.groups(scope.members, among=among, limit=MOST)
    accounts = await tx.accounts.list_some(sorted({number for *_, number in found}))
    proposals = []
    for platform, chat_id, number in found:
        account = accounts.get(number)
        if account is None or not scope.reaches(account):
            continue
        name = (await tx.chat_groups.names(platform, [chat_id])).get(chat_id, "")
        proposals.append(
            Proposal(
                platform, chat_id, name or texts.NAMELESS_GROUP, "", number, account.name,
                BoundBy.MEMBERS, ChatKind.GROUP,
            )
        )  # fmt: skip
    return proposals


async def _settle(tx: UnitOfWork, scope: Scope, keys: Sequence[KeyInCommon]) -> list[Proposal]:
    """For each contact the one customer it can belong to, if the speaker may say so."""
    accounts = await tx.accounts.list_some(sorted({one.account_id for one in keys}))
    by_contact: dict[tuple[str, str], list[KeyInCommon]] = defaultdict(list)
    for key in keys:
        by_contact[key.platform, key.external_id].append(key)
    contacts = await _contacts(tx, by_contact)
    found = []
    for (platform, external_id), own in by_contact.items():
        contact, follows = contacts[platform, external_id]
        match = choose(
            [
                Match(one.account_id, one.how)
                for one in own
                if one.account_id in accounts
                and _holds(one.how, accounts[one.account_id], contact, follows)
            ]
        )
        if match is None:
            continue
        account = accounts[match.account_id]
        if scope.reaches(account):
            name, company = name_of(contact, follows), company_of(contact, follows)
            found.append(
                Proposal(platform, external_id, name, company, account.id, account.name, match.how)
            )
    return found


async def _contacts(
    tx: UnitOfWork, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[ExternalContact, list[Follow]]]:
    ids: dict[str, list[str]] = defaultdict(list)
    for platform, external_id in wanted:
        ids[platform].append(external_id)
    found: dict[tuple[str, str], tuple[ExternalContact, list[Follow]]] = {}
    for platform, own in ids.items():
        known = await tx.external_contacts.known(platform, own)
        follows = await tx.external_contacts.follows_of_all(platform, own)
        found |= {(platform, key): (one, follows[key]) for key, one in known.items()}
    return found


def _holds(
    how: BoundBy, account: Account, contact: ExternalContact, follows: Sequence[Follow]
) -> bool:
    """Keys leave the place out of a name: two companies in two cities have one in common."""
    if how is BoundBy.MOBILE:
        return True
    said = (
        [tag for one in follows for tag in one.tags]
        if how is BoundBy.TAG
        else [contact.company, *(one.company for one in follows)]
    )
    ours = [take_apart(name, places()) for name in (account.name, *account.aliases)]
    theirs = [take_apart(name, places()) for name in said if name]
    return any(same_company(one, other) for one in theirs for other in ours)


def name_of(contact: ExternalContact, follows: Sequence[Follow]) -> str:
    """What our people call them, else what they call themselves."""
    remarks = [one.remark for one in follows if one.remark]
    return remarks[0] if remarks else contact.name


def company_of(contact: ExternalContact, follows: Sequence[Follow]) -> str:
    noted = [one.company for one in follows if one.company]
    return contact.company or (noted[0] if noted else "")


def tell_unbound(
    desk: Desk, contacts: Sequence[tuple[ExternalContact, Follow]], groups: Sequence[str]
) -> None:
    named = {
        (contact.platform, contact.external_id): (
            name_of(contact, [follow]),
            company_of(contact, [follow]),
        )
        for contact, follow in contacts
    }
    shown = list(named.values())[: texts.MOST_LISTED]
    more = len(named) > len(shown)
    body = texts.unbound(shown, groups, more=more)
    customers.tell_alone(desk, texts.UNBOUND, body)
