from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import FixedClock
from bot.errors import RateLimited
from connectors.limits import Window, take_all

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def clock_and_window(limit: int = 3) -> tuple[FixedClock, Window]:
    clock = FixedClock(START)
    return clock, Window(limit, 60, clock)


def test_takes_beyond_the_limit_are_refused_with_the_wait() -> None:
    clock, window = clock_and_window()
    for _ in range(3):
        window.take("li4")
        clock.at += timedelta(seconds=10)
    with pytest.raises(RateLimited) as refused:
        window.take("li4")
    assert refused.value.retry_after_s == 30.0


def test_there_is_room_again_once_the_wait_is_over() -> None:
    clock, window = clock_and_window(limit=1)
    window.take("li4")
    clock.at += timedelta(seconds=59.9)
    with pytest.raises(RateLimited):
        window.take("li4")
    clock.at += timedelta(seconds=0.1)
    window.take("li4")


def test_refused_take_counts_nothing() -> None:
    clock, window = clock_and_window(limit=1)
    window.take("li4")
    for _ in range(5):
        with pytest.raises(RateLimited):
            window.take("li4")
    clock.at += timedelta(seconds=60)
    assert window.wait_s("li4") == 0.0


def test_keys_do_not_share_their_room() -> None:
    _, window = clock_and_window(limit=1)
    window.take("li4")
    assert window.wait_s("wang5") == 0.0
    window.take("wang5")
    assert window.wait_s("li4") > 0.0


def test_clock_that_jumps_six_days_empties_the_window() -> None:
    clock, window = clock_and_window(limit=1)
    window.take("li4")
    assert window.wait_s("li4") > 0.0
    clock.at += timedelta(days=6)
    assert window.wait_s("li4") == 0.0
    window.take("li4")


def test_narrow_window_that_refuses_leaves_the_wide_one_uncounted() -> None:
    clock = FixedClock(START)
    minute, hour = Window(1, 60, clock), Window(2, 3600, clock)
    take_all((minute, hour), "li4")
    for _ in range(3):
        with pytest.raises(RateLimited):
            take_all((minute, hour), "li4")
    clock.at += timedelta(seconds=60)
    take_all((minute, hour), "li4")
    clock.at += timedelta(seconds=60)
    with pytest.raises(RateLimited) as refused:
        take_all((minute, hour), "li4")
    assert refused.value.retry_after_s == 3480.0


def test_window_forgets_keys_that_were_quiet() -> None:
    clock, window = clock_and_window()
    for number in range(10_000):
        window.take(f"user{number}")
    clock.at += timedelta(minutes=2)
    window.take("one more")
    assert window.keys_remembered == 1
