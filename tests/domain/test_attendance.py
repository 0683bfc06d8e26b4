"""What records of attendance come to: the day they count for, corrections, a month."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approvals import (
    Approval,
    ApprovalState,
    Control,
    amount_fen,
    contract_number,
    customer_words,
)
from bot.domain.attendance import (
    CheckIn,
    CheckInKind,
    Fact,
    MonthOfAttendance,
    corrections,
    day_of,
    month_of,
)

CHINA = timezone(timedelta(hours=8))
FOUR = time(4)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@pytest.mark.parametrize(
    ("moment", "planned", "day"),
    [
        ("2026-01-28 08:59", None, date(2026, 1, 28)),
        ("2026-01-28 03:59", None, date(2026, 1, 27)),
        ("2026-01-28 04:00", None, date(2026, 1, 28)),
        ("2026-02-01 01:30", None, date(2026, 1, 31)),
        ("2026-02-01 05:30", "2026-01-31 22:00", date(2026, 1, 31)),
    ],
)
def test_a_day_of_work_ends_after_midnight(moment: str, planned: str | None, day: date) -> None:
    shift = at(planned) if planned else None
    assert day_of(at(moment), shift, zone=CHINA, starts=FOUR) == day


def record(
    day: int, kind: CheckInKind = CheckInKind.ON, trouble: str = "", *, key: str = ""
) -> CheckIn:
    there = trouble not in ("missing", "absent")
    moment = at(f"2026-01-{day:02} 09:00")
    return CheckIn(
        "wecom", "li4", key or f"{day}:{kind}", moment.date(), kind, moment if there else None,
        trouble,
    )  # fmt: skip


MONTHS: list[tuple[list[CheckIn], MonthOfAttendance]] = [
    ([], MonthOfAttendance()),
    ([record(5), record(5, CheckInKind.OFF)], MonthOfAttendance(days=1)),
    ([record(5, trouble="late"), record(6, trouble="late")], MonthOfAttendance(days=2, late=2)),
    (
        [record(5, trouble="missing"), record(5, CheckInKind.OFF, "missing")],
        MonthOfAttendance(absent=1),
    ),
    ([record(5, trouble="missing"), record(5, CheckInKind.OFF)], MonthOfAttendance(days=1)),
    ([record(5, CheckInKind.VISIT), record(6, CheckInKind.OUTSIDE)],
     MonthOfAttendance(days=2, visits=2)),
    ([record(5, CheckInKind.OFF, "early")], MonthOfAttendance(days=1, early=1)),
]  # fmt: skip


@pytest.mark.parametrize(("records", "month"), MONTHS)
def test_a_month_counts_days_not_records(records: list[CheckIn], month: MonthOfAttendance) -> None:
    assert month_of([Fact(0, 1, one) for one in records]) == month


troubles = st.sampled_from(["", "late", "missing"])
tellings = st.dictionaries(st.integers(1, 28), troubles).map(
    lambda told: [record(day, trouble=trouble) for day, trouble in told.items()]
)


@given(tellings, tellings)
def test_after_corrections_what_stands_is_what_was_told_last(
    first: list[CheckIn], second: list[CheckIn]
) -> None:
    known = {one.key: Fact(n, 1, one) for n, one in enumerate(first)}
    new, ended = corrections(known, second)
    over = {fact.key for fact in (one.check_in for one in ended)}
    stands = [one for one in first if one.key not in over] + new
    assert sorted(stands, key=lambda one: one.key) == sorted(second, key=lambda one: one.key)
    assert corrections({one.key: Fact(0, 1, one) for one in second}, second) == ([], [])


def filled(*controls: tuple[str, str]) -> Approval:
    return Approval(
        "wecom", "1", "T", "折扣", ApprovalState.PASSED, "li4", at("2026-01-28 09:00"),
        tuple(Control(f"c{n}", name, text) for n, (name, text) in enumerate(controls)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "fen"),
    [
        ("95000.5", 9_500_050), ("1,234.00", 123_400), ("12000元", 1_200_000), ("约5万", None),
        ("0.001", None), ("90071992547410.00", None), ("-3", -300), ("", None),
    ],
)  # fmt: skip
def test_an_amount_is_yuan_to_the_fen_or_none(told: str, fen: int | None) -> None:
    assert amount_fen(filled(("金额", told))) == fen


def test_controls_are_found_by_what_they_are_called() -> None:
    one = filled(("备注", "恒锐"), ("终端客户名称", "乙"), ("客户名称", "甲"), ("合同编号", "HT-1"))
    assert list(customer_words(one))[:2] == ["甲", "乙"]
    assert contract_number(one) == "HT-1"
    assert contract_number(filled(("备注", "HT-1"))) == ""
