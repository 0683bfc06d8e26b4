"""Processor time of something awaited."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def stopped(what: Awaitable[T]) -> tuple[float, T]:
    """(seconds of the processor, all threads together; what it gave)."""
    started = time.process_time()
    answer = await what
    return time.process_time() - started, answer
