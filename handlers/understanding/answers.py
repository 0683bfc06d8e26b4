"""Bare answers to what the bot asked: 25分钟, 周三, 嫌贵, 王总, 12万8, 收到了."""

from __future__ import annotations

import re
from datetime import datetime

from bot.domain.activities import Moment
from bot.domain.calendar import WorkingCalendar
from handlers.understanding.amounts import read_amount
from handlers.understanding.appointments import sort_out
from handlers.understanding.contacts import read_contact
from handlers.understanding.dates import find_moments
from handlers.understanding.durations import find_duration
from handlers.understanding.lexicon import says
from handlers.understanding.numbers import to_lower_number
from handlers.understanding.objections import NAMES, find_objections, says_none

_LONGEST_ANSWER = 60
_PADDING = re.compile(
    r"^(?:嗯|呃|额|大概|大约|差不多|就|是|聊了|打了|通了|有|了|,|\s)+|[。!~,\s了吧左右啊呢]+$"
)
_YES = re.compile(
    r"^(?:是的?|对的?|有|嗯+|收到|已收到|查收|收了|确认收到|已经收到|已查收|yes|ok|看了"
    r"|已读|好的|客户收到|对方收到)[了啦的。!,]*"
)
_NO = re.compile(r"^(?:没|未|还没|没有|不|否|不知道|不确定|no|尚未)")


def read_answer(text: str, slot: str, now: datetime, calendar: WorkingCalendar) -> object | None:
    """`text` normalised. See `Reader.read_answer`."""
    text = text.strip()
    if not text or len(text) > _LONGEST_ANSWER:
        return None
    if slot == "duration_min":
        return _duration(text)
    if slot == "next_contact":
        return _moment(text, now, calendar)
    if slot == "objections":
        return _objections(text)
    if slot == "contact":
        return read_contact(text)
    if slot == "amount_fen":
        return read_amount(text)
    return _received(text) if slot == "customer_received" else None


def _duration(text: str) -> int | None:
    found = find_duration(text)
    if found:
        return found.value
    bare = to_lower_number(_PADDING.sub("", text))
    whole = bare is not None and bare == bare.to_integral_value() and bare <= 24 * 60
    return int(bare) if bare is not None and whole else None


def _moment(text: str, now: datetime, calendar: WorkingCalendar) -> Moment | None:
    found = sort_out(text, find_moments(text, now, calendar), now)
    return found.next_contact.value if found.next_contact else None


def _objections(text: str) -> tuple[str, ...] | None:
    named = [NAMES.get(word.strip()) for word in re.split(r"[,、和;。/ ]", text) if word.strip()]
    if named and all(named):
        return tuple(dict.fromkeys(code for code in named if code))
    found = tuple(one.value for one in find_objections(text))
    return found if found or says_none(text) else None


def _received(text: str) -> bool | None:
    if _NO.match(text) or says("intents", "received", "no", text):
        return False
    return True if _YES.match(text) or says("intents", "received", "yes", text) else None
