from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from handlers.machine_forecast.backtest import backtest, weekly_origins
from tests.handlers.machine_forecast.sales import Deal, deals, on, table


def test_ours_stands_beside_the_baselines(tmp_path: Path) -> None:
    report = backtest(table(tmp_path, deals(330)), [30, 90])
    assert list(report) == [
        "gendan",
        "last_days",
        "average",
        "last_quarter_rate",
        "quarter_ago",
        "weighted_pipeline",
    ]
    ours = report["gendan"]["30"]
    assert set(ours) == {"wape", "accuracy", "wape_manager", "coverage", "n"}
    assert ours["wape"] is not None
    assert ours["accuracy"] == pytest.approx(1 - ours["wape"])
    assert report["average"]["30"]["n"] == ours["n"]
    assert ours["wape"] < 0.5


def test_origins_come_weekly_while_their_horizon_is_over(tmp_path: Path) -> None:
    sales = [Deal(str(n), "甲", "A", "1", on(n), on(n + 1), 1.0) for n in range(300)]
    origins = weekly_origins(table(tmp_path, sales), 30)
    assert origins[0] == on(1 + 91).toordinal()
    assert {later - one for one, later in pairwise(origins)} == {7}
    assert on(300 - 30 - 7).toordinal() < origins[-1] <= on(300 - 30).toordinal()


def test_a_daily_win_is_foretold_by_every_rate(tmp_path: Path) -> None:
    sales = [Deal(str(n), "甲", "A", "5", on(n), on(n + 1), 5.0) for n in range(300)]
    report = backtest(table(tmp_path, sales), [30])
    for method in ("gendan", "last_days", "average", "last_quarter_rate", "quarter_ago"):
        assert report[method]["30"]["wape"] == pytest.approx(0, abs=0.015)


def test_a_team_nobody_knew_at_the_origin_counts_as_missed(tmp_path: Path) -> None:
    sales = [Deal(str(n), "甲", "A", "5", on(n), on(n + 1), 5.0) for n in range(300)]
    new = [Deal(f"new{n}", "乙", "A", "5", on(n), on(n + 1), 5.0) for n in range(240, 271)]
    report = backtest(table(tmp_path, [*sales, *new]), [30], [on(240).toordinal() - 1])
    figures = report["average"]["30"]
    assert figures["wape"] == pytest.approx(0.5, abs=0.03)
    assert figures["wape_manager"] == pytest.approx(0.5, abs=0.03)


def test_a_table_too_short_to_judge_gives_no_figures(tmp_path: Path) -> None:
    report = backtest(table(tmp_path, deals(40)), [90])
    assert report["gendan"]["90"] == {"wape": None, "accuracy": None, "wape_manager": None, "n": 0}


def test_an_empty_table_gives_no_figures(tmp_path: Path) -> None:
    assert backtest(table(tmp_path, []), [30])["gendan"]["30"]["n"] == 0
