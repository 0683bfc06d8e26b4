"""What may stay of a record when its person's data is erased.

docs/privacy.md (个人信息保护法 47): personal content goes; what proves wages and
contracts stays, without the person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

ERASED = None
"""Stands where something personal was."""

_CODE = re.compile(r"[A-Za-z][A-Za-z_.]{0,39}\d?")
_TITLE = r"(?:总|工|经理|主任|老师|厂长|科长|处长|部长|院长|校长|小姐|先生|女士)"
_HONORIFIC = re.compile(rf".{{1,2}}{_TITLE}")


def impersonal(slots: object) -> object:
    """The slots of a record, without words of a person: numbers, yes or no, dates and codes
    (price_high, L1) stay; a slot of which nothing stays goes, as if nobody had told it."""
    if not isinstance(slots, dict):
        return _impersonal(slots)
    kept = {slot: _impersonal(value) for slot, value in slots.items()}
    return {slot: value for slot, value in kept.items() if value is not ERASED}


def _impersonal(value: object) -> object:
    """Lists and objects keep their shape."""
    if isinstance(value, dict):
        return {key: _impersonal(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [part for part in map(_impersonal, value) if part is not ERASED]
    if isinstance(value, str):
        return value if _CODE.fullmatch(value) or _is_time(value) else ERASED
    return value


def is_called(recorded: str, name: str) -> bool:
    """Whether a contact as it was heard bears that name: 王建国厂长 is 王建国."""
    if recorded == name or not tells_apart(name):
        return recorded == name
    return re.fullmatch(re.escape(name) + _TITLE, recorded) is not None


def tells_apart(name: str) -> bool:
    """Whether a contact's name is one person's: 王总 and 李工 are said of thousands."""
    return len(name) >= 2 and not _HONORIFIC.fullmatch(name)


@dataclass(frozen=True, slots=True)
class Called:
    """By what one of ours is named in what is kept. names: and numbers, wherever they stand.
    accounts: ids on platforms, which may be words as well, only where one is a whole value."""

    names: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    def replaced(self, value: Any, by: str) -> Any:
        """A value of a record with another name instead. Lists and objects keep their shape."""
        if isinstance(value, dict):
            return {key: self.replaced(part, by) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.replaced(part, by) for part in value]
        if isinstance(value, str) and (self.names or self.accounts):
            return _pattern(self.names, self.accounts).sub(by, value)
        return value

    def told_in(self, text: str) -> bool:
        return bool(self.replaced(text, "") != text)


def pseudonym_of(person_id: int) -> str:
    """What one of ours is called once their name is erased: the same wherever it stood."""
    return f"离职员工{person_id}"


@lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...], accounts: tuple[str, ...]) -> re.Pattern[str]:
    """Longer ones first, or a part of one would be found in it."""
    each = [re.escape(name) for name in sorted(names, key=len, reverse=True)]
    each += [
        rf"(?:(?<=[\"\[>:|,/])|^){re.escape(one)}(?=[\"\]<:|,/]|$)"
        for one in sorted(accounts, key=len, reverse=True)
    ]
    return re.compile("|".join(each))


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return not text.isdigit()
