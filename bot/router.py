"""What one row of the two tables in handlers/ holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from bot.messages import OutboundMessage

Tx = TypeVar("Tx")
Desk = TypeVar("Desk")

Begin = Callable[[], AbstractAsyncContextManager[Tx]]


@dataclass(frozen=True, slots=True)
class Route(Generic[Desk]):
    """One use case: `matches` chooses, the first match of the table handles."""

    name: str
    matches: Callable[[Desk], bool]
    handle: Callable[[Desk], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job(Generic[Tx]):
    """One scheduled job.

    trigger: cron fields of APScheduler's CronTrigger, in the team's zone, e.g.
    {"minute": "*/5"}. run: one tick inside one transaction; answers what to send.
    next_due: earliest moment at which a tick would find work, None for nothing in
    sight; lets a jumping clock skip the ticks between. Without it every tick counts.
    too_late_s: a tick later than this is dropped.
    prepare: slow work before the tick's transaction, such as drawing, with `begin` for short
    transactions of its own. The tick goes on without it when it raises.
    """

    name: str
    trigger: dict[str, str]
    run: Callable[[Tx, datetime], Awaitable[Sequence[OutboundMessage]]]
    next_due: Callable[[Tx], Awaitable[datetime | None]] | None = None
    too_late_s: int = 3600
    prepare: Callable[[Begin[Tx], datetime], Awaitable[None]] | None = None


def pick(routes: Sequence[Route[Any]], desk: Any) -> Route[Any]:
    """The first route that matches. The last row of a table must match everything."""
    return next(route for route in routes if route.matches(desk))
