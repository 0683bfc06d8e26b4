"""A change of rules, replayed over past months: who would have got what."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.domain.payouts import impacts
from bot.domain.payouts.days import local_day
from bot.domain.payouts.facts import Facts
from bot.domain.payouts.impacts import Impact
from bot.domain.payouts.rule_changes import (
    Change,
    Document,
    State,
    as_if_always,
    combine,
    effective_on,
    window,
)
from handlers.payouts import deal_facts, documents
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a change of rules would have done to contracts of the past. since, until: when the
    replayed contracts were signed. cuts: (person, fen) of those who would lose something on
    contracts that were signed before the change is public."""

    since: date
    until: date
    impact: Impact
    cuts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """All that a simulation needs, as read. backdated: the contracts that a change which begins
    in the past would touch."""

    change: Change
    published: tuple[tuple[Sequence[Document], datetime], ...]
    since: date
    at: datetime
    deals: dict[int, dict[str, Any]]
    backdated: dict[int, dict[str, Any]]


async def read(
    tx: UnitOfWork, change_id: int, at: datetime, *, since: date | None = None
) -> Material:
    """since: replay from then on, instead of from what the rules of publishing want. Raises
    NotFound."""
    change = await tx.payout_rules.look_at(change_id)
    today = local_day(at)
    tested = change.state is State.TESTING and change.tested_since is not None
    if since is None:
        since = local_day(change.tested_since) if tested and change.tested_since else window(today)
    closed = await tx.payout_ledger.closed()
    deals = await _signed(tx, since, today, closed)
    first = effective_on(change.rules)
    backdated = await _signed(tx, first, today, closed) if first < today else {}
    published = tuple(await tx.payout_rules.published())
    return Material(change, published, since, at, deals, backdated)


async def run(material: Material) -> Simulation:
    """In a thread: a year of contracts takes seconds."""
    return await asyncio.to_thread(simulate, material)


def simulate(material: Material) -> Simulation:
    now = combine(material.published)
    rules = material.change.rules
    new = as_if_always(now, rules, material.since)
    facts = _facts(material.deals)
    impact = impacts.compare(deal_facts.book_of(now), deal_facts.book_of(new), facts)
    return Simulation(material.since, local_day(material.at), impact, _cuts(material, now))


def to_json(simulation: Simulation) -> dict[str, Any]:
    return {
        **impacts.to_json(simulation.impact),
        "since": simulation.since.isoformat(),
        "until": simulation.until.isoformat(),
        "cuts": [list(one) for one in simulation.cuts],
    }


def from_json(told: Mapping[str, Any]) -> Simulation:
    return Simulation(
        date.fromisoformat(told["since"]),
        date.fromisoformat(told["until"]),
        impacts.from_json(told),
        tuple((person, fen) for person, fen in told["cuts"]),
    )


def _cuts(material: Material, now: list[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    """Exactly as it would be paid: with the days on which the rules really begin."""
    if not material.backdated:
        return ()
    after = combine([*material.published, (material.change.rules, material.at)])
    facts = _facts(material.backdated)
    impact = impacts.compare(deal_facts.book_of(now), deal_facts.book_of(after), facts)
    changes = [
        (one, impact.after.get(one, 0) - impact.before.get(one, 0)) for one in impact.changed
    ]
    return tuple((one, fen) for one, fen in changes if fen < 0)


def _facts(deals: Mapping[int, dict[str, Any]]) -> Facts:
    return documents.to_facts(deal_facts.joined(deals.values()))


async def _signed(
    tx: UnitOfWork, since: date, until: date, closed: Any
) -> dict[int, dict[str, Any]]:
    ids = await tx.payout_facts.signed(since, until)
    return await deal_facts.deal_documents(tx, ids, closed)
