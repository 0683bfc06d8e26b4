"""What customers do by themselves, and how warm that makes them (docs/signals.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.calendar import ClockKind
from bot.domain.decay import DecayPolicy, curve, decay
from bot.domain.signals import (
    Event,
    Signal,
    SignalPolicy,
    SignalRule,
    find,
    heat,
    next_true_at,
    visits,
)
from bot.domain.websites import Website, titles_of
from config.policy import load_calendar

CALENDAR = load_calendar()
ZONE = ZoneInfo("Asia/Shanghai")
POLICY = SignalPolicy()
DECAY = DecayPolicy()
H, D = timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


MONDAY = at("2026-03-09 10:00")
PARAMETERS = POLICY.rule("parameters")
WHITE_PAPER = POLICY.rule("white_paper")
assert PARAMETERS is not None
assert WHITE_PAPER is not None


def views(*hours: float, kind: str = "parameters") -> list[Event]:
    return [
        Event(number, kind, MONDAY + hour * H, page=f"/p/{number}")
        for number, hour in enumerate(hours, 1)
    ]


@pytest.mark.parametrize(
    ("hours", "found"),
    [
        ((0, 1, 2), []),  # three are not more than three
        ((0, 1, 2, 3), [(1, 2, 3, 4)]),
        ((0, 1, 2, 24 * 7), [(1, 2, 3, 4)]),  # exactly seven days apart still count together
        ((0, 1, 2, 24 * 7 + 0.1), []),
        ((0, 1, 2, 3, 4, 5, 6), [(1, 2, 3, 4)]),  # used up: seven are one signal
        ((0, 1, 2, 3, 4, 5, 6, 7), [(1, 2, 3, 4), (5, 6, 7, 8)]),
        ((0, 100, 200, 201, 202), [(2, 3, 4, 5)]),  # the first is out of the window by then
    ],
)
def test_more_than_three_views_of_parameters_in_seven_days_are_a_signal(
    hours: tuple[float, ...], found: list[tuple[int, ...]]
) -> None:
    signals = find(PARAMETERS, views(*hours), [], MONDAY + 60 * D, CALENDAR)
    assert [signal.events for signal in signals] == found


def test_a_signal_is_true_with_the_view_that_made_it_and_names_its_pages() -> None:
    (signal,) = find(PARAMETERS, views(0, 1, 2, 3), [], MONDAY + D, CALENDAR)
    assert signal.at == MONDAY + 3 * H
    assert signal.pages == ("/p/1", "/p/2", "/p/3", "/p/4")


@pytest.mark.parametrize(
    ("downloaded", "touched", "looked", "is_found"),
    [
        ("2026-03-09 10:00", None, "2026-03-10 09:59", False),
        ("2026-03-09 10:00", None, "2026-03-10 10:00", True),
        ("2026-03-09 10:00", "2026-03-09 15:00", "2026-03-12 10:00", False),
        ("2026-03-09 10:00", "2026-03-09 09:00", "2026-03-12 10:00", True),  # before it
        ("2026-03-09 10:00", "2026-03-11 09:00", "2026-03-12 10:00", True),  # too late
        ("2026-03-13 15:00", None, "2026-03-16 14:59", False),  # a weekend does not count
        ("2026-03-13 15:00", None, "2026-03-16 15:00", True),
    ],
)
def test_a_white_paper_nobody_follows_up_in_a_working_day_is_a_signal(
    downloaded: str, touched: str | None, looked: str, is_found: bool
) -> None:
    event = Event(1, "white_paper", at(downloaded), "参数白皮书.pdf")
    touches = [at(touched)] if touched else []
    assert bool(find(WHITE_PAPER, [event], touches, at(looked), CALENDAR)) is is_found


def test_when_to_look_again_is_known_from_the_event() -> None:
    event = Event(1, "white_paper", at("2026-03-13 15:00"))
    assert next_true_at(WHITE_PAPER, event, CALENDAR) == at("2026-03-16 15:00")
    assert next_true_at(PARAMETERS, event, CALENDAR) is None


def test_the_same_events_find_the_same_signal_again() -> None:
    events = views(0, 1, 2, 3)
    once = find(PARAMETERS, events, [], MONDAY + D, CALENDAR)
    again = find(PARAMETERS, reversed(events), [], MONDAY + 9 * D, CALENDAR)
    assert [one.key for one in once] == [one.key for one in again]


def test_heat_is_the_sum_of_what_is_left_of_each_signal() -> None:
    signals = [
        Signal("parameters", MONDAY - 7 * D, (1,)),  # 1.0, half of it left
        Signal("white_paper", MONDAY, (2,)),  # 1.5
        Signal("meeting", MONDAY - 60 * D, (3,)),  # 3.0, a quarter left
        Signal("a rule of last year", MONDAY, (4,)),
        Signal("reply", MONDAY + H, (5,)),  # still to come
    ]
    now = heat(signals, POLICY, MONDAY)
    assert now.total == pytest.approx(0.5 + 1.5 + 0.75)
    assert [(share.rule.key, share.heat) for share in now.shares] == [
        ("white_paper", pytest.approx(1.5)),
        ("meeting", pytest.approx(0.75)),
        ("parameters", pytest.approx(0.5)),
    ]


@given(
    st.lists(st.integers(0, 20 * 24 * 60), max_size=40),
    st.integers(0, 5),
    st.integers(1, 14),
)
def test_each_event_is_part_of_one_signal_at_most_and_windows_hold(
    minutes: list[int], more_than: int, days: int
) -> None:
    rule = SignalRule("own", "自己的", "page", 1, 7, more_than=more_than, within_days=days)
    events = [
        Event(n, "page", MONDAY + timedelta(minutes=minute)) for n, minute in enumerate(minutes)
    ]
    when = {event.id: event.at for event in events}
    signals = find(rule, events, [], MONDAY + 30 * D, CALENDAR)
    used = [number for signal in signals for number in signal.events]
    assert len(used) == len(set(used))
    for signal in signals:
        assert len(signal.events) == more_than + 1
        assert when[signal.events[-1]] - when[signal.events[0]] <= timedelta(days=days)


@given(st.floats(0, 400), st.floats(0, 400))
def test_heat_never_rises_by_itself(first: float, later: float) -> None:
    signals = [Signal("reply", MONDAY, (1,)), Signal("meeting", MONDAY, (2,))]
    early, late = sorted([first, later])
    warm = heat(signals, POLICY, MONDAY + early * D).total
    assert heat(signals, POLICY, MONDAY + late * D).total <= warm <= 5.0


def test_a_visit_ends_where_nothing_came_for_half_an_hour() -> None:
    events = [
        Event(n, "page", MONDAY + timedelta(minutes=m)) for n, m in enumerate((0, 20, 50, 81))
    ]
    found = visits(events, POLICY.visit_gap)
    assert [[event.id for event in visit.events] for visit in found] == [[0, 1, 2], [3]]
    assert [visit.minutes for visit in found] == [50, 1]


@pytest.mark.parametrize(
    ("since", "now", "factor", "faded"),
    [
        ("2026-03-09 10:00", "2026-03-09 10:00", 1.0, False),
        ("2026-03-09 10:00", "2026-03-12 10:00", 0.5, False),  # 72 h exactly
        ("2026-03-09 10:00", "2026-03-12 10:01", 0.4999, True),
        ("2026-03-13 15:00", "2026-03-18 15:00", 0.5, False),  # over a weekend
        ("2026-03-13 15:00", "2026-03-18 15:01", 0.4999, True),
        ("2026-02-13 15:00", "2026-02-24 15:00", 0.68, False),  # a holiday and a make-up Saturday
    ],
)
def test_an_intent_halves_in_72_hours_of_the_working_clock(
    since: str, now: str, factor: float, faded: bool
) -> None:
    left = decay(at(since), at(now), DECAY, CALENDAR)
    assert left.factor == pytest.approx(factor, abs=0.06 if factor == 0.68 else 0.001)
    assert left.faded is faded


@given(st.integers(0, 30 * 24 * 60), st.integers(0, 30 * 24 * 60))
def test_it_fades_at_the_moment_that_was_told_before(start: int, later: int) -> None:
    since = MONDAY + timedelta(minutes=start)
    left = decay(since, since + timedelta(minutes=later), DECAY, CALENDAR)
    assert left.faded is (since + timedelta(minutes=later) >= left.fades_at)
    assert 0 < left.factor <= 1


def test_an_office_or_calendar_clock_may_be_chosen() -> None:
    friday, monday = at("2026-03-13 15:00"), at("2026-03-16 15:01")
    assert decay(friday, monday, DecayPolicy(clock=ClockKind.CALENDAR), CALENDAR).faded
    assert not decay(friday, monday, DecayPolicy(clock=ClockKind.OFFICE), CALENDAR).faded


def test_the_curve_is_flat_over_a_weekend() -> None:
    points = curve(at("2026-03-14 00:00"), at("2026-03-15 23:00"), DECAY, CALENDAR, points=5)
    assert [left for _, left in points] == [1.0] * 5
    assert points[0][0].astimezone(UTC) == at("2026-03-14 00:00")


@pytest.mark.parametrize(
    ("path", "called"),
    [
        ("/products/R10/specs.html", "R10 减速机参数"),
        ("/files/wp.pdf", "白皮书"),
        ("/%E6%96%B0%E5%93%81", "/新品"),
        ("/a%0A%0Db", "/a%0A%0Db"),
    ],
)
def test_a_page_is_called_as_people_call_it(path: str, called: str) -> None:
    site = Website(
        "main",
        "a secret of at least 24 letters",
        ("https://www.example.com",),
        titles={"R10 减速机参数": ("/products/r10/*",)},
        materials={"白皮书": "https://www.example.com/files/wp.pdf"},
    )
    assert titles_of([site], [path, path, ""]) == (called,)
