"""Where the rules are not sure, and how a second reading fills what they left open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.activities import Intent, Record
from handlers.understanding.model_prompt import SUGGESTED

SHORTEST = 6  # characters besides the customer; less has nothing more to tell
_SURE_INTENT = 0.7
_FILLED = ("duration_min", "next_contact", "amount_fen", "contact", "objections")
_WITH_LENGTH = frozenset({Intent.LOG_CALL, Intent.LOG_VISIT, Intent.LOG_MESSAGE})
_QUESTION = re.compile(r"[?？吗呢么][。!！ ]*$")


def is_unsure(records: Sequence[Record], text: str) -> bool:
    """Whether a second reading may help: one record whose intent the rules guessed at, or
    whose customer they did not find. What names two companies is for the person to settle."""
    if len(records) != 1:
        return False
    record = records[0]
    told = len(text.strip()) - len(record.words.get("customer", ""))
    if told < SHORTEST or _QUESTION.search(text) or record.vague_intent:
        return False
    if not _knows_intent(record):
        return record.intent is Intent.CHITCHAT or record.intent in SUGGESTED
    return record.intent in SUGGESTED and not _names_anybody(record)


def filled(records: Sequence[Record], suggested: Record | None, text: str) -> tuple[Record, ...]:
    """The rules' reading with its gaps filled. What the rules read stays as it is."""
    if suggested is None or not is_unsure(records, text):
        return tuple(records)
    record = records[0]
    intent = record.intent if _knows_intent(record) else suggested.intent
    if intent not in SUGGESTED:
        return tuple(records)
    slots = [slot for slot in _FILLED if _is_open(record, slot) and getattr(suggested, slot)]
    if intent not in _WITH_LENGTH:
        slots = [slot for slot in slots if slot != "duration_min"]
    changes = {slot: getattr(suggested, slot) for slot in slots}
    if suggested.customer is not None and not _names_anybody(record):
        changes |= {"customer": suggested.customer, "needs_confirm": True}
    taken = [*changes, *(["intent"] if intent is not record.intent else [])]
    known = {slot: words for slot, words in suggested.words.items() if slot in taken}
    sure = {slot: suggested.confidence[slot] for slot in taken if slot in suggested.confidence}
    return (
        replace(
            record,
            intent=intent,
            words=record.words | known,
            confidence=record.confidence | sure,
            **changes,
        ),
    )


def _knows_intent(record: Record) -> bool:
    if record.intent is Intent.CHITCHAT:
        return bool(record.words.get("intent"))
    return record.confidence.get("intent", 0.0) >= _SURE_INTENT


def _names_anybody(record: Record) -> bool:
    return bool(record.customer or record.ambiguous or record.customer_mention)


def _is_open(record: Record, slot: str) -> bool:
    """The rules read nothing there; that there are no objections is something read."""
    return not getattr(record, slot) and slot not in record.words
