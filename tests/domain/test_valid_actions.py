"""What counts as progress (B2), on the manufacturing library."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.activities import Activity, Grade
from bot.domain.library import ActionUnit
from bot.domain.policy import ActionPolicy
from bot.domain.valid_actions import (
    ActionFacts,
    EarlierFacts,
    Invalid,
    Verdict,
    earlier_facts,
    judge,
)
from config.library import load_library
from config.policy import HERE, load_calendar

CALENDAR = load_calendar()
LIBRARY = load_library(HERE / "actions" / "manufacturing.toml")
POLICY = ActionPolicy()
NOW = datetime(2026, 1, 28, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
PDF = {"f" * 64: "application/pdf"}

CALL = {"duration_min": 25, "objections": ["price_high"], "next_contact": "2026-02-04"}
SENT = {"customer_received": True}
BOOKING = {"next_contact": "2026-02-04T10:00", "contact": "王总"}


def unit(key: str) -> ActionUnit:
    found = LIBRARY.unit(key)
    assert found is not None
    return found


def verdict(
    key: str,
    slots: dict[str, Any],
    *,
    earlier: EarlierFacts | None = None,
    **given: Any,
) -> Verdict:
    facts = ActionFacts(**{"occurred_at": NOW, "recorded_at": NOW, "slots": slots, **given})
    return judge(unit(key), facts, earlier or EarlierFacts(), POLICY, CALENDAR)


@pytest.mark.parametrize(
    ("key", "slots", "files", "reason"),
    [
        ("first_call", CALL, {}, None),
        ("first_call", {**CALL, "objections": []}, {}, None),  # asked, and there are none
        ("first_call", {**CALL, "duration_min": 3}, {}, None),  # 180 s is enough
        ("first_call", {**CALL, "duration_min": 2}, {}, Invalid.TOO_SHORT),
        ("first_call", {**CALL, "connected": False}, {}, Invalid.NOT_CONNECTED),
        ("first_call", {"connected": False}, {}, Invalid.NOT_CONNECTED),
        ("first_call", {"duration_min": 25}, {}, Invalid.MISSING_FIELDS),
        ("followup_call", {"duration_min": 5, "next_contact": "2026-02-04"}, {}, None),
        ("proposal", SENT, PDF, None),
        ("proposal", SENT, {}, Invalid.MISSING_FIELDS),
        ("proposal", SENT, {"a" * 64: "image/png"}, Invalid.MISSING_FIELDS),  # PDF wanted
        ("proposal", {}, PDF, Invalid.MISSING_FIELDS),
        ("proposal", {"customer_received": False}, PDF, Invalid.MISSING_FIELDS),
        ("visit_booking", BOOKING, {}, None),
        ("visit_booking", {"next_contact": "2026-02-04T10:00"}, {}, Invalid.MISSING_FIELDS),
        ("visit_booking", {**BOOKING, "next_contact": "2026-02-04"}, {}, Invalid.NO_CLOCK),
        ("visit_booking", {**BOOKING, "next_contact": "2026-01-28T15:00"}, {}, Invalid.VISIT_PAST),
        ("visit_booking", {**BOOKING, "next_contact": "2026-01-28T15:01"}, {}, None),
        ("visit", {"contact": "王总", "next_contact": "2026-02-04"}, {}, None),
        ("quote", {"amount_fen": 12_800_000}, {"q" * 64: "image/jpeg"}, None),
        ("quote", {"amount_fen": 12_800_000}, {}, Invalid.MISSING_FIELDS),
        ("message", {"next_contact": "2026-02-04"}, {}, Invalid.NOT_COUNTED),
    ],
)
def test_what_counts(
    key: str, slots: dict[str, Any], files: dict[str, str], reason: Invalid | None
) -> None:
    judged = verdict(key, slots, files=files)
    assert (judged.valid, judged.reason) == (reason is None, reason)


def test_what_is_missing_is_named_in_the_users_words() -> None:
    judged = verdict("first_call", {"duration_min": 25})
    assert judged.missing == ("关键异议", "下次联系")


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        ({}, Grade.SELF_REPORTED),
        ({"files": PDF}, Grade.FILE_ATTACHED),
        ({"files": PDF, "proven": True}, Grade.PLATFORM_PROVEN),
    ],
)
def test_the_grade_tells_how_it_is_proven(given: dict[str, Any], grade: Grade) -> None:
    assert verdict("first_call", CALL, **given).grade is grade


def test_a_future_action_is_refused_altogether() -> None:
    judged = verdict("first_call", CALL, occurred_at=NOW + timedelta(minutes=1))
    assert judged.reason is Invalid.FUTURE_DATED
    assert judged.refused
    assert not verdict("first_call", {**CALL, "duration_min": 1}).refused


@pytest.mark.parametrize(
    ("occurred", "recorded", "late"),
    [
        ("2026-01-26T15:00", "2026-01-28T15:00", False),  # 48 h is not more than 48 h
        ("2026-01-26T14:59", "2026-01-28T15:00", True),
        ("2026-01-23T15:00", "2026-01-27T15:00", False),  # over a weekend
        ("2026-02-14T09:00", "2026-02-25T09:00", False),  # over Spring Festival
        ("2026-02-14T09:00", "2026-02-25T09:01", True),
    ],
)
def test_more_than_48_working_hours_late_is_locked(
    occurred: str, recorded: str, late: bool
) -> None:
    times = {
        "occurred_at": datetime.fromisoformat(f"{occurred}+08:00"),
        "recorded_at": datetime.fromisoformat(f"{recorded}+08:00"),
    }
    judged = verdict("first_call", CALL, **times)
    assert judged.late is late
    assert judged.reason is (Invalid.LOCKED if late else None)
    unlocked = verdict("first_call", CALL, unlocked=True, **times)
    assert (unlocked.valid, unlocked.late) == (True, late)


@pytest.mark.parametrize(
    ("minutes_apart", "same"), [(0, True), (24, True), (-24, True), (25, False), (-25, False)]
)
def test_the_same_call_within_its_own_duration_is_one(minutes_apart: int, same: bool) -> None:
    began = NOW - timedelta(minutes=minutes_apart)
    earlier = EarlierFacts(calls=((began, timedelta(minutes=25)),))
    judged = verdict("first_call", CALL, earlier=earlier)
    assert judged.reason is (Invalid.SAME_CALL if same else None)


@pytest.mark.parametrize(("others", "same"), [(0, False), (1, False), (2, True), (9, True)])
def test_a_file_for_three_customers_is_made_for_none(others: int, same: bool) -> None:
    earlier = EarlierFacts(file_customers={"f" * 64: others})
    judged = verdict("proposal", SENT, files=PDF, earlier=earlier)
    assert judged.reason is (Invalid.SAME_FILE if same else None)


def test_one_file_of_its_own_makes_a_proposal_custom() -> None:
    files = {**PDF, "e" * 64: "application/pdf"}
    earlier = EarlierFacts(file_customers={"f" * 64: 40})
    assert verdict("proposal", SENT, files=files, earlier=earlier).valid


def activity(number: int, key: str, **given: Any) -> Activity:
    plain = Activity(
        id=number,
        account_id=1,
        opportunity_id=1,
        actor_id=1,
        unit=key,
        title=key,
        text="",
        occurred_at=NOW - timedelta(days=10 - number),
        recorded_at=NOW - timedelta(days=10 - number),
        source_id=str(number),
        valid=True,
    )
    return replace(plain, **given)


def test_a_booked_visit_counts_once_however_often_it_is_moved() -> None:
    booked = earlier_facts([activity(1, "visit_booking", slots=BOOKING)], LIBRARY)
    moved = {**BOOKING, "next_contact": "2026-02-11T10:00"}
    assert verdict("visit_booking", moved, earlier=booked).reason is Invalid.VISIT_MOVED


def test_after_the_visit_a_new_one_may_be_booked() -> None:
    held = earlier_facts([activity(2, "visit"), activity(1, "visit_booking")], LIBRARY)
    assert verdict("visit_booking", BOOKING, earlier=held).valid


def test_what_was_taken_back_or_did_not_count_leaves_no_trace() -> None:
    stream = [
        activity(1, "visit_booking"),
        activity(2, "", retracts_id=1, valid=False),
        activity(3, "visit_booking", valid=False),
        activity(4, "first_call", slots={"duration_min": 600}),
        activity(5, "", retracts_id=4, valid=False),
        activity(6, "first_call", slots={"duration_min": 600}, valid=False),
        activity(7, "unknown_unit"),
    ]
    assert earlier_facts(stream, LIBRARY) == EarlierFacts()


def test_earlier_calls_are_read_from_the_stream() -> None:
    stream = [activity(9, "followup_call", slots={"duration_min": 25})]
    began = NOW - timedelta(days=1)
    assert earlier_facts(stream, LIBRARY).calls == ((began, timedelta(minutes=25)),)
