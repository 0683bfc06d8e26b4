"""Spans by OpenTelemetry, sent to a collector (extra `otel`).

A delivery's trace id is made of its channel and delivery id, so that the callback and each try at
it, also after a crash or in another process, share one trace without anything being stored. What
it causes to be sent is queued with that trace's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot.watching import kind_of
from connectors.watching import tracing
from connectors.watching.tracing import Kind, Span

_KINDS = {Kind.ROOT: SpanKind.SERVER, Kind.WORK: SpanKind.INTERNAL, Kind.CALL: SpanKind.CLIENT}

_W3C, _HEADER = TraceContextTextMapPropagator(), "traceparent"

_wanted: ContextVar[tuple[int, int] | None] = ContextVar("_wanted", default=None)
"""Trace and span id of the root that is about to be begun."""


class _Ids(RandomIdGenerator):
    def generate_trace_id(self) -> int:
        wanted = _wanted.get()
        return wanted[0] if wanted else super().generate_trace_id()

    def generate_span_id(self) -> int:
        wanted = _wanted.get()
        return wanted[1] if wanted else super().generate_span_id()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, **attributes: str | int) -> None:
        self._span.set_attributes({f"gendan.{name}": told for name, told in attributes.items()})


class CollectedSpans:
    """A connectors.watching.tracing.Tracer. share: of deliveries that are collected, from 0 to 1,
    whole traces each."""

    def __init__(self, processor: SpanProcessor, *, share: float) -> None:
        resource = Resource.create({SERVICE_NAME: "gendan"})
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(share), resource=resource, id_generator=_Ids()
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("gendan")

    def span(
        self, name: str, kind: Kind, *, delivery: str = "", trace: str = ""
    ) -> AbstractContextManager[Span]:
        """A delivery that is sent again begins its root again: the same span, told twice."""
        if kind is Kind.ROOT:
            return self._root(name, delivery)
        if trace:
            return self._below(name, kind, _W3C.extract({_HEADER: trace}, Context()))
        return self._below(name, kind, _root_of(delivery) if delivery else None)

    def trace_of(self, delivery: str) -> str:
        carried: dict[str, str] = {}
        _W3C.inject(carried, _root_of(delivery))
        return carried[_HEADER]

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    @contextmanager
    def _root(self, name: str, delivery: str) -> Iterator[Span]:
        before = _wanted.set(_ids_of(delivery))
        try:
            begun = self._tracer.start_span(name, Context(), kind=_KINDS[Kind.ROOT])
        finally:
            _wanted.reset(before)
        with _shown(begun) as span:
            yield span

    @contextmanager
    def _below(self, name: str, kind: Kind, parent: Context | None) -> Iterator[Span]:
        with _shown(self._tracer.start_span(name, parent, kind=_KINDS[kind])) as span:
            yield span


@contextmanager
def _shown(span: trace.Span) -> Iterator[Span]:
    """Of an error only its kind: what it says may quote what a platform said."""
    with trace.use_span(
        span, end_on_exit=True, record_exception=False, set_status_on_exception=False
    ):
        try:
            yield _Span(span)
        except BaseException as error:
            kind = kind_of(error)
            if kind != "aside":
                span.set_status(Status(StatusCode.ERROR, kind))
            raise


def _root_of(delivery: str) -> Context:
    trace_id, span_id = _ids_of(delivery)
    root = SpanContext(
        trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return trace.set_span_in_context(NonRecordingSpan(root), Context())


def _ids_of(delivery: str) -> tuple[int, int]:
    digest = hashlib.sha256(delivery.encode()).digest()
    return int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:24], "big") or 1


@contextmanager
def collecting(endpoint: str, *, share: float, token: str) -> Iterator[None]:
    """Spans go to an OTLP collector over HTTP (endpoint: without /v1/traces), from a thread of
    their own; what it does not take is dropped. token: "" where it wants none."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", headers=headers, timeout=5)
    spans = CollectedSpans(BatchSpanProcessor(exporter), share=share)
    tracing.switch_on(spans)
    try:
        yield
    finally:
        tracing.switch_on(None)
        spans.close()
