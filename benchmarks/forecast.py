"""The forecaster: how fast, and how far off, on the public CRM data set and on made-up teams.

The public set (Maven Analytics, "CRM Sales Opportunities", public domain) is not part of this
repository: GENDAN_CRM_DATA names the folder with its CSV files; without it, it is left out.
"""

from __future__ import annotations

import csv
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.forecast_sets import COLUMNS, FIRST, STORIES, Story, write
from handlers.machine_forecast.backtest import OURS, Report, backtest
from handlers.machine_forecast.predicting import predict
from handlers.machine_forecast.reading import read
from handlers.machine_forecast.table import Table

HORIZONS = (30, 60, 90)
SEEDS = (11, 12, 13)
OPEN = 1_000_000
CLOSED = 100_000
TUNED = range(date(2017, 6, 1).toordinal(), date(2017, 9, 1).toordinal(), 7)
AFTER = range(date(2017, 9, 1).toordinal(), date(2017, 12, 2).toordinal(), 7)


async def main() -> None:
    folder = os.environ.get("GENDAN_CRM_DATA")
    with tempfile.TemporaryDirectory() as scratch:
        if folder:
            public(Path(folder))
        else:
            print("   GENDAN_CRM_DATA is not set: the public data set is left out")
        for name, story in STORIES.items():
            made_up(name, story, Path(scratch) / "made.csv")
        million(Path(scratch) / "million.csv")


def public(folder: Path) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    table = read(folder / "sales_pipeline.csv")
    backtest(table, HORIZONS)
    took, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    print(f"   backtest of {len(table):,} opportunities: {took:.1f} s, {cpu_s:.1f} s of one core")
    for title, origins in (("tuned", TUNED), ("after", AFTER), ("both", [*TUNED, *AFTER])):
        report = backtest(table, HORIZONS, origins)
        for method, of in report.items():
            print(f"   {title:6}{method:20}", *(_figures(of[str(h)]) for h in HORIZONS), sep=" | ")


def _figures(figures: dict[str, float | int | None]) -> str:
    shown = [figures["wape"], figures["wape_manager"], figures.get("coverage")]
    return (
        " ".join("  –  " if one is None else f"{one:.3f}" for one in shown) + f" n={figures['n']}"
    )


def made_up(name: str, story: Story, path: Path) -> None:
    reports = list(_reports(story, path))
    cells = []
    for horizon in HORIZONS:
        wape = {method: _mean(reports, method, horizon, "wape") for method in reports[0]}
        ours = wape.pop(OURS)
        best = min(wape, key=wape.__getitem__)
        teams = _mean(reports, OURS, horizon, "wape_manager")
        inside = _mean(reports, OURS, horizon, "coverage")
        cells.append(f"{ours:.3f} ({wape[best]:.3f} {best}) {teams:.3f} {inside:.2f}")
    print(f"   {name:22}", *cells, sep=" | ", flush=True)


def _reports(story: Story, path: Path) -> Iterator[Report]:
    """Every fourth week of the last half year that can be judged, for each seed."""
    for seed in SEEDS:
        write(path, replace(story, seed=seed))
        table = read(path)
        last = table.last_day - max(HORIZONS)
        yield backtest(table, HORIZONS, range(max(last - 168, FIRST + 120), last + 1, 28))


def _mean(reports: Sequence[Report], method: str, horizon: int, what: str) -> float:
    return statistics.mean(of[method][str(horizon)][what] or 0.0 for of in reports)


def million(path: Path) -> None:
    origin = _write_million(path)
    started, cpu = time.perf_counter(), time.process_time()
    table: Table = read(path)
    read_s = time.perf_counter() - started
    predict(table, origin, HORIZONS)
    took, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"   predict with {OPEN:,} open opportunities among {OPEN + CLOSED:,}: {took:.1f} s, "
        f"of which {read_s:.1f} s reading; {cpu_s:.1f} s of one core; peak memory {peak:.1f} GiB"
    )


def _write_million(path: Path) -> int:
    """Two years of sales by 500 teams; a million of them still open. Returns the origin."""
    dice = np.random.default_rng(3)
    count, days = OPEN + CLOSED, 730
    created = FIRST + dice.integers(0, days, count)
    closed = np.minimum(created + dice.integers(1, 120, count), FIRST + days - 1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n in range(count):
            since = date.fromordinal(int(created[n])).isoformat()
            what = (n, f"rep{n % 10_000}", f"team{n % 500}", f"p{n % 40}", 100 + n % 40 * 50, since)
            until = date.fromordinal(int(closed[n])).isoformat()
            ended = ("won", until, 90 + n % 40 * 45) if n % 2 else ("lost", until, 0)
            writer.writerow((*what, *(ended if n < CLOSED else ("open", "", ""))))
    return FIRST + days - 1
