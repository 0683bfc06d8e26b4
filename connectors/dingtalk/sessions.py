"""sessionWebhooks: the way back into a chat that lies in each message and costs no API call.

Kept in memory only: they end after 90 minutes, and what matters never depends on them
(protocol notes 3.2).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import Clock
from bot.messages import Address
from connectors.dingtalk.read import Body, moment, text
from connectors.dingtalk.settings import DingtalkApp

_MARGIN = timedelta(minutes=5)
_MOST_CHATS = 10_000


class Sessions:
    """The latest session of each chat."""

    def __init__(self, app: DingtalkApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._found: dict[str, tuple[str, datetime]] = {}

    def note(self, chat: Address, message: Body) -> None:
        """Remember the session of a robot message, if its address is one we may call."""
        url, until = text(message, "sessionWebhook"), moment(message, "sessionWebhookExpiredTime")
        if until is None or not self._app.trusts(url):
            return
        self._found.pop(chat.key, None)
        self._found[chat.key] = (url, until)
        if len(self._found) > _MOST_CHATS:
            del self._found[next(iter(self._found))]

    def find(self, chat: Address) -> str | None:
        """A session of this chat with some minutes left."""
        url, until = self._found.get(chat.key, ("", self._clock.now()))
        return url if self._clock.now() + _MARGIN < until else None

    def forget(self, chat: Address) -> None:
        self._found.pop(chat.key, None)
