"""`gendan conversions`: a file of events in, JSON of the daily conversion out."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from bot.domain.conversions import (
    CHINA,
    Conversions,
    Event,
    Merge,
    Status,
    Transition,
    count_conversions,
)
from bot.errors import InvalidInput


def run(file: Path) -> str:
    """The answer to `file`; the shapes of both stand in docs/conversions.md. Raises
    InvalidInput with the first thing that is wrong in it and where, OSError when it cannot
    be read."""
    try:
        content = _object(orjson.loads(file.read_bytes().removeprefix(codecs.BOM_UTF8)))
        initial = _initial(_of(content, "initial"))
        events = _of(content, "events")
        if not isinstance(events, list):
            raise _Wrong("events", "要一个列表 (not a list)")
        counted = count_conversions(initial, _events(events))
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{file}：不是 JSON (not JSON): {error}") from None
    except _Wrong as error:
        raise InvalidInput(f"{file}：{error}") from None
    return _to_json(counted)


class _Wrong(Exception):
    """What is wrong, and where in the file."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)


def _events(given: list[object]) -> Iterator[Event]:
    for number, one in enumerate(given):
        try:
            yield _event(_object(one))
        except _Wrong as error:
            raise _Wrong(f"events[{number}]", str(error)) from None


def _event(given: dict[str, Any]) -> Event:
    event_id, at = _id(_of(given, "id")), _moment(_of(given, "at"))
    if "merge" in given:
        return Merge(event_id, at, *_pair(given["merge"]))
    came_from = _of(given, "from")
    return Transition(
        id=event_id,
        at=at,
        customer=_name(_of(given, "customer"), "customer"),
        came_from=None if came_from is None else _status(came_from, "from"),
        to=_status(_of(given, "to"), "to"),
        required_filled=_count(_of(given, "required_filled")),
    )


def _object(given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _Wrong("", f"要一个对象 (not an object): {_shown(given)}")
    return given


def _of(given: dict[str, Any], key: str) -> object:
    if key not in given:
        raise _Wrong(key, "缺少 (missing)")
    return given[key]


def _initial(given: object) -> dict[str, Status]:
    if not isinstance(given, dict):
        raise _Wrong("initial", f"要一个对象 (not an object): {_shown(given)}")
    return {name: _status(status, f"initial[{_shown(name)}]") for name, status in given.items()}


def _id(given: object) -> str | int:
    if isinstance(given, str | int) and not isinstance(given, bool):
        return given
    raise _Wrong("id", f"要文字或整数 (not a text or whole number): {_shown(given)}")


def _name(given: object, where: str) -> str:
    if not isinstance(given, str):
        raise _Wrong(where, f"要文字 (not a text): {_shown(given)}")
    return given


def _pair(given: object) -> tuple[str, str]:
    if not isinstance(given, list) or len(given) != 2:
        raise _Wrong("merge", f"要 [被并入的, 保留的] (not [loser, survivor]): {_shown(given)}")
    return _name(given[0], "merge[0]"), _name(given[1], "merge[1]")


_STATUSES = {str(status): status for status in Status}


def _status(given: object, where: str) -> Status:
    status = _STATUSES.get(given) if isinstance(given, str) else None
    if status is None:
        raise _Wrong(where, f"没有这个状态 (no such status): {_shown(given)}")
    return status


def _count(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    raise _Wrong("required_filled", f"要非负整数 (not a whole number): {_shown(given)}")


def _moment(given: object) -> datetime:
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _Wrong("at", f"要带时区的 ISO 时间 (no ISO time with an offset): {_shown(given)}")
    try:
        return at.astimezone(CHINA)
    except OverflowError:
        raise _Wrong("at", f"超出日历 (beyond the calendar): {_shown(given)}") from None


def _shown(given: object) -> str:
    """As in the file, short enough for the one line."""
    text = json.dumps(given, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _to_json(counted: Conversions) -> str:
    days = {
        day.day.isoformat(): {
            "numerator": day.numerator,
            "denominator": day.denominator,
            "rate": None if (rate := day.rate) is None else float(rate),
        }
        for day in counted.days
    }
    return json.dumps({"days": days, "rejected": counted.rejected}, ensure_ascii=False)
