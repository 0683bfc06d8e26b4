"""One database URL becomes the engines we work with: SQLite or PostgreSQL, each as it likes it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_TIMEOUT_MS = 5_000  # for other processes; ours take turns
READERS = 4
AT_A_TIME = 32  # messages that a process handles, see bot/handling.py
FOR_EACH_CORE = 4  # of them: while the one waits for the disk or a lock, the others compute
BESIDE_MESSAGES = 6  # the inbox's commits, ticks, senders, pages
BESIDE_POOL = 3  # leases, news, the turn to open long connections
STATEMENT_TIMEOUT_S = 30.0
LOCK_TIMEOUT_S = 20.0

ANSWER_OR_BE_GONE = {
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "60000",
}
"""Asked of PostgreSQL for each connection: what a machine held that is no more, locks above all,
is free after five seconds, and what a process holds that stands still, after a minute."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
to_json = json.JSONEncoder(ensure_ascii=False).encode


def to_url(url: str, *, data_dir: Path | None = None) -> URL:
    """The URL with the driver we use. A relative SQLite file lies in `data_dir`, if given.

    Raises ValueError for any other database, and for SQLite in memory: there each
    connection would see a database of its own.
    """
    parsed = make_url(url)
    backend = parsed.drivername.partition("+")[0]
    if backend not in _DRIVERS:
        raise ValueError(f"unknown database {backend!r}: use sqlite or postgresql")
    parsed = parsed.set(drivername=_DRIVERS[backend])
    if backend != "sqlite":
        return parsed
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError("SQLite needs a file: sqlite:///path/to/gendan.db")
    return parsed.set(database=str((data_dir or Path()) / parsed.database))


def pool_size(cores: int) -> int:
    """Connections to PostgreSQL that one process makes use of. More of them would only wait for
    each other: for a core, or for the one thread in which Python works."""
    return min(AT_A_TIME, FOR_EACH_CORE * cores) + BESIDE_MESSAGES


def writers(cores: int) -> int:
    """Of them, those that are kept for writing. The others read, or take in."""
    return pool_size(cores) - READERS - 1


def open_engine(
    url: URL, *, synchronous: str = "FULL", statement_timeout_s: float = STATEMENT_TIMEOUT_S
) -> AsyncEngine:
    """The pool: on PostgreSQL for everything, on SQLite for those who only read.

    statement_timeout_s: after which PostgreSQL ends a statement; 0: never, for maintenance.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(url, pool_size=READERS, json_serializer=to_json)
        prepare_sqlite(engine.sync_engine, synchronous=synchronous, read_only=True)
        return engine
    engine = create_async_engine(
        url,
        # All of them are kept: a connection that is opened anew prepares each statement anew.
        pool_size=pool_size(os.cpu_count() or 1),
        max_overflow=0,
        json_serializer=to_json,
        hide_parameters=True,  # errors are logged, and what people said must not be
        connect_args={
            "timeout": 10,
            # should the server not even answer that it gave up
            "command_timeout": 2 * statement_timeout_s if statement_timeout_s else None,
            "server_settings": ANSWER_OR_BE_GONE | _limits(statement_timeout_s),
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: Any, _: Any, __: Any) -> None:
    """The pool takes another one then. What the server has closed the driver knows by now; asking
    the server each time would cost as much as a statement."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def at_once(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, for single statements outside any transaction."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _limits(statement_timeout_s: float) -> dict[str, str]:
    """A lock is given up before the statement that waits for it, so that the error names it."""
    lock_s = min(LOCK_TIMEOUT_S, statement_timeout_s * 2 / 3)
    return {
        "statement_timeout": f"{statement_timeout_s * 1000:.0f}",
        "lock_timeout": f"{lock_s * 1000:.0f}",
    }


def for_reading(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, for transactions that cannot write and see one moment."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def prepare_sqlite(
    engine: Engine,
    *,
    synchronous: str,
    read_only: bool = False,
    foreign_keys: bool = True,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    begins: bool = True,
) -> None:
    """WAL, and transactions that begin where we say: a writer takes its lock at once instead
    of failing half-way when it turns from reading to writing.

    synchronous: FULL survives a power cut, NORMAL only a crash. The file's folder is made.
    begins: False where somebody else begins and ends transactions.
    """
    if synchronous not in ("OFF", "NORMAL", "FULL", "EXTRA"):
        raise ValueError(f"unknown synchronous setting {synchronous!r}")
    Path(str(engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    pragmas = [
        f"busy_timeout = {busy_timeout_ms}",
        "journal_mode = WAL",
        f"synchronous = {synchronous}",
        f"foreign_keys = {int(foreign_keys)}",
        f"query_only = {int(read_only)}",
    ]
    event.listen(engine, "connect", _on_connect(pragmas))
    if begins:
        event.listen(engine, "begin", _on_begin("BEGIN" if read_only else "BEGIN IMMEDIATE"))


def _on_connect(pragmas: list[str]) -> Callable[[Any, Any], None]:
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver must not begin by itself
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return connect


def _on_begin(statement: str) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin
