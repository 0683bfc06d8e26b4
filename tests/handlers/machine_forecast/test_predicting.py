from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.machine_forecast.predicting import Forecast, predict
from tests.handlers.machine_forecast.sales import Deal, counted, deals, on, table, usual_within

HORIZONS = [30, 60, 90]


def foresee(folder: Path, sales: list[Deal], day: int = 239) -> Forecast:
    return predict(table(folder, sales), on(day).toordinal(), HORIZONS)


def won_between(sales: list[Deal], after: int, until: int) -> float:
    return sum(d.value for d in sales if d.closed and on(after) < d.closed <= on(until))


def assert_sound(forecast: Forecast) -> None:
    """What holds for every forecast, whatever the table."""
    for horizon in HORIZONS:
        teams = [of[horizon] for of in forecast.by_team.values()]
        total = forecast.total[horizon]
        for estimate in (total, *teams):
            assert 0 <= estimate.p20 <= estimate.point <= estimate.p80 < np.inf
        assert total.point == pytest.approx(sum(team.point for team in teams), abs=0.01)
    assert forecast.reasons
    assert forecast.method


def test_steady_sales_go_on(tmp_path: Path) -> None:
    forecast = foresee(tmp_path, deals(360), 359)
    for horizon in HORIZONS:
        assert forecast.total[horizon].point == pytest.approx(usual_within(horizon), rel=0.2)
    assert_sound(forecast)
    assert len(forecast.reasons) == 3


def test_longer_horizons_bring_more(tmp_path: Path) -> None:
    points = [foresee(tmp_path, deals()).total[horizon].point for horizon in HORIZONS]
    assert points == sorted(points)


def test_a_rhythm_of_quarters_is_found_and_gone_on_with(tmp_path: Path) -> None:
    """Five wins a day in the last month of a quarter, one in the others."""
    sales = [
        Deal(f"{day}-{n}", "甲", "A", "100", on(day - 1), on(day), 100.0)
        for day in range(1, 450)
        for n in range(5 if on(day).month % 3 == 0 else 1)
    ]
    last = next(d for d in range(420, 300, -1) if on(d).day == 1 and on(d).month % 3 == 0) - 1
    high = foresee(tmp_path, sales, last).total[30].point
    assert high == pytest.approx(won_between(sales, last, last + 30), rel=0.1)
    before = foresee(tmp_path, sales, last - 31).total[30].point
    assert before == pytest.approx(won_between(sales, last - 31, last - 1), rel=0.3)


def test_a_full_pipeline_is_seen_where_the_pipeline_used_to_tell(tmp_path: Path) -> None:
    """Bursts of creation close forty days later; the burst of the last weeks is still open."""
    bursts = [range(start, start + 20) for start in (0, 75, 190, 260, 345)]
    sales = [
        Deal(f"{day}-{n}", "甲", "A", "100", on(day), on(day + 40 + n), 100.0 * (n % 2))
        for burst in bursts
        for day in burst
        for n in range(6)
    ]
    origin = bursts[-1][-1]
    came = won_between(sales, origin, origin + 45)
    forecast = predict(table(tmp_path, sales), on(origin).toordinal(), [45])
    assert forecast.total[45].point == pytest.approx(came, rel=0.3)
    assert won_between(sales, origin - 45, origin) < 0.5 * came  # the run rate misses it


def test_wins_may_be_counted_instead_of_valued(tmp_path: Path) -> None:
    sales = counted(deals(360))
    forecast = foresee(tmp_path, sales, 359)
    assert forecast.total[60].point == pytest.approx(60 * 2.0 * 0.8 * 0.5, rel=0.2)
    assert_sound(forecast)


def test_another_currency_changes_nothing_but_the_numbers(tmp_path: Path) -> None:
    sales = deals()
    dearer = [replace(deal, price=str(int(deal.price) * 8), value=deal.value * 8) for deal in sales]
    one, other = foresee(tmp_path, sales), foresee(tmp_path, dearer)
    assert other.total[90].p80 == pytest.approx(one.total[90].p80 * 8, rel=1e-3)


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    sales = deals()
    backwards = foresee(tmp_path, sales[::-1])
    assert backwards.total[60].point == pytest.approx(foresee(tmp_path, sales).total[60].point)


def test_the_same_table_gives_the_same_forecast(tmp_path: Path) -> None:
    assert foresee(tmp_path, deals()) == foresee(tmp_path, deals())


def test_a_horizon_is_foreseen_alike_alone_and_among_others(tmp_path: Path) -> None:
    sales = table(tmp_path, deals())
    origin = on(239).toordinal()
    alone = predict(sales, origin, [45]).total[45]
    among = predict(sales, origin, [200, 45, 30]).total[45]
    assert alone.point == pytest.approx(among.point, abs=0.02)


def test_a_bigger_team_gets_the_bigger_share(tmp_path: Path) -> None:
    sales = deals(teams=("大", "大", "大", "小"))
    by_team = foresee(tmp_path, sales).by_team
    assert by_team["大"][60].point > 2 * by_team["小"][60].point > 0


@pytest.mark.parametrize(
    "sales",
    [
        [],
        [Deal("1", "甲", "A", "5", on(1))],
        [Deal("1", "甲", "A", "5", on(1), on(2))],
        [Deal("1", "甲", "A", "5", on(300), on(301), 5.0)],
    ],
    ids=["no rows", "one open", "one lost", "all later"],
)
def test_where_nothing_was_won_it_says_so(tmp_path: Path, sales: list[Deal]) -> None:
    forecast = foresee(tmp_path, sales)
    assert {estimate.point for estimate in forecast.total.values()} == {0.0}
    assert forecast.reasons[0].startswith("历史不足")


def test_what_is_open_bounds_a_forecast_from_nothing(tmp_path: Path) -> None:
    sales = [Deal("1", "甲", "A", "500", on(1)), Deal("2", "乙", "A", "", on(1))]
    forecast = foresee(tmp_path, sales)
    assert forecast.total[30].p80 == 501
    assert forecast.by_team["甲"][30].p80 == 500
    assert_sound(forecast)


def test_little_history_is_said_and_widens_the_bands(tmp_path: Path) -> None:
    sales = deals(45, lag_days=5)
    forecast = foresee(tmp_path, sales, 44)
    assert forecast.reasons[0].startswith("历史不足")
    assert_sound(forecast)
    longer = foresee(tmp_path, deals(240, lag_days=5), 239)
    assert not longer.reasons[0].startswith("历史不足")

    def width(of: Forecast) -> float:
        return (of.total[30].p80 - of.total[30].p20) / of.total[30].point

    assert width(forecast) > 1.3 * width(longer)


def test_deals_open_now_that_are_sure_to_be_won_leave_little_to_chance(tmp_path: Path) -> None:
    """Ten a day, closed after one to 60 days: all of them won, or one of ten."""

    def width(won_of_ten: int) -> float:
        """In units of what so many independent wins would scatter."""
        sales = [
            Deal(f"{day}-{n}", "甲", "A", "100", on(day), on(day + after), 100.0 * (n < won_of_ten))
            if day + after < 190
            else Deal(f"{day}-{n}", "甲", "A", "100", on(day))
            for day in range(190)
            for n in range(10)
            for after in [1 + (7 * n + 11 * day) % 60]
        ]
        said = foresee(tmp_path, sales, 189).total[30]
        return (said.p80 - said.p20) / (said.point * 100) ** 0.5

    assert width(10) < 0.5 * width(1)


def test_a_stray_deal_of_long_ago_does_no_harm(tmp_path: Path) -> None:
    stray = Deal("old", "甲", "A", "100", on(-5000), on(-4000), 100.0)
    with_it = foresee(tmp_path, [stray, *deals(360)], 359).total[30].point
    assert with_it == pytest.approx(foresee(tmp_path, deals(360), 359).total[30].point, rel=0.35)


def test_a_team_that_stopped_long_ago_foresees_little(tmp_path: Path) -> None:
    sales = deals(200)
    forecast = foresee(tmp_path, sales, 700)
    assert forecast.total[30].point < 0.3 * won_between(sales, 170, 200)
    assert_sound(forecast)


days = st.integers(0, 120)
odd_deals = st.lists(
    st.tuples(
        days, st.none() | days, st.sampled_from([0.0, 0.01, 1.0, 9e8]), st.sampled_from("甲乙丙")
    ),
    max_size=40,
)


@settings(max_examples=40)
@given(odd=odd_deals)
def test_every_table_gives_a_sound_forecast(
    tmp_path: Path, odd: list[tuple[int, int | None, float, str]]
) -> None:
    sales = [
        Deal(
            id=str(number),
            team=team,
            product="A" if number % 3 else "",
            price=["", "0", "12.5"][number % 3],
            created=on(created),
            closed=None if lag is None else on(created) + timedelta(days=lag),
            value=0.0 if lag is None else value,
        )
        for number, (created, lag, value, team) in enumerate(odd)
    ]
    assert_sound(foresee(tmp_path, sales, 130))
