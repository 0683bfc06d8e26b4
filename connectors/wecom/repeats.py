"""The platform's own duplicate check, used so that it protects retries and nothing else.

With enable_duplicate_check the platform drops, with errcode 0, a body equal to one it took
within the interval. That is right for a retry after a lost answer and wrong for two
messages that happen to say the same, such as two questions «请问是哪家客户？». So only the
first of equal bodies goes out under the check. A card with an id of its own can
be equal only to itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from bot.clock import Clock

_INTERVAL_S = 300
_LONGEST_INTERVAL_S = 14_400
_REMEMBERED = timedelta(seconds=_INTERVAL_S + 60)  # our clock may run ahead of theirs
_SWEEP_AT = 20_000


class Repeats:
    """Remembers for the interval which message was the first to say something."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._first: dict[bytes, tuple[str, datetime]] = {}

    def protect(self, body: Mapping[str, Any], dedupe_key: str) -> dict[str, Any]:
        """The body, under the check unless another message said the same a moment ago."""
        if "task_id" in body.get("template_card", {}):
            return _checked(body, _LONGEST_INTERVAL_S)
        digest = hashlib.sha256(orjson.dumps(body)).digest()
        now = self._clock.now()
        first, until = self._first.get(digest, (dedupe_key, now))
        first = first if now < until else dedupe_key
        # Each copy, checked or not, starts the platform's interval anew.
        self._first[digest] = (first, now + _REMEMBERED)
        self._sweep(now)
        if first != dedupe_key:
            return dict(body)
        return _checked(body, _INTERVAL_S)

    def _sweep(self, now: datetime) -> None:
        if len(self._first) > _SWEEP_AT:
            self._first = {key: value for key, value in self._first.items() if value[1] > now}


def _checked(body: Mapping[str, Any], interval_s: int) -> dict[str, Any]:
    return {**body, "enable_duplicate_check": 1, "duplicate_check_interval": interval_s}
