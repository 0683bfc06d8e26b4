"""What runs until somebody ends it does end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from bot import tasks


async def _go_on(ready: asyncio.Event, *, deaf: int) -> None:
    """Like a loop around a library that loses the first cancellations."""
    ready.set()
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            deaf -= 1
            if deaf < 0:
                raise


@pytest.mark.parametrize("deaf", [0, 1, 3])
async def test_a_loop_ends_though_cancellations_got_lost(
    deaf: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ASK_AGAIN_S", 0.01)
    ready = asyncio.Event()
    loop = asyncio.create_task(_go_on(ready, deaf=deaf))
    await ready.wait()
    async with asyncio.timeout(5):
        await tasks.cancel_all([loop])
    assert loop.cancelled()


async def test_what_failed_before_is_no_matter() -> None:
    async def fail() -> None:
        raise RuntimeError

    failed = asyncio.create_task(fail())
    with suppress(RuntimeError):
        await failed
    await tasks.cancel_all([failed])
    assert isinstance(failed.exception(), RuntimeError)
    await tasks.cancel_all([])


@pytest.mark.parametrize("end", [tasks.see_through, tasks.cancel_all])
async def test_who_waits_for_an_end_waits_though_told_to_end_too(
    end: Callable[[list[asyncio.Task[None]]], Awaitable[None]],
) -> None:
    ready, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        ready.set()
        while not may_end.is_set():
            with suppress(asyncio.CancelledError):
                await may_end.wait()
        ended.append("work")

    async def wait_for(task: asyncio.Task[None]) -> None:
        await end([task])

    working = asyncio.create_task(work())
    await ready.wait()
    waiting = asyncio.create_task(wait_for(working))
    await asyncio.sleep(0)
    for _ in range(3):
        waiting.cancel()
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == ["work"]


async def test_what_is_seen_through_may_fail() -> None:
    async def fail() -> None:
        raise RuntimeError

    failing = asyncio.create_task(fail())
    await tasks.see_through([failing])
    assert isinstance(failing.exception(), RuntimeError)
    await tasks.see_through([])
