"""Reading JSON from outside: typed values, or what stands for nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson

Body = dict[str, Any]


def read_object(raw: bytes | str) -> Body | None:
    """The JSON object in `raw`; None when it is none.

    orjson refuses half a surrogate pair, which is what is left of an emoji in a nickname
    cut to length; the standard parser takes it.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            return None
    return body if isinstance(body, dict) else None


def obj(body: Body, name: str) -> Body:
    """The object under `name`, which some doors send as a JSON string; {} when none."""
    value = body.get(name)
    if isinstance(value, str):
        return read_object(value) or {}
    return value if isinstance(value, dict) else {}


def rows(body: Body, name: str) -> list[Any]:
    value = body.get(name)
    return value if isinstance(value, list) else []


def text(body: Body, name: str) -> str:
    """Text that can be stored and sent again; numbers as written, anything else as ""."""
    value = body.get(name)
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def number(body: Body, name: str) -> int | None:
    """A whole number, sent as one or as a string."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def flag(body: Body, name: str, *, default: bool = False) -> bool:
    """The documentation shows booleans as strings; live answers are typed."""
    value = body.get(name, default)
    return value.lower() == "true" if isinstance(value, str) else bool(value)


def moment(body: Body, name: str) -> datetime | None:
    """Milliseconds since the epoch as UTC."""
    value = number(body, name)
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
