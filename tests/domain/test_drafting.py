"""What becomes of a draft's slots, and what a stream still promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain import drafting
from bot.domain.activities import Activity, Intent, Record
from bot.domain.library import ActionUnit
from config.library import load_library
from config.policy import HERE

SHANGHAI = ZoneInfo("Asia/Shanghai")
LIBRARY = load_library(HERE / "actions" / "manufacturing.toml")
NOW = datetime(2026, 1, 28, 15, tzinfo=SHANGHAI)  # a Wednesday


def unit(key: str) -> ActionUnit:
    found = LIBRARY.unit(key)
    assert found is not None
    return found


def entry(number: int, when: str, unit_key: str = "followup_call", **slots: Any) -> Activity:
    at = datetime.fromisoformat(when).replace(tzinfo=SHANGHAI)
    return Activity(number, 1, 1, 1, unit_key, "", "", at, at, str(number), slots=slots)


def promise(*stream: Activity) -> str:
    found = drafting.standing_promise(stream, SHANGHAI)
    return f"{found:%m-%d %H:%M}" if found else ""


TOLD = entry(1, "2026-01-20 10:00", next_contact="2026-01-28")


def test_a_later_promise_takes_the_place_of_an_earlier_one_in_any_order() -> None:
    later = entry(2, "2026-01-21 10:00", next_contact="2026-01-30T14:00")
    assert promise(TOLD, later) == promise(later, TOLD) == "01-30 14:00"


@pytest.mark.parametrize(
    ("next_entry", "left"),
    [
        (entry(2, "2026-01-28 16:00"), ""),  # kept on the day
        (entry(2, "2026-01-27 16:00"), "01-28 09:00"),  # too early to keep it
        (entry(2, "2026-01-29 16:00", connected=False), "01-28 09:00"),  # nobody answered
        (entry(2, "2026-01-29 16:00", unit_key=""), "01-28 09:00"),  # a note is no contact
    ],
)
def test_a_contact_on_the_day_or_after_keeps_the_promise(next_entry: Activity, left: str) -> None:
    assert promise(TOLD, next_entry) == left


def test_what_was_taken_back_promises_nothing() -> None:
    back = replace(entry(2, "2026-01-21 10:00", unit_key=""), retracts_id=1)
    assert promise(TOLD, back) == ""


@pytest.mark.parametrize(
    ("stated_on", "clock", "happened"),
    [
        (None, None, "01-28 15:00"),
        (None, time(9, 30), "01-28 09:30"),
        (None, time(16), "01-28 15:00"),  # not yet: they meant something else
        (date(2026, 1, 27), None, "01-27 18:00"),
        (date(2026, 1, 27), time(10), "01-27 10:00"),
        (date(2026, 1, 30), None, "01-30 18:00"),  # for the rules to refuse
    ],
)
def test_when_it_happened(stated_on: date | None, clock: time | None, happened: str) -> None:
    record = Record(Intent.LOG_CALL, stated_on=stated_on)
    found = drafting.occurred_at(record, NOW, SHANGHAI, clock)
    assert f"{found.astimezone(SHANGHAI):%m-%d %H:%M}" == happened


def test_an_unanswered_call_lacks_nothing() -> None:
    assert drafting.missing_slots(unit("first_call"), {"connected": False}, []) == []


def test_only_a_visit_needs_an_hour() -> None:
    slots = {"next_contact": "2026-02-05"}
    assert drafting.lacks_hour(unit("visit_booking"), slots)
    assert not drafting.lacks_hour(unit("visit_booking"), {"next_contact": "2026-02-05T10:00"})
    assert not drafting.lacks_hour(unit("followup_call"), slots)


def test_a_first_call_that_was_taken_back_or_not_answered_is_still_to_be_made() -> None:
    first = entry(1, "2026-01-20 10:00", "first_call")
    back = replace(entry(2, "2026-01-21 10:00", unit_key=""), retracts_id=1)
    missed = entry(3, "2026-01-22 10:00", "first_call", connected=False)
    done = drafting.units_done([first, back, missed])
    assert drafting.choose_unit(LIBRARY, Intent.LOG_CALL, done) == unit("first_call")
    done = drafting.units_done([first])
    assert drafting.choose_unit(LIBRARY, Intent.LOG_CALL, done) == unit("followup_call")
