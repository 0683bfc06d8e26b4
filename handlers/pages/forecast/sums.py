"""What the submitted lines come to, beside the target and what the machine foresees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.machine_forecasts import MachineForecast
from handlers.forecasts import reading
from handlers.forecasts.reading import Aim, Signed
from handlers.texts import submissions as texts
from handlers.texts.figures import grouped, quarter_words
from handlers.texts.money import amount_words
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Sum:
    """One of the three categories. share: of the target, 0..100; None without one."""

    label: str
    amount: str
    lines: int
    share: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """share: won, of the target, 0..100. gap: what neither is won nor committed, "" for none."""

    quarter: str
    amount: str
    won: str
    committed: str
    share: int
    committed_share: int
    gap: str


@dataclass(frozen=True, slots=True)
class Band:
    """What the machine expects within so many days."""

    days: int
    p20: str
    p50: str
    p80: str


@dataclass(frozen=True, slots=True)
class Machine:
    """why: its main reasons, or why it says nothing."""

    origin: str
    bands: tuple[Band, ...]
    why: tuple[str, ...]


def sums_of(signed: Sequence[Signed], aim: Aim | None) -> tuple[Sum, ...]:
    found = reading.sums(signed)
    return tuple(
        Sum(
            texts.CATEGORIES[one],
            money(fen),
            lines,
            share(fen, aim.target_fen) if aim is not None else None,
        )
        for one, (fen, lines) in found.items()
    )


def target_of(aim: Aim | None) -> Target | None:
    if aim is None:
        return None
    gap = aim.target_fen - aim.won_fen - aim.commit_fen
    return Target(
        quarter=quarter_words(aim.quarter),
        amount=money(aim.target_fen),
        won=money(aim.won_fen),
        committed=money(aim.commit_fen),
        share=min(share(aim.won_fen, aim.target_fen), 100),
        committed_share=min(share(aim.won_fen + aim.commit_fen, aim.target_fen), 100),
        gap=money(gap) if gap > 0 else "",
    )


async def machine_of(tx: UnitOfWork, scope: str) -> Machine | None:
    found: MachineForecast | None = (await tx.machine_forecasts.latest([scope])).get(scope)
    if found is None:
        return None
    bands = tuple(
        Band(days, *(money(fen) for fen in (of.p20, of.p50, of.p80)))
        for days, of in sorted(found.by_horizon.items())
    )
    return Machine(f"{found.origin.month}月{found.origin.day}日", bands, found.reasons)


def money(fen: int) -> str:
    return grouped(amount_words(fen))


def share(fen: int, whole: int) -> int:
    return round(100 * fen / whole) if whole else 0
