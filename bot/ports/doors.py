"""What a door, where a platform hands in what was said, needs of the engine and gives to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.messages import Envelope, InboundMessage

Release = Callable[[], None]
"""Called by a door once the platform has its answer; only then does the work begin."""

Accept = Callable[[Envelope], Awaitable[Release]]
"""Store an envelope durably. Raises if it could not be stored: then answer 5xx, so that
the platform sends it again. A known delivery id is accepted and not worked on twice."""


class EnvelopeReader(Protocol):
    """Reads what came through one door; all that is needed where nobody is answered."""

    def parse(self, envelope: Envelope) -> InboundMessage:
        """Read an envelope. Raises InvalidInput when it cannot be read. Pure."""
        ...
