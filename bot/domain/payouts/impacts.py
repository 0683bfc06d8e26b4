"""What a change of rules does to people: the same facts under both rules, person by person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.payouts.computing import compute
from bot.domain.payouts.facts import Facts
from bot.domain.payouts.lines import UNASSIGNED
from bot.domain.payouts.versions import RuleBook


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change of rules does to people, found by replaying deals. before, after: fen by
    person, of everybody who gets something under either. deals: how many were replayed."""

    deals: int
    before: Mapping[str, int]
    after: Mapping[str, int]

    @property
    def people(self) -> list[str]:
        return sorted(self.before.keys() | self.after.keys())

    @property
    def changed(self) -> list[str]:
        """Those who get another amount."""
        return [one for one in self.people if self.before.get(one, 0) != self.after.get(one, 0)]

    @property
    def total_before(self) -> int:
        return sum(self.before.values())

    @property
    def total_after(self) -> int:
        return sum(self.after.values())


def compare(old: RuleBook, new: RuleBook, facts: Facts) -> Impact:
    """Without runs, so that amounts are what the facts are worth as a whole."""
    before, after = (dict(compute(book, facts).by_person) for book in (old, new))
    for amounts in (before, after):
        amounts.pop(UNASSIGNED, None)
    return Impact(len(facts.deals), before, after)


def to_json(impact: Impact) -> dict[str, Any]:
    people = [[one, impact.before.get(one, 0), impact.after.get(one, 0)] for one in impact.people]
    return {"deals": impact.deals, "people": people}


def from_json(told: Mapping[str, Any]) -> Impact:
    people = told["people"]
    return Impact(
        told["deals"],
        {one: before for one, before, _ in people},
        {one: after for one, _, after in people},
    )
