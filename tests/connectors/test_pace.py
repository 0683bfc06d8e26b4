"""When Stream connections may be opened, whatever happens to them."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from connectors.pace import LEAST_S, LONGEST_REFUSED_S, LONGEST_S, Pace

HAPPENINGS = st.lists(
    st.one_of(
        st.just(("failed", 0.0)),
        st.just(("refused", 0.0)),
        st.tuples(st.just("lived"), st.floats(0, 100_000)),
    ),
    max_size=60,
)


@given(happenings=HAPPENINGS, seed=st.integers())
def test_no_two_openings_are_closer_than_five_seconds_and_none_waits_for_ever(
    happenings: list[tuple[str, float]], seed: int
) -> None:
    pace, now = Pace(random.Random(seed)), 1000.0
    for what, lived_s in happenings:
        opened_at = now
        pace.began(now)
        if what == "failed":
            pace.failed(now)
        elif what == "refused":
            pace.refused(now)
        else:
            now += lived_s
            pace.ended(now, lived_s=lived_s)
        wait_s = pace.wait_s(now)
        longest_s = LONGEST_REFUSED_S if what == "refused" else LONGEST_S
        assert wait_s <= longest_s + 1e-6  # what adding to a clock rounds
        now += wait_s
        assert now - opened_at >= LEAST_S - 1e-6
        assert pace.wait_s(now) < 1e-6


def waits(pace: Pace, times: int) -> list[float]:
    found, now = [], 0.0
    for _ in range(times):
        pace.began(now)
        pace.failed(now)
        found.append(pace.wait_s(now))
        now += found[-1]
    return found


def test_the_longer_it_fails_the_longer_are_the_pauses() -> None:
    many = [waits(Pace(random.Random(seed)), 12) for seed in range(200)]
    first, last = [one[0] for one in many], [one[-1] for one in many]
    assert max(first) == LEAST_S
    assert 25 <= sum(last) / len(last) <= 36
    assert max(last) > 50


def test_many_bots_do_not_come_back_in_one_moment() -> None:
    last = sorted(waits(Pace(random.Random(seed)), 10)[-1] for seed in range(400))
    for start in range(5, 60, 5):
        assert sum(start <= wait < start + 5 for wait in last) <= 70


def test_a_connection_that_lived_a_minute_makes_all_before_it_forgotten() -> None:
    pace = Pace(random.Random(1))
    waits(pace, 12)
    pace.began(2000.0)
    pace.ended(2060.0, lived_s=60.0)
    assert pace.wait_s(2060.0) == 0.0
    pace.failed(2060.0)
    assert pace.wait_s(2060.0) <= 1.0


def test_a_wait_that_the_platform_names_is_kept() -> None:
    pace = Pace(random.Random(1))
    pace.failed(0.0, retry_after_s=300.0)
    assert pace.wait_s(0.0) == 300.0
