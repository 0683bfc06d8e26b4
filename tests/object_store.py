"""A real S3-compatible server, one for each test process, which checks every signature and keeps
its objects as plain files. And one in front of it that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession, web

from storage.kept_files import Bucket, KeptFiles

ACCESS_KEY, SECRET_KEY = "gendan-tests", "not-a-secret-0123456789"
START_S = 60.0


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """folder: where each bucket is a folder and each object a file."""

    endpoint: str
    folder: Path

    def bucket(self, name: str, **changed: object) -> Bucket:
        """A bucket that is there, empty unless it was asked for before."""
        (self.folder / name).mkdir(exist_ok=True)
        given: dict[str, object] = {
            "name": name,
            "prefix": "files/",
            "endpoint": self.endpoint,
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "timeout_s": 20.0,
        }
        return Bucket(**{**given, **changed})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Kept:
    """A place for files, and the folder in which its bytes can be looked at."""

    files: KeptFiles
    folder: Path

    @property
    def places(self) -> list[Path]:
        """Of all bytes that lie there, without what a server keeps beside them."""
        found = self.folder.rglob("*") if self.folder.exists() else ()
        return [one for one in found if one.is_file() and ".nanio-meta" not in one.parts]


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[ObjectStore]:
    """Until the block ends. Returns once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = {"NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY}
    process = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-m", "nanio.cli", "serve", "--host", "127.0.0.1", "--port", str(port),
         "--data-dir", str(folder), "--log-level", "error", "--no-access-log"],
        env={**os.environ, **keys},
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield ObjectStore(f"http://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        assert process.poll() is None, "the object store ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("the object store does not answer")


class Misbehaving:
    """In front of a real one. Answers as it until told otherwise."""

    def __init__(self, behind: ObjectStore) -> None:
        self._behind = behind
        self._answer: Callable[[], Awaitable[web.Response]] | None = None
        self._is_there = True
        self._headers: dict[str, str] = {}
        self.endpoint = ""
        self.asked = 0

    def refuses(self, status: int, code: str) -> None:
        """With an error as S3 words it."""

        async def answer() -> web.Response:
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
            return web.Response(status=status, text=body, content_type="application/xml")

        self._answer = answer

    def hangs(self) -> None:
        """Takes the request and never answers."""

        async def answer() -> web.Response:
            await asyncio.Event().wait()
            raise AssertionError

        self._answer = answer

    def hangs_up(self) -> None:
        """As a server that is not there, as far as one can that is."""
        self._is_there = False

    def adds(self, **headers: str) -> None:
        """To what the real one answers."""
        self._headers = headers

    def recovers(self) -> None:
        self._answer = None
        self._is_there = True

    def bucket(self, name: str, **changed: object) -> Bucket:
        """That bucket of the real one, by way of us."""
        return self._behind.bucket(name, endpoint=self.endpoint, **changed)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Misbehaving]:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        self.asked += 1
        if not self._is_there and request.transport is not None:
            request.transport.abort()
            raise asyncio.CancelledError
        if self._answer is not None:
            return await self._answer()
        # With the Host that was signed.
        async with (
            ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                self._behind.endpoint + request.raw_path,
                headers=request.headers,
                data=await request.read(),
            ) as answer,
        ):
            kept = {k: v for k, v in answer.headers.items() if k.lower() != "transfer-encoding"}
            told = {**kept, **self._headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=told)
