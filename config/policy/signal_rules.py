"""`[[signals.rules]]` of policy.toml -> rules of bot/domain/signals.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.calendar import ClockKind
from bot.domain.signals import SignalRule


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    label: Annotated[str, Field(min_length=1, max_length=20)]
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    weight: Annotated[float, Field(gt=0, strict=False)]
    half_life_days: Annotated[float, Field(gt=0, strict=False)]
    more_than: Annotated[int, Field(ge=0, le=1000)] = 0
    within_days: Annotated[int, Field(ge=1, le=90)] = 7
    silent_h: Annotated[int, Field(ge=0, le=1000)] = 0
    clock: Annotated[ClockKind, Field(strict=False)] = ClockKind.WORKDAY
    task: bool = False


def read_rules(given: Sequence[Mapping[str, Any]]) -> tuple[SignalRule, ...]:
    """Raises ValueError that says which rule and which of its keys."""
    rules = []
    for place, raw in enumerate(given, 1):
        try:
            rules.append(SignalRule(**_Rule.model_validate(raw).model_dump()))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise ValueError(f"第 {place} 条 {key} (rule {place}, {key}): {first['msg']}") from None
    keys = [rule.key for rule in rules]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise ValueError(f"key 重复 (the same key twice)：{min(twice)}")
    return tuple(rules)
