"""Whether pushes can come over a long connection, and since when and why they cannot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from bot.clock import Clock
from bot.errors import PermanentError, TransientError
from connectors.pace import Pace


class Reach:
    """Kept by whoever keeps the connections of one application.

    up: set while pushes can come. down_since: since when none can; None while one can. refusal:
    why the platform lets us open none, "" while it does not say so. failure: what went wrong last.
    """

    def __init__(
        self,
        pace: Pace,
        clock: Clock,
        *,
        count: Callable[[str], None],
        log: logging.Logger,
        fields: Mapping[str, object],
    ) -> None:
        """count: an attempt to open that "failed" or was "refused". log, fields: where and as
        what it is told."""
        self.up = asyncio.Event()
        self.down_since: datetime | None = clock.now()
        self.refusal = ""
        self.failure = "还没有连上"
        self._pace = pace
        self._clock = clock
        self._count = count
        self._log = log
        self._fields = fields

    @property
    def trouble(self) -> str:
        """Why no push can come; "" while one can."""
        return "" if self.down_since is None else self.refusal or self.failure

    def begin(self) -> None:
        """Time in which nobody tried does not count."""
        self.down_since = self._clock.now() if self.down_since else None

    def gained(self) -> None:
        """Platform back: one line."""
        self.refusal = ""
        if self.down_since is not None:
            self._log.info("listening", extra=self._fields)
        self.down_since = None
        self.up.set()

    def lost(self) -> None:
        self.up.clear()
        self.down_since = self._clock.now()

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Around one attempt. What goes wrong in it is noted, and decides when the next may be."""
        self._pace.began(_now())
        try:
            yield
        except PermanentError as error:
            self._pace.refused(_now())
            self._failed(str(error), "refused")
        except TransientError as error:
            self._pace.failed(_now(), retry_after_s=error.retry_after_s)
            self._failed(str(error), "failed")
        except Exception as error:  # noqa: BLE001 - a bug in one attempt must not end the next
            self._log.exception("a connection could not be opened", extra=self._fields)
            self._pace.failed(_now())
            self._failed(type(error).__name__, "failed")

    def _failed(self, why: str, outcome: str) -> None:
        """One line when it begins to fail; the rest is counted."""
        self._count(outcome)
        if not self.refusal and outcome == "refused":
            self._log.error("no connection is allowed", extra={**self._fields, "error": why})
        self.refusal = why if outcome == "refused" else ""
        self.failure = why


def _now() -> float:
    return asyncio.get_running_loop().time()
