"""Lead to opportunity by day: the rules R1 to R11 of docs/conversions.md, one by one, together,
and beside a slow counting of its own kind."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.conversions import (
    CHINA,
    DayCount,
    Event,
    Merge,
    Status,
    Transition,
    count_conversions,
)

LEAD, OPP, WON = Status.LEAD, Status.OPPORTUNITY, Status.WON
LOST, INVALID = Status.LOST, Status.INVALID
MONDAY = date(2026, 3, 2)


def move(
    number: int, at: str, came_from: Status | None, to: Status, *, who: str = "a", filled: int = 3
) -> Transition:
    """at: "2 09:00", day of March 2026 and China's clock."""
    return Transition(f"e{number:03}", moment(at), who, came_from, to, filled)


def merge(number: int, at: str, loser: str, survivor: str) -> Merge:
    return Merge(f"e{number:03}", moment(at), loser, survivor)


def moment(at: str) -> datetime:
    day, clock = at.split()
    return datetime.fromisoformat(f"2026-03-{int(day):02}T{clock}:00+08:00")


def path(start: Status | None, *stations: Status, day: int = 2) -> list[Event]:
    """One customer's moves of a day, an hour apart."""
    froms = (start, *stations)
    return [
        move(number, f"{day} {8 + number:02}:00", came_from, to)
        for number, (came_from, to) in enumerate(zip(froms, stations, strict=False))
    ]


def fractions(initial: dict[str, Status], events: Sequence[Event]) -> dict[int, str]:
    """Day of the month -> "numerator/denominator"."""
    days = count_conversions(initial, events).days
    return {day.day.day: f"{day.numerator}/{day.denominator}" for day in days}


@pytest.mark.parametrize(
    ("story", "start", "stations", "expected"),
    [
        ("a lead converts", LEAD, [OPP], "1/1"),
        ("a lead that is won at once has converted", LEAD, [WON], "1/1"),
        ("a lead converts and is won", LEAD, [OPP, WON], "1/1"),
        ("lost as an opportunity of today counts (R4)", LEAD, [OPP, LOST], "1/1"),
        ("lost as a lead does not", LEAD, [LOST], "0/1"),
        ("lost as an opportunity of yesterday is no lead of today", OPP, [LOST], "0/0"),
        ("lost from won is not lost from opportunity", LEAD, [OPP, WON, LOST], "0/1"),
        ("taken back the same day (R6)", LEAD, [OPP, LEAD], "0/1"),
        ("taken back, then lost as a lead", LEAD, [OPP, LEAD, LOST], "0/1"),
        ("taken back and converted again", LEAD, [OPP, LEAD, OPP], "1/1"),
        ("taken back, converted again, lost", LEAD, [OPP, LEAD, OPP, LOST], "1/1"),
        ("lost, reopened, taken back", LEAD, [OPP, LOST, OPP, LEAD], "0/1"),
        ("lost after converting stays so when it is a lead again", LEAD, [OPP, LOST, LEAD], "1/1"),
        ("back to lead on a later day (R7)", OPP, [LEAD], "0/1"),
        ("back to lead and converted again the same day (R7)", OPP, [LEAD, OPP], "1/1"),
        ("invalid passes through lead (R8)", INVALID, [OPP], "1/1"),
        ("invalid to opportunity, then lost", INVALID, [OPP, LOST], "1/1"),
        ("invalid to opportunity, taken back", INVALID, [OPP, LEAD], "0/1"),
        ("invalid to won is no lead", INVALID, [WON], "0/0"),
        ("discarded leads stay in the denominator (R8)", LEAD, [INVALID], "0/1"),
        ("discarded after converting", LEAD, [OPP, INVALID], "0/1"),
        ("revived the same day", LEAD, [INVALID, OPP], "1/1"),
        ("reopened from lost was no lead today", LOST, [OPP], "0/0"),
        ("new as a lead", None, [LEAD], "0/1"),
        ("new as a lead and converted", None, [LEAD, OPP], "1/1"),
        ("new as an opportunity was never a lead", None, [OPP], "0/0"),
        ("a lead stays a lead", LEAD, [LEAD], "0/1"),
    ],
)
def test_one_customer_on_one_day(
    story: str, start: Status | None, stations: list[Status], expected: str
) -> None:
    initial = {"a": start} if start else {}
    assert fractions(initial, path(start, *stations)) == {2: expected}, story


def test_the_day_is_the_one_in_shanghai_whatever_the_offset() -> None:
    new_york = datetime(2026, 3, 1, 11, 59, 59, tzinfo=timezone(timedelta(hours=-4)))
    events = [
        Transition("e1", new_york, "a", LEAD, OPP, 3),
        Transition("e2", new_york + timedelta(seconds=1), "b", LEAD, OPP, 3),
    ]
    assert fractions({"a": LEAD, "b": LEAD}, events) == {1: "1/2", 2: "1/1"}


def test_days_between_two_events_count_their_leads() -> None:
    events = [move(1, "2 09:00", LEAD, OPP), move(2, "5 09:00", OPP, WON)]
    assert fractions({"a": LEAD, "b": LEAD, "c": WON}, events) == {
        2: "1/2",
        3: "0/1",
        4: "0/1",
        5: "0/1",
    }


def test_days_run_over_the_end_of_a_month() -> None:
    events = [move(1, "31 09:00", LEAD, OPP), move(2, "31 09:00", OPP, WON)]
    events[1] = events[1]._replace(at=events[1].at + timedelta(days=2))
    days = [day.day for day in count_conversions({"a": LEAD}, events).days]
    assert days == [date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2)]


def test_a_later_return_to_lead_leaves_earlier_days_alone() -> None:
    events = [move(1, "2 09:00", LEAD, OPP), move(2, "3 09:00", OPP, LEAD)]
    assert fractions({"a": LEAD}, events) == {2: "1/1", 3: "0/1"}


def test_no_lead_gives_no_rate() -> None:
    (day,) = count_conversions({"a": OPP}, [move(1, "2 09:00", OPP, WON)]).days
    assert (day.denominator, day.rate) == (0, None)


def test_no_events_give_no_days() -> None:
    counted = count_conversions({"a": LEAD}, [])
    assert (counted.days, counted.rejected) == ((), ())


@pytest.mark.parametrize(
    ("numerator", "denominator", "rate"),
    [
        (1, 3, "0.333333"),
        (2, 3, "0.666667"),
        (1, 128, "0.007813"),
        (3, 128, "0.023438"),
        (1, 2_000_000, "0.000001"),
        (1, 2_000_001, "0.000000"),
        (5, 5, "1.000000"),
        (0, 7, "0.000000"),
    ],
)
def test_rates_are_rounded_half_up_to_six_places(
    numerator: int, denominator: int, rate: str
) -> None:
    assert DayCount(MONDAY, numerator, denominator).rate == Decimal(rate)


def test_too_few_filled_fields_change_nothing_and_are_listed() -> None:
    events = [
        move(1, "2 09:00", LEAD, OPP, filled=2),
        move(2, "2 10:00", LEAD, OPP, filled=3),
        move(3, "2 11:00", OPP, LOST, filled=0),
    ]
    counted = count_conversions({"a": LEAD}, events)
    assert counted.rejected == ("e001", "e003")
    assert fractions({"a": LEAD}, events) == {2: "1/1"}


def test_a_stale_from_is_refused() -> None:
    events = [
        move(1, "2 09:00", LEAD, OPP),
        move(2, "2 10:00", LEAD, LOST),
        move(3, "2 11:00", None, LEAD),
        move(4, "2 12:00", LEAD, OPP, who="nobody"),
    ]
    counted = count_conversions({"a": LEAD}, events)
    assert counted.rejected == ("e002", "e003", "e004")
    assert counted.days[0].numerator == 1


def test_a_refused_taking_back_does_not_take_back() -> None:
    events = [move(1, "2 09:00", LEAD, OPP), move(2, "2 10:00", OPP, LEAD, filled=1)]
    assert fractions({"a": LEAD}, events) == {2: "1/1"}


def test_days_with_only_refused_events_are_told() -> None:
    events = [move(1, "2 09:00", OPP, WON), move(2, "4 09:00", OPP, WON)]
    assert fractions({"a": LEAD}, events) == {2: "0/1", 3: "0/1", 4: "0/1"}


def test_at_the_same_moment_the_smaller_id_goes_first() -> None:
    events = [move(2, "2 09:00", OPP, LEAD), move(1, "2 09:00", LEAD, OPP)]
    counted = count_conversions({"a": LEAD}, events)
    assert counted.rejected == ()
    assert fractions({"a": LEAD}, events) == {2: "0/1"}


def test_numbers_as_ids_go_by_value() -> None:
    events = [
        move(0, "2 09:00", LEAD, OPP)._replace(id=9),
        move(0, "2 09:00", OPP, LEAD)._replace(id=10),
    ]
    assert count_conversions({"a": LEAD}, events).rejected == ()


def test_a_known_id_is_passed_over() -> None:
    refused = move(1, "2 09:00", OPP, WON)
    counted = count_conversions({"a": LEAD}, [refused, refused, refused])
    assert counted.rejected == ("e001",)


def test_of_two_contents_under_one_id_the_earlier_holds() -> None:
    early, late = move(1, "2 09:00", LEAD, OPP), move(1, "9 09:00", LEAD, LOST)
    for events in ([early, late], [late, early]):
        assert fractions({"a": LEAD}, events) == {2: "1/1"}


def test_two_contents_of_one_moment_under_one_id_give_the_same_in_any_order() -> None:
    one, other = move(1, "2 09:00", LEAD, OPP), move(1, "2 09:00", LEAD, LOST)
    assert fractions({"a": LEAD}, [one, other]) == fractions({"a": LEAD}, [other, one])


class TestMerges:
    def test_two_records_count_once_also_before_the_merge(self) -> None:
        events = [move(1, "2 09:00", LEAD, OPP, who="b"), merge(2, "4 09:00", "b", "a")]
        assert fractions({"a": LEAD, "b": LEAD}, events) == {2: "1/1", 3: "0/0", 4: "0/0"}

    def test_both_histories_become_one(self) -> None:
        events = [
            move(1, "2 09:00", LEAD, OPP, who="b"),
            move(2, "2 10:00", LEAD, OPP, who="a"),
            move(3, "2 11:00", OPP, LEAD, who="a"),
            merge(4, "2 12:00", "b", "a"),
        ]
        counted = count_conversions({"a": LEAD, "b": LEAD}, events)
        assert counted.rejected == ("e002",)
        assert (counted.days[0].numerator, counted.days[0].denominator) == (0, 1)

    def test_the_survivor_stands_where_it_stood_itself(self) -> None:
        assert fractions({"a": OPP, "b": LEAD}, [merge(1, "2 09:00", "b", "a")]) == {2: "0/0"}
        assert fractions({"a": LEAD, "b": OPP}, [merge(1, "2 09:00", "b", "a")]) == {2: "0/1"}

    def test_a_survivor_that_stood_nowhere_stands_where_its_first_loser_did(self) -> None:
        events = [merge(1, "2 09:00", "b", "new"), merge(2, "2 10:00", "c", "new")]
        assert fractions({"b": LEAD, "c": OPP}, events) == {2: "0/1"}
        assert fractions({"b": OPP, "c": LEAD}, events) == {2: "0/0"}

    @pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (2, 1, 3)])
    def test_chains_end_at_the_last_survivor(self, order: tuple[int, int, int]) -> None:
        steps = [("a", "b"), ("b", "c"), ("c", "d")]
        merges = [merge(n, f"2 09:0{n}", *pair) for n, pair in zip(order, steps, strict=True)]
        moves = [move(4, "2 10:00", LEAD, OPP, who="a"), move(5, "2 11:00", OPP, WON, who="d")]
        counted = count_conversions({"a": LEAD}, [*merges, *moves])
        assert counted.rejected == ()
        assert (counted.days[0].numerator, counted.days[0].denominator) == (1, 1)

    def test_a_circle_is_one_customer(self) -> None:
        events = [
            merge(1, "2 09:00", "a", "b"),
            merge(2, "2 09:01", "b", "c"),
            merge(3, "2 09:02", "c", "a"),
            merge(4, "2 09:03", "a", "a"),
            move(5, "2 10:00", LEAD, OPP, who="b"),
        ]
        assert fractions({"a": LEAD, "b": LEAD, "c": LEAD}, events) == {2: "1/1"}

    def test_two_nobody_knows_change_no_count(self) -> None:
        assert fractions({"a": LEAD}, [merge(1, "2 09:00", "x", "y")]) == {2: "0/1"}

    def test_a_merge_told_twice_is_one(self) -> None:
        twice = [merge(1, "2 09:00", "b", "a")] * 2
        assert fractions({"a": LEAD, "b": LEAD}, twice) == {2: "0/1"}

    def test_a_hundred_thousand_in_a_row_are_one(self) -> None:
        start = moment("2 09:00")
        row = [Merge(n, start + timedelta(seconds=n), f"c{n}", f"c{n + 1}") for n in range(100_000)]
        assert fractions({f"c{n}": LEAD for n in range(100_001)}, row)[3] == "0/1"


NAMES = ["a", "b", "c", "d"]
MOMENTS = st.integers(0, 4 * 24 - 1).map(lambda hours: moment("2 00:00") + timedelta(hours=hours))
IDS = st.integers(0, 60).map(lambda number: f"e{number:02}")
NAME = st.sampled_from(NAMES)
STATUS = st.sampled_from(list(Status))
MOVES = st.builds(
    Transition,
    IDS,
    MOMENTS,
    NAME,
    st.one_of(STATUS, st.none()),
    STATUS,
    st.sampled_from([2, 3, 3, 3, 3, 4]),
)
MERGES = st.builds(Merge, IDS, MOMENTS, NAME, NAME)
INITIAL = st.dictionaries(NAME, STATUS)


@st.composite
def walks(draw: st.DrawFn) -> list[Event]:
    """Mostly moves that fit where their customer stands, so that much is accepted."""
    events: list[Event] = []
    stands: dict[str, Status] = {}
    for number in range(draw(st.integers(0, 40))):
        who, to = draw(NAME), draw(STATUS)
        at = moment("2 00:00") + timedelta(hours=2 * number)
        events.append(Transition(f"w{number:02}", at, who, stands.get(who), to, 3))
        stands[who] = to
    return events


EVENTS = st.one_of(
    st.lists(st.one_of(MOVES, MERGES), max_size=40),
    st.tuples(walks(), st.lists(MERGES, max_size=2)).map(lambda two: two[0] + two[1]),
)


@given(INITIAL, EVENTS)
def test_rates_lie_between_nothing_and_all(initial: dict[str, Status], events: list[Event]) -> None:
    for day in count_conversions(initial, events).days:
        assert 0 <= day.numerator <= day.denominator <= len(NAMES)
        assert (day.rate is None) == (day.denominator == 0)
        assert day.rate is None or 0 <= day.rate <= 1


@given(INITIAL, EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(
    initial: dict[str, Status], events: list[Event], rng: random.Random
) -> None:
    mixed = rng.sample(events, len(events))
    assert count_conversions(initial, mixed) == count_conversions(initial, events)


@given(INITIAL, EVENTS, st.data())
def test_redelivery_changes_nothing(
    initial: dict[str, Status], events: list[Event], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=10)) if events else []
    assert count_conversions(initial, events + again) == count_conversions(initial, events)


@given(INITIAL, EVENTS)
def test_other_offsets_change_nothing(initial: dict[str, Status], events: list[Event]) -> None:
    elsewhere = [
        event._replace(at=event.at.astimezone(timezone(timedelta(hours=number % 27 - 13))))
        for number, event in enumerate(events)
    ]
    first, second = (count_conversions(initial, _by_id(given)) for given in (events, elsewhere))
    assert first == second


@given(INITIAL, EVENTS)
def test_a_slow_counting_comes_to_the_same(initial: dict[str, Status], events: list[Event]) -> None:
    unique = _by_id(events)
    counted = count_conversions(initial, unique)
    days, rejected = slowly(initial, unique)
    assert {day.day: (day.numerator, day.denominator) for day in counted.days} == days
    assert list(counted.rejected) == rejected


def _by_id(events: list[Event]) -> list[Event]:
    return list({event.id: event for event in events}.values())


def slowly(
    initial: dict[str, Status], events: list[Event]
) -> tuple[dict[date, tuple[int, int]], list[str | int]]:
    """The rules again, one customer and one day after the other, over the whole history."""
    ordered = sorted(events, key=lambda event: (event.at, event.id))
    groups = {name: name for name in NAMES}
    begun: dict[str, Status] = dict(initial)
    for one in ordered:
        if isinstance(one, Merge) and groups[one.loser] != groups[one.survivor]:
            gone, kept = groups[one.loser], groups[one.survivor]
            begun = {kept: begun[gone]} | begun if gone in begun else begun
            begun.pop(gone, None)
            groups = {name: kept if of == gone else of for name, of in groups.items()}
    rejected: list[str | int] = []
    steps: dict[str, list[tuple[date, Status | None, Status]]] = {name: [] for name in NAMES}
    for one in ordered:
        if isinstance(one, Merge):
            continue
        name = groups[one.customer]
        now = steps[name][-1][2] if steps[name] else begun.get(name)
        if one.required_filled < 3 or one.came_from != now:
            rejected.append(one.id)
        elif (now, one.to) == (INVALID, OPP):
            steps[name] += [(_day(one), INVALID, LEAD), (_day(one), LEAD, OPP)]
        else:
            steps[name].append((_day(one), now, one.to))
    if not ordered:
        return {}, []
    span = (_day(ordered[-1]) - _day(ordered[0])).days
    days = [_day(ordered[0]) + timedelta(days=number) for number in range(span + 1)]
    return {day: _of_day(day, begun, steps) for day in days}, rejected


def _day(event: Event) -> date:
    return event.at.astimezone(CHINA).date()


def _of_day(
    day: date,
    begun: dict[str, Status],
    steps: dict[str, list[tuple[date, Status | None, Status]]],
) -> tuple[int, int]:
    numerator = denominator = 0
    for name, all_steps in steps.items():
        before = [to for on, _, to in all_steps if on < day]
        today = [(came_from, to) for on, came_from, to in all_steps if on == day]
        at_start = before[-1] if before else begun.get(name)
        if LEAD not in (at_start, *(to for _, to in today)):
            continue
        denominator += 1
        undone = [number for number, pair in enumerate(today) if pair == (OPP, LEAD)]
        since = today[undone[-1] + 1 :] if undone else today
        converted = since.index((LEAD, OPP)) if (LEAD, OPP) in since else len(since)
        at_end = today[-1][1] if today else at_start
        numerator += at_end in (OPP, WON) or (OPP, LOST) in since[converted:]
    return numerator, denominator
