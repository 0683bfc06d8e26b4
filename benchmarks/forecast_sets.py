"""Made-up sales teams with other rhythms than the public data set, each from a fixed seed.

A forecaster tuned on one data set is easily fooled by it; these are the others. Every set is a
table in the layout of `forecast predict`, written from a story told in numbers.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FIRST = date(2021, 1, 4).toordinal()
COLUMNS = ("id", "rep", "team", "product", "list_price", "created", "stage", "closed", "value")

Days = NDArray[np.int64]  # as `date.toordinal` counts them
Rates = NDArray[np.float64]  # one of each day


def flat(day: Days) -> Rates:
    return np.ones(len(day))


def weekly(day: Days) -> Rates:
    return np.array([1.6, 1.4, 1.2, 1.0, 0.7, 0.1, 0.05])[(day - 1) % 7]


def yearly(day: Days) -> Rates:
    wave: Rates = np.sin(2 * np.pi * day / 365.25)
    return 1 + 0.5 * wave


def growth(day: Days) -> Rates:
    return np.exp(0.5 * (day - FIRST) / 365)


def decline(day: Days) -> Rates:
    return np.exp(-0.4 * (day - FIRST) / 365)


def campaigns(day: Days) -> Rates:
    """Six weeks of a campaign, then months of quiet, at no fixed distance."""
    starts = FIRST + np.cumsum([60, 150, 110, 190, 130, 170])
    on = np.any([(day >= s) & (day < s + 42) for s in starts], axis=0)
    return np.where(on, 3.0, 0.6)


def step(day: Days) -> Rates:
    return np.where(day < FIRST + 330, 1.0, 0.55)


def spring_festival(day: Days) -> Rates:
    """Three dead weeks a year around the holiday, and a summer a little slow."""
    on = (day - date(2021, 2, 1).toordinal()) % 365
    return np.where(on < 21, 0.15, 1.0) * np.where((on > 160) & (on < 210), 0.8, 1.0)


def to_month_end(closed: Days, dice: np.random.Generator) -> Days:
    """Most closings wait for the last days of their month."""
    ends = np.array([_month_end(int(day), 1) for day in closed]) - dice.integers(0, 4, len(closed))
    return np.where((dice.random(len(closed)) < 0.6) & (ends > closed), ends, closed)


def to_quarter_end(closed: Days, dice: np.random.Generator) -> Days:
    ends = np.array([_month_end(int(day), 3) for day in closed]) - dice.integers(0, 10, len(closed))
    return np.where((dice.random(len(closed)) < 0.5) & (ends > closed), ends, closed)


def on_workdays(closed: Days, dice: np.random.Generator) -> Days:
    to_monday: Days = np.array([0, 0, 0, 0, 0, 2, 1])[(closed - 1) % 7]
    return closed + to_monday


def as_they_come(closed: Days, dice: np.random.Generator) -> Days:
    return closed


def _month_end(day: int, months: int) -> int:
    on = date.fromordinal(day)
    month = (on.month - 1) // months * months + months
    return date(on.year + month // 12, month % 12 + 1, 1).toordinal() - 1


@dataclass(frozen=True, slots=True)
class Story:
    """How one made-up company sells. per_day: opportunities created on an ordinary day."""

    days: int = 730
    per_day: float = 6.0
    inflow: Callable[[Days], Rates] = flat
    lag_days: tuple[float, float] = (1.5, 30.0)  # shape and scale of a gamma
    win_rate: float = 0.4
    win_rhythm: Callable[[Days], Rates] = flat
    never_close: float = 0.1
    closing: Callable[[Days, np.random.Generator], Days] = as_they_come
    teams: tuple[float, ...] = (0.4, 0.25, 0.2, 0.15)
    shift_to_last_team: float = 0.0  # share of the first team's leads the last takes at the end
    prices: tuple[float, ...] = (200.0, 1000.0, 3000.0)
    value_sigma: float = 0.1
    counts: bool = False
    price_known: bool = True
    seed: int = field(default=7, kw_only=True)


STORIES: dict[str, Story] = {
    "flat": Story(),
    "weekly": Story(inflow=weekly, closing=on_workdays, lag_days=(1.0, 20.0)),
    "yearly": Story(days=1280, inflow=yearly, per_day=5),
    "growth": Story(inflow=growth, per_day=3),
    "decline": Story(inflow=decline, per_day=8),
    "step": Story(inflow=step),
    "win rate drifts": Story(win_rhythm=decline, per_day=8, days=600),
    "campaigns, long cycle": Story(inflow=campaigns, lag_days=(30.0, 4.0), per_day=4),
    "month end": Story(closing=to_month_end),
    "quarter end": Story(closing=to_quarter_end, lag_days=(2.0, 30.0)),
    "holidays": Story(win_rhythm=spring_festival, days=1100),
    "heavy tails": Story(value_sigma=1.4, prices=(500.0, 20000.0), per_day=3),
    "sparse": Story(per_day=0.5, teams=(0.7, 0.3), lag_days=(2.0, 40.0)),
    "one team": Story(teams=(1.0,), per_day=3, days=400),
    "teams shift": Story(shift_to_last_team=0.8),
    "counts": Story(counts=True, price_known=False),
    "short history": Story(days=260, per_day=10),
}


def rows(story: Story) -> list[tuple[str, ...]]:
    """The table of a story, as known at its last day."""
    dice = np.random.default_rng(story.seed)
    calendar = np.arange(FIRST, FIRST + story.days)
    born = np.repeat(calendar, dice.poisson(story.per_day * story.inflow(calendar)))
    count = len(born)
    lag = np.maximum(1, dice.gamma(*story.lag_days, count).round()).astype(int)
    closed = story.closing(born + lag, dice)
    never = dice.random(count) < story.never_close
    won = dice.random(count) < story.win_rate * story.win_rhythm(closed)
    open_now = never | (closed >= FIRST + story.days)
    team = dice.choice(len(story.teams), count, p=story.teams)
    moved = dice.random(count) < story.shift_to_last_team * (born - FIRST) / story.days
    team = np.where((team == 0) & moved, len(story.teams) - 1, team)
    product = dice.integers(0, len(story.prices), count)
    price = np.array(story.prices)[product]
    value = np.ones(count) if story.counts else price * dice.lognormal(0, story.value_sigma, count)
    return [
        (
            str(n),
            f"rep{team[n]}-{n % 4}",
            f"team{team[n]}",
            f"product{product[n]}",
            f"{price[n]:.0f}" if story.price_known else "",
            date.fromordinal(int(born[n])).isoformat(),
            "open" if open_now[n] else ("won" if won[n] else "lost"),
            "" if open_now[n] else date.fromordinal(int(closed[n])).isoformat(),
            "" if open_now[n] else f"{value[n]:.2f}" if won[n] else "0",
        )
        for n in range(count)
    ]


def write(path: Path, story: Story) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        writer.writerows(rows(story))
