"""`gendan forecast` as people and scripts call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.handlers.machine_forecast.sales import deals, write

ROOT = Path(__file__).parents[3]


def forecast(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_bot.py"), "forecast", *arguments]
    return subprocess.run(  # noqa: S603 - our own program
        command, capture_output=True, encoding="utf-8", cwd=ROOT, check=False
    )


def test_predict_answers_in_json(tmp_path: Path) -> None:
    path = str(write(tmp_path / "sales.csv", deals()))
    done = forecast("predict", "--pipeline", path, "--origin", "2025-08-31", "--horizon", "30,45")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert list(answer) == ["total", "by_team", "method", "reasons"]
    assert list(answer["total"]) == ["30", "45"]
    assert list(answer["total"]["30"]) == ["point", "p20", "p80"]
    assert set(answer["by_team"]) == {"北区", "南区"}
    assert len(answer["reasons"]) == 3


def test_backtest_answers_in_json(tmp_path: Path) -> None:
    path = str(write(tmp_path / "sales.csv", deals(200)))
    done = forecast("backtest", "--pipeline", path, "--horizon", "30")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["gendan"]["30"]["n"] > 0


def test_a_broken_table_is_told_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "sales.csv", deals(5))
    path.write_text(path.read_text(encoding="utf-8") + "x,y\n", encoding="utf-8")
    last = len(path.read_text(encoding="utf-8").splitlines())
    done = forecast("backtest", "--pipeline", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"gendan: sales.csv 第 {last} 行：")
    assert done.stderr.count("\n") == 1


def test_wrong_usage_is_told_in_one_line(tmp_path: Path) -> None:
    path = str(write(tmp_path / "sales.csv", deals(5)))
    done = forecast("predict", "--pipeline", path, "--origin", "2025-03-01", "--horizon", "30,x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "30,x" in done.stderr
    assert done.stderr.count("\n") == 1
