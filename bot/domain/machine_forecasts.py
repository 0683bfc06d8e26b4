"""What the forecaster said of a night, as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

TOTAL = "total"


def of_team(leader_id: int) -> str:
    return f"team:{leader_id}"


def of_rep(person_id: int) -> str:
    return f"rep:{person_id}"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Integer fen."""

    p20: int
    p50: int
    p80: int


@dataclass(frozen=True, slots=True)
class MachineForecast:
    """One scope (`TOTAL`, `of_team`, `of_rep`) as foreseen from what was known at the end of day
    `origin`. by_horizon: in days. enough: False where there is too little history (历史不足).
    reasons: the main ones, in words. version: of the method."""

    origin: date
    scope: str
    by_horizon: Mapping[int, Quantiles]
    enough: bool
    method: str
    reasons: tuple[str, ...]
    version: str
    made_at: datetime
