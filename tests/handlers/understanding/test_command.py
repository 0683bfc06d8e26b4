from __future__ import annotations

import json
from datetime import datetime

import pytest

from bot.domain.calendar import WorkingCalendar
from handlers.understanding import command

EIGHT = {
    "intent",
    "customer",
    "duration_min",
    "objections",
    "next_contact",
    "amount_fen",
    "attachments_claimed",
    "intent_level",
}


def answers(lines: list[str], now: datetime, calendar: WorkingCalendar) -> list[dict[str, object]]:
    said = command.run(lines, now, ["南京栖霞阀业"], calendar=calendar)
    return [json.loads(line) for line in said]


def test_each_line_gives_a_line_in_order(now: datetime, calendar: WorkingCalendar) -> None:
    lines = [
        json.dumps({"text": "栖霞阀业聊了9分钟"}),
        json.dumps({"text": "早", "now": "2026-03-05T16:00:00+08:00", "known_customers": []}),
    ]
    first, second = answers(lines, now, calendar)
    assert first["customer"] == "南京栖霞阀业"
    assert set(first) == EIGHT | {"connected"}
    assert second["intent"] == "chitchat"
    assert set(second) == EIGHT


def test_the_line_says_when_and_whom(calendar: WorkingCalendar) -> None:
    line = json.dumps(
        {
            "text": "松北明天再说，旅顺没接",
            "now": "2026-09-14T18:00:00+08:00",
            "known_customers": ["哈尔滨松北锅炉", "大连旅顺船舶"],
        }
    )
    (answer,) = (json.loads(one) for one in command.run([line], None, [], calendar=calendar))
    assert answer["next_contact"] == "2026-09-15"
    assert answer["also"][0]["customer"] == "大连旅顺船舶"


@pytest.mark.parametrize(
    "line",
    [
        "no json", "[]", "{}", '{"text": 5}', '{"text": "x", "now": "soon"}',
        '{"text": "x", "now": "2026-01-01T10:00:00"}', '{"text": "x", "known_customers": "a"}',
    ],
)  # fmt: skip
def test_a_malformed_line_gives_its_error_and_the_next_goes_on(
    line: str, now: datetime, calendar: WorkingCalendar
) -> None:
    bad, good = answers([line, '{"text": "确认"}'], now, calendar)
    assert set(bad) == {"error"}
    assert good["intent"] == "confirm"


def test_explaining_shows_the_words_behind_each_slot(
    now: datetime, calendar: WorkingCalendar
) -> None:
    line = json.dumps({"text": "栖霞阀业聊了9分钟"})
    said = command.run([line], now, ["南京栖霞阀业"], calendar=calendar, explain=True)
    (answer,) = (json.loads(one) for one in said)
    assert answer["explain"][0]["words"]["duration_min"] == "9分钟"
