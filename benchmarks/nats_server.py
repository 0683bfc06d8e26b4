"""A NATS server of our own, with JetStream in a folder, to be stopped, killed and started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

CONFIGURATION = """\
host: 127.0.0.1
port: {port}
jetstream {{ store_dir: "{folder}"{sync} }}
{more}
"""
START_S = 20.0


def find_server() -> str | None:
    """The program, if this machine has it: NATS_SERVER, else the one of the extra dev,
    else any."""
    beside = Path(sys.executable).parent
    folders = os.pathsep.join([str(beside), os.environ.get("PATH", ""), "/usr/sbin"])
    return os.environ.get("NATS_SERVER") or shutil.which("nats-server", path=folders)


class NatsServer:
    """always_sync: to the disk before each acknowledgement, where the server knows how. more: lines
    of its configuration."""

    def __init__(self, folder: Path, *, always_sync: bool = False, more: str = "") -> None:
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
            self._port = free.getsockname()[1]
        self._folder = folder
        self._sync = ", sync_interval: always" if always_sync else ""
        self._more = more
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Returns once it answers. Raises FileNotFoundError where there is no such program."""
        program = find_server()
        if program is None:
            raise FileNotFoundError("nats-server")
        file = self._folder / "nats.conf"
        store = self._folder / "store"
        file.write_text(
            CONFIGURATION.format(port=self._port, folder=store, sync=self._sync, more=self._more)
        )
        with (self._folder / "nats.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                program, "-c", str(file), stdout=log, stderr=log
            )
        async with asyncio.timeout(START_S):
            while not await self._answers():
                assert self._process.returncode is None, (self._folder / "nats.log").read_text()
                await asyncio.sleep(0.05)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)  # who stands still hears of nothing else
            await self._process.wait()

    def signal(self, how: signal.Signals) -> None:
        """SIGSTOP and SIGCONT: it stands still meanwhile."""
        assert self._process is not None
        self._process.send_signal(how)

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        greeting = await reader.read(5)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return greeting == b"INFO "


@contextlib.asynccontextmanager
async def own_server(folder: Path, *, always_sync: bool = False) -> AsyncIterator[NatsServer]:
    """Runs meanwhile."""
    server = NatsServer(folder, always_sync=always_sync)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
