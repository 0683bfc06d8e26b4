"""What is made of a message before its transaction: text of sound and paper, a second opinion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.domain.activities import Record
from bot.domain.paper import PaperLine
from bot.messages import Incoming


class Transcriber(Protocol):
    """Audio to text. Raises TransientError or PermanentError; "" when nothing was heard."""

    async def transcribe(self, audio: bytes, *, name: str) -> str: ...


class LanguageModel(Protocol):
    """Answers in words. Raises TransientError or PermanentError, soon either way."""

    async def answer(self, *, rules: str, text: str) -> str: ...


class SecondReader(Protocol):
    """Reads what the rules could not read surely, over the network. None when it was not
    needed, or could not be reached in time, or nothing of what it said held."""

    async def suggest(self, incoming: Incoming) -> Record | None: ...


class PaperReader(Protocol):
    """PDFs and pictures to lines, () when nothing stands there. Raises TransientError, or
    PermanentError, whose text says why in Chinese."""

    async def read(self, data: bytes) -> Sequence[PaperLine]: ...

    async def seals(self, data: bytes) -> int:
        """How many red seals there seem to be. Raises as `read` does."""
        ...


class Preparation(Protocol):
    """Work that a message asks for and that must not be done inside its transaction, because it
    takes long. It may have short transactions of its own, and is done again after a crash."""

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """The message with what came of it. Raises TransientError, unless it is the last try."""
        ...
