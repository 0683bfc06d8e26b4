"""Fields that only a library knows: how an answer to one is read, shown, and asked for on a card.

Where the trade calls something by name («排面12个»), the sentence fills it without a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from bot.domain.activities import Moment
from bot.domain.library import FieldKind, SlotSpec
from bot.messages import Field, Option
from handlers.texts import dialog
from handlers.texts.money import amount_words
from handlers.understanding.normal import normalise
from handlers.understanding.numbers import to_lower_number
from handlers.understanding.reader import Reader

LONGEST_TEXT = 200
MOST = 10**9

_NUMBER = re.compile(
    r"(?:大概|大约|差不多|目前|现在|一共|来了|剩|约|共|有|是|了)*"
    r"(?P<value>\d{1,9}|[零一二两三四五六七八九十百千万]{1,9})[\u4e00-\u9fff%]{0,5}"
)
_LABELLED = r"{label}(?:数|量)?(?:有|是|为|大概|约|:|：|\s){{0,3}}(?P<value>\d{{1,9}})"


def read(spec: SlotSpec, text: str, *, reader: Reader, now: datetime) -> object | None:
    """An answer as it is kept, JSON-ready; None where the text is none."""
    text = text.strip()
    match spec.kind:
        case FieldKind.TEXT:
            return text[:LONGEST_TEXT] or None
        case FieldKind.NUMBER:
            return _number(text)
        case FieldKind.CHOICE:
            return _choice(spec, text)
        case FieldKind.AMOUNT:
            amount = reader.read_answer(text, "amount_fen", now=now)
            return amount if isinstance(amount, int) else None
        case FieldKind.DATE:
            return _day(text, reader, now)
        case None:
            answer = reader.read_answer(text, spec.key, now=now)
            if isinstance(answer, Moment):
                return str(answer)
            return list(answer) if isinstance(answer, tuple) else answer


def told(specs: Iterable[SlotSpec], text: str) -> dict[str, object]:
    """What a sentence says of them by name: numbers behind their label, and options."""
    found: dict[str, object] = {}
    for spec in specs:
        if spec.kind is FieldKind.NUMBER:
            label = re.escape(re.sub(r"[数量]$", "", spec.label))
            match = re.search(_LABELLED.format(label=label), normalise(text))
            if match is not None:
                found[spec.key] = int(match["value"])
        elif spec.kind is FieldKind.CHOICE:
            named = [option for option in spec.options if len(option) > 1 and option in text]
            if len(named) == 1:
                found[spec.key] = named[0]
    return found


def words(spec: SlotSpec, value: object) -> str:
    """The value as a card shows it."""
    if spec.kind is FieldKind.AMOUNT and isinstance(value, int):
        return amount_words(value)
    if spec.kind is FieldKind.DATE:
        return dialog.day_words(Moment(date.fromisoformat(str(value))))
    return dialog.slot_words(spec.key, value) if spec.kind is None else str(value)


def form_field(spec: SlotSpec) -> Field:
    """The input of a card. A platform without text inputs leaves those to the chat."""
    if spec.kind is FieldKind.CHOICE:
        options = tuple(Option(option, option) for option in spec.options)
        return Field(spec.key, spec.label, options=options)
    return Field(spec.key, spec.label, kind="text")


def read_form(
    specs: Iterable[SlotSpec], values: Mapping[str, str], *, reader: Reader, now: datetime
) -> dict[str, object]:
    """What a form says of these fields; what cannot be read is left out."""
    slots: dict[str, object] = {}
    for spec in specs:
        given = values.get(spec.key, "").strip()
        if given in ("", "-"):
            continue
        answer = read(spec, given, reader=reader, now=now)
        if answer is not None:
            slots[spec.key] = answer
    return slots


def _number(text: str) -> int | None:
    match = _NUMBER.fullmatch(normalise(text).strip(" 。.!"))
    number = to_lower_number(match["value"]) if match is not None else None
    whole = number is not None and number == number.to_integral_value() and number <= MOST
    return int(number) if number is not None and whole else None


def _choice(spec: SlotSpec, text: str) -> str | None:
    named = [option for option in spec.options if option in text or text in option]
    exact = [option for option in spec.options if option == text.strip("。！! ")]
    found = exact or sorted(named, key=len, reverse=True)
    if not found or (len(found) > 1 and not exact and text in found[-1]):
        return None
    return found[0]


def _day(text: str, reader: Reader, now: datetime) -> str | None:
    answer = reader.read_answer(text, "next_contact", now=now)
    if isinstance(answer, Moment):
        return answer.day.isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
