"""Spans of what the program does, for whoever collects them. Where nobody does, none is made.

There is one tracer for the process, as there is one registry of metrics. A span carries names
of ours and codes: never what people wrote, no ids of people, no address with its query.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """OpenTelemetry's kind of a span."""

    ROOT = "root"  # a delivery comes in: everything that follows from it hangs below
    WORK = "work"
    CALL = "call"  # to an outside system


class Span(Protocol):
    """One span under way."""

    def note(self, **attributes: str | int) -> None: ...


class Tracer(Protocol):
    """Makes spans; the only thing that the program knows of OpenTelemetry."""

    def span(
        self, name: str, kind: Kind, *, delivery: str = "", trace: str = ""
    ) -> AbstractContextManager[Span]:
        """Below what is under way in this task; of a delivery ("<channel>:<delivery id>"), or
        of what `trace` names: in its trace, whichever process and whenever. What is raised
        inside goes on its way."""
        ...

    def trace_of(self, delivery: str) -> str:
        """W3C's traceparent."""
        ...


class _Nobody:
    def note(self, **attributes: str | int) -> None:
        pass


_NOTHING: AbstractContextManager[Span] = nullcontext(_Nobody())
_tracer: Tracer | None = None


def switch_on(tracer: Tracer | None) -> None:
    """None: off again."""
    global _tracer  # noqa: PLW0603 - see above
    _tracer = tracer


def span(
    name: str, kind: Kind, *, delivery: str = "", trace: str = ""
) -> AbstractContextManager[Span]:
    if _tracer is None:
        return _NOTHING
    return _tracer.span(name, kind, delivery=delivery, trace=trace)


def trace_of(delivery: str) -> str:
    """W3C's traceparent; "" where nobody collects."""
    return "" if _tracer is None else _tracer.trace_of(delivery)
