"""Levels, decays and stages in the forecast: learnt from the company's own past, or not heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.machine_forecast.marks import LEVEL, STAGE, MarkColumns, Marks
from handlers.machine_forecast.predicting import Estimate, Forecast, predict
from handlers.machine_forecast.regression import regress
from handlers.machine_forecast.table import Table
from tests.handlers.machine_forecast.levelled import Company
from tests.handlers.machine_forecast.sales import on

HORIZONS = [30, 60, 90]
ORIGINS = [on(day).toordinal() for day in (440, 485, 528)]
SEEDS = range(10, 14)


def unlevelled(table: Table) -> Table:
    return replace(table, marks=None)


def came(table: Table, origin: int, horizon: int) -> list[float]:
    rows = table.won & (table.closed > origin) & (table.closed <= origin + horizon)
    sums = np.bincount(table.team[rows], table.value[rows], minlength=len(table.teams))
    return [float(one) for one in sums]


def loss(said: Estimate, truth: float) -> float:
    """The proper score of three quantiles (pinball): least for honest ones."""
    quantiles = ((0.2, said.p20), (0.5, said.point), (0.8, said.p80))
    return sum(max(q * (truth - one), (q - 1) * (truth - one)) for q, one in quantiles)


def judged(company: Company, seeds: range = SEEDS) -> dict[str, tuple[float, float]]:
    """(with levels, without): the loss of the total, and of the teams, in units of what came;
    and how far from 60 % the parts within P20-P80 are."""
    losses = {"total": [0.0, 0.0], "teams": [0.0, 0.0]}
    inside: tuple[list[bool], list[bool]] = ([], [])
    for seed in seeds:
        table = company.table(seed)
        for origin in ORIGINS:
            for n, told in enumerate((table, unlevelled(table))):
                said = predict(told, origin, HORIZONS)
                for horizon in HORIZONS:
                    truth = came(table, origin, horizon)
                    whole = sum(truth)
                    losses["total"][n] += loss(said.total[horizon], whole) / whole
                    for team, one in zip(table.teams, truth, strict=True):
                        estimate = said.by_team[team][horizon]
                        losses["teams"][n] += loss(estimate, one) / whole
                        inside[n].append(estimate.p20 <= one <= estimate.p80)
    apart = tuple(abs(float(np.mean(of)) - 0.6) for of in inside)
    return {name: (of[0], of[1]) for name, of in losses.items()} | {"bands": (apart[0], apart[1])}


def test_a_forecast_that_hears_the_levels_is_better_calibrated() -> None:
    """Where an L1 is won nine times in ten and a deal without a level three in a hundred."""
    found = judged(Company())
    with_levels, without = found["teams"]
    assert with_levels < 0.8 * without
    with_levels, without = found["total"]
    assert with_levels < 0.9 * without
    with_levels, without = found["bands"]
    assert with_levels < without


def test_levels_that_tell_nothing_cost_nothing() -> None:
    found = judged(Company(tells=False))
    for name in ("teams", "total"):
        with_levels, without = found[name]
        assert with_levels < 1.05 * without


def test_a_team_full_of_orders_is_told_from_one_without() -> None:
    """Two teams whose past and whose ages are alike; at the origin one's deals are all L1."""
    company = Company(teams=2, per_day=3)
    table = company.table(7)
    origin = on(540).toordinal()
    marks, before = MarkColumns(), table.marks
    assert before is not None
    open_then = (table.created <= origin) & (table.closed > origin)
    for row, day, kind, code in zip(before.row, before.day, before.kind, before.code, strict=True):
        if kind == STAGE or not open_then[row]:
            name = (before.levels, before.stages)[kind][code]
            marks.add(int(row), int(day), int(kind), name, opening=bool(kind == STAGE))
    for row in np.flatnonzero(open_then & (table.team == 0)):
        marks.add(int(row), origin, LEVEL, "L1", opening=False)
    said = predict(replace(table, marks=marks.marks()), origin, HORIZONS)
    alike = predict(unlevelled(table), origin, HORIZONS)
    one, other = (said.by_team[team][30].point for team in table.teams)
    assert one > 3 * other
    one, other = (alike.by_team[team][30].point for team in table.teams)
    assert one < 2 * other


def test_the_reasons_name_level_and_decay_where_they_matter() -> None:
    table = Company(teams=1, per_day=5, decays=1.0).table(3)
    said = predict(table, ORIGINS[0], HORIZONS)
    assert said.version == "gendan-4"
    assert said.method.startswith("gendan-4：")
    assert "定级和阶段" in said.method
    assert len(said.reasons) == 3
    assert "按年龄、定级、衰减和阶段的赢率" in said.reasons[2]
    [lifts] = said.lifts.values()
    by_name = {lift.name: lift for lift in lifts if lift.kind == LEVEL}
    assert by_name["L1"].more > 0 > by_name["L2.5"].more
    assert by_name["L1"].deals > 0


def only_opened(marks: Marks) -> Marks:
    return marks.where(marks.kind == STAGE)


def few(table: Table, wins: int) -> Table:
    """Levels of all that were lost, and of so many that were won."""
    assert table.marks is not None
    won = np.unique(table.marks.row[table.won[table.marks.row] & (table.marks.kind == LEVEL)])
    kept = ~np.isin(table.marks.row, won[wins:])
    return replace(table, marks=table.marks.where(kept))


def test_without_such_a_history_it_is_the_forecast_by_age_alone() -> None:
    table = Company().table(1)
    plain = predict(unlevelled(table), ORIGINS[0], HORIZONS)
    assert plain.version == "gendan-3"
    assert table.marks is not None
    assert predict(replace(table, marks=only_opened(table.marks)), ORIGINS[0], HORIZONS) == plain
    assert predict(few(table, 19), ORIGINS[0], HORIZONS) == plain
    assert predict(few(table, 60), ORIGINS[0], HORIZONS) != plain


@pytest.fixture(scope="module")
def foreseen() -> tuple[Table, Forecast]:
    table = Company(days=400).table(5)
    return table, predict(table, on(330).toordinal(), HORIZONS)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_level_of_the_future_changes_a_forecast(
    foreseen: tuple[Table, Forecast], seed: int
) -> None:
    table, said = foreseen
    assert table.marks is not None
    origin = on(330).toordinal()
    dice = np.random.default_rng(seed)
    known = table.marks.until(origin)
    marks = MarkColumns()
    for row, day, kind, code in zip(known.row, known.day, known.kind, known.code, strict=True):
        name = (known.levels, known.stages)[kind][code]
        marks.add(int(row), int(day), int(kind), name, opening=bool(kind == STAGE))
    for row in dice.integers(len(table), size=200):
        day = origin + 1 + int(dice.integers(60))
        marks.add(int(row), day, LEVEL, str(dice.choice(["L1", "L2", ""])), opening=False)
    assert predict(replace(table, marks=marks.marks()), origin, HORIZONS) == said


entries = st.tuples(st.integers(0, 4), st.integers(1, 9), st.integers(0, 1), st.sampled_from("abc"))


@given(told=st.lists(entries, max_size=30), days=st.lists(st.integers(0, 10), min_size=1))
def test_a_deal_stands_where_it_came_to_last(
    told: list[tuple[int, int, int, str]], days: list[int]
) -> None:
    columns = MarkColumns()
    for row, day, kind, name in told:
        columns.add(row, day, kind, name, opening=False)
    marks = columns.marks()
    asked = sorted(days)
    replayed = marks.replay(5, np.array(asked, dtype=np.int64))
    for day, found in zip(asked, replayed, strict=True):
        for kind, names in ((LEVEL, marks.levels), (STAGE, marks.stages)):
            for row in range(5):
                so_far = [one for one in told if one[0] == row and one[2] == kind and one[1] <= day]
                newest = max((one[1] for one in so_far), default=0)
                expected = next((one[3] for one in reversed(so_far) if one[1] == newest), "")
                assert names[found[kind][row]] == expected


def test_the_most_used_stages_are_kept_apart() -> None:
    columns = MarkColumns()
    for row, name in enumerate("甲甲甲乙乙丙"):
        columns.add(row, 1, STAGE, name, opening=True)
        columns.add(row, 1, LEVEL, "L1", opening=False)
    marks = columns.marks().with_stages(2)
    assert marks.stages == ("", "甲", "乙")
    [(levels, stages)] = marks.replay(6, np.array([1], dtype=np.int64))
    assert stages.tolist() == [1, 1, 1, 2, 2, 0]
    assert levels.tolist() == [1] * 6


chances = st.floats(0.0, 1.0)
counts = st.floats(0.0, 1e6)


@given(cells=st.lists(st.tuples(counts, chances, chances), min_size=1, max_size=12))
def test_a_regression_stays_a_chance_whatever_it_learns_from(
    cells: list[tuple[float, float, float]],
) -> None:
    tried, share, first = (np.array(of) for of in zip(*cells, strict=True))
    marks = np.eye(len(cells))
    found = regress(tried, tried * share, first, marks).chance(first)
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_a_regression_finds_the_odds_that_many_deals_show() -> None:
    marks = np.array([[1.0, 0.0], [0.0, 1.0]])
    tried, first = np.array([5000.0, 5000.0]), np.array([0.3, 0.3])
    found = regress(tried, tried * np.array([0.8, 0.1]), first, marks).chance(first)
    assert found.tolist() == pytest.approx([0.8, 0.1], abs=0.01)
