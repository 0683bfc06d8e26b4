"""What of an order may be believed, whose it is, and when a forecast line is ours to change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.erp import ErpOrder, Flaw, OrderMatch, OrderStatus, flaw_of, match_order, the_deal
from bot.domain.erp_forecasts import (
    Difference,
    ForecastFacts,
    Step,
    changed_facts,
    disagreements,
    next_step,
)
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.receivables import Contract, ContractTerms

AT = datetime(2026, 1, 28, tzinfo=UTC)
ORDER = ErpOrder(
    "XSDD1", "K1", "恒锐机电", 100, 100, 1, "CNY", date(2026, 1, 28), OrderStatus.CONFIRMED
)
CONTRACT = Contract(7, 3, ContractTerms("HT-1", 100, date(2026, 1, 20)))
FACTS = ForecastFacts("K1", 100, date(2026, 2, 4), "合同", "HT-1")
facts = st.builds(
    ForecastFacts,
    customer_code=st.sampled_from(["K1", "K2"]),
    amount_fen=st.integers(0, 3),
    expected_on=st.just(date(2026, 2, 4)),
    level=st.just("合同"),
    evidence=st.just("HT-1"),
    withdrawn=st.booleans(),
)
lines = st.dictionaries(st.sampled_from(["GD-C1", "GD-C2", "GD-C3"]), facts)


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({}, None),
        ({"status": OrderStatus.CLOSED}, None),
        ({"status": OrderStatus.DRAFT}, Flaw.NOT_AUDITED),
        ({"status": OrderStatus.CANCELLED}, Flaw.CANCELLED),
        ({"currency": "USD"}, Flaw.FOREIGN),
        ({"amount_fen": 0, "lines_fen": 0}, Flaw.NOT_POSITIVE),
        ({"lines_fen": 99}, Flaw.LINES_DIFFER),
    ],
)
def test_only_a_clean_order_is_evidence(changes: dict[str, object], flaw: Flaw | None) -> None:
    assert flaw_of(replace(ORDER, **changes)) is flaw  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("account_id", "contract", "match"),
    [
        (None, None, OrderMatch()),
        (3, None, OrderMatch(3)),
        (None, CONTRACT, OrderMatch(3, 7)),
        (3, CONTRACT, OrderMatch(3, 7)),
        (4, CONTRACT, OrderMatch(contradicts=True)),
    ],
)
def test_code_and_contract_say_whose_an_order_is(
    account_id: int | None, contract: Contract | None, match: OrderMatch
) -> None:
    assert match_order(account_id, contract) == match


@pytest.mark.parametrize(
    ("states", "found"),
    [
        (["open"], 0), (["lost", "won"], 1), (["open", "won"], None), (["lost"], None), ([], None),
        (["on_hold", "invalid"], 0),
    ],
)  # fmt: skip
def test_nobody_guesses_between_two_opportunities(states: list[str], found: int | None) -> None:
    deals = [
        Opportunity(place, 1, "", "", 1, "", AT, OpportunityState(state), AT, AT)
        for place, state in enumerate(states)
    ]
    chosen = the_deal(deals)
    assert (chosen.id if chosen else None) == found


@given(facts, st.none() | facts, st.sets(facts, max_size=3), st.booleans())
def test_what_is_not_ours_is_never_changed_unless_it_is_decided(
    wanted: ForecastFacts, held: ForecastFacts | None, ours: set[ForecastFacts], stood: bool
) -> None:
    step = next_step(wanted, held, ours=ours, stood=stood)
    if step is Step.CHANGE:
        assert held in ours
    if step is Step.CREATE:
        assert held is None
        assert not stood
    if step is Step.NOTHING:
        assert held == wanted or (held is None and wanted.withdrawn)
    decided = next_step(wanted, held, ours=ours, stood=stood, overwrite=True)
    assert decided is not Step.CONFLICT


@given(facts, st.none() | facts, st.sets(facts, max_size=3), st.booleans())
def test_once_written_there_is_nothing_left_to_do(
    wanted: ForecastFacts, held: ForecastFacts | None, ours: set[ForecastFacts], stood: bool
) -> None:
    step = next_step(wanted, held, ours=ours, stood=stood)
    after = wanted if step in (Step.CREATE, Step.CHANGE) else held
    if step is not Step.CONFLICT:
        assert next_step(wanted, after, ours=ours, stood=True) is Step.NOTHING


@given(lines)
def test_an_erp_that_holds_what_it_should_differs_in_nothing(
    wanted: dict[str, ForecastFacts],
) -> None:
    assert disagreements(wanted, wanted) == []
    kept = {key: one for key, one in wanted.items() if not one.withdrawn}
    assert disagreements(wanted, kept) == []


@given(lines, lines)
def test_each_line_differs_in_one_way_at_most(
    wanted: dict[str, ForecastFacts], held: dict[str, ForecastFacts]
) -> None:
    found = {one.key: one.difference for one in disagreements(wanted, held)}
    assert set(found) <= set(wanted) | set(held)
    for key in set(wanted) | set(held):
        if key not in wanted:
            assert found[key] is Difference.STRANGE
        elif key not in held:
            assert (found.get(key) is Difference.MISSING) == (not wanted[key].withdrawn)
        else:
            assert (found.get(key) is Difference.CHANGED) == (wanted[key] != held[key])
    assert disagreements(wanted, held, underway=set(wanted)) == [
        one for one in disagreements(wanted, held) if one.key not in wanted
    ]


def test_what_changed_is_said_as_it_is_held() -> None:
    assert changed_facts(replace(FACTS, amount_fen=90), FACTS) == {"amount_fen": 90}
