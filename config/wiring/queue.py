"""The stream that messages wait in for the database, where one is configured."""

from __future__ import annotations

import importlib.util

from bot.clock import Clock
from config.policy import ConfigError
from config.settings import Settings
from config.wiring.together import division_of
from connectors.queue.access import Access as QueueAccess
from connectors.queue.inbox import StreamInbox
from handlers.upkeep.together import Together


def queue_of(settings: Settings, clock: Clock, together: Together | None) -> StreamInbox | None:
    """None: doors store into the database themselves."""
    access, division = queue_access(settings), division_of(settings)
    if access is None:
        return None
    if together is None:
        return StreamInbox(access, division, clock, holds=lambda _: True)
    shares = together.membership
    queue = StreamInbox(access, division, clock, holds=lambda name: shares.fence(name) is not None)
    shares.on_change(queue.shares_changed)
    return queue


def queue_access(settings: Settings) -> QueueAccess | None:
    given = settings.queue.revealed()
    if not given["url"]:
        return None
    if importlib.util.find_spec("nats") is None:
        raise ConfigError("queue.url：还没有安装 (not installed)：pip install 'gendan[nats]'")
    return QueueAccess(**given)
