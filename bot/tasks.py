"""Tasks that run until somebody ends them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

ASK_AGAIN_S = 1.0
BEGIN_AGAIN_S = 5.0

log = logging.getLogger(__name__)


def going_on(name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """A task that runs `run`, and again a while after it has failed; over when it ends or is
    cancelled. A loop that failed once, as its database was away, would be missing for ever. Not
    for one that is told to end by other means: told so while it waits, it would begin anew."""

    async def go_on() -> None:
        while True:
            try:
                return await run()
            except Exception:
                log.exception("a loop failed and begins again", extra={"action": name})
                await asyncio.sleep(BEGIN_AGAIN_S)

    return asyncio.create_task(go_on(), name=name)


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """All of them are over when it returns, however they ended.

    A cancellation can get lost in a library: asyncio.wait_for of Python 3.11 swallows one that
    comes together with its result, and nats-py one that comes while it flushes. A loop then goes
    on for ever, and so would whoever waits for its end; so it is asked for again. Cancelled
    meanwhile, this waits on as `see_through` does.
    """
    tasks = set(tasks)
    await _outlast(tasks, ask=True)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen: nobody else asks for it


async def see_through(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Wait until all are over, however they end. Cancelled meanwhile, however often, it waits on
    and raises CancelledError then."""
    await _outlast(set(tasks), ask=False)


async def _outlast(waiting: set[asyncio.Task[Any]], *, ask: bool) -> None:
    """ask: for their end, again and again."""
    cancelled = None
    while waiting:
        if ask:
            for task in waiting:
                task.cancel()
        try:
            _, waiting = await asyncio.wait(waiting, timeout=ASK_AGAIN_S if ask else None)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
