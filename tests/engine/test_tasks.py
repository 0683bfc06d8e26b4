"""What runs until somebody ends it does end."""

from __future__ import annotations

import asyncio
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
