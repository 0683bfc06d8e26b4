"""Why a deal was lost: one primary reason, and all that were said (docs/coaching.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

REASON = "loss_reason"
"""The slot of the primary reason: a code of OBJECTIONS. All reasons stand in "objections"."""

NOTE = "loss_note"
"""The slot of the rep's own words, where no code says it."""

OTHER = "other"

_COMMON = ("price_high", "competitor", "budget", "no_need", "timing", "decision_process")
"""What is offered where the rep has said nothing, most frequent in B2B sales first."""


def settled(slots: Mapping[str, object]) -> dict[str, object]:
    """The slots with the reasons in order: the only one said is the primary one, and one that
    was taken back is none any more."""
    said = _said(slots)
    primary = slots.get(REASON)
    if primary not in said:
        primary = said[0] if len(said) == 1 else None
    kept = {key: value for key, value in slots.items() if key not in (REASON, NOTE)}
    if primary is not None:
        kept[REASON] = primary
    if primary == OTHER and NOTE in slots:
        kept[NOTE] = slots[NOTE]
    return kept


def chosen(slots: Mapping[str, object], code: str) -> dict[str, object]:
    """The slots to fill once somebody named the primary reason."""
    return {REASON: code, "objections": list(dict.fromkeys([*_said(slots), code]))}


def offered(slots: Mapping[str, object], limit: int) -> list[str]:
    """Codes to choose from: what the text says, else the usual ones."""
    said = _said(slots)
    return (said if len(said) > 1 else list(dict.fromkeys([*said, *_COMMON])))[:limit]


def _said(slots: Mapping[str, object]) -> list[str]:
    said = slots.get("objections")
    return [str(code) for code in said] if isinstance(said, Sequence) else []
