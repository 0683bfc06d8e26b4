"""A forecast may not know what happens after its origin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.machine_forecast.predicting import predict
from handlers.machine_forecast.table import as_known
from tests.handlers.machine_forecast.sales import Deal, deals, on, table

ORIGIN = on(150)
SALES = deals(200)


def test_later_rows_are_gone_and_later_closings_are_open(tmp_path: Path) -> None:
    day = timedelta(days=1)
    sales = [
        Deal("1", "甲", "A", "9", ORIGIN - 9 * day, ORIGIN, 8.0),
        Deal("2", "甲", "A", "9", ORIGIN, ORIGIN + day, 8.0),
        Deal("3", "乙", "B", "9", ORIGIN + day, ORIGIN + 2 * day, 8.0),
    ]
    known = as_known(table(tmp_path, sales), ORIGIN.toordinal())
    assert known.won.tolist() == [True, False]
    assert known.is_open.tolist() == [False, True]
    assert known.value.tolist() == [8.0, 0.0]
    assert known.teams == ("甲",)
    assert known.products == ("A",)


@pytest.fixture(scope="module")
def foreseen(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = tmp_path_factory.mktemp("as_it_was")
    return predict(table(folder, SALES), ORIGIN.toordinal(), [30, 60])


def otherwise(deal: Deal, dice: np.random.Generator) -> Deal | None:
    """Another future for a deal, the same past."""
    if deal.created > ORIGIN:
        unborn = replace(deal, team="新区", product="新品", price="77777", closed=None, value=0.0)
        return None if dice.random() < 0.5 else unborn
    if deal.closed is not None and deal.closed <= ORIGIN:
        return deal
    if dice.random() < 0.3:
        return replace(deal, closed=None, value=0.0)
    closed = ORIGIN + timedelta(days=int(dice.integers(1, 400)))
    return replace(deal, closed=closed, value=float(dice.choice([0.0, 1.0, 1e9])))


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_fact_of_the_future_changes_a_forecast(
    tmp_path: Path, foreseen: object, seed: int
) -> None:
    dice = np.random.default_rng(seed)
    other = [changed for deal in SALES if (changed := otherwise(deal, dice))]
    late = Deal("late", "后来", "Z", "1", date(2030, 1, 1), date(2031, 1, 1), 1e12)
    assert predict(table(tmp_path, [*other, late]), ORIGIN.toordinal(), [30, 60]) == foreseen


def test_a_masked_table_gives_the_same_forecast_as_the_whole(
    tmp_path: Path, foreseen: object
) -> None:
    known = as_known(table(tmp_path, SALES), ORIGIN.toordinal())
    assert predict(known, ORIGIN.toordinal(), [30, 60]) == foreseen
