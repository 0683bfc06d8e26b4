"""Boxes that an engine found -> lines in the order in which people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.paper import PaperLine


@dataclass(frozen=True, slots=True)
class Box:
    """One stretch of print: its upright bounds in pixels, what it says, how sure that is."""

    left: float
    top: float
    bottom: float
    text: str
    confidence: float

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def lines_of(boxes: Sequence[Box], *, page: int) -> list[PaperLine]:
    """Boxes whose middles lie within each other's height are one line, from left to right: a label
    and its value are often found apart. A line is as sure as its least sure box."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda one: one.middle):
        row = rows[-1] if rows else []
        if row and row[-1].top <= box.middle <= row[-1].bottom:
            row.append(box)
        else:
            rows.append([box])
    return [_line(sorted(row, key=lambda one: one.left), page) for row in rows]


def _line(row: Sequence[Box], page: int) -> PaperLine:
    text = " ".join(box.text.strip() for box in row)
    return PaperLine(text, min(box.confidence for box in row), page)
