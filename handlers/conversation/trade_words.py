"""What a library's own words make of a message: «科室会» is a visit though nobody said 拜访, and
«挂网价高» is an objection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.domain import drafting
from bot.domain.activities import Intent, Record
from bot.domain.library import ActionLibrary
from handlers.conversation import telling

_DENIED = re.compile(r"(?:不|没|没有|不再|不是)(?:说|嫌|觉得)?$")
_TO_BE_SAID_CLEARLY = frozenset({Intent.CHITCHAT, Intent.SET_NEXT, Intent.LOG_MESSAGE})
"""What a sentence is taken for when it names no action that everybody knows."""


def apply(library: ActionLibrary, records: Sequence[Record], text: str) -> tuple[Record, ...]:
    """The records with the actions and objections that only the trade has a word for."""
    parts = telling.parts(text, records)
    return tuple(
        _with_action(library, _with_objections(library, record, part), part)
        for record, part in zip(records, parts, strict=True)
    )


def objections(library: ActionLibrary, text: str) -> tuple[str, ...]:
    """Codes that the text gives in words of the trade."""
    return tuple(
        code for code, words in library.refusals if any(_says(text, word) for word in words)
    )


def _with_objections(library: ActionLibrary, record: Record, text: str) -> Record:
    found = objections(library, text)
    if not found:
        return record
    return replace(record, objections=tuple(dict.fromkeys([*record.objections, *found])))


def _with_action(library: ActionLibrary, record: Record, text: str) -> Record:
    """Only for a named customer, and only what would have been no action else."""
    named = record.customer or record.ambiguous or record.customer_mention
    unit = drafting.named_unit(library.units, text)
    if unit is None or not named or record.intent not in _TO_BE_SAID_CLEARLY:
        return record
    return replace(record, intent=unit.intent)


def _says(text: str, word: str) -> bool:
    at = text.find(word)
    return at >= 0 and _DENIED.search(text[:at]) is None
