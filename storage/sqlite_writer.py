"""The one connection that writes to an SQLite file.

Statements take microseconds and run where they are called. Only what may wait goes to a
thread: a commit, for the disk, and a begin, if another process holds the lock. With an async
driver each statement would cost some hops between threads, which is most of its time; and a
thread beside a busy event loop waits for the interpreter lock each time it needs it.

Transactions take turns, and those that stand in line when one has ended are committed with it:
each is a part that is undone alone when it raises, and none returns before all are durable.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cached_property, lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Connection, create_engine, literal_column, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import StaticPool

from bot.messages import Envelope
from storage import prepared
from storage.engines import BUSY_TIMEOUT_MS, prepare_sqlite, to_json
from storage.inbox import NEW_ROW, ROW_KEY, ids_in_order, to_row
from storage.prepared import Done, Prepared
from storage.tables import inbox
from storage.tables.columns import as_text
from storage.unit_of_work import UnitOfWork

MAX_STRETCH_S = 0.01  # of statements without letting other tasks run

_BEGIN = "BEGIN IMMEDIATE"

T = TypeVar("T")


class _Group:
    """Parts that are committed together. `end` is done when they are durable, or raises."""

    def __init__(self) -> None:
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError):
            self.end.cancel()
        elif not self.end.done():
            self.end.set_exception(error)
            self.end.exception()  # nobody may be left to ask


class SqliteWriter:
    """A `storage.writers.Writer`. Transactions take turns, first come first served."""

    commits_elsewhere = False

    def __init__(self, url: URL, *, synchronous: str) -> None:
        self.turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._engine = create_engine(
            url.set(drivername="sqlite"),
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            json_serializer=to_json,
            hide_parameters=True,  # errors are logged, and what people said must not be
        )
        prepare_sqlite(self._engine, synchronous=synchronous, busy_timeout_ms=0, begins=False)
        self._group: _Group | None = None
        self._committing: set[asyncio.Task[None]] = set()

    @cached_property
    def _conn(self) -> Connection:
        return self._engine.connect()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        async with self.turn:
            async with self._part() as conn:
                tx = UnitOfWork(cast(AsyncConnection, _Direct(conn)))
                yield tx
                await tx.complete()
            group = self._group or self._open_group()
        await asyncio.shield(group.end)
        tx.committed()

    async def append(self, envelopes: Sequence[Envelope]) -> list[int | None]:
        """Commits at once, for a door waits."""
        async with self._part() as conn:
            ids = _insert(conn, envelopes)
        await self._commit(self._group or _Group())
        return ids

    async def close(self) -> None:
        await asyncio.gather(*self._committing, return_exceptions=True)
        if "_conn" in self.__dict__:
            await self._in_thread(self._conn.close)
        await self._in_thread(self._engine.dispose)
        self._thread.shutdown()

    @asynccontextmanager
    async def _part(self) -> AsyncIterator[Connection]:
        """Of the group that is open, else the first of one; by whoever holds the turn."""
        conn = self._conn
        if self._group is not None:
            with self._savepoint(conn, self._group):
                yield conn
            return
        try:
            await self._take_lock(conn)
            yield conn
        except BaseException:
            _driver(conn).rollback()
            raise

    @contextmanager
    def _savepoint(self, conn: Connection, group: _Group) -> Iterator[None]:
        _tell(conn, "SAVEPOINT part")
        try:
            yield
        except BaseException as error:
            if _is_open(conn):
                _tell(conn, "ROLLBACK TO part")
                _tell(conn, "RELEASE part")
            else:  # a full disk: SQLite has rolled all of it back
                self._group = None
                group.fail(error)
                _driver(conn).rollback()
            raise
        _tell(conn, "RELEASE part")

    def _open_group(self) -> _Group:
        """After the first part. Whoever waits for the turn by now comes before the commit."""
        group = self._group = _Group()
        task = asyncio.create_task(self._commit_in_turn(group), name="commit")
        self._committing.add(task)
        task.add_done_callback(self._committing.discard)
        return group

    async def _commit_in_turn(self, group: _Group) -> None:
        async with self.turn:
            if self._group is group:
                with suppress(Exception):  # those who wait for the group are told
                    await self._commit(group)

    async def _commit(self, group: _Group) -> None:
        conn, self._group = self._conn, None
        try:
            if not _is_open(conn):
                raise OperationalError("COMMIT", None, RuntimeError("it was rolled back"))
            with _as_sqlalchemy_tells(conn, "COMMIT"):
                await self._in_thread(_driver(conn).commit)
        except BaseException as error:
            group.fail(error)
            raise
        else:
            group.end.set_result(None)
        finally:
            _driver(conn).rollback()  # of what was not committed, after a failed commit too

    async def _take_lock(self, conn: Connection) -> None:
        try:
            _driver(conn).execute(_BEGIN)
        except sqlite3.OperationalError:  # another process writes: wait for it, but not in the loop
            await self._in_thread(lambda: _begin_patiently(conn))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Whoever is cancelled meanwhile still waits for the end: the connection is in use."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise


def _driver(conn: Connection) -> sqlite3.Connection:
    """Begins, commits and rolls back at a third of the price. To SQLAlchemy one transaction lasts
    for as long as the connection."""
    return cast(sqlite3.Connection, conn.connection.driver_connection)


def _tell(conn: Connection, sql: str) -> None:
    """What gives nothing back: twice for each message, and SQLAlchemy's steps around it would take
    ten times as long."""
    with _as_sqlalchemy_tells(conn, sql):
        _driver(conn).execute(sql)


def _as_sqlalchemy(conn: Connection, sql: str, error: sqlite3.Error) -> Exception:
    """The error that SQLAlchemy would raise."""
    return DBAPIError.instance(
        sql, None, error, sqlite3.Error, hide_parameters=True, dialect=conn.dialect
    )


def _is_open(conn: Connection) -> bool:
    """Whether SQLite still has the transaction; some errors make it roll back by itself."""
    return _driver(conn).in_transaction


def _begin_patiently(conn: Connection) -> None:
    _driver(conn).execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    try:
        with _as_sqlalchemy_tells(conn, _BEGIN):
            _driver(conn).execute(_BEGIN)
    finally:
        _driver(conn).execute("PRAGMA busy_timeout = 0")


@contextmanager
def _as_sqlalchemy_tells(conn: Connection, sql: str) -> Iterator[None]:
    """The driver's errors, as who waits for a transaction knows them."""
    try:
        yield
    except sqlite3.Error as error:
        raise _as_sqlalchemy(conn, sql, error) from error


def _insert(conn: Connection, envelopes: Sequence[Envelope]) -> list[int | None]:
    """The hottest path there is. Asking each column's type for how the driver takes its values
    would cost as much again as all the rest."""
    rows = [to_row(envelope, as_text) for envelope in envelopes]
    values = tuple(itertools.chain.from_iterable(rows))
    sql = _insert_sql(len(rows))
    with _as_sqlalchemy_tells(conn, sql):
        done = _driver(conn).execute(sql, values)
    added, last = done.rowcount, done.lastrowid or 0
    first = last - added + 1
    if added == len(envelopes):  # the holder of the write lock is given ids in a row
        return list(range(first, first + added))
    new = select(*ROW_KEY).where(inbox.c.id >= first)
    return ids_in_order(envelopes, conn.execute(new).all() if added else [])


class _Direct:
    """What repositories use of an AsyncConnection."""

    def __init__(self, conn: Connection) -> None:
        self.dialect = conn.dialect
        self._conn = conn
        self._clock = asyncio.get_running_loop().time
        self._since = self._clock()

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        if self._clock() - self._since > MAX_STRETCH_S:
            await self._let_others_run()
        ready = prepared.find(statement, parameters, self.dialect)
        if ready is None:
            return self._conn.execute(statement, parameters)
        return self._execute(ready, parameters)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    def _execute(self, ready: Prepared, parameters: Any) -> Any:
        """Raises what SQLAlchemy would."""
        conn = self._conn
        driver: Any = conn.connection.driver_connection
        cursor = driver.cursor()
        arguments, many = ready.arguments(parameters), isinstance(parameters, list)
        for tell in conn.dispatch.before_cursor_execute:
            tell(conn, cursor, ready.sql, arguments, None, many)
        try:
            (cursor.executemany if many else cursor.execute)(ready.sql, arguments)
            if not ready.gives_rows:
                return Done(cursor.rowcount)
            found = cursor.fetchall()
        except sqlite3.Error as error:
            raise _as_sqlalchemy(conn, ready.sql, error) from error
        return ready.result(found)

    async def _let_others_run(self) -> None:
        await asyncio.sleep(0)
        self._since = self._clock()


@lru_cache(maxsize=512)
def _insert_sql(rows: int) -> str:
    before, one, after = _insert_of_one()
    return before + ", ".join([one] * rows) + after


@lru_cache(maxsize=1)
def _insert_of_one() -> tuple[str, str, str]:
    """What SQLAlchemy makes of it: before, within and after the marks for values. Compiling
    each size of batch costs more than inserting it."""
    begins: dict[str, Any] = {"attempts": literal_column("0"), "replayed": literal_column("0")}
    values = {**dict.fromkeys(NEW_ROW), **begins}
    statement = sqlite.insert(inbox).values(values).on_conflict_do_nothing()
    compiled = str(statement.compile(dialect=sqlite.dialect()))
    before, row, after = re.split(r"(?<=VALUES )(.+)(?= ON CONFLICT)", compiled)
    return before, row, after
