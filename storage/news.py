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

from sqlalchemy import ARRAY, String, bindparam, column, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage.engines import ANSWER_OR_BE_GONE, to_url

CHANNEL = "gendan"  # the triggers of migration 0028 tell there, too
LOOK_EVERY_S = 2.0
PAUSE_S = 1.0
MOST_AT_ONCE = 200

_TELL = select(func.pg_notify(CHANNEL, column("word", String))).select_from(
    func.unnest(bindparam("words", type_=ARRAY(String))).alias("word")
)

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
            pool_size=2,
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
            await asyncio.gather(self._listen(), self._speak())
        finally:
            await self._engine.dispose()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._engine.connect() as conn:
                    raw: Any = (await conn.get_raw_connection()).driver_connection
                    await raw.add_listener(CHANNEL, self._on_word)
                    try:
                        if self.listening.is_set():
                            self._on_gap()
                        self.listening.set()
                        while True:
                            await asyncio.sleep(LOOK_EVERY_S)
                            await conn.execute(text("SELECT 1"))
                    finally:
                        await conn.invalidate()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                log.warning("nothing heard", extra={"action": "news", "error": repr(error)})
                await asyncio.sleep(PAUSE_S)

    def _on_word(self, _: Any, __: int, ___: str, word: object) -> None:
        self._heard(str(word))

    async def _speak(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            while self._to_tell:
                words = list(self._to_tell)[:MOST_AT_ONCE]
                for word in words:
                    del self._to_tell[word]
                try:
                    async with self._engine.connect() as conn:
                        await conn.execute(_TELL, {"words": words})
                except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                    log.warning("not told", extra={"action": "news", "error": repr(error)})
                    self._to_tell |= dict.fromkeys(words)
                    await asyncio.sleep(PAUSE_S)
