"""Reading much without being a burden: a few calls at a time, at the platform's pace, each
repeated when it is busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import stamina

from bot.clock import Clock
from bot.errors import RateLimited, TransientError
from connectors.limits import Window, take_all

PARALLEL = 4  # more ends in 45033
_ATTEMPTS = 4
_PATIENCE_S = 300.0

PER_MINUTE, PER_HOUR = 9_000, 140_000
"""Of one call. The platform takes 10,000 and 150,000 of a corp
(developer.work.weixin.qq.com/document/path/90312); the rest is left to whatever else the company
runs."""

_T = TypeVar("_T")
_R = TypeVar("_R")


class Pace:
    """Waits until one more call of an API fits into the minute and the hour."""

    def __init__(
        self, clock: Clock, *, per_minute: int = PER_MINUTE, per_hour: int = PER_HOUR
    ) -> None:
        self._windows = (Window(per_minute, 60, clock), Window(per_hour, 3600, clock))

    async def wait(self, api: str) -> None:
        while True:
            try:
                return take_all(self._windows, api)
            except RateLimited as full:
                await asyncio.sleep(min(full.retry_after_s or 1.0, 5.0))


async def patiently(call: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Its answer, also where the platform is busy for a while."""
    async for attempt in stamina.retry_context(
        on=_worth_waiting, attempts=_ATTEMPTS, timeout=_PATIENCE_S
    ):
        with attempt:
            return await call()
    raise AssertionError("unreachable: the last attempt raises")


def _worth_waiting(error: Exception) -> bool | float:
    """The wait that the platform named, in seconds, or whether to try again soon."""
    return isinstance(error, TransientError) and (error.retry_after_s or True)


async def in_parallel(read: Callable[[_T], Awaitable[_R]], keys: Iterable[_T]) -> list[_R]:
    """Answers in the order of the keys; the first failure ends all."""
    room = asyncio.Semaphore(PARALLEL)

    async def one(key: _T) -> _R:
        async with room:
            return await read(key)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(key)) for key in keys]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def side_by_side(
    readers: Sequence[Callable[[], AsyncIterator[_T]]],
) -> AsyncIterator[_T]:
    """What they all tell, each in its order, PARALLEL of them at a time; no further ahead of
    whoever takes it than a few parts. The first failure ends all."""
    told: asyncio.Queue[_T | None] = asyncio.Queue(maxsize=2 * PARALLEL)
    waiting = iter(readers)

    async def work() -> None:
        for reader in waiting:
            async for part in reader():
                await told.put(part)

    async def work_all() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(PARALLEL):
                    group.create_task(work())
        except ExceptionGroup as failures:
            await told.put(None)
            raise failures.exceptions[0] from None
        await told.put(None)

    working = asyncio.create_task(work_all())
    try:
        while (part := await told.get()) is not None:
            yield part
        await working
    finally:
        working.cancel()
