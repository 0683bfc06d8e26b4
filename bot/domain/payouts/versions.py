"""Which rules are in force for a signing day, as known at a moment; conditions compiled once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import reduce

from bot.domain.payouts.conditions import Test
from bot.domain.payouts.rules import Rule


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A version of a rule, ready to be asked. matches: (deal, contract fen, paid fen) -> whether
    all conditions hold."""

    rule: Rule
    matches: Test = field(compare=False, repr=False)


class RuleBook:
    """Published rules, asked by signing day.

    A *generation* counts how many superseding versions are public at a moment: within one
    generation the answer for a day never changes.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._compiled = {rule.position: CompiledRule(rule, _compile(rule)) for rule in rules}
        self._found: dict[tuple[date, int], tuple[CompiledRule, ...]] = {}
        self.publications: tuple[datetime, ...] = tuple(
            sorted(
                rule.published_at
                for rule in rules
                if rule.supersedes is not None and rule.published_at is not None
            )
        )

    def generation(self, known_at: datetime | None) -> int:
        """How many publications there had been then; known_at: None for all there are."""
        if known_at is None:
            return len(self.publications)
        return bisect_right(self.publications, known_at)

    def in_force(self, day: date, generation: int) -> tuple[CompiledRule, ...]:
        """In the order of the file."""
        key = (day, generation)
        if key not in self._found:
            self._found[key] = tuple(
                self._compiled[rule.position] for rule in self._select(day, generation)
            )
        return self._found[key]

    def _select(self, day: date, generation: int) -> list[Rule]:
        rules = [rule for rule in self.rules if rule.covers(day) and self._known(rule, generation)]
        replaced = {(rule.id, rule.supersedes) for rule in rules if rule.supersedes is not None}
        return [rule for rule in rules if (rule.id, rule.version) not in replaced]

    def _known(self, rule: Rule, generation: int) -> bool:
        if rule.supersedes is None or rule.published_at is None:
            return True
        return bisect_right(self.publications, rule.published_at) <= generation


def _compile(rule: Rule) -> Test:
    tests = [each.compiled() for each in rule.when]
    if not tests:
        return lambda deal, contract, paid: True
    return reduce(_both, tests)


def _both(first: Test, second: Test) -> Test:
    return lambda deal, contract, paid: first(deal, contract, paid) and second(deal, contract, paid)
