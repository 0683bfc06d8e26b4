"""`gendan forecast`: what a table of opportunities lets expect, and how well that would have
held so far."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from handlers.machine_forecast import backtest as backtesting
from handlers.machine_forecast import predicting, reading
from handlers.machine_forecast.predicting import Estimate, Forecast
from handlers.texts import machine_forecast as texts

LONGEST_DAYS = 366

app = typer.Typer(help="预测：用商机表预测赢单，回测预测的准头")


def _horizons(text: str) -> list[int]:
    try:
        days = [int(part) for part in text.split(",")]
    except ValueError:
        days = []
    if not days or not all(0 < one <= LONGEST_DAYS for one in days):
        raise typer.BadParameter(texts.not_horizons(text, LONGEST_DAYS))
    return list(dict.fromkeys(days))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(texts.not_a_day("origin", text)) from None


Pipeline = Annotated[Path, typer.Option(help="商机表 CSV")]
Horizon = Annotated[str, typer.Option(metavar="天数,…", help="预测期")]
Origin = Annotated[date, typer.Option(parser=_day, metavar="YYYY-MM-DD", help="截至哪一天")]


@app.command("predict")
def predict(pipeline: Pipeline, origin: Origin, horizon: Horizon = "30,60,90") -> None:
    """预测 origin 之后各期的赢单金额：总数、各团队、区间和理由。"""
    days = _horizons(horizon)
    table = reading.read(pipeline)
    _print(to_json(predicting.predict(table, origin.toordinal(), days)))


@app.command("backtest")
def backtest(pipeline: Pipeline, horizon: Horizon = "30,60,90") -> None:
    """每周一个起点回测：只看当时已知的，和各种基线比较。"""
    days = _horizons(horizon)
    _print(backtesting.backtest(reading.read(pipeline), days))


def to_json(forecast: Forecast) -> dict[str, object]:
    return {
        "total": _by_horizon(forecast.total),
        "by_team": {team: _by_horizon(of) for team, of in forecast.by_team.items()},
        "method": forecast.method,
        "reasons": list(forecast.reasons),
    }


def _by_horizon(estimates: Mapping[int, Estimate]) -> dict[str, dict[str, float]]:
    return {str(horizon): asdict(estimate) for horizon, estimate in estimates.items()}


def _print(answer: object) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2).encode())
