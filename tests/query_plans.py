"""Every statement that the tests have the program issue is explained, once: none may read a whole
table that grows with the company.

SQLite is asked, without statistics: it then takes every table for a large one. PostgreSQL is asked
over a large data set (`tests.postgres_plans`). What is found fails the test that issued the
statement first.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, StaticPool, create_engine, event
from sqlalchemy.engine import Engine

from storage.tables import metadata
from tests import postgres_plans

ROOT = Path(__file__).resolve().parents[1]
SMALL = {
    "assignments", "archive_bookmarks", "call_counts", "departments", "dialogs", "erp_bookmarks",
    "external_reads", "forecast_targets", "group_words", "growth_consents", "growth_items",
    "identities", "leases", "library_uses", "library_versions", "nodes", "payout_rule_changes",
    "payout_runs", "people", "policy_changes", "settings", "supply_numbers", "talk_tracks",
    "tokens",
}  # fmt: skip
"""As large as the number of people, processes and settings, not as what happens."""

MAY_SCAN = {
    "handlers/upkeep/in_step.py:run": "everything is read anew where news may have been lost",
    "storage/admin.py:upgrade": "a migration changes what is there",
    "storage/people.py:_move_references": "two accounts are joined: some times a year",
    "storage/people.py:split": "two accounts are parted: some times a year",
    "storage/inbox.py:mark_for_replay": "a command of the administrator",
    "storage/lights.py:make_due": "of everybody, after a change of policy",
    "storage/libraries.py:owners_of_living": "of everybody, before an action library is switched",
    "storage/forecast_history.py:open_by_level": "of everybody, once a night",
    "storage/figures_rebuild.py:lacks_notes": "once, when a process starts",
    "storage/external_contacts.py:members": "of everybody, before the night's reading ends",
    "storage/contact_matches.py:groups": "proposals for groups, which somebody asks to see",
    "storage/chat_groups.py:living": "of everybody, in the night's reading",
    "storage/contracts.py:_list": "of everybody, when forecasts go to the ERP, once a day",
    "storage/audit.py:_head": "the newest by its key",
    "storage/contracts.py:latest": "the newest by its key; hardly any is withdrawn",
    "storage/mails.py:customers_at": "addresses that somebody has said by hand whose they are",
    "storage/merges.py:_move_back": "a merge is undone: some times a year",
    "storage/personal/": "erasing a person goes through everything, some times a year",
    "storage/supply.py:newest": "from the newest on by the key, until the page is full",
    "storage/supply.py:silences": "a notice for each large sale: some thousands a year",
}
"""Function of ours, or folder -> why it may."""

_LIKE = re.compile(r"\?(?:, \?)+|\(\?\)(?:, \(\?\))+")
_LIKE_ON_POSTGRES = re.compile(r"\$\d+(::\w+)?(?:, \$\d+\1)*")
_INFRASTRUCTURE = (
    "storage/prepared.py",
    "storage/postgres_connections.py",
    "storage/sqlite_writer.py",
    "storage/remembering.py",
    "storage/dialects.py",
)
_NARROWED = re.compile(r"SEARCH (\w+?)(?:_\d+)? USING (?:COVERING )?INDEX (\w+) \((.*)\)")
COARSE = {"platform=?", "corp=?", "app=?", "channel=?"}
"""What hardly narrows: a company has few of them, so all rows with one are as good as all rows."""

_WORDS = ("SELECT", "UPDATE", "DELETE", "WITH", "INSERT")
_explained: set[str] = set()
_found: list[str] = []


def found() -> list[str]:
    """What was seen since the last call."""
    taken = _found[:]
    _found.clear()
    return taken


@event.listens_for(Engine, "before_cursor_execute")
def _explain(
    conn: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> None:
    if not statement.startswith(_WORDS):
        return
    on_sqlite = conn.dialect.name == "sqlite"
    kind = (_LIKE if on_sqlite else _LIKE_ON_POSTGRES).sub("?", statement)
    if kind in _explained:
        return
    _explained.add(kind)
    rows = isinstance(parameters, list)  # of an executemany
    one = parameters[0] if rows else parameters
    scanned = list(whole_tables(statement, one) if on_sqlite else _on_postgres(statement, one))
    if scanned and (ours := _whose()) and not _may_scan(ours):
        _found.append(f"{ours}: {'; '.join(scanned)}\n{statement}")


def _may_scan(ours: str) -> bool:
    return ours in MAY_SCAN or f"{ours.rpartition('/')[0]}/" in MAY_SCAN


def whole_tables(statement: str, parameters: Any) -> Iterator[str]:
    """The steps that read a whole table which is not small."""
    try:
        rows = _beside().execute(f"EXPLAIN QUERY PLAN {statement}", parameters or ()).fetchall()
    except sqlite3.OperationalError:  # of a migration, or the database's own tables
        return
    if " IN (VALUES" in statement:  # SQLite looks for one such pair by an index, for two by none
        yield "pairs by VALUES, where pairs_among has an index used"
    for *_, step in rows:
        narrowed = _NARROWED.fullmatch(step)
        if (
            narrowed
            and narrowed[1] in metadata.tables.keys() - SMALL
            and narrowed[2] not in _partial()
            and set(narrowed[3].split(" AND ")) <= COARSE
        ):
            yield step
        match = re.fullmatch(r"SCAN (\w+?)(?:_\d+)?(?: USING (?:COVERING )?INDEX (\w+))?", step)
        if match and match[1] in metadata.tables.keys() - SMALL and match[2] not in _partial():
            yield step


def _on_postgres(statement: str, parameters: Any) -> Iterator[str]:
    explainer = postgres_plans.explainer()
    plan = explainer.plan(statement, parameters) if explainer else None
    if plan is not None:
        yield from postgres_plans.whole_tables(plan, SMALL)


@cache
def _beside() -> sqlite3.Connection:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    metadata.create_all(engine)
    connection = engine.raw_connection().driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


@cache
def _partial() -> set[str]:
    """Indexes over some rows only, such as what waits: reading all of one is meant."""
    return {
        str(index.name)
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }


def _whose() -> str:
    """The function of ours that issued it, as file:name; "" where a test did so itself.

    Under an async driver the stack ends at the driver's greenlet; the rest of it is the chain of
    what the running task awaits.
    """
    names = [(one.filename, one.name) for one in traceback.extract_stack()]
    names += [one for one in _awaited() if one not in names]
    ours = [
        f"{Path(file).relative_to(ROOT)}:{name}"
        for file, name in names
        if Path(file).is_relative_to(ROOT) and ".venv" not in file and file != __file__
    ]
    within = [one for one in ours if not one.startswith(_INFRASTRUCTURE)]
    last = within[-1] if within else ""
    return "" if last.startswith(("tests/", "benchmarks/")) else last


def _awaited() -> Iterator[tuple[str, str]]:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return
    waiting: Any = task.get_coro() if task else None
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        frame = frame or getattr(waiting, "ag_frame", None)
        if frame is not None:
            yield frame.f_code.co_filename, frame.f_code.co_name
        for name in ("cr_await", "gi_yieldfrom", "ag_await"):
            if hasattr(waiting, name):
                waiting = getattr(waiting, name)
                break
        else:
            return
