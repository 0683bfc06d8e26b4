"""Papers made lines, by the engine in its own process."""

from __future__ import annotations

import base64
import json

from bot.domain.paper import PaperLine
from speech.ocr.errors import BAD_PAPER
from speech.workers.worker import Worker

PROBE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAFklEQVR42mP4TwAwjCoYVTCqYKQqAAA/aPwuqUTQyAAA"
    "AABJRU5ErkJggg=="
)
"""A white square: a small picture that goes all the way."""


class Scanner:
    """Reads PDFs and pictures in a process of its own. A `bot.ports.PaperReader`. timeout_s: for
    one paper, besides waiting; the first picture loads the models."""

    def __init__(self, *, threads: int, timeout_s: float) -> None:
        self._worker = Worker("speech.ocr.engine:load", str(threads), refusals=BAD_PAPER)
        self._seals = Worker("speech.ocr.stamps:load", refusals=BAD_PAPER)
        self._timeout_s = timeout_s

    async def read(self, data: bytes) -> tuple[PaperLine, ...]:
        """See `bot.ports.PaperReader`."""
        answer = await self._worker.do(data, limit_s=self._timeout_s)
        return tuple(
            PaperLine(str(text), float(confidence), int(page))
            for text, confidence, page in json.loads(answer)
        )

    async def seals(self, data: bytes) -> int:
        """See `bot.ports.PaperReader`."""
        return int(json.loads(await self._seals.do(data, limit_s=self._timeout_s)))

    async def check(self) -> None:
        """Read an empty picture. Raises BotError, whose text says what to do."""
        await self.read(PROBE)

    async def close(self) -> None:
        """What is in work fails with TransientError."""
        await self._worker.close()
        await self._seals.close()
