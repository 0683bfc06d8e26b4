"""How long a caller waits for a door's answer: platforms give up after one to five seconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter

from aiohttp import web
from prometheus_client import Histogram

_ANSWERED = Histogram(
    "gendan_callback_answer_seconds",
    "From a callback's head to its answer, of those answered with 200.",
    ["platform", "app", "door"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def timed(channel: str, handle: Handler) -> Handler:
    """channel: "<platform>:<app>:<door>"."""
    answered = _ANSWERED.labels(*channel.split(":"))

    async def measured(request: web.Request) -> web.StreamResponse:
        began = perf_counter()
        response = await handle(request)
        if response.status == web.HTTPOk.status_code:
            answered.observe(perf_counter() - began)
        return response

    return measured


def note_answer(channel: str, seconds: float) -> None:
    """Of a push over a connection that is kept open."""
    _ANSWERED.labels(*channel.split(":")).observe(seconds)
