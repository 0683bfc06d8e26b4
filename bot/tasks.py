"""Tasks that run until somebody ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

ASK_AGAIN_S = 1.0


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """All of them are over when it returns, however they ended.

    A cancellation can get lost in a library: asyncio.wait_for of Python 3.11 swallows one that
    comes together with its result, and nats-py one that comes while it flushes. A loop then goes
    on for ever, and so would whoever waits for its end; so it is asked for again.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        over, waiting = await asyncio.wait(waiting, timeout=ASK_AGAIN_S)
        for task in over:
            if not task.cancelled():
                task.exception()  # seen: nobody else asks for it
