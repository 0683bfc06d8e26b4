"""Bots that end at a chosen instruction, as if the machine had died.

`python -m benchmarks.dying` loads the program once, forks a bot for each line of JSON it reads,
and prints a line for each that ends. A bot that has to die does so with `os._exit`, before or after
its n-th commit that writes something, or before or after its n-th hand-over to a platform; the
counting goes on over restarts in a file. At an instruction the kernel ends it, wherever it is: in
Python, in SQLite or in the middle of a system call. Nobody but this file knows of it: the program
has no such hook.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from bot.clock import MovableClock
from bot.outbox import Outbox
from bot.scheduler import Scheduler
from config.settings import Settings
from config.wiring.building import build
from config.wiring.doors import doors
from config.wiring.running import running
from connectors.web import server
from storage.database import Database
from storage.sqlite_writer import SqliteWriter

DIED = 77
INSTRUCTION = "instruction"
DEATHS = (DIED, -signal.SIGPROF)
KINDS = ("before commit", "after commit", "before send", "after send")
JOBS = frozenset({"sweep lights", "remind and escalate", "sweep deadlines", "push lights"})


@dataclass(frozen=True, slots=True)
class Orders:
    """configuration: as an operator writes it. begins_at: of the bot's clock, ISO 8601. kind: one
    of KINDS, INSTRUCTION, or "" to live. number: of the commit or sending to die at, from 1, or
    milliseconds of processor time. counts: a file that is one byte longer for each commit ("c") or
    sending ("s") so far, and for a death at one ("x")."""

    configuration: dict[str, Any]
    port: int
    begins_at: str
    counts: str
    kind: str = ""
    number: int = 0


class Reaper:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._file = Path(orders.counts)
        self._changes = 0

    def watch(self) -> None:
        """From now on."""
        in_thread, hand_over = SqliteWriter._in_thread, Outbox._hand_over

        async def commit(writer: SqliteWriter, work: Callable[[], Any]) -> Any:
            if getattr(work, "__name__", "") != "commit" or not self._writes(writer):
                return await in_thread(writer, work)
            return await self._around("c", "commit", lambda: in_thread(writer, work))

        async def send(outbox: Any, app: Any, outgoing: Any) -> Any:
            return await self._around("s", "send", lambda: hand_over(outbox, app, outgoing))

        run_tick = Scheduler.run_tick

        async def tick(scheduler: Any, job: Any, scheduled_at: datetime) -> bool:
            """Those that find nothing would be commits without end."""
            async with scheduler._store.begin() as tx:
                due = await job.next_due(tx)
            if due is None or due > scheduled_at:
                return False
            return await run_tick(scheduler, job, scheduled_at)

        Scheduler.run_tick = tick  # type: ignore[method-assign, assignment]
        SqliteWriter._in_thread = commit  # type: ignore[method-assign, assignment]
        Outbox._hand_over = send  # type: ignore[method-assign, assignment]

    def _writes(self, writer: SqliteWriter) -> bool:
        assert writer._conn is not None
        before = self._changes
        self._changes = writer._conn.connection.driver_connection.total_changes  # type: ignore[union-attr]
        return self._changes > before

    async def _around(self, mark: str, what: str, act: Callable[[], Awaitable[Any]]) -> Any:
        with self._file.open("a+") as file:
            file.write(mark)
            file.seek(0)
            number = file.read().count(mark)
        is_it = number == self._orders.number
        if is_it and self._orders.kind == f"before {what}":
            self._die()
        result = await act()
        if is_it and self._orders.kind == f"after {what}":
            self._die()
        return result

    def _die(self) -> None:
        with self._file.open("a") as file:
            file.write("x")
        os._exit(DIED)


async def serve(orders: Orders) -> None:
    """As `serve_for_ever`, but for the clock, and jobs that have nothing to do with the
    conversation. Directories are read first, so that the counting begins at the same place."""
    settings = Settings.model_validate(orders.configuration)
    bound = server.bind("127.0.0.1", orders.port)
    async with aiohttp.ClientSession() as session:
        database = await Database.open(settings.storage.url.get_secret_value())
        clock = MovableClock(datetime.fromisoformat(orders.begins_at))
        bot = build(settings, clock=clock, database=database, session=session)
        bot.scheduler._jobs = [job for job in bot.scheduler.jobs if job.name in JOBS]
        await bot.load_memory()
        await bot.upkeep.settle_in()
        Reaper(orders).watch()
        await bot.dispatcher.recover()
        async with server.listening(doors(bot), bound), running(bot):
            await server.until_stopped()
        await database.close()


def main() -> None:
    tell("ready")
    for line in sys.stdin:
        asked = json.loads(line)
        if "stop" in asked:
            with contextlib.suppress(ProcessLookupError):  # it has just died
                os.kill(asked["stop"], signal.SIGTERM)
            continue
        number = os.fork()
        if number == 0:
            os.close(0)
            live(Orders(**asked))
            os._exit(0)
        tell("started", number)
        threading.Thread(target=wait, args=(number,), daemon=True).start()


def live(orders: Orders) -> None:
    if orders.kind == INSTRUCTION:
        signal.setitimer(signal.ITIMER_PROF, max(1, orders.number) / 1000)
    asyncio.run(serve(orders))


def wait(number: int) -> None:
    _, status, used = os.wait4(number, 0)
    spent_ms = round((used.ru_utime + used.ru_stime) * 1000)
    tell("ended", number, os.waitstatus_to_exitcode(status), spent_ms)


def tell(*words: object) -> None:
    os.write(1, (json.dumps(words) + "\n").encode())


if __name__ == "__main__":
    main()
