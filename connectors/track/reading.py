"""What a website sends, as events.

`{"visitor": "…", "consent": true, "link": "…", "events": [{"id": "…", "kind": "…", "page": "/…",
"ago": 1200, "seconds": 40}]}`. A browser's clock may be wrong, so it says how many milliseconds
ago something happened; a server may say `at` instead. docs/signals.md describes each key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bot.domain.signals import Arrived
from bot.domain.websites import PageKinds, Website, read_ticket

MAX_EVENTS = 50
MAX_PAGE = 300
MAX_SECONDS = 3600
OLDEST = timedelta(days=7)

_ID = re.compile(r"[A-Za-z0-9_-]{8,80}", re.ASCII)
_VISITOR = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


class Malformed(ValueError):
    """Says which key, and what it should be."""


@dataclass(frozen=True, slots=True)
class TrackRequest:
    """A request of a website, before its events are read. key: of a browser, "" for a server."""

    key: str
    visitor: str
    raw: dict[str, Any]


def open_body(body: bytes) -> TrackRequest:
    """Only as much as says who speaks. Raises Malformed."""
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("the body is not JSON") from None
    if not isinstance(raw, dict):
        raise Malformed("the body is not an object")
    key, visitor = raw.get("key", ""), raw.get("visitor", "")
    if not isinstance(key, str) or len(key) > 100:
        raise Malformed("key: a text is expected")
    if not isinstance(visitor, str) or not _VISITOR.fullmatch(visitor):
        raise Malformed("visitor: 8 to 64 letters, digits, _ or - are expected")
    return TrackRequest(key, visitor, raw)


def read(told: TrackRequest, site: Website, kinds: PageKinds, now: datetime) -> list[Arrived]:
    """Raises Malformed: a request with one event that is wrong is refused whole."""
    raw = told.raw
    given = raw.get("events")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_EVENTS:
        raise Malformed(f"events: a list of 1 to {MAX_EVENTS} is expected")
    consent = raw.get("consent") is True
    link_id = _link(raw.get("link"), site, now) if consent else None
    return [
        _event(one, told.visitor, site, kinds.of, now, consent=consent, link_id=link_id)
        for one in given
    ]


def _event(
    one: Any,
    visitor: str,
    site: Website,
    kind_of: Callable[[str], str],
    now: datetime,
    *,
    consent: bool,
    link_id: int | None,
) -> Arrived:
    if not isinstance(one, dict):
        raise Malformed("events: objects are expected")
    event_id, page, kind = one.get("id"), one.get("page", ""), one.get("kind")
    if not isinstance(event_id, str) or not _ID.fullmatch(event_id):
        raise Malformed("events.id: 8 to 80 letters, digits, _ or - are expected")
    if not isinstance(page, str):
        raise Malformed("events.page: a path is expected")
    path = _path(page)
    if kind is None:
        kind = kind_of(path)
    elif not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise Malformed("events.kind: small letters, digits and _ are expected")
    seconds = one.get("seconds", 0)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise Malformed("events.seconds: a number is expected")
    return Arrived(
        site=site.name,
        event_id=event_id,
        visitor=visitor,
        kind=kind,
        at=_moment(one, now),
        received_at=now,
        page=path,
        seconds=min(max(int(seconds), 0), MAX_SECONDS),
        link_id=link_id,
        consent=consent,
    )


def _path(page: str) -> str:
    """Without what follows it: queries may name people."""
    clean = re.split(r"[?#]", page, maxsplit=1)[0]
    return "".join(char for char in clean if char.isprintable())[:MAX_PAGE]


def _moment(one: dict[str, Any], now: datetime) -> datetime:
    """Not in the future, and not further back than a week."""
    if "at" in one:
        try:
            told = datetime.fromisoformat(one["at"])
            at = told.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise Malformed("events.at: an ISO moment is expected") from None
        if told.tzinfo is None:
            raise Malformed("events.at: an offset is expected")
    else:
        ago = one.get("ago", 0)
        if not isinstance(ago, int | float) or isinstance(ago, bool):
            raise Malformed("events.ago: milliseconds are expected")
        at = now - timedelta(milliseconds=min(max(ago, 0), OLDEST.total_seconds() * 1000))
    return min(max(at, now - OLDEST), now)


def _link(given: Any, site: Website, now: datetime) -> int | None:
    """One that is forged or over names nobody, and the visit counts all the same."""
    ticket = read_ticket(site, given) if isinstance(given, str) else None
    return ticket.link_id if ticket is not None and ticket.fresh(now) else None
