"""One process for work that blocks or may crash: native decoders, recognisers of
speech and of print.

It is started when it is first needed, does one job at a time in the order of asking, and is
started anew when it died or had to be killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from bot.errors import PermanentError, Unavailable
from speech.workers.child import DONE, HEAD_BYTES, frame
from speech.workers.errors import EngineMissing, TooSlow

MOST_WAITING_BYTES = 256 * 1024 * 1024  # some hundred recordings or papers
LOADING_S = 120.0
DYING_S = 5.0  # between the end of its answers and its own

_ROOT = Path(__file__).resolve().parents[2]

log = logging.getLogger(__name__)


class Worker:
    """A process that does jobs one by one, and is started anew when it dies or hangs. target:
    "module:factory", its arguments: see `speech.workers.child`. refusals: errors of which an answer
    may be one; others come as PermanentError."""

    def __init__(
        self, target: str, *arguments: str, refusals: Iterable[type[PermanentError]] = ()
    ) -> None:
        self._command = (sys.executable, "-m", "speech.workers.child", target, *arguments)
        known: tuple[type[PermanentError], ...] = (EngineMissing, *refusals)
        self._refusals = {one.__name__: one for one in known}
        self._turn = asyncio.Lock()
        self._waiting = 0  # bytes
        self._process: asyncio.subprocess.Process | None = None
        self._closed = False

    async def do(self, job: bytes, *, limit_s: float) -> bytes:
        """What the function makes of `job`.

        Raises the PermanentError that it raised, TooSlow when the limit (which does not count
        waiting and loading) is over, and Unavailable when the process died, is shut down, or
        too many wait.
        """
        if self._waiting + len(job) > MOST_WAITING_BYTES:
            raise Unavailable("too many files are waiting")
        self._waiting += len(job)
        try:
            async with self._turn:
                return await self._exchange(await self._ready(), job, limit_s)
        finally:
            self._waiting -= len(job)

    async def close(self) -> None:
        """What is in work fails with Unavailable, and so does all that is asked later."""
        self._closed = True
        await self._end()
        async with self._turn:  # the one that was being started has no other end
            await self._end()

    async def _ready(self) -> asyncio.subprocess.Process:
        if self._closed:
            raise Unavailable("shutting down")
        if self._process is not None and self._process.returncode is None:
            return self._process
        process = await self._start()
        try:
            await self._exchange(process, None, LOADING_S)
        except BaseException:
            await self._end()  # a factory that failed leaves a process without work
            raise
        return process

    async def _start(self) -> asyncio.subprocess.Process:
        """Raises Unavailable where it was shut down meanwhile."""
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *self._command,
                cwd=_ROOT,
                env=_environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        )
        try:
            self._process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._process = await starting  # cancelled itself, asyncio would hang: no pipes yet
            await self._end()
            raise
        if self._closed:
            await self._end()
            raise Unavailable("shutting down")
        return self._process

    async def _exchange(
        self, process: asyncio.subprocess.Process, job: bytes | None, limit_s: float
    ) -> bytes:
        """Send a job (None: it was only started) and read the answer."""
        assert process.stdin is not None
        assert process.stdout is not None
        answer = None
        try:
            async with asyncio.timeout(limit_s):
                if job is not None:
                    process.stdin.write(frame(DONE, job))
                    await process.stdin.drain()
                head = await process.stdout.readexactly(HEAD_BYTES)
                answer = await process.stdout.readexactly(int.from_bytes(head[1:], "big"))
        except TimeoutError:
            raise TooSlow(f"超过 {limit_s:.0f} 秒还没有处理完") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), DYING_S)  # a kill would hide its code
            await self._end()
            code = process.returncode
            log.warning("a worker process died", extra={"action": "worker", "code": code})
            raise Unavailable(
                f"处理进程退出了 (code {code})，请检查内存是否够用、模型是否完整"
            ) from None
        finally:
            if answer is None:
                await self._end()  # or its answer would be taken for that of the next job
        if head[:1] == DONE:
            return answer
        name, _, message = answer.decode().partition("\n")
        raise self._refusals.get(name, PermanentError)(message)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.wait()


def _environment() -> dict[str, str]:
    """Without our secrets: decoders read what strangers made."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GENDAN_")}
