"""Records as JSON, with the keys of the record schema (docs/understanding.md)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.activities import Record

_OPTIONAL_WHEN_SET = (
    "connected",
    "customer_received",
    "vague_intent",
    "level_refused",
    "customer_mention",
    "needs_confirm",
    "not_valid_reason",
    "query_topic",
    "correct_slot",
    "ref",
    "amount_approx",
)


_TELLING_WHEN_FALSE = ("connected",)


def to_json(records: Sequence[Record]) -> dict[str, object]:
    """The first record, the others under `also`. Eight slots always, further keys when set."""
    first, *others = records
    body = _record(first)
    if others:
        body["also"] = [_record(record) for record in others]
    return body


def explain(records: Sequence[Record]) -> list[dict[str, object]]:
    """For each record: slot -> the words it was read from, and how sure that is (0..1)."""
    return [
        {
            "intent": str(record.intent),
            "customer": record.customer,
            "words": dict(record.words),
            "confidence": dict(record.confidence),
        }
        for record in records
    ]


def _record(record: Record) -> dict[str, object]:
    body: dict[str, object] = {
        "intent": str(record.intent),
        "customer": record.customer,
        "duration_min": record.duration_min,
        "objections": list(record.objections),
        "next_contact": None if record.next_contact is None else str(record.next_contact),
        "amount_fen": record.amount_fen,
        "attachments_claimed": list(record.attachments_claimed),
        "intent_level": record.intent_level,
    }
    for key in _OPTIONAL_WHEN_SET:
        value = getattr(record, key)
        if value not in (None, False) or (key in _TELLING_WHEN_FALSE and value is False):
            body[key] = value
    if record.intent_alt:
        body["intent_alt"] = [str(intent) for intent in record.intent_alt]
    if record.ambiguous:
        body["ambiguous"] = list(record.ambiguous)
    for key in ("until", "promise_date"):
        day = getattr(record, key)
        if day is not None:
            body[key] = day.isoformat()
    return body
