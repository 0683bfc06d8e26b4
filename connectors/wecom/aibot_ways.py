"""How an intelligent robot speaks: one of two ways, of which a robot has one."""

from __future__ import annotations

from typing import Protocol

from bot.errors import PermanentError
from bot.messages import Address, CardUpdate, FileContent, Receipt
from connectors.wecom.aibot_render import Words


class NoWay(PermanentError):
    """The robot may not say this there, now or later; somebody else may."""


class Way(Protocol):
    """Over HTTP or over the long connection. key: the dedupe key, which tells what is
    answered. Both raise NoWay and TransientError."""

    @property
    def refusal(self) -> str:
        """Why the platform lets us say nothing; "" while it does not say so."""
        ...

    async def say(self, to: Address, content: Words | FileContent, *, key: str) -> Receipt: ...

    async def update(self, to: Address, update: CardUpdate, *, key: str) -> Receipt:
        """Change the card that was pressed."""
        ...
