"""The steps of a change of rules, and how versions follow one another."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any

import pytest

from bot.domain.payouts.checking import check_rules
from bot.domain.payouts.days import SHANGHAI
from bot.domain.payouts.problems import UnusableInput
from bot.domain.payouts.reading_rules import read_rules
from bot.domain.payouts.rule_changes import (
    APPROVERS,
    AUTHORS,
    MOVES,
    Change,
    Move,
    State,
    Unfit,
    as_if_always,
    combine,
    refusal_of,
    window,
)
from bot.domain.people import Person, Role

JANUARY = datetime(2026, 1, 1, 9, tzinfo=SHANGHAI)
MARCH = datetime(2026, 3, 10, 9, tzinfo=SHANGHAI)


def rule(version: int, begins: str, **more: Any) -> dict[str, Any]:
    plain = {"id": "R", "version": version, "effective_from": begins, "mode": "fixed"}
    return {**plain, "amount_fen": 100, **more}


def change(state: State) -> Change:
    return Change(1, (rule(1, "2026-01-01"),), state, author_id=1, created_at=JANUARY)


@pytest.mark.parametrize(("state", "move"), list(itertools.product(State, Move)))
def test_a_move_is_listed_or_refused(state: State, move: Move) -> None:
    other = Person(2, "钱进", roles=frozenset({Role.FINANCE}))
    allowed = (state, move) in MOVES
    assert (refusal_of(change(state), move, other) is None) is allowed


@pytest.mark.parametrize(("role", "move"), list(itertools.product(Role, Move)))
def test_who_may_move_it(role: Role, move: Move) -> None:
    state = next(state for (state, one) in MOVES if one is move)
    why = refusal_of(change(state), move, Person(2, "某人", roles=frozenset({role})))
    allowed = APPROVERS if move in (Move.APPROVE, Move.REFUSE) else AUTHORS
    assert why is (None if role in allowed else Unfit.ROLE)


def test_the_author_does_not_approve_but_may_take_it_back() -> None:
    author = Person(1, "何姐", roles=frozenset({Role.HRBP, Role.SALES_DIRECTOR}))
    assert refusal_of(change(State.SUBMITTED), Move.APPROVE, author) is Unfit.FOUR_EYES
    assert refusal_of(change(State.SUBMITTED), Move.DROP, author) is None


def test_an_open_version_ends_where_a_newer_one_begins() -> None:
    whole = combine([((rule(1, "2026-01-01"),), JANUARY), ((rule(2, "2026-04-01"),), MARCH)])
    assert [(one["version"], one.get("effective_to")) for one in whole] == [
        (1, "2026-04-01"),
        (2, None),
    ]
    check_rules(read_rules(whole))


def test_what_was_published_is_not_edited() -> None:
    first = rule(1, "2026-01-01")
    combine([((first,), JANUARY), ((rule(2, "2026-04-01"),), MARCH)])
    assert "effective_to" not in first


def test_a_newer_version_that_begins_in_the_past_says_so_or_is_refused() -> None:
    whole = combine([((rule(1, "2026-01-01"),), JANUARY), ((rule(2, "2026-02-01"),), MARCH)])
    with pytest.raises(UnusableInput) as refused:
        check_rules(read_rules(whole))
    assert [one.key for one in refused.value.problems] == ["retroactive"]
    named = rule(2, "2026-02-01", supersedes=1)
    check_rules(read_rules(combine([((rule(1, "2026-01-01"),), JANUARY), ((named,), MARCH)])))


def test_a_first_version_may_begin_before_it_is_published() -> None:
    rules = read_rules(combine([((rule(1, "2026-01-01"),), MARCH)]))
    check_rules(rules)
    assert [(one.id, one.version) for one in rules] == [("R", 1)]


def test_a_rule_keeps_its_place() -> None:
    """Caps and groups go by the order of the file."""
    other = {**rule(1, "2026-01-01"), "id": "S"}
    whole = combine([((rule(1, "2026-01-01"), other), JANUARY), ((rule(2, "2026-04-01"),), MARCH)])
    assert [(one["id"], one["version"]) for one in whole] == [("R", 1), ("R", 2), ("S", 1)]


def test_a_replay_puts_the_new_version_in_the_place_of_all_older_ones() -> None:
    other = {**rule(1, "2026-01-01"), "id": "S"}
    published = [rule(1, "2026-01-01", effective_to="2026-02-01"), rule(2, "2026-02-01"), other]
    newer = rule(3, "2026-05-01", supersedes=2)
    whole = as_if_always(published, [newer], date(2025, 12, 1))
    assert [(one["id"], one["version"], one["effective_from"]) for one in whole] == [
        ("R", 3, "2025-12-01"),
        ("S", 1, "2026-01-01"),
    ]
    check_rules(read_rules(whole))


def test_three_whole_months_are_replayed() -> None:
    assert window(date(2026, 2, 28)) == date(2025, 11, 1)
    assert window(date(2026, 12, 1)) == date(2026, 9, 1)
