"""What a language model says counts only as far as it stands in the message."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.activities import Intent
from bot.domain.calendar import WorkingCalendar
from handlers.understanding.model_answers import ground, resembles
from handlers.understanding.model_prompt import SUGGESTED, Question, masked
from tests.handlers.light_company import CALENDAR

BEARINGS, HENGRUI = "宁波甬江轴承有限公司", "杭州恒锐机电有限公司"
SAID = (
    "跟那个做轴承的掰扯了25分钟，王总死活要便宜，我报了12万8，下周三再碰，对手报11万，他们20号开标"
)


@pytest.fixture
def asked(now: datetime) -> Question:
    return Question(masked(SAID), now, (BEARINGS, HENGRUI))


def answer(**slots: object) -> str:
    return json.dumps({"intent": "log_call", **slots}, ensure_ascii=False)


def slot(value: object, words: str) -> dict[str, object]:
    return {"value": value, "words": words}


def test_what_stands_in_the_message_holds(asked: Question, calendar: WorkingCalendar) -> None:
    said = answer(
        customer=slot(BEARINGS, "做轴承的"),
        duration_min=slot(25, "25分钟"),
        next_contact=slot("2026-06-17", "下周三"),
        amount_fen=slot(12_800_000, "报了12万8"),
        contact=slot("王总", "王总"),
        objections=[slot("price_high", "死活要便宜")],
    )
    grounded = ground(said, asked, calendar)
    assert grounded.refused == ()
    record = grounded.record
    assert record is not None
    assert (record.intent, record.customer, record.needs_confirm) == ("log_call", BEARINGS, True)
    assert (record.duration_min, str(record.next_contact)) == (25, "2026-06-17")
    assert (record.amount_fen, record.contact) == (12_800_000, "王总")
    assert record.objections == ("price_high",)
    assert max(record.confidence.values()) < 0.8


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customer", slot("上海某某科技有限公司", "做轴承的")),
        ("customer", slot(HENGRUI, "做轴承的")),
        ("customer", slot(BEARINGS, "甬江轴承")),
        ("customer", slot(BEARINGS, "")),
        ("customer", slot(BEARINGS, "死活要便宜")),
        ("duration_min", slot(30, "25分钟")),
        ("duration_min", slot(30, "30分钟")),
        ("duration_min", slot(5, "5分钟")),
        ("next_contact", slot("2026-06-18", "下周三")),
        ("next_contact", slot("2026-06-17", "周三")),
        ("next_contact", slot("2026-06-19", "下周五")),
        ("next_contact", slot("2026-06-17T10:00", "下周三")),
        ("next_contact", slot("tomorrow", "下周三")),
        ("amount_fen", slot(15_000_000, "15万")),
        ("amount_fen", slot(2_800_000, "2万8")),
        ("amount_fen", slot(11_000_000, "对手报11万")),
        ("amount_fen", slot(11_000_000, "11万")),
        ("amount_fen", slot(128_000, "报了12万8")),
        ("contact", slot("李总", "王总")),
        ("contact", slot("李总", "李总")),
        ("objections", [slot("price_high", "嫌太贵")]),
        ("objections", [slot("grumpy", "死活要便宜")]),
    ],
)
def test_what_nobody_said_is_refused(
    asked: Question, calendar: WorkingCalendar, name: str, value: object
) -> None:
    grounded = ground(answer(**{name: value}), asked, calendar)
    assert grounded.refused == (name,)
    assert grounded.record is not None
    assert not getattr(grounded.record, name)


def test_one_invention_leaves_the_rest(asked: Question, calendar: WorkingCalendar) -> None:
    said = answer(duration_min=slot(90, "90分钟"), contact=slot("王总", "王总"))
    grounded = ground(said, asked, calendar)
    assert grounded.refused == ("duration_min",)
    assert grounded.record is not None
    assert (grounded.record.duration_min, grounded.record.contact) == (None, "王总")


@pytest.mark.parametrize("intent", sorted(set(Intent) - set(SUGGESTED)))
def test_no_model_confirms_cancels_or_asks(
    asked: Question, calendar: WorkingCalendar, intent: Intent
) -> None:
    grounded = ground(json.dumps({"intent": intent}), asked, calendar)
    assert (grounded.record, grounded.refused) == (None, ("intent",))


@pytest.mark.parametrize(
    ("text", "words", "fen"),
    [
        ("给他们发过去128000的单子", "128000", 12_800_000),
        ("给他们发过去的单子是七十六万五", "七十六万五", 76_500_000),
    ],
)
def test_a_bare_figure_is_money_if_the_model_says_so(
    now: datetime, calendar: WorkingCalendar, text: str, words: str, fen: int
) -> None:
    grounded = ground(answer(amount_fen=slot(fen, words)), Question(text, now, ()), calendar)
    assert grounded.record is not None
    assert grounded.record.amount_fen == fen


@pytest.mark.parametrize("words", ["28000", "12800", "800", "12"])
def test_a_piece_of_a_figure_is_no_figure(
    now: datetime, calendar: WorkingCalendar, words: str
) -> None:
    for text in ("给他们发过去128000的单子", "给他们发过去12,800的单子，"):
        said = answer(amount_fen=slot(int(words) * 100, words))
        grounded = ground(said, Question(text, now, ()), calendar)
        assert grounded.record is not None
        assert grounded.record.amount_fen is None


@pytest.mark.parametrize(
    "said",
    [
        "",
        "好的，我来分析一下",
        "{",
        '{"intent": "log_call"',
        "[]",
        '{"intent": "dance"}',
        '{"intent": "log_call", "duration_min": 25}',
        '{"intent": "log_call", "duration_min": {"value": "25", "words": "25分钟"}}',
        '{"intent": "log_call", "duration_min": {"value": 25}}',
        '{"intent": "log_call", "objections": "price_high"}',
        '{"a":' * 5_000,
        '{"intent": "log_call", "customer": null' + " " * 9_000 + "}",
    ],
)
def test_an_answer_of_another_shape_is_refused_whole(
    asked: Question, calendar: WorkingCalendar, said: str
) -> None:
    grounded = ground(said, asked, calendar)
    assert (grounded.record, grounded.refused) == (None, ("answer",))


def test_words_around_the_answer_and_unknown_keys_do_no_harm(
    asked: Question, calendar: WorkingCalendar
) -> None:
    grounded = ground(f"```json\n{answer(reason='电话')}\n```", asked, calendar)
    assert grounded.record is not None
    assert grounded.record.intent is Intent.LOG_CALL


def test_nothing_to_note_is_no_record(asked: Question, calendar: WorkingCalendar) -> None:
    assert ground('{"intent": null}', asked, calendar).record is None
    assert ground("{}", asked, calendar).record is None


QUOTES = st.one_of(
    st.text(SAID, max_size=6),
    st.tuples(st.integers(0, len(SAID)), st.integers(0, 8)).map(
        lambda cut: SAID[cut[0] : cut[0] + cut[1]]
    ),
)
SLOTS = st.one_of(
    st.none(),
    st.integers(),
    QUOTES,
    st.fixed_dictionaries({"value": st.one_of(st.integers(), QUOTES), "words": QUOTES}),
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["intent", "customer", "duration_min", "next_contact", "amount_fen", "contact"]
        ),
        SLOTS,
    )
)
def test_no_answer_puts_an_unsaid_value_into_a_record(answer: dict[str, object]) -> None:
    now = datetime.fromisoformat("2026-06-10T15:00:00+08:00")
    asked = Question(masked(SAID), now, (BEARINGS, HENGRUI))
    record = ground(json.dumps(answer), asked, CALENDAR).record
    if record is not None:
        assert record.customer in (None, BEARINGS)
        assert record.duration_min in (None, 25)
        assert record.amount_fen in (None, 12_800_000)
        assert str(record.next_contact) in ("None", "2026-06-17", "2026-06-20")
        assert record.contact in (None, "王总")


@pytest.mark.parametrize(
    ("words", "name", "alike"),
    [
        ("恒锐", HENGRUI, True),
        ("横瑞那边", HENGRUI, True),
        ("做轴承的", BEARINGS, True),
        ("杭州那家", HENGRUI, False),
        ("有限公司", HENGRUI, False),
        ("sap", "SAP中国有限公司", False),
        ("", HENGRUI, False),
    ],
)
def test_a_name_is_meant_by_words_that_sound_like_it(words: str, name: str, alike: bool) -> None:
    assert resembles(words, name) is alike
