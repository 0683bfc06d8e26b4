"""`/customers/{id}`: one customer, and `/customers`: those of the visitor."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.people import Person
from bot.domain.receivables import Payment
from bot.errors import InvalidInput, NotFound
from bot.messages import StoredFile
from handlers.binding import opening
from handlers.binding.opening import ChatWay
from handlers.customers import customers
from handlers.deadlines import owing
from handlers.desk import Office
from handlers.leading import teams
from handlers.leading.teams import LEADING
from handlers.lights import light_heat
from handlers.pages import deals, lights, stream
from handlers.pages.deals import DealLine
from handlers.pages.lights import HeatTable, LightHistory
from handlers.pages.people import Names
from handlers.pages.stream import Stream
from handlers.receivables import receivables
from handlers.texts import customers as customer_texts
from handlers.texts import pages as texts
from handlers.texts import receivables as receivable_texts
from handlers.texts.money import amount_words
from storage.unit_of_work import UnitOfWork
from storage.urgent_customers import START, Place

LIST_PAGE = 50
MOST = 20
_MISSING = {Payment.MISSING: "red", Payment.UNKNOWN: "yellow", Payment.REACHED: "green"}
_URGENT = {"red": 0, "yellow": 1}
_LIVING = (OpportunityState.OPEN, OpportunityState.ON_HOLD)
_PLACE = re.compile(r"([012])\.(\d{1,17})\.(\d{1,18})", re.ASCII)
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ContractLine:
    """tone: green, yellow, red, or "" for nothing to be said. share: of the amount that has
    come in, 0..100."""

    number: str
    amount: str
    received: str
    share: int
    state: str
    tone: str
    due: str


@dataclass(frozen=True, slots=True)
class ContactLine:
    """A contact of the customer."""

    name: str
    title: str
    mobile: str


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """light: of the worst open deal. past_deals: won, lost and invalid ones. owed: what records
    still owe, in words. more_…: how many there are beyond those that are listed."""

    id: int
    name: str
    owner: str
    pooled: bool
    industry: str
    facts: tuple[tuple[str, str], ...]
    light: str
    deals: tuple[DealLine, ...]
    past_deals: tuple[DealLine, ...]
    more_past_deals: int
    histories: tuple[tuple[str, LightHistory], ...]
    heat: HeatTable | None
    contracts: tuple[ContractLine, ...]
    more_contracts: int
    contacts: tuple[ContactLine, ...]
    more_contacts: int
    chats: tuple[ChatWay, ...]
    owed: tuple[str, ...]
    stream: Stream


@dataclass(frozen=True, slots=True)
class ListRow:
    """A customer in the list."""

    id: int
    name: str
    owner: str
    industry: str
    deal: DealLine | None


@dataclass(frozen=True, slots=True)
class CustomerList:
    """after: where the next page goes on, None on the last."""

    rows: tuple[ListRow, ...]
    team: bool
    after: str | None


async def visible(tx: UnitOfWork, person: Person, account_id: int, at: datetime) -> Account:
    """Raises NotFound also for what is there and not theirs: pages tell nobody which numbers
    are customers."""
    try:
        account = await tx.accounts.get(account_id)
    except NotFound:
        raise NotFound(texts.NO_SUCH_CUSTOMER) from None
    if not await customers.may_show(tx, person, account, at):
        raise NotFound(texts.NO_SUCH_CUSTOMER)
    return account


async def page(
    tx: UnitOfWork, office: Office, person: Person, account_id: int, *, kind: str, at: datetime
) -> CustomerPage:
    """Raises NotFound, and InvalidInput for a kind that is none."""
    account = await visible(tx, person, account_id, at)
    names = Names(tx)
    every = await tx.opportunities.of_account(account.id)
    lines = await deal_lines(tx, office, every, at)
    living = [deal for deal in every if deal.state in _LIVING]
    histories = [
        (deal.name, await lights.history(tx, office, deal, names, at)) for deal in living[:3]
    ]
    owner, pooled = await names.of(account.owner_id), account.in_pool_since is not None
    current = [one for one, deal in zip(lines, every, strict=True) if deal.state in _LIVING]
    past = [one for one, deal in zip(lines, every, strict=True) if deal.state not in _LIVING][::-1]
    contracts = await _contracts(tx, office, account.id, at)
    contacts = await tx.accounts.contacts(account.id)
    return CustomerPage(
        id=account.id,
        name=account.name,
        owner=customer_texts.in_pool_from(owner) if pooled else owner,
        pooled=pooled,
        industry=account.industry,
        facts=tuple(_facts(account)),
        light=deals.worst_light(current),
        deals=tuple(current),
        past_deals=tuple(past[:MOST]),
        more_past_deals=max(0, len(past) - MOST),
        histories=tuple(histories),
        heat=await _heat(tx, office, living or every, at),
        contracts=contracts[:MOST],
        more_contracts=max(0, len(contracts) - MOST),
        contacts=tuple(
            ContactLine(one.name, one.title, one.mobile or "") for one in contacts[:MOST]
        ),
        more_contacts=max(0, len(contacts) - MOST),
        chats=tuple(await opening.ways_to(tx, account.id, person)),
        owed=await owed_lines(tx, office, account.id, at),
        stream=await stream.read(tx, office, account.id, kind=kind, before=None, at=at),
    )


async def more(
    tx: UnitOfWork,
    office: Office,
    person: Person,
    account_id: int,
    *,
    kind: str,
    before: str | None,
    at: datetime,
) -> Stream:
    """A further page of the stream, or the first one of another kind. Raises NotFound,
    InvalidInput."""
    account = await visible(tx, person, account_id, at)
    return await stream.read(tx, office, account.id, kind=kind, before=before, at=at)


async def file(
    tx: UnitOfWork,
    person: Person,
    account_id: int,
    *,
    entry_id: int,
    place: int,
    at: datetime,
) -> StoredFile:
    """One that is attached to an entry of a stream the visitor may see. Raises NotFound."""
    account = await visible(tx, person, account_id, at)
    try:
        entry = await tx.activities.get(entry_id)
    except NotFound:
        raise NotFound(texts.NO_SUCH_FILE) from None
    theirs = await tx.activities.belongs_to(entry, account.id)
    if not theirs or not 0 <= place < len(entry.file_hashes):
        raise NotFound(texts.NO_SUCH_FILE)
    found = await tx.files.get(entry.file_hashes[place])
    if found is None:
        raise NotFound(texts.NO_SUCH_FILE)
    return found


async def listed(
    tx: UnitOfWork, office: Office, person: Person, *, after: str | None, at: datetime
) -> CustomerList:
    """Those the visitor and their people look after, the most urgent first. Raises InvalidInput for
    a place that is none."""
    start = _place(after) if after is not None else START
    leading = bool(person.roles & LEADING)
    owners = await _owners(tx, person, at)
    found = await tx.urgent_customers.page(owners, after=start, limit=LIST_PAGE + 1)
    places, names = found[:LIST_PAGE], Names(tx)
    known = await tx.accounts.list_some([one.account_id for one in places])
    shown = [known[one.account_id] for one in places]
    await names.learn(account.owner_id for account in shown)
    living = await tx.opportunities.living_of_accounts([account.id for account in shown])
    lines: dict[int, list[DealLine]] = {}
    for one in await deal_lines(tx, office, living, at):
        lines.setdefault(one.customer_id, []).append(one)
    rows = [
        ListRow(
            account.id,
            account.name,
            await names.of(account.owner_id),
            account.industry,
            min(
                lines.get(account.id, []),
                key=lambda one: (deals.ORDER.get(one.light, 3), -one.gap_days),
                default=None,
            ),
        )
        for account in shown
    ]
    last = _address(places[-1]) if len(found) > LIST_PAGE else None
    return CustomerList(tuple(rows), leading, last)


async def _owners(tx: UnitOfWork, person: Person, at: datetime) -> set[int]:
    """Whose customers they see: their own, their people's, or of whom they stand in for."""
    if person.roles & LEADING:
        more = await teams.below(tx, person)
    else:
        every = await tx.people.list_active()
        more = [one for one in every if customers.stands_in(person, one, at)]
    return {person.id, *(one.id for one in more)}


def _address(place: Place) -> str:
    """As a part of an address: «0.1769500000000000.12», the moment in millionths of a second."""
    return f"{place.rank}.{(place.since - _EPOCH) // _MICROSECOND}.{place.account_id}"


def _place(address: str) -> Place:
    """Raises InvalidInput."""
    found = _PLACE.fullmatch(address)
    if found is None:
        raise InvalidInput(texts.NO_PLACE)
    rank, since, account_id = map(int, found.groups())
    return Place(rank, _EPOCH + since * _MICROSECOND, account_id)


async def owed_lines(
    tx: UnitOfWork, office: Office, account_id: int, at: datetime
) -> tuple[str, ...]:
    """What records still owe, in words."""
    waiting = await tx.deadlines.waiting_of_account(account_id)
    return tuple(
        owing.line_of(one, office.policies, office.calendar) for one in waiting if one.shows(at)
    )


async def deal_lines(
    tx: UnitOfWork, office: Office, every: Sequence[Opportunity], at: datetime
) -> list[DealLine]:
    """In the same order, as far as they stand on record."""
    leads = await tx.lights.list_leads([deal.id for deal in every], lock=False)
    by_id = {lead.opportunity.id: lead for lead in leads}
    return [deals.line(office, by_id[deal.id], at) for deal in every if deal.id in by_id]


def _facts(account: Account) -> list[tuple[str, str]]:
    known = [
        ("统一信用代码", account.credit_code),
        ("电话", account.phone),
        ("网址", account.domain),
        ("又叫", "、".join(account.aliases)),
    ]
    return [(label, value) for label, value in known if value]


async def _heat(
    tx: UnitOfWork, office: Office, shown: Sequence[Opportunity], at: datetime
) -> HeatTable | None:
    if not shown:
        return None
    ids = [deal.id for deal in shown[-light_heat.MOST_LEADS :]]
    return lights.heat_table(await light_heat.heat_map(tx, office.watch, ids, at))


async def _contracts(
    tx: UnitOfWork, office: Office, account_id: int, at: datetime
) -> tuple[ContractLine, ...]:
    """Those of which money is missing first, then the newest."""
    contracts = (await tx.contracts.of_account(account_id))[::-1]
    found = []
    for contract, standing in await receivables.standings(tx, office, contracts, at):
        since = standing.unknown_since
        amount, received = contract.terms.amount_fen, standing.received_fen
        found.append(
            ContractLine(
                number=contract.terms.number,
                amount=amount_words(amount),
                received=amount_words(received),
                share=min(100, max(0, received * 100 // amount)),
                state=receivable_texts.state(standing, since and since.astimezone(office.zone)),
                tone=_MISSING.get(standing.payment, ""),
                due=receivable_texts.day(standing.due_on) if standing.due_on else "",
            )
        )
    return tuple(sorted(found, key=lambda one: _URGENT.get(one.tone, len(_URGENT))))
