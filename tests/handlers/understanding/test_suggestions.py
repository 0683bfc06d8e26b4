"""When the rules want help, and what they let it fill."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.domain.activities import Intent, Moment, Record
from bot.domain.calendar import WorkingCalendar
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.reader import Reader
from handlers.understanding.suggestions import filled, is_unsure

HENGRUI = "杭州恒锐机电有限公司"
VAGUE = "磨了大半天，对方说价格得再降降"


@pytest.fixture
def read(now: datetime, calendar: WorkingCalendar) -> object:
    customers = CustomerIndex()
    customers.add(HENGRUI)
    customers.add("宁波甬江轴承有限公司")
    reader = Reader(calendar)
    return lambda text: reader.read(text, now=now, customers=customers)


@pytest.mark.parametrize(
    ("text", "unsure"),
    [
        (VAGUE, True),
        ("刚跟那个难缠的掰扯了半小时，死活要便宜", True),
        ("刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系", False),
        ("恒锐通了10分钟，嫌贵；甬江通了15分钟", False),
        ("好的", False),
        ("嗯", False),
        ("恒锐机电", False),
        ("确认", False),
        ("本月提成多少？", False),
        ("今天的事都办完了吗", False),
        ("高意向，基本确定", False),
        ("", False),
    ],
)
def test_help_is_wanted_only_for_what_could_not_be_read_surely(
    read: object, text: str, unsure: bool
) -> None:
    assert is_unsure(read(text), text) is unsure  # type: ignore[operator]


def suggestion(**slots: object) -> Record:
    sure = dict.fromkeys(("intent", *slots), 0.5)
    return Record(
        slots.pop("intent", Intent.LOG_VISIT),  # type: ignore[arg-type]
        confidence=sure,
        words=dict.fromkeys(slots, "…"),
        **slots,  # type: ignore[arg-type]
    )


def test_gaps_are_filled_and_marked_as_guesses() -> None:
    rules = (Record(Intent.CHITCHAT, confidence={"intent": 0.6}),)
    more = suggestion(customer=HENGRUI, objections=("price_high",), duration_min=40)
    (record,) = filled(rules, more, VAGUE)
    assert (record.intent, record.customer, record.needs_confirm) == ("log_visit", HENGRUI, True)
    assert (record.objections, record.duration_min) == (("price_high",), 40)
    assert record.confidence["intent"] == record.confidence["duration_min"] == 0.5


def test_what_the_rules_read_stays() -> None:
    rules = (
        Record(
            Intent.LOG_CALL,
            duration_min=30,
            next_contact=Moment.parse("2026-03-11"),
            words={"duration_min": "半小时", "objections": "没异议"},
            confidence={"intent": 0.9},
        ),
    )
    more = suggestion(
        intent=Intent.LOG_QUOTE,
        duration_min=5,
        next_contact=Moment.parse("2026-03-12"),
        objections=("price_high",),
        contact="王总",
    )
    (record,) = filled(rules, more, VAGUE)
    assert (record.intent, record.duration_min) == (Intent.LOG_CALL, 30)
    assert (str(record.next_contact), record.objections) == ("2026-03-11", ())
    assert record.contact == "王总"


def test_sure_readings_take_no_suggestion() -> None:
    rules = (Record(Intent.LOG_CALL, customer=HENGRUI, confidence={"intent": 0.9}),)
    assert filled(rules, suggestion(duration_min=5), VAGUE) == rules
    assert filled(rules * 2, suggestion(duration_min=5), VAGUE) == rules * 2


def test_values_without_an_act_are_nothing_to_note() -> None:
    rules = (Record(Intent.CHITCHAT, confidence={"intent": 0.6}),)
    assert filled(rules, suggestion(intent=Intent.CHITCHAT, contact="王总"), VAGUE) == rules
    assert filled(rules, None, VAGUE) == rules


def test_a_quote_gets_no_length() -> None:
    rules = (Record(Intent.CHITCHAT, confidence={"intent": 0.6}),)
    more = suggestion(intent=Intent.LOG_QUOTE, duration_min=25, amount_fen=100)
    (record,) = filled(rules, more, VAGUE)
    assert (record.duration_min, record.amount_fen) == (None, 100)
