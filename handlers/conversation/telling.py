"""What of a message belongs to each of its records: the words, the hour, «没异议»."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time

from bot.domain.activities import Draft, Moment, Record
from handlers.desk import Desk
from handlers.understanding.dates import find_moments, may_say_the_hour
from handlers.understanding.normal import normalise

_CLAUSE_END = re.compile(r"[,，。.;；!！?？\n]")
_SHARED = re.compile(r"都|均|两家|几家|三家|分别|一起|同时")
_ADDS = re.compile(r"补充|另外|加上|还(?:嫌|说|担心|有|觉得|提)|也(?:嫌|担心|觉得)")
_LONGEST_DENIAL = 12  # characters of a clause like 客户那边没啥异议
_POINTING = re.compile(r"^(?:那个|刚才|刚刚|上面|嗯|哦|,|，| )+")
_ADDRESSED = re.compile(r"@\S+\s+")


def parts(text: str, records: Sequence[Record]) -> list[str]:
    """The words that tell of each record, cut where the clause of the next customer begins.

    The whole text for each where it cannot be cut, or where something is said of all.
    """
    text = _ADDRESSED.sub("", text).strip()
    whole = [text] * len(records)
    if len(records) < 2 or _SHARED.search(text):
        return whole
    starts: list[int] = []
    for record in records:
        at = text.find(record.words.get("customer") or "\0", starts[-1] + 1 if starts else 0)
        if at < 0:
            return whole
        starts.append(at)
    begins = [0, *(_clause_start(text, at) for at in starts[1:])]
    if begins != sorted(set(begins)):
        return whole
    ends = [*begins[1:], len(text)]
    return [text[begin:end].strip(" ,，;；\n") for begin, end in zip(begins, ends, strict=True)]


def after_name(text: str, record: Record) -> str:
    """What stands behind the customer's name, if the text begins with it."""
    words = record.words.get("customer", "")
    text = _POINTING.sub("", _ADDRESSED.sub("", text).strip())
    return text[len(words) :].lstrip() if words and normalise(text).startswith(words) else ""


def with_denial(desk: Desk, record: Record, text: str, now: datetime) -> Record:
    """«没啥异议» answers the question for objections before it is asked: then `words` has
    them, though there are none."""
    if record.objections or "objections" in record.words:
        return record
    reader = desk.office.reader
    for clause in _CLAUSE_END.split(text):
        short = clause.strip() and len(clause.strip()) <= _LONGEST_DENIAL
        if not short or reader.read_answer(clause, "next_contact", now=now) is not None:
            continue
        if reader.read_answer(clause, "objections", now=now) == ():
            return replace(record, words={**record.words, "objections": clause.strip()})
    return record


def adds(text: str) -> bool:
    """«补充一下，他们还嫌交期长»: it stands beside what was said, not instead."""
    return _ADDS.search(text) is not None


def beside_earlier(draft: Draft, slots: dict[str, object]) -> dict[str, object]:
    """The slots, with the objections that the draft has before those newly said."""
    said, earlier = slots.get("objections"), draft.slots.get("objections")
    if not isinstance(said, list) or not isinstance(earlier, list):
        return slots
    return {**slots, "objections": list(dict.fromkeys([*earlier, *said]))}


def stated_clock(desk: Desk, record: Record, text: str, now: datetime) -> time | None:
    """The hour at which it happened, if the text names one of that day: 昨天下午3点."""
    plain = normalise(text)
    if not may_say_the_hour(plain):
        return None
    day = record.stated_on or now.date()
    for found in find_moments(plain, now, desk.office.calendar):
        moment = found.value
        if moment is not None and moment.day == day and moment.clock is not None:
            return moment.clock if day < now.date() or moment.clock <= now.time() else None
    return None


def past_moment(desk: Desk, text: str, now: datetime) -> Moment | None:
    """The first moment of the text that lies before today."""
    found = (one.value for one in find_moments(normalise(text), now, desk.office.calendar))
    return next((one for one in found if one is not None and one.day < now.date()), None)


def _clause_start(text: str, at: int) -> int:
    ends = [match.end() for match in _CLAUSE_END.finditer(text, 0, at)]
    return ends[-1] if ends else 0
