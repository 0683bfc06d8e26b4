"""What the engine does, as metrics and, where they are collected, as spans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram, Summary

from bot.messages import Envelope
from bot.ports import AppKey, Outgoing
from bot.watching import Watcher, kind_of, trace_under_way
from connectors.watching import tracing
from connectors.watching.tracing import Kind

MOST_CODES = 200
"""Of a platform and what it may invent: every label value is kept for ever."""

_HANDLED = Histogram(
    "gendan_handling_seconds",
    "One try at a delivery, with its downloads, by how it ended.",
    ["platform", "outcome"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
_SENT = Counter(
    "gendan_sends_total",
    "Tries to send a message, by how each ended and the platform's own code.",
    ["platform", "app", "outcome", "code"],
)
_DEAD = Counter(
    "gendan_dead_letters_total", "Messages given up since the start, by why.", ["box", "kind"]
)
_LATE = Gauge(
    "gendan_tick_late_seconds", "How long after its time the last tick of a job began.", ["job"]
)
_TICKS = Summary("gendan_tick_seconds", "What the ticks of a job took.", ["job"])
_TICKS_BY = Counter("gendan_ticks_total", "Ticks by how each ended.", ["job", "outcome"])

_CODE = re.compile(r"[\w.-]{0,60}", re.ASCII)


class EngineWatch(Watcher):
    """Counts and times what the engine does, for /metrics and traces."""

    def __init__(self) -> None:
        self._codes: set[str] = set()

    @contextmanager
    def accepting(self, envelope: Envelope) -> Iterator[None]:
        with tracing.span(f"callback {envelope.channel}", Kind.ROOT, delivery=_source(envelope)):
            yield

    @contextmanager
    def handling(self, envelope: Envelope, attempts: int) -> Iterator[None]:
        platform, source = str(envelope.platform), _source(envelope)
        outcome, began = "done", perf_counter()
        with tracing.span(f"handle {envelope.channel}", Kind.WORK, delivery=source) as span:
            span.note(attempts=attempts)
            before = trace_under_way.set(tracing.trace_of(source))
            try:
                yield
            except BaseException as error:
                outcome = kind_of(error)
                raise
            finally:
                trace_under_way.reset(before)
                _HANDLED.labels(platform, outcome).observe(perf_counter() - began)

    @contextmanager
    def sending(self, app: AppKey, outgoing: Outgoing) -> Iterator[None]:
        outcome, code = "sent", ""
        with tracing.span(f"send {':'.join(app)}", Kind.WORK, trace=outgoing.trace) as span:
            span.note(content=type(outgoing.content).__name__, attempts=outgoing.attempts)
            try:
                yield
            except BaseException as error:
                outcome, code = kind_of(error), self._known(getattr(error, "code", ""))
                raise
            finally:
                _SENT.labels(*app, outcome, code).inc()
                span.note(outcome=outcome, code=code)

    @contextmanager
    def ticking(self, job: str, late_s: float) -> Iterator[None]:
        _LATE.labels(job).set(late_s)
        outcome = "done"
        with tracing.span(f"tick {job}", Kind.WORK), _TICKS.labels(job).time():
            try:
                yield
            except BaseException as error:
                outcome = kind_of(error)
                raise
            finally:
                _TICKS_BY.labels(job, outcome).inc()

    def dropped_tick(self, job: str) -> None:
        _TICKS_BY.labels(job, "dropped").inc()

    def buried(self, box: str, kind: str) -> None:
        _DEAD.labels(box, kind).inc()

    def _known(self, code: str) -> str:
        if code in self._codes:
            return code
        if len(self._codes) >= MOST_CODES or not _CODE.fullmatch(code):
            return "other"
        self._codes.add(code)
        return code


def _source(envelope: Envelope) -> str:
    return f"{envelope.channel}:{envelope.delivery_id}"
