"""What may stay of a record when its person's data is erased.

docs/privacy.md (个人信息保护法 47): personal content goes; what proves wages and
contracts stays, without the person.
"""

from __future__ import annotations

import re
from datetime import datetime

ERASED = None
"""Stands where something personal was."""

_CODE = re.compile(r"[A-Za-z][A-Za-z_.]{0,39}\d?")
_HONORIFIC = re.compile(
    r".{1,2}(?:总|工|经理|主任|老师|厂长|科长|处长|部长|院长|校长|小姐|先生|女士)"
)


def impersonal(value: object) -> object:
    """A value of a record, without words of a person: numbers, yes or no, dates and codes
    (price_high, L1) stay, all other text is ERASED. Lists and objects keep their shape."""
    if isinstance(value, dict):
        return {key: impersonal(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [part for part in map(impersonal, value) if part is not ERASED]
    if isinstance(value, str):
        return value if _CODE.fullmatch(value) or _is_time(value) else ERASED
    return value


def tells_apart(name: str) -> bool:
    """Whether a contact's name is one person's: 王总 and 李工 are said of thousands."""
    return len(name) >= 2 and not _HONORIFIC.fullmatch(name)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return not text.isdigit()
