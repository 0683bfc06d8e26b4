"""`/side`: the page beside a conversation in WeCom (聊天侧边栏), about whoever is talked to.

The client says which contact or group it is, and could say anything: so a bound conversation shows
its customer to who may see that, and an unbound one shows itself to whose it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.bindings import ChatKind
from bot.domain.opportunities import Account, OpportunityState
from bot.domain.people import Person
from bot.errors import InvalidInput, NotFound, Refused
from bot.messages import InboundMessage, Incoming, Kind, Markdown, OutboundMessage, Platform
from handlers.binding import by_hand, proposing, scopes
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.pages import customer, deals, stream
from handlers.pages.deals import DealLine
from handlers.pages.people import Names
from handlers.pages.stream import Stream
from handlers.texts import binding as binding_texts
from handlers.texts import customers as customer_texts
from handlers.texts import pages as texts
from storage.unit_of_work import UnitOfWork

PLATFORM = str(Platform.WECOM)
MOST_CHOICES = 100
_LIVING = (OpportunityState.OPEN, OpportunityState.ON_HOLD)


@dataclass(frozen=True, slots=True)
class SideCustomer:
    """light: of the worst open deal. promised: the soonest next contact, "" for none."""

    id: int
    name: str
    owner: str
    pooled: bool
    industry: str
    light: str
    deals: tuple[DealLine, ...]
    promised: str
    owed: tuple[str, ...]
    may_log: bool
    stream: Stream


@dataclass(frozen=True, slots=True)
class Proposed:
    """A customer to whom the conversation may belong."""

    id: int
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class SidePage:
    """kind, key: of the conversation. customer: None while it belongs to nobody; then proposed
    are those it seems to belong to, and own are the visitor's others to choose from."""

    kind: str
    key: str
    name: str
    company: str
    customer: SideCustomer | None
    proposed: tuple[Proposed, ...] = ()
    own: tuple[tuple[int, str], ...] = ()


async def page(
    tx: UnitOfWork, office: Office, person: Person, kind: str, key: str, *, at: datetime
) -> SidePage:
    """Raises NotFound also for what is there and not theirs."""
    binding = await tx.chat_bindings.get(PLATFORM, key)
    if binding is not None:
        account = await customer.visible(tx, person, binding.account_id, at)
        name, company = await _named(tx, kind, key)
        return SidePage(kind, key, name, company, await _customer(tx, office, person, account, at))
    await _refuse_others_chat(tx, person, kind, key)
    name, company = await _named(tx, kind, key)
    scope = await scopes.of_person(tx, person)
    found = await proposing.of_chat(tx, scope, PLATFORM, key)
    proposed = tuple(
        Proposed(one.account_id, one.customer, binding_texts.HOW[one.how]) for one in found
    )
    listed = await tx.accounts.page_of_owners({person.id}, limit=MOST_CHOICES, after_id=0)
    named = {one.id for one in proposed}
    own = tuple((one.id, one.name) for one in listed if one.id not in named)
    return SidePage(kind, key, name, company, None, proposed, own)


async def bind(
    tx: UnitOfWork, office: Office, person: Person, kind: str, key: str, *, number: str,
    at: datetime,
) -> None:  # fmt: skip
    """This conversation is that customer's. Raises NotFound, NotAllowed, Refused, InvalidInput."""
    account = await _chosen(tx, person, number, at)
    await _refuse_others_chat(tx, person, kind, key)
    desk = await _desk(tx, office, person, at)
    await by_hand.bind_chat(desk, account, key, ChatKind(kind), platform=PLATFORM)


async def ask_to_log(
    tx: UnitOfWork, office: Office, person: Person, *, number: str, at: datetime
) -> None:
    """The bot writes to the visitor, whose answer is the follow-up: the platform has no way for a
    page to open an application's conversation. Raises NotFound, NotAllowed, Refused,
    InvalidInput."""
    account = await _chosen(tx, person, number, at)
    desk = await _desk(tx, office, person, at)
    await customers.refuse_foreign(desk, account)
    short = account.aliases[0] if account.aliases else account.name
    title, text = texts.log_how(short)
    message = OutboundMessage(f"{desk.incoming.source_id}:0", desk.private, Markdown(title, text))
    await tx.delivery.queue([message], at=at)


async def _customer(
    tx: UnitOfWork, office: Office, person: Person, account: Account, at: datetime
) -> SideCustomer:
    every = await tx.opportunities.of_account(account.id)
    living = [deal for deal in every if deal.state in _LIVING]
    lines = await customer.deal_lines(tx, office, living, at)
    owner, pooled = await Names(tx).of(account.owner_id), account.in_pool_since is not None
    return SideCustomer(
        id=account.id,
        name=account.name,
        owner=customer_texts.in_pool_from(owner) if pooled else owner,
        pooled=pooled,
        industry=account.industry,
        light=deals.worst_light(lines),
        deals=tuple(lines),
        promised=_soonest(lines),
        owed=await customer.owed_lines(tx, office, account.id, at),
        may_log=await customers.may_log(tx, person, account, at),
        stream=await stream.read(tx, office, account.id, kind="", before=None, at=at),
    )


def _soonest(lines: Sequence[DealLine]) -> str:
    """Of the deal that is worst off, else of any."""
    promised = [one for one in lines if one.promised]
    worst = min(promised, key=lambda one: deals.ORDER.get(one.light, 3), default=None)
    return worst.promised if worst is not None else ""


async def _refuse_others_chat(tx: UnitOfWork, person: Person, kind: str, key: str) -> None:
    """Raises NotFound unless the visitor, or somebody they lead, has this conversation."""
    scope = await scopes.of_person(tx, person)
    if kind == ChatKind.CONTACT:
        holders = {one.user_id for one in await tx.external_contacts.follows_of(PLATFORM, key)}
    else:
        group = await tx.chat_groups.get(PLATFORM, key)
        members = (group.members or ()) if group is not None else ()
        holders = {one.member_id for one in members if one.is_staff}
        holders |= {group.owner} if group is not None else set()
    theirs = scope.members is None or any(
        one.platform == PLATFORM and one.user_id in holders for one in scope.members
    )
    if not holders or not theirs:
        raise NotFound(texts.NOT_YOUR_CHAT)


async def _named(tx: UnitOfWork, kind: str, key: str) -> tuple[str, str]:
    """What it is called, and the company as far as anybody noted it."""
    if kind == ChatKind.GROUP:
        names = await tx.chat_groups.names(PLATFORM, [key])
        return names.get(key) or binding_texts.NAMELESS_GROUP, ""
    contact = (await tx.external_contacts.known(PLATFORM, [key])).get(key)
    if contact is None:
        return binding_texts.UNKNOWN_CONTACT, ""
    follows = await tx.external_contacts.follows_of(PLATFORM, key)
    return proposing.name_of(contact, follows), proposing.company_of(contact, follows)


async def _chosen(tx: UnitOfWork, person: Person, number: str, at: datetime) -> Account:
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise InvalidInput(texts.PICK_CUSTOMER)
    return await customer.visible(tx, person, int(number), at)


async def _desk(tx: UnitOfWork, office: Office, person: Person, at: datetime) -> Desk:
    """As if the visitor had said it to the bot alone. Raises Refused where there is no way to
    write to them."""
    to = office.address_of(person)
    if to is None or to.user_id is None:
        raise Refused(texts.NO_WAY_TO_WRITE)
    key = f"page-{secrets.token_hex(12)}"
    message = InboundMessage(to.platform, to.app, key, to, to.user_id, at, Kind.TEXT)
    library = await office.libraries.of_person(tx, person.id)
    return Desk(tx, Incoming(message, f"page:{key}", at), office, person, library)
