"""What is locked stays; what is due and not booked comes out in an open month, to the fen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.payouts.days import SHANGHAI
from bot.domain.payouts.ledger import (
    Closed,
    Slot,
    counted_at,
    cutoff_of,
    due_lines,
    next_month,
    runs_until,
)
from bot.domain.payouts.lines import Kind, Line

AT = datetime(2026, 4, 15, 10, tzinfo=SHANGHAI)
FEBRUARY = Closed("2026-02", cutoff_of("2026-02"), datetime(2026, 3, 3, tzinfo=SHANGHAI))

people = st.sampled_from(["张伟#1", "陈静#2", "__unassigned__"])
runs = st.sampled_from([date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), None])
lines = st.lists(
    st.builds(
        Line,
        deal=st.sampled_from(["A", "B"]),
        person=people,
        kind=st.just(Kind.COMMISSION),
        fen=st.integers(-(10**18), 10**18).filter(bool),
        rule_id=st.sampled_from(["R", "S"]),
        rule_version=st.just(1),
        run=runs,
        why=st.just("why"),
    ),
    max_size=12,
)
slots = st.builds(
    Slot,
    st.sampled_from(["A", "B"]),
    st.sampled_from(["张伟#1", "陈静#2", ""]),
    st.sampled_from(["R", "S"]),
)
booked = st.dictionaries(slots, st.integers(-(10**18), 10**18))


@given(lines=lines, booked=booked)
def test_booked_and_due_together_are_what_the_rules_give(
    lines: list[Line], booked: dict[Slot, int]
) -> None:
    due = due_lines(lines, booked, closed=[FEBRUARY], at=AT)
    sums: dict[Slot, int] = dict(booked)
    for one in due:
        slot = Slot(one.deal, one.person, one.rule_id)
        sums[slot] = sums.get(slot, 0) + one.fen
    should: dict[Slot, int] = {}
    for line in lines:
        person = "" if line.person == "__unassigned__" else line.person
        slot = Slot(line.deal or "", person, line.rule_id or "")
        should[slot] = should.get(slot, 0) + line.fen
    assert {slot: fen for slot, fen in sums.items() if fen} == {
        slot: fen for slot, fen in should.items() if fen
    }
    assert all(one.month > FEBRUARY.month for one in due)


@given(lines=lines)
def test_what_was_booked_as_it_was_due_needs_nothing_more(lines: list[Line]) -> None:
    """Locking what is due and computing anew gives no line for the locked months."""
    first = [one for one in due_lines(lines, {}, closed=[], at=AT) if one.month <= "2026-02"]
    booked: dict[Slot, int] = {}
    for one in first:
        slot = Slot(one.deal, one.person, one.rule_id)
        booked[slot] = booked.get(slot, 0) + one.fen
    again = due_lines(lines, booked, closed=[FEBRUARY], at=AT)
    assert [one for one in again if one.kind is Kind.ADJUSTMENT] == []


def test_a_receipt_counts_on_its_day_unless_its_month_was_locked_before_we_knew() -> None:
    on = date(2026, 2, 20)
    early = datetime(2026, 2, 21, 9, tzinfo=SHANGHAI)
    late = datetime(2026, 3, 5, 9, tzinfo=SHANGHAI)
    assert counted_at(on, early, [FEBRUARY]).date() == on
    assert counted_at(on, late, [FEBRUARY]) == late
    assert counted_at(date(2026, 3, 2), late, [FEBRUARY]).date() == date(2026, 3, 2)


def test_time_is_cut_at_every_end_of_a_month_up_to_the_present_one() -> None:
    found = runs_until([FEBRUARY], date(2025, 12, 9), AT)
    assert [one.date() for one in found] == [
        date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31),
        date(2026, 4, 30),
    ]  # fmt: skip
    assert next_month("2025-12") == "2026-01"


def test_what_lies_beyond_the_present_month_belongs_to_the_next() -> None:
    plain: dict[str, Any] = {"deal": "A", "person": "张伟#1", "kind": Kind.COMMISSION, "fen": 1}
    line = Line(**plain, rule_id="R", rule_version=1, run=None, why="")
    (due,) = due_lines([line], {}, closed=[], at=AT + timedelta(days=1))
    assert due.month == "2026-05"
