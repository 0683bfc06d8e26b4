"""People as payout files name them: 张伟#5, readable, and never two for one name."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(?<=\S)#\d+(?!\d)")


def key_of(person_id: int, name: str) -> str:
    return f"{name}#{person_id}"


def id_of(key: str) -> int | None:
    """None for "" and for what is no key of ours."""
    _, _, number = key.rpartition("#")
    return int(number) if number.isdecimal() else None


def without_numbers(text: str) -> str:
    """A sentence for people's eyes: names alone."""
    return _NUMBER.sub("", text)
