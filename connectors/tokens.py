"""Access tokens: fetched once for everybody, dropped only by whoever saw them fail."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge

from bot.clock import Clock
from bot.errors import AuthFailed, BotError
from bot.ports import TokenStore

Fetch = Callable[[], Awaitable[tuple[str, int]]]
"""Asks the platform for a token: the token and its validity in seconds."""

_FETCHES = Counter(
    "gendan_token_fetches_total",
    "Requests for a token or ticket, by how each ended.",
    ["platform", "app", "token", "outcome"],
)
_EXPIRES = Gauge(
    "gendan_token_expires_timestamp_seconds",
    "Until when the token or ticket in use is good.",
    ["platform", "app", "token"],
)

# A platform may answer with the same token and what is left of its life; such a token is
# used for at least this long before asking again.
_LEAST_USE = timedelta(seconds=60)

# Platforms bar an address that keeps asking with a wrong secret (WeCom: for an hour).
_AUTH_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _Held:
    token: str
    refresh_at: datetime


class OwnTokens:
    """Access tokens in memory. A `bot.ports.TokenStore` of one process, for a look around that must
    not depend on the database, and must not be content with an old token."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, datetime]] = {}

    async def load_token(self, name: str) -> tuple[str, datetime] | None:
        return self._tokens.get(name)

    async def save_token(self, name: str, token: str, expires_at: datetime) -> None:
        self._tokens[name] = (token, expires_at)

    async def drop_token(self, name: str, token: str) -> None:
        if name in self._tokens and self._tokens[name][0] == token:
            del self._tokens[name]


class TokenKeeper:
    """One application's token, shared through the store by all tasks and processes.

    name: "<platform>:<application>", or with ":<ticket>" behind it. early_s: seconds before its
    end from which a token is replaced. `get` and `renew`
    raise what `fetch` raises; an AuthFailed is repeated for a minute without asking.
    """

    def __init__(
        self, name: str, store: TokenStore, fetch: Fetch, clock: Clock, early_s: int = 300
    ) -> None:
        self._name = name
        platform, app, *ticket = name.split(":", 2)
        self._labels = (platform, app, ticket[0] if ticket else "access_token")
        self._store = store
        self._fetch = fetch
        self._clock = clock
        self._early = timedelta(seconds=early_s)
        self._lock = asyncio.Lock()
        self._held: _Held | None = None
        self._failure: BotError | None = None
        self._failed_at = clock.now()
        self._rounds = 0

    async def get(self) -> str:
        """A token that should work."""
        return self._usable(other_than=None) or await self._one_round(failed=None)

    async def renew(self, failed: str) -> str:
        """Another token than `failed`, if the platform has one to give."""
        return self._usable(other_than=failed) or await self._one_round(failed=failed)

    @property
    def refusal(self) -> str:
        """Why the platform refused to give a token when it was last asked; "" if it did not."""
        return str(self._failure) if isinstance(self._failure, AuthFailed) else ""

    def _usable(self, other_than: str | None) -> str | None:
        held = self._held
        if held is None or held.token == other_than or self._clock.now() >= held.refresh_at:
            return None
        return held.token

    async def _one_round(self, failed: str | None) -> str:
        """Everybody who asks while a round is under way shares its outcome, good or bad."""
        asked_in = self._rounds
        async with self._lock:
            if self._rounds == asked_in and not self._paused():
                await self._refill(failed)
            if self._held is not None:
                return self._held.token
            raise copy.copy(self._failure or AuthFailed(f"{self._name}: no token"))

    def _paused(self) -> bool:
        return (
            isinstance(self._failure, AuthFailed)
            and self._clock.now() < self._failed_at + _AUTH_PAUSE
        )

    async def _refill(self, failed: str | None) -> None:
        try:
            self._held = await self._load(failed) or await self._replace(failed)
            self._failure = None
        except BotError as error:
            self._held, self._failure, self._failed_at = None, error, self._clock.now()
        self._rounds += 1

    async def _load(self, failed: str | None) -> _Held | None:
        """What another process may have stored meanwhile."""
        stored = await self._store.load_token(self._name)
        if stored is None or stored[0] == failed:
            return None
        _EXPIRES.labels(*self._labels).set(stored[1].timestamp())
        held = _Held(stored[0], refresh_at=stored[1] - self._early)
        return held if self._clock.now() < held.refresh_at else None

    async def _replace(self, failed: str | None) -> _Held:
        if failed is not None:
            await self._store.drop_token(self._name, failed)
        token, seconds = await self._counted_fetch()
        now = self._clock.now()
        expires_at = now + timedelta(seconds=seconds)
        _EXPIRES.labels(*self._labels).set(expires_at.timestamp())
        await self._store.save_token(self._name, token, expires_at)
        least = min(expires_at, now + _LEAST_USE)
        return _Held(token, refresh_at=max(expires_at - self._early, least))

    async def _counted_fetch(self) -> tuple[str, int]:
        outcome = "failed"
        try:
            fetched = await self._fetch()
            outcome = "fetched"
            return fetched
        except AuthFailed:
            outcome = "refused"
            raise
        finally:
            _FETCHES.labels(*self._labels, outcome).inc()
