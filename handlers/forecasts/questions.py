"""The five questions that a rep and a CSM both answer, as inputs of a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain import forecasts as rules
from bot.messages import Field, Platform
from handlers.texts import submissions as texts

_KEYS = tuple(f"q{number}" for number in range(1, rules.QUESTIONS + 1))


def fields(answers: Sequence[int] = ()) -> tuple[Field, ...]:
    """answers: those that stand there already.

    Typed, not chosen: five drop-downs of ten scores are twice what DingTalk takes for one
    variable of a card, and what does not fit is dropped.
    """
    given = [str(one) for one in answers] or [""] * rules.QUESTIONS
    return tuple(
        Field(key, texts.scored(question), kind="text", value=value)
        for key, question, value in zip(_KEYS, texts.QUESTIONS, given, strict=True)
    )


def lines() -> list[str]:
    """The same in words, for cards that have no room for five inputs."""
    return [f"{number}. {question}" for number, question in enumerate(texts.QUESTIONS, 1)]


def fit(platform: Platform) -> bool:
    """Whether a card there has room for five inputs; WeCom's has one."""
    return platform is Platform.DINGTALK


def read(values: Mapping[str, str]) -> tuple[int, ...]:
    """What was typed; fewer than five where some are missing or no whole numbers."""
    typed = (values.get(key, "").strip().removesuffix("分").strip() for key in _KEYS)
    return tuple(int(one) for one in typed if one.isdecimal())
