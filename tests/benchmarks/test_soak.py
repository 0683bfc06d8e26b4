"""A fixed small share of what `python -m benchmarks soak` does at length."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks import soak
from benchmarks.soak_world import SoakLoop


@pytest.mark.timeout(900)  # half a minute of processor time, on a machine that may be busy
def test_two_days_leave_nothing_lost_nothing_twice_and_nobody_waiting(tmp_path: Path) -> None:
    """`soak.simulate` holds the platforms' books against the database."""
    with asyncio.Runner(loop_factory=SoakLoop) as runner:
        measured = runner.run(soak.simulate(tmp_path, days=2, people=12, actions=3))
    before, *days = measured
    assert len(days) == 2
    assert days[-1].customers > before.customers
    assert days[-1].tasks == days[0].tasks
    assert days[-1].waiting == 0
