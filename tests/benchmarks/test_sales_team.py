"""The made-up sales team: the same seed tells the same, and nothing of the future leaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import sales_team
from benchmarks.sales_team import ALL_THREE, ORIGINS, WORDS, Team, accuracies, play

SMALL = Team(reps=8, deals_each=12)


def test_a_seed_tells_the_same_story_twice_and_another_seed_another() -> None:
    assert accuracies(SMALL, 1) == accuracies(SMALL, 1)
    assert accuracies(SMALL, 1) != accuracies(SMALL, 2)


def test_records_beat_raw_words_where_reps_exaggerate() -> None:
    found = accuracies(Team(), 3)
    assert found[ALL_THREE].total >= 0.85
    assert found[ALL_THREE].total >= max(found[name].total for name in WORDS) + 0.25


def test_honest_words_need_no_correction() -> None:
    honest = replace(SMALL, exaggerating=0.0, sandbagging=0.0, reps=30, deals_each=20)
    assert accuracies(honest, 1)["said chances"].total > 0.8


def test_who_stalls_more_wins_less() -> None:
    def came(team: Team) -> float:
        return sum(float(one.came.sum()) for one in play(team, 1).values())

    assert came(replace(SMALL, stalling=3.0)) < came(SMALL)


@pytest.mark.parametrize("name", list(sales_team.LEARNERS))
def test_a_forecast_never_looks_at_what_came_of_today(name: str) -> None:
    shown = play(SMALL, 5)
    past = [shown[week] for week in sales_team.LEARNING]
    foresee = sales_team.LEARNERS[name](past)
    today = shown[ORIGINS[0]]
    blind = replace(today, came=np.full_like(today.came, 1e9))
    assert foresee(today) == pytest.approx(foresee(blind))


def test_what_is_learnt_from_is_over_before_the_first_origin() -> None:
    assert sales_team.LEARNING[-1] + sales_team.HORIZON_WEEKS < ORIGINS[0]


def test_forged_levels_are_shown_one_too_high() -> None:
    honest, forged = play(SMALL, 7)[ORIGINS[0]], play(replace(SMALL, forged=1.0), 7)[ORIGINS[0]]
    assert (forged.deal == honest.deal).all()
    raised = np.where(honest.level > 0, np.minimum(honest.level + 1, 3), 0)
    assert (forged.level == raised).all()
