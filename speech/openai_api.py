"""Any server with OpenAI's transcription call: POST {base_url}/audio/transcriptions.

Source: platform.openai.com/docs/api-reference/audio/createTranscription.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp

from bot.errors import AuthFailed, RateLimited, Rejected, Unavailable
from speech import audio

_WHAT = "speech:transcriptions"
_AT_ONCE = 4


class Caller(Protocol):
    """Calls with time limits, size limits and translated failures."""

    async def request_json(
        self,
        method: str,
        url: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        what: str,
    ) -> tuple[int, Any]:
        """Status and parsed body. Raises TransientError or PermanentError."""
        ...


class Server:
    """One server. base_url: up to and with /v1. api_key: may be empty."""

    def __init__(self, caller: Caller, *, base_url: str, model: str, api_key: str) -> None:
        self._caller = caller
        self._url = f"{base_url}/audio/transcriptions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def hear(self, pcm: bytes, *, limit_s: float) -> str:
        """Raises TransientError or PermanentError."""
        form = aiohttp.FormData()
        form.add_field("model", self._model)
        form.add_field("language", "zh")
        form.add_field("response_format", "json")
        form.add_field(
            "file", audio.to_wav(pcm), filename="recording.wav", content_type="audio/wav"
        )
        async with self._slots:
            status, answer = await self._caller.request_json(
                "POST", self._url, data=form, headers=self._headers, timeout_s=limit_s, what=_WHAT
            )
        if status != 200:
            raise _refusal(status, answer)
        text = answer.get("text") if isinstance(answer, dict) else None
        if not isinstance(text, str):
            raise Unavailable(f"{_WHAT}: an answer without a text")
        return text.strip()

    async def close(self) -> None:
        """The session is not ours."""


def _refusal(status: int, answer: object) -> Exception:
    told = f"{_WHAT}: HTTP {status} {_reason(answer)}".rstrip()
    if status in (401, 403):
        return AuthFailed(f"{told}，请核对 speech.api_key")
    if status == 429:
        return RateLimited(told)
    if status >= 500 or status == 408:
        return Unavailable(told)
    return Rejected(f"{told}，请核对 speech.base_url 和 speech.model")


def _reason(answer: object) -> str:
    """error.message, as OpenAI says it, or error alone."""
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return " ".join(str(message or "").split())[:200]
