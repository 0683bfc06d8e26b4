"""A contract with its people, receipts and complaints as the payout schema has it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from bot.domain.payouts.days import SHANGHAI, midnight
from bot.domain.payouts.facts import Scalar
from bot.domain.payouts.ledger import Closed, counted_at
from bot.domain.payouts.recipients import key_of
from bot.domain.payouts.rule_changes import combine
from bot.domain.payouts.rules import Rule, Scope
from bot.domain.payouts.versions import RuleBook
from bot.domain.receivables import HOME_CURRENCY
from handlers.payouts import documents, office_facts
from handlers.payouts.exact_json import canonical, parse
from storage.payout_facts import DealFacts, DealPeople, Money
from storage.unit_of_work import UnitOfWork

Json = dict[str, Any]

FIELDS: Mapping[str, str] = dict.fromkeys(("customer", "industry", *office_facts.NAMES), "")
"""What our contracts tell beyond what every contract of the payout schema does."""
ANY_DAY = date(2000, 1, 1)
EARLIEST = date(1992, 1, 1)
"""Payout files know no earlier days; a contract that says so is misread, and earns nothing."""


async def rules_document(tx: UnitOfWork, *, until: datetime | None = None) -> list[Json]:
    """All published rules as one rules file; until: as it was then."""
    return combine(await tx.payout_rules.published(until=until))


@lru_cache(maxsize=16)
def _book(document: bytes) -> RuleBook:
    return RuleBook(documents.to_rules(parse(document, "rules")))


def book_of(document: Sequence[Mapping[str, Any]]) -> RuleBook:
    """Read, checked and compiled once for the same rules. Raises InvalidInput."""
    return _book(canonical(list(document)))


def fields_asked(document: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """By the conditions of these rules; of an expression every word that may be a field."""
    rules = book_of(document).rules
    asked = {condition.field for rule in rules for condition in rule.when}
    told = " ".join(str((one.get("collab") or {}).get("when", "")) for one in document)
    return frozenset(asked.union(name for name in office_facts.NAMES if name in told))


def adds_up_months(rules: Iterable[Rule]) -> bool:
    return any(rule.scope is Scope.REP_MONTH for rule in rules)


async def deal_documents(
    tx: UnitOfWork,
    contract_ids: Iterable[int],
    closed: Sequence[Closed],
    *,
    noted: Mapping[int, DealPeople] | None = None,
) -> dict[int, Json]:
    """contract -> {"deal", "events"}, in the order of signing. Contracts that were taken off the
    record are left out. noted: their people, where they were read before."""
    told = await tx.payout_facts.facts(set(contract_ids), noted=noted)
    facts = [one for one in told if one.signed_on >= EARLIEST]
    everybody = {person for one in facts for person in one.people.everybody}
    keys = keys_of(await tx.people.names(everybody))
    told_at_the_office = await office_facts.of(tx, facts)
    return {
        one.contract_id: _document(one, keys, closed, told_at_the_office[one.contract_id])
        for one in facts
    }


def keys_of(names: Mapping[int, str]) -> dict[int, str]:
    """By person: what files call them."""
    return {person_id: key_of(person_id, name) for person_id, name in names.items()}


def digest_of(document: Json) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def joined(found: Iterable[Json], runs: Iterable[datetime] = ()) -> Json:
    """One deals file of several contracts."""
    told = list(found)
    events = [event for one in told for event in one["events"]]
    events += [{"type": "payout_run", "at": iso(at)} for at in runs]
    return {"deals": [one["deal"] for one in told], "events": events}


def _document(
    facts: DealFacts,
    keys: Mapping[int, str],
    closed: Sequence[Closed],
    told_at_the_office: Mapping[str, Scalar],
) -> Json:
    people = facts.people
    deal: Json = {
        "id": facts.number,
        "kind": people.kind,
        "contract_fen": facts.amount_fen,
        "signed_at": iso(midnight(facts.signed_on)),
        "closer": _key(people.closer_id, keys),
        "original_seller": _key(people.original_seller_id, keys),
        "lead_provider": _key(people.lead_provider_id, keys),
        "customer": facts.customer,
        "industry": facts.industry,
        **told_at_the_office,
    }
    if people.shares:
        deal["split"] = [
            {"person": _key(person_id, keys), "weight": weight}
            for person_id, weight in people.shares
        ]
    money = [one for one in facts.money if one.received_on >= EARLIEST]
    events = [_money_event(facts.number, one, closed) for one in money]
    events += [
        {"type": "complaint", "deal": facts.number, "upheld": True, "at": iso(at)}
        for at in facts.complaints
    ]
    return {"deal": deal, "events": events}


def _money_event(number: str, money: Money, closed: Sequence[Closed]) -> Json:
    event: Json = {
        "type": "payment" if money.fen > 0 else "refund",
        "deal": number,
        "fen": abs(money.fen),
        "at": iso(counted_at(money.received_on, money.told_at, closed)),
        "receipt": money.number,
    }
    return event if money.currency == HOME_CURRENCY else {**event, "currency": money.currency}


def _key(person_id: int | None, keys: Mapping[int, str]) -> str | None:
    return None if person_id is None else keys.get(person_id)


def iso(at: datetime) -> str:
    """As payout files write a moment."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")
