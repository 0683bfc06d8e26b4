"""Something about a contract has changed: its bonuses are computed anew, at once.

Only the contracts that the event touches are computed: the contract itself, or its closer's
month where a rule adds up over it. What a locked month holds is never changed; see
`bot.domain.payouts.ledger`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from bot.domain.opportunities import Account
from bot.domain.payouts.computing import compute
from bot.domain.payouts.days import local_day
from bot.domain.payouts.ledger import Closed, Slot, due_lines, runs_until
from bot.domain.payouts.lines import Result
from bot.domain.payouts.recipients import id_of
from bot.domain.receivables import Contract
from bot.messages import OutboundMessage
from bot.router import Job
from handlers.desk import Office
from handlers.payouts import deal_facts, documents, open_items
from storage.payout_facts import DealPeople
from storage.payout_ledger import NewLine
from storage.unit_of_work import UnitOfWork

AT_ONCE = 100
"""Contracts of one tick after a publication; the next one goes on."""


async def note_contract(tx: UnitOfWork, contract: Contract, account: Account) -> None:
    """A contract came on record: whoever owns its customer closed it, and stays its closer
    whoever owns the customer later. Nobody closed what lies in the pool."""
    first = (await tx.payout_facts.first_of_accounts([account.id])).get(account.id, contract.id)
    seller: int | None = account.owner_id
    if first != contract.id:
        noted = (await tx.payout_facts.people_of([first])).get(first)
        seller = noted.closer_id if noted is not None else account.owner_id
    closer = None if account.in_pool_since is not None else account.owner_id
    kind = "new" if first == contract.id else "upsell"
    await tx.payout_facts.note_people([DealPeople(contract.id, kind, closer, seller)])


async def follow(
    tx: UnitOfWork, office: Office, contract_ids: Collection[int], at: datetime
) -> list[OutboundMessage]:
    """Estimates and open items of these contracts as they are now; what people are to be asked."""
    if not contract_ids:
        return []
    rules = await deal_facts.rules_document(tx)
    if not rules:
        return []
    await tx.payout_ledger.take_turn(shared=True)
    book = deal_facts.book_of(rules)
    touched = set(contract_ids)
    if deal_facts.adds_up_months(book.rules):
        touched = await with_their_months(tx, touched)
    noted, stale = await tx.payout_facts.take_turn(touched)
    closed = await tx.payout_ledger.closed()
    found = await deal_facts.deal_documents(tx, touched, closed, noted=noted)
    snapshots = {number: (one, deal_facts.digest_of(one)) for number, one in found.items()}
    await tx.payout_facts.keep_snapshots(snapshots, at)
    ids = {one["deal"]["id"]: number for number, one in found.items()}
    runs = _runs(found.values(), closed, at)
    facts = documents.to_facts(deal_facts.joined(found.values(), runs))
    result = compute(book, facts)
    await _keep(tx, result, touched=touched, ids=ids, closed=closed, at=at)
    await tx.payout_facts.is_computed(stale)
    reviews = [(ids[one.deal], one) for one in result.needs_review if one.deal in ids]
    return await open_items.keep(tx, office, reviews, touched, at)


def jobs(office: Office) -> tuple[Job[UnitOfWork], ...]:
    """After a publication every contract that it touches is computed anew, some each minute."""

    async def tick(tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        return await follow(tx, office, await tx.payout_facts.stale(limit=AT_ONCE), at)

    def next_due(tx: UnitOfWork) -> Any:
        return tx.payout_facts.next_stale_at()

    return (Job("bonuses under new rules", {"minute": "*"}, tick, next_due=next_due),)


async def month_of(tx: UnitOfWork, closer_id: int, day: date) -> set[int]:
    """The closer's contracts that were signed in the month of that day."""
    first = day.replace(day=1)
    after = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return await tx.payout_facts.closed_by(closer_id, first, after)


async def with_their_months(tx: UnitOfWork, contract_ids: set[int]) -> set[int]:
    """These, and the others that their closers signed in the same months."""
    found = set(contract_ids)
    closers = await tx.payout_facts.closers_of(contract_ids)
    for closer, month in {(closer, day.replace(day=1)) for closer, day in closers}:
        found |= await month_of(tx, closer, month)
    return found


def _runs(found: Iterable[Mapping[str, Any]], closed: list[Closed], at: datetime) -> list[datetime]:
    days = [date.fromisoformat(one["deal"]["signed_at"][:10]) for one in found]
    return runs_until(closed, min([*days, local_day(at)]), at)


async def _keep(
    tx: UnitOfWork,
    result: Result,
    *,
    touched: set[int],
    ids: Mapping[str, int],
    closed: list[Closed],
    at: datetime,
) -> None:
    """Also of contracts that were taken off the record: what was paid for them is taken back."""
    booked = await tx.payout_ledger.booked(touched)
    numbers = {number: name for name, number in ids.items()}
    for contract_id in {key[0] for key in booked} - numbers.keys():
        numbers[contract_id] = await tx.contracts.number_of(contract_id)
    ids = {name: number for number, name in numbers.items()}
    names = await tx.people.names(key[1] for key in booked if key[1] is not None)
    keys = deal_facts.keys_of(names)
    slots = {
        Slot(numbers[number], keys.get(person, "") if person is not None else "", rule): fen
        for (number, person, rule), fen in booked.items()
    }
    lines = [
        NewLine(
            contract_id=ids[one.deal],
            person_id=id_of(one.person),
            month=one.month,
            kind=str(one.kind),
            fen=one.fen,
            rule_id=one.rule_id,
            rule_version=one.rule_version,
            why=one.why,
        )
        for one in due_lines(result.lines, slots, closed=closed, at=at)
    ]
    await tx.payout_ledger.replace_estimates(touched, lines, at)
