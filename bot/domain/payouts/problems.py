"""What is wrong with rules or facts, in words for the person who wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file of rules or facts. key: stable name of the kind of mistake
    (`tier_overlap`). place: rule, version and field, or deal or event and field. text: Chinese,
    what is wrong and what it should be."""

    key: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}：{self.text} ({self.key})"


class UnusableInput(ValueError):
    """Rules or facts from which nothing may be computed. `problems` has at least one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "；".join(str(problem) for problem in self.problems[:_SHOWN])
        more = len(self.problems) - _SHOWN
        super().__init__(f"{shown}；另有 {more} 处" if more > 0 else shown)
