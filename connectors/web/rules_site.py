"""What the pages of bonus rules ask of the rest of the bot; see `site.py`."""

from __future__ import annotations

from typing import Any, Protocol

from bot.domain.page_sessions import Visitor


class RuleSite(Protocol):
    """Each method raises UserError with words for the visitor."""

    async def listed(self, visitor: Visitor) -> Any:
        """What applies and applied; to those who decide, what is on its way."""
        ...

    async def versions(
        self, rule_id: str, *, old: int | None, new: int | None, before: int | None
    ) -> Any:
        """Of one rule, and what differs between two of them."""
        ...

    async def change(self, visitor: Visitor, number: int, *, trouble: str = "") -> Any:
        """One change. trouble: what was refused just now."""
        ...

    async def start(self, visitor: Visitor, rule_id: str) -> int:
        """A new draft: of the next version, or where the id is "" of a new rule. Its number."""
        ...

    async def move(self, visitor: Visitor, number: int, name: str) -> str:
        """Simulate, submit, approve…; what was found where it is kept nowhere."""
        ...

    async def board(self, visitor: Visitor, number: int) -> Any:
        """What the canvas opens with."""
        ...

    async def examine(self, visitor: Visitor, number: int, data: bytes) -> dict[str, Any]:
        """What is wrong with rules that are being edited, and what they say."""
        ...

    async def save(self, visitor: Visitor, number: int, data: bytes) -> tuple[int, dict[str, Any]]:
        """(HTTP status, answer)."""
        ...

    async def graph(self, visitor: Visitor, number: int) -> dict[str, Any]:
        """The change as a JDM graph."""
        ...

    async def take_graph(self, visitor: Visitor, number: int, data: bytes) -> dict[str, Any]:
        """The rules of a JDM graph."""
        ...
