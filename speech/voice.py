"""What is done with recordings: made text by the engine that is configured, and made playable.

Recordings are decoded in one process and recognised in another, so that a file that crashes
a decoder costs no engine its model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from speech import audio
from speech.errors import BAD_AUDIO
from speech.openai_api import Caller, Server
from speech.workers.worker import Worker

_DECODING_S = 30.0
_TIMES_ITS_LENGTH = 3.0
_PROBE = b"#!AMR\n" + b"\x7c" * 50  # a second without a sound, as a phone would send it


@dataclass(frozen=True, slots=True)
class Choice:
    """Which engine hears recordings. engine: none, sherpa or whisper with a model `folder`, or
    openai with a server.

    timeout_s: what a recording may take besides three times its own length.
    """

    engine: str = "none"
    folder: Path | None = None
    threads: int = 2
    base_url: str = ""
    model: str = ""
    api_key: str = ""
    timeout_s: float = 30.0


class Engine(Protocol):
    """PCM of `speech.audio` to text, "" when nothing was heard."""

    async def hear(self, pcm: bytes, *, limit_s: float) -> str:
        """Raises TransientError or PermanentError."""
        ...

    async def close(self) -> None: ...


class _Local:
    """A recogniser in a process of its own, loaded when the first recording comes."""

    def __init__(self, choice: Choice) -> None:
        assert choice.folder is not None
        folder = str(choice.folder.absolute())
        self._worker = Worker(f"speech.{choice.engine}:load", folder, str(choice.threads))

    async def hear(self, pcm: bytes, *, limit_s: float) -> str:
        return (await self._worker.do(pcm, limit_s=limit_s)).decode()

    async def close(self) -> None:
        await self._worker.close()


class Voice:
    """Hears and plays recordings. A `bot.ports.Transcriber` while `can_hear`; without an engine it
    only plays."""

    def __init__(self, choice: Choice, caller: Caller) -> None:
        self._decoder = Worker("speech.audio:decoder", refusals=BAD_AUDIO)
        self._engine = _engine(choice, caller)
        self._timeout_s = choice.timeout_s

    @property
    def can_hear(self) -> bool:
        return self._engine is not None

    async def transcribe(self, recording: bytes, *, name: str) -> str:
        """Text of a recording in any format of `speech.audio`; `name` is not looked at."""
        return await self._hear(await self._decoder.do(recording, limit_s=_DECODING_S))

    async def playable(self, recording: bytes, media_type: str) -> tuple[bytes, str]:
        """The recording and its media type as browsers play it: what only phones play becomes
        a WAV. Raises PermanentError when it cannot be decoded, and TransientError."""
        if audio.format_of(recording) not in audio.PHONE_ONLY:
            return recording, media_type
        pcm = await self._decoder.do(recording, limit_s=_DECODING_S)
        return audio.to_wav(pcm), "audio/wav"

    async def check(self) -> None:
        """Decode and hear a second of silence. Raises BotError, whose text says what to do."""
        await self.transcribe(_PROBE, name="")

    async def close(self) -> None:
        """What is in work fails with TransientError."""
        await self._decoder.close()
        if self._engine is not None:
            await self._engine.close()

    async def _hear(self, pcm: bytes) -> str:
        assert self._engine is not None
        limit_s = self._timeout_s + _TIMES_ITS_LENGTH * audio.seconds(pcm)
        return await self._engine.hear(pcm, limit_s=limit_s)


def _engine(choice: Choice, caller: Caller) -> Engine | None:
    if choice.engine == "none":
        return None
    if choice.engine == "openai":
        return Server(caller, base_url=choice.base_url, model=choice.model, api_key=choice.api_key)
    return _Local(choice)
