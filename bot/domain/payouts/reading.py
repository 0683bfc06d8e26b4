"""One JSON object read key by key; what is wrong is collected, not raised at the first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from bot.domain.payouts.days import to_moment
from bot.domain.payouts.problems import Problem

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class ObjectReader:
    """Reads a JSON object. place: how problems name it. A value that cannot be read gives a
    harmless stand-in and a problem; the caller must not use the result while there is one."""

    def __init__(self, value: object, place: str, problems: list[Problem]) -> None:
        self.place = place
        self._problems = problems
        self.body: Mapping[str, object] = {}
        if isinstance(value, dict):
            self.body = value
        else:
            problems.append(Problem("not_an_object", place, "应是一个 JSON 对象 {…}"))

    def refuse(self, key: str, name: str, text: str) -> None:
        self._problems.append(Problem(key, f"{self.place} {name}".strip(), text))

    def has(self, name: str) -> bool:
        return self.body.get(name) is not None

    def integer(
        self, name: str, *, least: int | None = None, most: int | None = None, default: int = 0,
        required: bool = True,
    ) -> int:  # fmt: skip
        value = self.body.get(name)
        if value is None and not required:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse("not_an_integer", name, "应是整数(金额用分、比例用万分之几)，不能是小数")
            return default
        if least is not None and value < least:
            self.refuse("too_small", name, f"不能小于 {least}")
        if most is not None and value > most:
            self.refuse("too_large", name, f"不能大于 {most}")
        return value

    def text(self, name: str, *, required: bool = True) -> str:
        value = self.body.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.refuse("not_a_text", name, "应是非空文字")
            return ""
        return value

    def flag(self, name: str) -> bool:
        value = self.body.get(name)
        if not isinstance(value, bool):
            self.refuse("not_a_flag", name, "应是 true 或 false")
        return value is True

    def choice(self, name: str, kind: type[E], *, default: E | None = None) -> E:
        value = self.body.get(name, default)
        if isinstance(value, str) and value in [each.value for each in kind]:
            return kind(value)
        self.refuse("unknown_value", name, f"应是 {'、'.join(each.value for each in kind)} 之一")
        return next(iter(kind))

    def parsed(self, name: str, parse: Callable[[str], T], *, like: str, instead: T) -> T:
        """parse raises ValueError; `like`: an example of what it reads."""
        value = self.body.get(name)
        if isinstance(value, str):
            try:
                return parse(value)
            except (ValueError, OverflowError):
                pass
        self.refuse("not_readable", name, f"应形如 {like}")
        return instead

    def moment(self, name: str) -> datetime:
        like = "2026-03-10T10:00:00+08:00"
        return self.parsed(name, to_moment, like=like, instead=to_moment("2000-01-01"))

    def day(self, name: str) -> date:
        parse = date.fromisoformat
        return self.parsed(name, parse, like="2026-03-16", instead=date(2000, 1, 1))

    def items(self, name: str) -> list[object]:
        value = self.body.get(name)
        if isinstance(value, list):
            return value
        self.refuse("not_a_list", name, "应是一个列表 […]")
        return []

    def only(self, known: Collection[str]) -> None:
        for name in self.body:
            if name not in known:
                self.refuse("unknown_key", name, f"没有这个键；可用：{'、'.join(sorted(known))}")
