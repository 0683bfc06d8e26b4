"""A chat model behind the OpenAI-compatible API: one question, one try, within a time limit.

Whoever asks can do without the answer. So a server that fails again and again is left alone
for a while, and what does not get a place at once is refused rather than kept waiting.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.errors import AuthFailed, BotError, RateLimited, Rejected, Unavailable
from connectors.http import Http

FAILURES_IN_A_ROW = 3
REST = timedelta(seconds=60)
AT_ONCE = 16

_WHAT = "llm:chat/completions"
_LONGEST_ANSWER_TOKENS = 600

log = logging.getLogger(__name__)


class LanguageModelClient:
    """A language model behind an OpenAI-compatible API; a `bot.ports.LanguageModel`. base_url: up
    to and with /v1. key: "" where none is needed."""

    def __init__(
        self, http: Http, *, base_url: str, model: str, key: str, timeout_s: float, clock: Clock
    ) -> None:
        self._http = http
        self._url = f"{base_url}/chat/completions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout_s = timeout_s
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)
        self._failures = 0
        self._rests_until = datetime.min.replace(tzinfo=UTC)

    async def answer(self, *, rules: str, text: str) -> str:
        """See `bot.ports.LanguageModel`. Raises RateLimited at once when too many ask, and
        Unavailable while the server is left alone."""
        if self._clock.now() < self._rests_until:
            raise Unavailable(f"{_WHAT}: left alone until {self._rests_until:%H:%M:%S} UTC")
        if self._places.locked():
            raise RateLimited(f"{_WHAT}: {AT_ONCE} questions are open")
        async with self._places:
            try:
                said = await self._ask(rules, text)
            except BotError as error:
                self._note_failure(error)
                raise
        self._note_success()
        return said

    async def check(self) -> None:
        """Ask something small, for the doctor. Raises BotError."""
        await self._ask("只输出一个 JSON 对象，不要解释。", "{}")

    async def _ask(self, rules: str, text: str) -> str:
        status, body = await self._http.request_json(
            "POST",
            self._url,
            json={
                "model": self._model,
                "messages": [
                    {"role": "system", "content": rules},
                    {"role": "user", "content": text},
                ],
                "temperature": 0,
                "max_tokens": _LONGEST_ANSWER_TOKENS,
                "response_format": {"type": "json_object"},
            },
            headers=self._headers,
            timeout_s=self._timeout_s,
            what=_WHAT,
        )
        if (error := error_of(status)) is not None:
            raise error
        return _content(body)

    def _note_failure(self, error: BotError) -> None:
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW:
            self._rests_until = self._clock.now() + REST
        if self._failures == FAILURES_IN_A_ROW:
            log.warning("language model lost", extra={"action": "llm", "error": str(error)})

    def _note_success(self) -> None:
        if self._failures >= FAILURES_IN_A_ROW:
            log.warning("language model back", extra={"action": "llm"})
        self._failures = 0


def error_of(status: int) -> BotError | None:
    """What an answer with this status means; None for a good one. The body is not shown: some
    servers repeat the question in it."""
    told = f"{_WHAT}: HTTP {status}"
    if status // 100 == 2:
        return None
    if status in (401, 403):
        return AuthFailed(told)
    if status == 429:
        return RateLimited(told)
    return Unavailable(told) if status >= 500 else Rejected(told)


def _content(body: Any) -> str:
    match body:
        case {"choices": [{"message": {"content": str(content)}}, *_]}:
            return content
        case _:
            raise Unavailable(f"{_WHAT}: an answer without a message")
