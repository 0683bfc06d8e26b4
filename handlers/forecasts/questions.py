"""The five questions that a rep and a CSM both answer, as inputs of a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain import forecasts as rules
from bot.messages import Field, Option, Platform
from handlers.texts import submissions as texts

SCORES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
"""What a drop-down offers; in words any number may be said."""

_KEYS = tuple(f"q{number}" for number in range(1, rules.QUESTIONS + 1))


def fields(answers: Sequence[int] = ()) -> tuple[Field, ...]:
    """answers: those that stand there already."""
    options = tuple(Option(str(score), f"{score}分") for score in SCORES)
    given = [str(one) for one in answers] or [""] * rules.QUESTIONS
    return tuple(
        Field(key, question, options=options, value=value)
        for key, question, value in zip(_KEYS, texts.QUESTIONS, given, strict=True)
    )


def lines() -> list[str]:
    """The same in words, for cards that have no room for five inputs."""
    return [f"{number}. {question}" for number, question in enumerate(texts.QUESTIONS, 1)]


def fit(platform: Platform) -> bool:
    """Whether a card there has room for five inputs; WeCom's has one."""
    return platform is Platform.DINGTALK


def read(values: Mapping[str, str]) -> tuple[int, ...]:
    """What was chosen; fewer than five where some were not."""
    return tuple(int(values[key]) for key in _KEYS if values.get(key, "").isdigit())
