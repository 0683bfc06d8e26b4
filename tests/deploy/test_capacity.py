"""What a team needs grows as the team does, in every part, and what is told is what is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import row_sizes
from deploy import capacity
from deploy.capacity import Limit, Plan, Team, plan
from storage import engines
from storage.tables import metadata

ROOT = Path(__file__).parents[2]

teams = st.builds(
    Team,
    people=st.integers(1, 10_000_000),
    messages_per_day=st.floats(0, 500),
    customers=st.integers(0, 10**9),
    retention_days=st.integers(1, 3650),
    busiest_hour=st.floats(0.05, 1),
    file_share=st.floats(0, 1),
    file_kb=st.floats(0, 10_000),
)
AMOUNTS = ("messages_per_s", "sqlite_bytes", "postgres_bytes", "file_bytes", "queue_bytes",
           "bot_cores", "database_cores", "processes", "connections", "names_bytes")  # fmt: skip


@given(teams, st.integers(2, 50))
def test_a_larger_team_needs_as_much_or_more_of_everything(team: Team, times: int) -> None:
    more = plan(replace(team, people=team.people * times, customers=team.customers * times))
    for name in AMOUNTS:
        assert getattr(more, name) >= getattr(plan(team), name), name
    assert {one.what for one in plan(team).broken} <= {one.what for one in more.broken}


@given(teams)
def test_who_keeps_twice_as_long_keeps_twice_as_much(team: Team) -> None:
    once = plan(replace(team, customers=0))
    twice = plan(replace(team, customers=0, retention_days=team.retention_days * 2))
    assert twice.postgres_bytes == pytest.approx(once.postgres_bytes * 2, abs=20, rel=1e-6)
    assert twice.file_bytes == pytest.approx(once.file_bytes * 2, abs=2, rel=1e-6)
    if twice.fits_sqlite == once.fits_sqlite:
        assert twice.bot_cores == once.bot_cores, "keeping costs no processor"


@given(teams)
def test_the_tables_add_up(team: Team) -> None:
    found = plan(team)
    assert sum(one.postgres_bytes for one in found.stored) == found.postgres_bytes
    assert all(one.rows >= 0 for one in found.stored)


@given(teams)
def test_limits_come_in_order_and_stand_where_they_are_reached(team: Team) -> None:
    """Whoever is told of one at so many people is below it there, and beyond it a little later."""
    found = plan(replace(team, messages_per_day=team.messages_per_day + 1))
    assert [one.people for one in found.limits] == sorted(one.people for one in found.limits)
    for one in found.limits:
        if 1_000 < one.people < 10**12:
            assert one.what not in _beyond(found.team, one.people * 0.99)
            assert one.what in _beyond(found.team, one.people * 1.01)


def _beyond(team: Team, people: float) -> set[str]:
    customers = round(team.customers / team.people * people)
    larger = replace(team, people=round(people), customers=customers)
    return {one.what for one in plan(larger).broken}


def test_nobody_says_anything() -> None:
    silent = plan(Team(10, messages_per_day=0, customers=0))
    assert (silent.postgres_bytes, silent.messages_per_s, silent.limits) == (0, 0, ())
    assert (silent.processes, silent.connections) == (1, 0)
    assert "0 B in tables" in capacity.report(silent)


@pytest.mark.parametrize(
    "team",
    [
        Team(0),
        Team(1, retention_days=0),
        Team(1, messages_per_day=-1),
        Team(1, customers=-1),
        Team(1, busiest_hour=0.01),
        Team(1, file_share=1.5),
        Team(1, burst=0.5),
    ],
)
def test_a_team_that_cannot_be_is_refused(team: Team) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        plan(team)


def test_a_small_team_is_served_by_one_file_and_a_large_one_is_not() -> None:
    small, large = plan(Team(1_000, customers=30_000)), plan(Team(100_000, customers=3_000_000))
    assert small.fits_sqlite
    assert small.broken == ()
    assert not large.fits_sqlite
    assert large.connections == large.processes * capacity.CONNECTIONS
    assert "one process on SQLite" in {one.what for one in large.broken}


def test_each_limit_says_what_is_done_then_and_who_says_so() -> None:
    for one in plan(Team(1_000, customers=30_000)).limits:
        assert isinstance(one, Limit)
        assert one.remedy
        assert one.source


def test_the_tables_that_are_counted_are_ours() -> None:
    counted = {*capacity.OF_A_MESSAGE, *capacity.OF_A_CUSTOMER}
    assert counted <= set(metadata.tables)
    assert Path(row_sizes.__file__ or "").name in capacity._ROWS


def test_it_counts_with_what_the_page_of_benchmarks_tells() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    for told in (
        f"{capacity.SQLITE_MS} ms of processor time a message on SQLite",
        f"{capacity.POSTGRES_MS} ms on PostgreSQL and {capacity.SERVER_MS} ms of its server",
        f"{capacity.SWEEP_S} s PostgreSQL",
        f"{capacity.FORECAST_S} s",
    ):
        assert told in page


def test_a_process_has_so_many_connections_on_a_large_machine() -> None:
    assert engines.pool_size(64) + engines.BESIDE_POOL == capacity.CONNECTIONS


def test_the_page_shows_what_is_counted() -> None:
    """docs/scaling.md: `python -m deploy capacity --people 1000 --ladder`."""
    page = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    team = Team(1_000, customers=30_000)
    assert capacity.table(capacity.ladder(team)) in page
    assert capacity.table_of_limits(plan(team)) in page


def test_the_command_tells_it_to_people_and_to_programs() -> None:
    words = [sys.executable, "-m", "deploy", "capacity", "--people", "10000"]
    told = _run(*words)
    assert "inbox" in told.stdout
    assert "what is reached first" in told.stdout
    found = json.loads(_run(*words, "--customers", "7", "--json").stdout)
    assert found["team"]["customers"] == 7
    assert {one["table"] for one in found["stored"]} >= {"inbox", "accounts"}
    assert set(found) >= {*AMOUNTS, "limits", "broken"}
    refused = _run(*words, "--retention-days", "0")
    assert refused.returncode == 2
    assert "at least one person and one day" in refused.stderr


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603


def test_a_plan_is_plain_values() -> None:
    found: Plan = plan(Team(5))
    assert json.loads(json.dumps(found.as_json()))["team"]["people"] == 5
