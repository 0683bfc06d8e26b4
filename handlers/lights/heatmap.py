"""Heat maps as PNG: when something was done with a lead, and when nothing was.

Drawing is CPU work of some 0.3 s: `Painter` does it in a thread of its own, where the
drawing library, which takes as long to load, is loaded too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from bot.domain.opportunities import Light


class Signal(StrEnum):
    """The rows of one lead's map."""

    CALL = "电话"
    VISIT = "面访"
    PROPOSAL = "方案"
    QUOTE = "报价"
    MESSAGE = "沟通"
    CUSTOMER = "客户信号"


@dataclass(frozen=True, slots=True)
class LeadHeat:
    """One lead. counts: (kind, local day) -> how often."""

    name: str
    owner: str
    light: Light
    gap_days: int
    counts: Mapping[tuple[Signal, date], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One lead by kind of action, or several leads as rows. days: columns, ascending;
    off: those of them that are not worked. more: leads left out for want of room."""

    days: tuple[date, ...]
    today: date
    leads: tuple[LeadHeat, ...]
    off: frozenset[date] = frozenset()
    more: int = 0


class Painter:
    """Draws one map at a time, off the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="painter")

    async def paint(self, heat_map: HeatMap) -> bytes:
        """A PNG of at most about 60 kB, readable on a phone."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _draw, heat_map)

    def close(self) -> None:
        """Wait for what is being drawn."""
        self._thread.shutdown()


def _draw(heat_map: HeatMap) -> bytes:
    from handlers.lights.heatmap_drawing import draw

    return draw(heat_map)
