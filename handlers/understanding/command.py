"""`gendan understand`: JSON lines of messages in, JSON lines of records out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bot.domain.calendar import WorkingCalendar
from handlers.understanding import as_json
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.reader import Reader

_YEARS = range(1970, 2200)  # words like 后年 lead further, and the calendar ends


def run(
    lines: Iterable[str],
    now: datetime | None,
    customers: Sequence[str],
    *,
    calendar: WorkingCalendar,
    explain: bool = False,
) -> Iterator[str]:
    """One line out for each line in, in order; a line that cannot be read gives its error.

    now: when a line was sent that does not say so itself. customers: names known to every
    line that brings no `known_customers`. explain: adds the words behind every slot.
    """
    desk = _Desk(Reader(calendar), now, _index(customers))
    for line in lines:
        if line.strip():
            yield json.dumps(desk.answer(line, explain), ensure_ascii=False)


class _Desk:
    """Reads one line after the other, keeping the last list of names."""

    def __init__(self, reader: Reader, now: datetime | None, everyone: CustomerIndex) -> None:
        self._reader = reader
        self._now = now
        self._everyone = everyone
        self._last: tuple[tuple[str, ...], CustomerIndex] = ((), everyone)

    def answer(self, line: str, explain: bool) -> dict[str, object]:
        try:
            text, now, names = _parse(line)
        except ValueError as problem:
            return {"error": str(problem)}
        at = now or self._now
        if at is None:
            return {"error": "no `now` in the line and none given"}
        records = self._reader.read(text, now=at, customers=self._known(names))
        body = as_json.to_json(records)
        return body | {"explain": as_json.explain(records)} if explain else body

    def _known(self, names: tuple[str, ...] | None) -> CustomerIndex:
        if names is None:
            return self._everyone
        if names != self._last[0]:
            self._last = (names, _index(names))
        return self._last[1]


def _index(names: Iterable[str]) -> CustomerIndex:
    index = CustomerIndex()
    for name in filter(None, map(str.strip, names)):
        index.add(name)
    return index


def _parse(line: str) -> tuple[str, datetime | None, tuple[str, ...] | None]:
    """Raises ValueError with what is wrong with the line."""
    try:
        said = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as problem:
        raise ValueError(f"not JSON: {problem}") from None
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        raise ValueError("a line is an object with a string `text`")
    names = said.get("known_customers")
    if names is not None and not (
        isinstance(names, list) and all(isinstance(name, str) for name in names)
    ):
        raise ValueError("`known_customers` is a list of strings")
    return said["text"], _time(said.get("now")), None if names is None else tuple(names)


def _time(said: object) -> datetime | None:
    if said is None:
        return None
    if not isinstance(said, str):
        raise ValueError("`now` is an ISO date-time with an offset")
    at = datetime.fromisoformat(said)
    if at.tzinfo is None:
        raise ValueError("`now` needs an offset such as +08:00")
    if at.year not in _YEARS:
        raise ValueError("`now` is of no year that anybody lives in")
    return at
