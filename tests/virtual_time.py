"""An event loop in which waiting costs nothing: hours of timers run in seconds.

When nothing is ready, its clock jumps to the next timer. Sockets on this machine are real: what
one task has written another can read before any time passes. So are threads: while one works
for the loop, the clock stands still but for real time.
"""

from __future__ import annotations

import asyncio
import functools
import os
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any

Test = Callable[..., Coroutine[Any, Any, None]]


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` tells virtual time; it only goes forward. working: what is being waited for in
    real time; whoever uses threads of their own counts themselves here. has_threads: others may
    be about to write to a socket that nobody waits for."""

    has_threads = True

    def __init__(self) -> None:
        self.skipped_s = 0.0
        self.working = 0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return super().time() + self.skipped_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        self.working += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._worked)
        return future

    def _worked(self, _: asyncio.Future[Any]) -> None:
        self.working -= 1


class _Impatient(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout <= 0 or self._loop.working:
            return super().select(timeout)
        found = super().select(0)
        if not found and self._loop.has_threads:
            os.sched_yield()
            found = super().select(0)
        if not found:
            self._loop.skipped_s += timeout
        return found


def virtually(test: Test) -> Callable[..., None]:
    """A test whose waits cost nothing. Fixtures must not belong to another loop."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
