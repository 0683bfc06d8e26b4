"""Who has read a message that the bot sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Readers:
    """User ids on the message's platform. unread: of a group nobody is named. recalled: it was
    taken back."""

    read: tuple[str, ...]
    unread: tuple[str, ...] = ()
    recalled: bool = False
