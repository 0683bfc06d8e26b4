"""What is kept beside the rows that speak of it: bytes, tokens, counts of calls."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.messages import StoredFile


class FileStore(Protocol):
    """Content-addressed bytes. Both raise FilesAway while they cannot be reached."""

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        """Durable when it returns. Raises InvalidInput above 100 MB."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Raises FileNotFoundError."""
        ...


class TokenStore(Protocol):
    """Access tokens shared by all tasks and processes. name: "<platform>:<app>"."""

    async def load_token(self, name: str) -> tuple[str, datetime] | None:
        """Token and when it expires (UTC)."""
        ...

    async def save_token(self, name: str, token: str, expires_at: datetime) -> None: ...

    async def drop_token(self, name: str, token: str) -> None:
        """Forget it, if it is still the one that failed."""
        ...


class CallCounter(Protocol):
    """Counts calls against a monthly quota. month: "2026-11" in the team's zone."""

    async def add_calls(self, name: str, month: str, calls: int) -> int:
        """The month's total after adding."""
        ...
