"""What a stop leaves behind when somebody outside takes his time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot import tasks
from config.wiring import sandbox
from config.wiring.bot import Bot
from tests.scenarios.in_process import running


class SlowToClose:
    """A long connection that closes a while after it was told to, as one does that is storing
    what was pushed last. done: what it had come to when it ended."""

    trouble = ""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self.done: list[str] = []

    async def up(self) -> None:
        """At once."""

    def stop(self) -> None:
        self._told.set()

    async def run(self) -> None:
        await self._told.wait()
        await asyncio.sleep(0.2)
        self.done.append("closed")


async def test_a_long_connection_is_given_time_to_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loops that lose a cancellation are asked again and again meanwhile."""
    connection = SlowToClose()
    build = sandbox.build

    def built(*given: object, **named: object) -> Bot:
        bot = build(*given, **named)  # type: ignore[arg-type]
        bot.streams.append(connection)  # type: ignore[arg-type]
        return bot

    monkeypatch.setattr(sandbox, "build", built)
    monkeypatch.setattr(tasks, "ASK_AGAIN_S", 0.01)
    async with running(tmp_path):
        left_alone = {one for one in asyncio.all_tasks() if one.get_name() == "scheduler"}
    assert connection.done == ["closed"]
    assert left_alone
    assert all(one.done() for one in left_alone)
