"""Forecasts that people submit: buckets, second signatures, categories, changes, accuracy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forecasts import (
    Bucket,
    Category,
    Cosign,
    Forecast,
    Line,
    Move,
    RelativeTo,
    SignatureState,
    Tolerance,
    Won,
    accuracies,
    bridge,
    bucket_of,
    category_of,
    due_buckets,
    quarter_of,
    score,
    standing_of,
    submission_day,
    too_far_apart,
    week_of,
)
from bot.domain.levels import Level
from tests.handlers.light_company import CALENDAR

TODAY = date(2026, 1, 28)
NOW = datetime(2026, 1, 28, 2, tzinfo=UTC)
LINE = Line(1, 1, 7, Level.L1, 100_00, date(2026, 2, 10), answers=(80, 80, 80, 80, 80))


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-1, None), (0, Bucket.WEEKLY), (30, Bucket.WEEKLY), (31, Bucket.FORTNIGHTLY),
        (60, Bucket.FORTNIGHTLY), (61, Bucket.MONTHLY), (90, Bucket.MONTHLY), (91, None),
    ],
)  # fmt: skip
def test_buckets_by_days_from_today(days: int, bucket: Bucket | None) -> None:
    assert bucket_of(TODAY + timedelta(days=days), TODAY) is bucket


@pytest.mark.parametrize(
    ("day", "on"),
    [
        (date(2026, 1, 28), date(2026, 1, 26)),
        (date(2026, 2, 16), date(2026, 2, 24)),  # the Spring Festival: nine days off
        (date(2026, 2, 24), date(2026, 2, 23) + timedelta(days=1)),  # that Monday is one of them
        (date(2026, 10, 7), date(2026, 10, 8)),
    ],
)
def test_a_monday_that_is_off_moves_to_the_next_working_day(day: date, on: date) -> None:
    assert submission_day(day, CALENDAR) == on


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 1, 26), (Bucket.WEEKLY,)),  # week 5
        (date(2026, 1, 19), (Bucket.WEEKLY, Bucket.FORTNIGHTLY)),  # week 4
        (date(2026, 3, 2), (Bucket.WEEKLY, Bucket.FORTNIGHTLY, Bucket.MONTHLY)),  # week 10
    ],
)
def test_what_is_due_in_a_week(day: date, due: tuple[Bucket, ...]) -> None:
    assert due_buckets(day, CALENDAR) == due


@pytest.mark.parametrize(
    ("answers", "points"),
    [((80,) * 5, 80), ((0, 0, 0, 0, 3), 1), ((0, 0, 0, 0, 2), 0), ((80,) * 4, None),
     ((101, 0, 0, 0, 0), None)],
)  # fmt: skip
def test_a_score_is_the_mean_of_all_five(answers: tuple[int, ...], points: int | None) -> None:
    assert score(answers) == points


@pytest.mark.parametrize(
    ("rep", "csm", "apart"),
    [((80,) * 5, (60,) * 5, False), ((80,) * 5, (60, 60, 60, 60, 59), True),
     ((60,) * 5, (80,) * 5, False), ((10,) * 5, (5,) * 5, False)],
)  # fmt: skip
def test_twenty_points_exactly_are_not_too_far(
    rep: tuple[int, ...], csm: tuple[int, ...], apart: bool
) -> None:
    assert too_far_apart(rep, csm, Tolerance(20)) is apart


@pytest.mark.parametrize(
    ("relative_to", "rep", "csm", "apart"),
    [
        (RelativeTo.SCALE, 10, 5, False),  # five points, whatever they are to the ten
        (RelativeTo.MEAN, 90, 110, False),  # 20 % of 100 exactly
        (RelativeTo.MEAN, 90, 111, True),
        (RelativeTo.MEAN, 10, 5, True),
        (RelativeTo.MEAN, 0, 0, False),
        (RelativeTo.REP, 80, 64, False),  # 20 % of 80 exactly
        (RelativeTo.REP, 80, 63, True),
        (RelativeTo.REP, 64, 80, True),  # it depends on the side
        (RelativeTo.REP, 0, 0, False),
        (RelativeTo.REP, 0, 1, True),
    ],
)  # fmt: skip
def test_a_difference_may_be_measured_by_the_scores_instead_of_the_scale(
    relative_to: RelativeTo, rep: int, csm: int, apart: bool
) -> None:
    """rep, csm: sums of five answers."""
    answers = [(one, 0, 0, 0, 0) for one in (rep, csm)]
    assert too_far_apart(*answers, Tolerance(20, relative_to)) is apart


ASKED = Cosign(1, 1, 9, NOW, NOW + timedelta(hours=48))
SIGNED = replace(ASKED, signed_at=NOW, answers=(70,) * 5)
APART = replace(ASKED, signed_at=NOW, answers=(40,) * 5)


@pytest.mark.parametrize(
    ("level", "cosign", "hours", "standing", "category"),
    [
        (Level.L1, ASKED, 1, SignatureState.WAITING, Category.BEST_CASE),
        (Level.L1, ASKED, 48, SignatureState.UNREVIEWED, Category.BEST_CASE),
        (Level.L1, None, 1, SignatureState.UNREVIEWED, Category.BEST_CASE),
        (Level.L1, SIGNED, 100, SignatureState.AGREED, Category.COMMIT),
        (Level.L2, SIGNED, 1, SignatureState.AGREED, Category.COMMIT),
        (Level.L1, APART, 1, SignatureState.IN_REVIEW, Category.BEST_CASE),
        (Level.L1, replace(APART, closed_at=NOW), 1, SignatureState.AGREED, Category.COMMIT),
        (Level.L2_5, None, 1, SignatureState.NOT_NEEDED, Category.BEST_CASE),
        (Level.L3, None, 1, SignatureState.NOT_NEEDED, Category.PIPELINE),
    ],
)  # fmt: skip
def test_silence_is_no_consent(
    level: Level, cosign: Cosign | None, hours: int, standing: SignatureState, category: Category
) -> None:
    line = replace(LINE, level=level)
    found = standing_of(line, cosign, NOW + timedelta(hours=hours), tolerance=Tolerance(20))
    assert (found, category_of(level, found)) == (standing, category)


LINES = st.dictionaries(
    st.integers(1, 8),
    st.builds(
        Line,
        id=st.just(1),
        forecast_id=st.just(1),
        opportunity_id=st.just(0),
        level=st.sampled_from(Level),
        amount_fen=st.integers(1, 10**9),
        expected_on=st.dates(date(2026, 1, 1), date(2026, 4, 1)),
    ),
).map(lambda found: [replace(line, opportunity_id=key) for key, line in found.items()])


@given(LINES, LINES, st.sets(st.integers(1, 8)))
def test_a_bridge_adds_up_and_has_every_deal_once(
    before: list[Line], after: list[Line], won: set[int]
) -> None:
    changes = bridge(before, after, won=won)
    delta = sum(x.amount_fen for x in after) - sum(x.amount_fen for x in before)
    assert sum(change.delta_fen for change in changes) == delta
    deals = {line.opportunity_id for line in [*before, *after]}
    assert [change.opportunity_id for change in changes] == sorted(deals)
    assert all((change.move is Move.NEW) is (change.before is None) for change in changes)


@pytest.mark.parametrize(
    ("after", "move"),
    [
        (replace(LINE, expected_on=date(2026, 2, 11)), Move.SLIPPED),
        (replace(LINE, expected_on=date(2026, 2, 9), amount_fen=1), Move.PULLED_IN),
        (replace(LINE, amount_fen=200_00), Move.GREW),
        (replace(LINE, amount_fen=1_00), Move.SHRANK),
        (replace(LINE, level=Level.L3), Move.LEVEL),
        (LINE, Move.SAME),
    ],
)
def test_what_happened_to_a_deal(after: Line, move: Move) -> None:
    assert bridge([LINE], [after])[0].move is move


def test_a_deal_that_left_was_won_lost_or_dropped() -> None:
    assert bridge([LINE], [], won={7})[0].move is Move.WON
    assert bridge([LINE], [], lost={7})[0].move is Move.LOST
    assert bridge([LINE], [])[0].move is Move.DROPPED


def test_accuracy_is_scored_on_the_snapshot_and_a_moved_day_is_a_slip() -> None:
    kept = replace(LINE, opportunity_id=1)
    smaller = replace(LINE, opportunity_id=2)
    late = replace(LINE, opportunity_id=3)
    ahead = replace(LINE, opportunity_id=4, expected_on=date(2026, 4, 1))
    snapshot = Forecast(1, 5, "2026-W05", TODAY, False, NOW, (kept, smaller, late, ahead))
    won = {
        1: Won(date(2026, 2, 10), 100_00),
        2: Won(date(2026, 2, 1), 60_00),
        3: Won(date(2026, 2, 11), 100_00),
        4: Won(date(2026, 2, 1), 100_00),
    }
    found = accuracies([snapshot], won, date(2026, 3, 1)).by
    assert found.keys() == {("rep", "5"), ("level", "L1"), ("horizon", "30")}
    rep = found["rep", "5"]
    assert (rep.lines, rep.slipped, rep.won_fen) == (3, 1, 160_00)
    assert rep.share == pytest.approx(1 - 140 / 300)


def test_names_of_periods() -> None:
    assert (week_of(date(2027, 1, 1)), quarter_of(date(2026, 12, 31))) == ("2026-W53", "2026Q4")
