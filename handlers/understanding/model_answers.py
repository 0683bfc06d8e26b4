"""A language model's answer held against the message: what is not in the message is refused.

Each value comes with the words it was read from. The words must stand in the message, and our
own readers must find the same value in them. So neither an invention of the model nor an order
hidden in the message can put a name, a number or a date into a record that nobody said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.domain.activities import OBJECTIONS, Intent, Moment, Record
from bot.domain.calendar import WorkingCalendar
from handlers.understanding.amounts import Owner, find_amounts, owner_of, read_amount
from handlers.understanding.contacts import find_contacts
from handlers.understanding.durations import find_durations
from handlers.understanding.model_prompt import SUGGESTED, Question
from handlers.understanding.names import take_apart
from handlers.understanding.normal import normalise
from handlers.understanding.numbers import HAN
from handlers.understanding.slots import read_slots
from handlers.understanding.sounds import sound_of
from handlers.understanding.spans import Found

SURE = 0.5
"""How sure a suggested slot is: less than any policy stores without asking."""

_CUT_BEFORE = re.compile(rf"(?:[\d{HAN}]|\d[.,])$")
_CUT_AFTER = re.compile(rf"[\d{HAN}wk]|[.,]\d")
_LONGEST_ANSWER = 8_000


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True)


class _Text(_Strict):
    value: str
    words: str


class _Number(_Strict):
    value: int
    words: str


class _Answer(_Strict):
    intent: Intent | None = None
    customer: _Text | None = None
    duration_min: _Number | None = None
    next_contact: _Text | None = None
    amount_fen: _Number | None = None
    contact: _Text | None = None
    objections: list[_Text] | None = None


@dataclass(frozen=True, slots=True)
class Grounded:
    """A language model's answer, held against the text. record: what held, None if nothing did.
    refused: names of the slots that did not."""

    record: Record | None
    refused: tuple[str, ...] = ()


def ground(answer: str, question: Question, calendar: WorkingCalendar) -> Grounded:
    """What of a model's answer stands in the message. Never raises, whatever the answer."""
    try:
        said = _Answer.model_validate_json(_object_in(answer))
    except ValidationError:
        return Grounded(None, ("answer",))
    held: dict[str, Any] = {}
    words: dict[str, str] = {}
    refused: list[str] = []
    for slot, holds in _checks(question, calendar).items():
        given = getattr(said, slot)
        if given is None:
            continue
        if holds(given):
            held[slot], words[slot] = given.value, normalise(given.words)
        else:
            refused.append(slot)
    held["objections"], words["objections"] = _objections(said, question.text, refused)
    if said.intent is not None and said.intent not in SUGGESTED:
        refused.append("intent")
    return Grounded(_record(said.intent, held, words), tuple(refused))


def resembles(words: str, name: str) -> bool:
    """Whether two neighbouring syllables of the name's core are heard in the words."""
    core, said = sound_of(take_apart(normalise(name)).core), sound_of(normalise(words))
    pairs = [core[at : at + 2] for at in range(len(core) - 1)]
    return any(pair in said for pair in pairs if not pair.isascii()) or (
        len(core) > 1 and core in said
    )


def _object_in(answer: str) -> str:
    """The JSON object in an answer that may stand between other words."""
    start, end = answer.find("{"), answer.rfind("}")
    return answer[start : end + 1] if len(answer) <= _LONGEST_ANSWER else ""


def _record(intent: Intent | None, held: dict[str, Any], words: dict[str, str]) -> Record | None:
    words = {slot: said for slot, said in words.items() if said}
    if intent not in SUGGESTED and not words:
        return None
    moment = held.pop("next_contact", None)
    return Record(
        intent=intent if intent in SUGGESTED else Intent.CHITCHAT,
        next_contact=None if moment is None else Moment.parse(moment),
        needs_confirm="customer" in held,
        words=words,
        confidence=dict.fromkeys(("intent", *words), SURE),
        **held,
    )


def _checks(question: Question, calendar: WorkingCalendar) -> dict[str, Callable[[Any], bool]]:
    """Slot -> whether what is given stands in the message."""
    text = question.text
    slots = read_slots(text, text, question.now, calendar)
    appointments = slots.appointments
    ahead = [one for one in appointments.ahead if one != appointments.promise]

    def customer(given: _Text) -> bool:
        quoted = normalise(given.words)
        offered = given.value in question.customers
        return offered and quoted in text and resembles(quoted, given.value)

    def amount(given: _Number) -> bool:
        ours = [
            one for one in find_amounts(slots.priced) if owner_of(slots.priced, one) is Owner.OURS
        ]
        return _is_among(given, ours, text) or _is_our_bare_amount(given, slots.priced)

    return {
        "customer": customer,
        "duration_min": lambda given: _is_among(given, find_durations(text), text),
        "next_contact": lambda given: _is_among(given, ahead, text),
        "amount_fen": amount,
        "contact": lambda given: _is_among(given, find_contacts(text), text),
    }


def _is_among(given: _Text | _Number, found: list[Found[Any]], text: str) -> bool:
    """Whether our readers found that value, and all of its words are quoted: 周三 does not
    quote 下周三."""
    return any(
        str(one.value) == str(given.value)
        for start, end in _places(text, given.words)
        for one in found
        if start <= one.start and one.end <= end
    )


def _is_our_bare_amount(given: _Number, text: str) -> bool:
    """报给他们128000: a figure that is money only by its sense. It must be quoted whole."""
    return any(
        not _CUT_BEFORE.search(text[max(0, start - 2) : start])
        and not _CUT_AFTER.match(text, end)
        and read_amount(text[start:end]) == given.value
        and owner_of(text, Found(start, end, given.value)) is Owner.OURS
        for start, end in _places(text, given.words)
    )


def _places(text: str, words: str) -> Iterator[tuple[int, int]]:
    """Where the words stand in the text."""
    quoted = normalise(words).strip()
    start = text.find(quoted) if quoted else -1
    while start >= 0:
        yield start, start + len(quoted)
        start = text.find(quoted, start + 1)


def _objections(said: _Answer, text: str, refused: list[str]) -> tuple[tuple[str, ...], str]:
    """Codes with the words they were heard in; a sense cannot be checked, only the words."""
    held = [
        one
        for one in said.objections or ()
        if one.value in OBJECTIONS and any(_places(text, one.words))
    ]
    if len(held) < len(said.objections or ()):
        refused.append("objections")
    codes = tuple(dict.fromkeys(one.value for one in held))
    return codes, " ".join(normalise(one.words) for one in held)
