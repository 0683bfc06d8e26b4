"""Which contract is of which deal, and what of a deal is forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.erp_forecasts import ForecastFacts
from bot.domain.erp_sales import Blocked, Prospect, line_of, pair
from bot.domain.levels import Level
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.receivables import Contract, ContractTerms

DAY = date(2026, 2, 20)
NOW = datetime(2026, 1, 28, tzinfo=UTC)


def deal(number: int, fen: int | None = 100, **other: object) -> Opportunity:
    blank = Opportunity(
        id=number,
        account_id=1,
        account_name="恒锐机电",
        name=f"第{number}期",
        owner_id=1,
        stage="quote",
        stage_since=NOW,
        state=OpportunityState.OPEN,
        created_at=NOW,
        assigned_at=NOW,
        amount_fen=fen,
    )
    return replace(blank, **other)  # type: ignore[arg-type]


def contract(number: int, fen: int = 100, recorded_at: datetime = NOW) -> Contract:
    return Contract(number, 1, ContractTerms(f"HT-{number}", fen, date(2026, 1, 28)), recorded_at)


LATER = NOW + timedelta(days=1)
LOST = OpportunityState.LOST


@pytest.mark.parametrize(
    ("contracts", "deals", "orders", "said", "pairs", "unclear"),
    [
        ([contract(1)], [deal(5)], {}, {}, {1: 5}, {}),
        ([contract(1)], [deal(5, 90)], {}, {}, {1: 5}, {}),
        ([contract(1)], [deal(5, state=LOST)], {}, {}, {}, {}),
        ([contract(1)], [deal(5, created_at=LATER)], {}, {}, {}, {}),
        ([contract(1)], [deal(5, 90), deal(6, 100)], {}, {}, {1: 6}, {}),
        ([contract(1)], [deal(5, 90), deal(6, 80)], {}, {}, {}, {1: (5, 6)}),
        ([contract(1)], [deal(5), deal(6)], {5: ["HT-1"]}, {}, {1: 5}, {}),
        ([contract(1)], [deal(5), deal(6)], {5: ["HT-1"]}, {1: 6}, {1: 6}, {}),
        ([contract(1)], [deal(5)], {}, {1: None}, {}, {}),
        ([contract(1, 7), contract(2)], [deal(5), deal(6, 9)], {}, {}, {2: 5, 1: 6}, {}),
        ([contract(1), contract(2, 8)], [deal(5)], {}, {}, {1: 5}, {}),
    ],
)
def test_a_contract_belongs_to_the_deal_that_the_record_names(
    *,
    contracts: list[Contract],
    deals: list[Opportunity],
    orders: Mapping[int, list[str]],
    said: Mapping[int, int | None],
    pairs: Mapping[int, int],
    unclear: Mapping[int, tuple[int, ...]],
) -> None:
    found = pair(contracts, deals, orders=orders, said=said)
    assert (found.deal_of, found.unclear) == (pairs, unclear)
    assert found.in_doubt == {one for of in unclear.values() for one in of}


@given(
    st.lists(st.integers(1, 3), max_size=5),
    st.lists(st.integers(1, 3), max_size=5),
)
def test_nothing_is_told_twice_whatever_the_amounts(theirs: list[int], ours: list[int]) -> None:
    contracts = [contract(number, fen) for number, fen in enumerate(theirs)]
    deals = [deal(number, fen) for number, fen in enumerate(ours)]
    found = pair(contracts, deals, orders={}, said={})
    assert len(set(found.deal_of.values())) == len(found.deal_of)
    assert not found.in_doubt & set(found.deal_of.values())
    assert not found.unclear.keys() & found.deal_of.keys()
    told = len(deals) - len(found.deal_of) - len(found.in_doubt)
    if len(contracts) >= len(deals):
        assert told == 0  # each deal may be one that is signed


SURE = Prospect(deal(5), Level.L1, DAY, "K1", orders=("PO-7", "PO-8"))
L2, L25 = replace(SURE, level=Level.L2), replace(SURE, level=Level.L2_5)


@pytest.mark.parametrize(
    ("prospect", "to_level", "came_to"),
    [
        (SURE, 1, ForecastFacts("K1", 100, DAY, "L1", "PO-7、PO-8", "第5期")),
        (
            replace(SURE, ordered_fen=40),
            1,
            ForecastFacts("K1", 60, DAY, "L1", "PO-7、PO-8", "第5期"),
        ),
        (L2, 2, ForecastFacts("K1", 100, DAY, "L2", "PO-7、PO-8", "第5期")),
        (L2, 1, None),
        (L25, 2, None),
        (SURE, 0, None),
        (replace(SURE, level=None), 2, None),
        (replace(SURE, signed=True), 1, None),
        (replace(SURE, ordered_fen=100), 1, None),
        (replace(SURE, deal=deal(5, state=LOST)), 1, None),
        (replace(SURE, deal=deal(5, None)), 1, Blocked.NO_AMOUNT),
        (replace(SURE, expected_on=None), 1, Blocked.NO_EXPECTED_DAY),
        (replace(SURE, customer_code=None), 1, Blocked.NO_CODE),
        (replace(SURE, in_doubt=True), 1, Blocked.WHOSE_CONTRACT),
    ],
)
def test_what_of_a_deal_is_forecast(
    prospect: Prospect, to_level: int, came_to: ForecastFacts | Blocked | None
) -> None:
    assert line_of(prospect, to_level=to_level) == came_to
