"""What processes on one PostgreSQL tell each other, by LISTEN and NOTIFY.

Nothing rests on it alone: what was told while the connection was away is gone, so whoever
listens looks at everything whenever the connection is made anew (`on_gap`), and at what matters
from time to time besides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.clock import wait_for
from storage.engines import ANSWER_OR_BE_GONE, to_url

CHANNEL = "gendan"  # the triggers of migration 0028 tell there, too
LOOK_EVERY_S = 2.0
PAUSE_S = 1.0
_TELL = "SELECT pg_notify($1, word) FROM unnest($2::text[]) AS word"

log = logging.getLogger(__name__)


class News:
    """PostgreSQL's LISTEN and NOTIFY between the processes of one database. `run` listens and tells
    until cancelled. heard: called for each word of anybody, ourselves included. on_gap: words may
    have been missed since `listening` was first true."""

    def __init__(
        self, url: str, *, heard: Callable[[str], None], on_gap: Callable[[], None]
    ) -> None:
        self._heard = heard
        self._on_gap = on_gap
        self._to_tell: dict[str, None] = {}
        self._something = asyncio.Event()
        self.listening = asyncio.Event()
        self._engine: AsyncEngine = create_async_engine(
            to_url(url),
            pool_size=1,
            max_overflow=0,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args={
                "timeout": 5,
                "command_timeout": 5,
                "server_settings": ANSWER_OR_BE_GONE,
            },
        )

    def tell(self, word: str) -> None:
        """To all processes, soon: what comes in one round of the loop goes out together, and
        the same word once. At most 8000 bytes."""
        self._to_tell[word] = None
        self._something.set()

    async def run(self) -> None:
        try:
            while True:
                try:
                    await self._listen_and_tell()
                except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                    log.warning("nothing heard", extra={"action": "news", "error": repr(error)})
                    await asyncio.sleep(PAUSE_S)
        finally:
            await self._engine.dispose()

    async def _listen_and_tell(self) -> None:
        """Until the connection is lost. By the driver: most of what a word costs would be
        SQLAlchemy's steps around it."""
        async with self._engine.connect() as conn:
            driver: Any = (await conn.get_raw_connection()).driver_connection
            try:
                await driver.add_listener(CHANNEL, self._on_word)
                if self.listening.is_set():
                    self._on_gap()
                self.listening.set()
                while True:
                    await wait_for(self._something, LOOK_EVERY_S)
                    self._something.clear()
                    await self._tell_all(driver)
            finally:
                await conn.invalidate()

    async def _tell_all(self, driver: Any) -> None:
        """Of nothing, too: thus it is noticed that the connection is lost."""
        words = list(self._to_tell)
        self._to_tell.clear()
        try:
            await driver.fetch(_TELL, CHANNEL, words)
        except BaseException:
            self._to_tell |= dict.fromkeys(words)
            self._something.set()
            raise

    def _on_word(self, _: Any, __: int, ___: str, word: object) -> None:
        self._heard(str(word))
