"""A moment as somebody types it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import typer

from config.policy import load_policy
from config.settings import load_settings


def read_moment(text: str) -> datetime:
    """ISO 8601; without an offset it is local time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: ISO 时间，如 2026-11-03T08:00") from None
    zone = ZoneInfo(load_policy(load_settings().policy).calendar.zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
