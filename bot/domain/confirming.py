"""Which drafts a person must press for, and which are stored at once (policy.drafts)."""

from __future__ import annotations

from bot.domain.activities import Draft, Intent
from bot.domain.policy import DraftPolicy

CERTAIN = 0.9
"""What was said outright is read with at least this; less is a guess: a value that stood
beside others, a round figure, a name that colleagues use otherwise."""

WEIGHTY = frozenset({Intent.LOG_WIN, Intent.LOG_LOSS, Intent.SET_INTENT})
"""What ends a deal or claims a level is never stored without a press."""

_OF_THE_WHOLE = ("customer", "intent")


def doubtful(policy: DraftPolicy, draft: Draft) -> list[str]:
    """The slots that were not read surely enough to do without a press."""
    return [slot for slot in _read(draft) if draft.confidence[slot] < _least(policy, slot)]


def unsure(policy: DraftPolicy, draft: Draft) -> list[str]:
    """The slots to point out on the card: they may well be wrong."""
    return [slot for slot in _read(draft) if draft.confidence[slot] < policy.min_confidence]


def needs_press(policy: DraftPolicy, draft: Draft) -> bool:
    """Whether a complete draft waits for a press all the same."""
    weighty = draft.unit in WEIGHTY or "replaces" in draft.slots
    return not policy.auto_confirm or weighty or bool(doubtful(policy, draft))


def _read(draft: Draft) -> list[str]:
    return [slot for slot in draft.confidence if slot in draft.slots or slot in _OF_THE_WHOLE]


def _least(policy: DraftPolicy, slot: str) -> float:
    return max(policy.min_confidence, CERTAIN if slot in policy.confirm_slots else 0.0)
