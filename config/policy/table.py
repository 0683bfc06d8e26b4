"""One table of a TOML file, whose keys are taken out one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Member = TypeVar("Member", bound=StrEnum)
Values = TypeVar("Values", bound="DataclassInstance")

LARGEST = 1_000_000  # of any number: in days, as far as the year 4764


class ConfigError(ValueError):
    """A configuration that cannot be used. The text is one line: file, key, what it should be."""


class Table:
    """One table of a TOML file that takes its keys out one by one and knows what is left."""

    def __init__(self, where: str, raw: object) -> None:
        if not isinstance(raw, dict):
            raise ConfigError(f"{where}：应为一个表 (a table is expected)")
        self._where = where
        self._raw = dict(raw)

    def fail(self, key: str, should_be: str) -> ConfigError:
        return ConfigError(f"{self._where}{key}：{should_be}")

    def table(self, key: str) -> Table:
        return Table(f"{self._where}{key}.", self._raw.pop(key, {}))

    def text(self, key: str, default: str | None = None) -> str:
        value = self._raw.pop(key, default)
        if not isinstance(value, str) or not value:
            raise self.fail(key, "应为非空文字 (non-empty text)")
        return value

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        value = self._raw.pop(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "应为文字列表 (a list of texts)")
        return tuple(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self._raw.pop(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, "应为 true 或 false")
        return value

    def whole(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """At most LARGEST: no calendar holds what lies beyond."""
        value = self._raw.pop(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.fail(key, f"应为不小于 {least} 的整数 (a whole number, at least {least})")
        if value > LARGEST:
            raise self.fail(key, f"不应超过 {LARGEST} (at most {LARGEST})")
        return value

    def hours(self, key: str, default: Sequence[int]) -> tuple[int, ...]:
        """Ever later whole hours."""
        value = self._raw.pop(key, list(default))
        numbers = isinstance(value, list) and all(
            isinstance(item, int) and not isinstance(item, bool) and 0 < item <= LARGEST
            for item in value
        )
        if not numbers or sorted(set(value)) != value:
            raise self.fail(key, "应为从小到大的正整数列表 (whole numbers above 0, rising)")
        return tuple(value)

    def share(self, key: str, default: float) -> float:
        value = self._raw.pop(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise self.fail(key, "应为 0 到 1 之间的数 (a number from 0 to 1)")
        return float(value)

    def number(self, key: str, default: float) -> float:
        value = self._raw.pop(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.fail(key, "应为大于 0 的数 (a number above 0)")
        if not 0 < value <= LARGEST:
            raise self.fail(key, f"应大于 0，不超过 {LARGEST} (above 0, at most {LARGEST})")
        return float(value)

    def tables(self, key: str) -> list[dict[str, Any]]:
        value = self._raw.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(key, "应为 [[…]] 表的列表 (a list of tables)")
        return value

    def clock(self, key: str, default: time) -> time:
        value = self._raw.pop(key, default)
        if not isinstance(value, time):
            raise self.fail(key, "应为不带引号的时刻，如 09:00:00 (a clock time, unquoted)")
        return value

    def choice(self, key: str, kind: type[Member], default: Member | None = None) -> Member:
        value = self._raw.pop(key, default)
        try:
            return kind(cast(str, value))
        except ValueError:
            raise self.fail(key, f"应为其中之一 (one of)：{'、'.join(kind)}") from None

    def like(self, usual: Values, *, but: Collection[str] = (), **least: int) -> Values:
        """`usual` with the values of the keys that are called as its fields are, each of the kind
        that it has there. but: fields that are left as they are. least: of whole numbers, where it
        is not 0. Raises ConfigError."""
        names = [one.name for one in fields(usual) if one.name not in but]
        if strange := least.keys() - names:
            raise TypeError(f"{type(usual).__name__} has no {min(strange)}")
        return replace(
            usual,
            **{
                name: self._one_like(name, getattr(usual, name), least.get(name, 0))
                for name in names
            },
        )

    def _one_like(self, key: str, usual: object, least: int) -> object:
        match usual:
            case bool():
                return self.flag(key, usual)
            case int():
                return self.whole(key, usual, least=least)
            case float():
                return self.share(key, usual)
            case time():
                return self.clock(key, usual)
            case StrEnum():
                return self.choice(key, type(usual), usual)
            case str():
                return self.text(key, usual)
            case (int(), *_):
                return self.hours(key, cast(Sequence[int], usual))
            case tuple():
                return self.texts(key, usual)
        raise TypeError(f"{key} is of a kind that no key has")

    def finish(self) -> None:
        """Raises ConfigError if a key was not asked for: a typing error must not pass."""
        if self._raw:
            raise self.fail(next(iter(self._raw)), "没有这个键 (unknown key)")

    def members(self, kind: type[Member]) -> tuple[Member, ...]:
        """The keys that name members of `kind`, in the order of the file."""
        return tuple(kind(key) for key in self._raw if key in set(kind))
