"""What the rules of intents see of a message, and what they say it is for."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.domain.activities import Intent

MENTION = "〓"
"""Stands for every character of a customer's name in the texts below."""


class Said(NamedTuple):
    """What was already read from one stretch of a message.

    text: normalised, customers blanked with MENTION. told, planned: see tenses.

    """

    text: str
    told: str
    planned: str
    names_customer: bool
    duration: bool
    ahead: bool
    level_named: bool
    level_known: bool
    vague: bool
    objections: bool


class Purpose(NamedTuple):
    """What a stretch of a message is for. connected: for calls, whether somebody answered. topic:
    of a query. sure: 0..1."""

    intent: Intent
    words: str = ""
    connected: bool | None = None
    topic: str | None = None
    sure: float = 0.9


def found(
    intent: Intent,
    match: re.Match[str] | None,
    *,
    connected: bool | None = None,
    sure: float = 0.9,
) -> Purpose | None:
    """`intent`, told by `match`; None without one."""
    if match is None:
        return None
    return Purpose(intent, match[0].strip(), connected=connected, sure=sure)
