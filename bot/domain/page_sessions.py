"""Opening pages: a ticket is a link given in chat to one person, a session is what it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.people import Person

TICKET_LIVES = timedelta(minutes=10)
SESSION_LIVES = timedelta(days=7)
KEPT_FOR = timedelta(days=30)
"""How long a ticket is remembered: a link found later in the chat still says where it led."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link. path: where it leads, on our own site. Times in UTC."""

    person_id: int
    path: str
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageSession:
    """A browser that has signed in, and as whom. form_key: what every form of the session must
    carry. Times in UTC."""

    id: int
    person_id: int
    form_key: str
    expires_at: datetime
    ended_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page."""

    person: Person
    session: PageSession


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that has just begun. secret: what the cookie carries; it is known to nobody
    else. path: where the visitor wanted to go."""

    secret: str
    path: str


def is_own_path(path: str) -> bool:
    """Whether somebody can be sent there without leaving our site: «/customers/5», never
    «//elsewhere.example» or what a browser takes for it."""
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and all(" " < character != "\\" for character in path)
        and len(path) <= 300
    )
