"""The loops of a running bot go on whatever fails, and all end at a stop, however long somebody
outside takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import tasks
from config.wiring import sandbox
from config.wiring.bot import Bot
from storage.unit_of_work import UnitOfWork
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


@pytest.fixture
def before_start(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Bot], None]], None]:
    """What to do with the bot before it runs."""

    def change_by(change: Callable[[Bot], None]) -> None:
        build = sandbox.build

        def built(*given: object, **named: object) -> Bot:
            bot = build(*given, **named)  # type: ignore[arg-type]
            change(bot)
            return bot

        monkeypatch.setattr(sandbox, "build", built)

    return change_by


async def test_a_long_connection_is_given_time_to_close(
    tmp_path: Path,
    before_start: Callable[[Callable[[Bot], None]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loops that lose a cancellation are asked again and again meanwhile."""
    connection = SlowToClose()
    before_start(lambda bot: bot.streams.append(connection))  # type: ignore[arg-type]
    monkeypatch.setattr(tasks, "ASK_AGAIN_S", 0.01)
    async with running(tmp_path):
        loops = those_named("scheduler", "outbox")
    assert connection.done == ["closed"]
    assert all(one.done() for one in loops)


async def test_what_cannot_be_closed_keeps_nothing_else_from_ending(
    tmp_path: Path, before_start: Callable[[Callable[[Bot], None]], None]
) -> None:
    ended = []

    async def fail() -> None:
        raise OSError("no such process")

    def break_all(bot: Bot) -> None:
        stop = bot.dispatcher.stop

        async def stop_slowly() -> None:
            await asyncio.sleep(0.2)
            await stop()
            ended.append("work")

        for one in (bot.outside.voice, *bot.outside.mailboxes.values()):
            setattr(one, "close", fail)  # noqa: B010 - it is a method
        setattr(bot.dispatcher, "stop", stop_slowly)  # noqa: B010

    before_start(break_all)
    with pytest.raises(OSError, match="no such process"):
        async with running(tmp_path):
            loops = those_named("scheduler", "outbox")
    assert ended == ["work"]
    assert all(one.done() for one in loops)


async def test_contacts_are_read_though_the_database_was_away_at_first(
    tmp_path: Path,
    before_start: Callable[[Callable[[Bot], None]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where a process takes over their reading because PostgreSQL has gone."""
    tried, planned = [], asyncio.Event()

    def take_away(bot: Bot) -> None:
        begin = bot.contacts._begin

        @asynccontextmanager
        async def begin_late() -> AsyncIterator[UnitOfWork]:
            task = asyncio.current_task()
            is_loop = task is not None and task.get_name() == "contacts"
            if is_loop:
                tried.append("now")
                if len(tried) < 3:
                    raise OSError("the database is away")
            async with begin() as tx:
                yield tx
            if is_loop:
                planned.set()

        monkeypatch.setattr(bot.contacts, "_begin", begin_late)

    before_start(take_away)
    monkeypatch.setattr(tasks, "BEGIN_AGAIN_S", 0.01)
    async with running(tmp_path), asyncio.timeout(20):
        await planned.wait()


def those_named(*names: str) -> list[asyncio.Task[object]]:
    found = [one for one in asyncio.all_tasks() if one.get_name() in names]
    assert len(found) == len(names)
    return found
