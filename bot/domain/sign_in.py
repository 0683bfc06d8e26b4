"""Signing in through the platform in whose client a page was opened.

The browser is sent to the platform and comes back with a code. What it wanted before travels in a
cookie, and the platform carries only the digest of that cookie (OAuth's `state`): so nobody can
bring a code back in another browser than the one that set out, nor lead it anywhere else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.page_sessions import is_own_path

ERRAND_LIVES = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Errand:
    """A browser on its way to a platform and back. secret: random, url-safe and without a dot.
    path: where it wanted to go, on our own site. Times in UTC, to the second."""

    secret: str
    path: str
    expires_at: datetime

    @property
    def carried(self) -> str:
        """What the browser keeps, fit for a cookie."""
        path = base64.urlsafe_b64encode(self.path.encode()).decode().rstrip("=")
        return f"{self.secret}.{int(self.expires_at.timestamp())}.{path}"

    @property
    def state(self) -> str:
        """What the platform carries: 64 letters and digits."""
        return hashlib.sha256(self.carried.encode()).hexdigest()

    def is_open(self, at: datetime) -> bool:
        return at < self.expires_at


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a platform says that a code belongs to. user_id: of a member, "" for anybody else,
    whose id then stands in `outsider`."""

    platform: str
    user_id: str
    outsider: str = ""


def read_errand(carried: str) -> Errand | None:
    """None for what is no errand of ours, or would lead elsewhere."""
    secret, _, rest = carried.partition(".")
    expiry, _, coded = rest.partition(".")
    try:
        path = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
        expires_at = datetime.fromtimestamp(int(expiry), UTC)
    except (ValueError, OverflowError, OSError, binascii.Error):
        return None
    errand = Errand(secret, path, expires_at)
    return errand if secret and is_own_path(path) and errand.carried == carried else None
