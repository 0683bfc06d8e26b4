"""What a process needs to know where several share one database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Fence:
    """What work was begun under: a lease by name, and which of its terms. Once somebody else has
    the lease, its term is another, and the database refuses what was begun before."""

    name: str
    term: int


class Shares(Protocol):
    """What this process may do, where several share one database."""

    def fence_of(self, conversation: str) -> Fence | None:
        """Under what that conversation is handled here; None: another process handles it."""
        ...

    def sends(self, platform: str, app: str) -> bool:
        """Whether that application's messages are sent from here."""
        ...


class Place(Protocol):
    """Where this process stands, for what starts and ends with it."""

    async def held(self, name: str) -> None:
        """Wait until this process has it."""
        ...

    async def lost(self, name: str) -> None:
        """Wait until it has it no more, or not without a break."""
        ...
