"""The connections to PostgreSQL that write: taken from SQLAlchemy's pool once, and kept.

SQLAlchemy opens them and executes what is not `prepared`; all else goes straight to the driver.
Through SQLAlchemy a statement costs four times what the driver needs for it, and borrowing a
connection for a transaction as much as ten statements.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage import prepared
from storage.engines import at_once
from storage.prepared import Done, Prepared
from storage.waiting_writes import WaitingWrites

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
MOST_PREPARED = 500  # of one connection
WAIT_S = 30.0  # for a connection to be free

_OUTDATED = (
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InterfaceError,
)
"""What is prepared is not to be relied on: an upgrade has changed the type of a column."""

_TOLD = (asyncpg.PostgresError, *_OUTDATED)

T = TypeVar("T")


class Direct:
    """One connection; what repositories use of an AsyncConnection."""

    def __init__(self, conn: AsyncConnection, driver: Any) -> None:
        self.dialect = conn.dialect
        self._conn = conn
        self._sync: Any = conn.sync_connection
        self._driver = driver
        self._waiting = WaitingWrites()
        self._statements: dict[str, Any] = {}  # as the server has prepared them

    @property
    def is_free(self) -> bool:
        """For another transaction: neither lost nor within one."""
        return not (self._driver.is_closed() or self._driver.is_in_transaction())

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Raises what SQLAlchemy would."""
        ready = prepared.find(statement, parameters, self.dialect)
        many = isinstance(parameters, list)
        if ready is None or (many and ready.gives_rows):
            await self.write_what_waits()
            return await self._conn.execute(statement, parameters)
        arguments = ready.arguments(parameters)
        for tell in self._sync.dispatch.before_cursor_execute:
            tell(self._sync, None, ready.sql, arguments, None, many)
        rows = arguments if many else [arguments]
        if ready.unread and len(rows) == 1 and self._driver.is_in_transaction():
            if self._waiting.exclude(ready):
                await self.write_what_waits()
            self._waiting.add(ready, rows[0])
            return Done(-1)
        if self._waiting.are_seen_by(ready):
            await self.write_what_waits()
        return await self._execute(ready, rows)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Any, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalars()

    async def begin(self) -> None:
        await self._told(BEGIN, self._driver.execute(BEGIN))

    async def commit(self) -> None:
        await self.write_what_waits()
        ended = await self._told("COMMIT", self._driver.execute("COMMIT"))
        await self._forget()
        if ended != "COMMIT":  # an error that somebody has passed over
            raise OperationalError("COMMIT", None, RuntimeError("it was rolled back"))

    async def rollback(self) -> None:
        self.drop_what_waits()
        await self._told("ROLLBACK", self._driver.execute("ROLLBACK"))
        await self._forget()

    async def discard(self) -> None:
        """Nobody uses it again."""
        await self._conn.invalidate()
        await self._conn.close()

    async def return_to_pool(self) -> None:
        """Of SQLAlchemy."""
        await self._conn.close()

    async def _forget(self) -> None:
        """What SQLAlchemy takes for begun, though it tells the server nothing."""
        if self._conn.in_transaction():
            await self._conn.rollback()

    async def write_what_waits(self) -> None:
        """Raises what these writes would have raised."""
        if self._waiting:
            sql, values = self._waiting.take()
            await self._told(sql, (await self._prepared(sql)).fetch(*values))

    def drop_what_waits(self) -> None:
        self._waiting.drop()

    async def _execute(self, ready: Prepared, rows: Sequence[Any]) -> Any:
        statement = await self._prepared(ready.sql)
        if len(rows) > 1:
            await self._told(ready.sql, statement.executemany(rows))
            return Done(-1)
        found = await self._told(ready.sql, statement.fetch(*rows[0]))
        if not ready.gives_rows:
            return Done(_rowcount(statement.get_statusmsg()))
        return ready.result(found)

    async def _prepared(self, sql: str) -> Any:
        if sql not in self._statements:
            if len(self._statements) >= MOST_PREPARED:
                self._statements.clear()
            self._statements[sql] = await self._told(sql, self._driver.prepare(sql))
        return self._statements[sql]

    async def _told(self, sql: str, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except _TOLD as error:
            if isinstance(error, _OUTDATED):
                self._statements.clear()
            raise self._as_sqlalchemy(sql, error) from error

    def _as_sqlalchemy(self, sql: str, error: Exception) -> BaseException:
        dbapi: Any = self.dialect.loaded_dbapi
        kind = next((kind for of, kind in _kinds(dbapi) if isinstance(error, of)), dbapi.Error)
        told: BaseException = DBAPIError.instance(
            sql,
            None,
            kind(error.args[0], error),  # without its DETAIL, which quotes the row
            dbapi.Error,
            hide_parameters=True,
            connection_invalidated=self._driver.is_closed(),
            dialect=self.dialect,
        )
        return told


class PostgresConnections:
    """So many at most. Whoever waits for one gets it in turn."""

    def __init__(self, engine: AsyncEngine, *, most: int) -> None:
        self._engine = at_once(engine)  # we begin and commit ourselves
        self._idle: deque[Direct] = deque()
        self._free = asyncio.Semaphore(most)
        self._undoing: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def idle(self) -> int:
        return len(self._idle)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Direct]:
        """Commits on leaving; rolls back when the block raises, also when it is cancelled."""
        async with self.one() as conn:
            await conn.begin()
            yield conn
            await conn.commit()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Direct]:
        """For single statements. What is begun within and not ended is rolled back."""
        await self._wait()
        conn = None
        try:
            conn = await self._take()
            yield conn
        except BaseException:
            undoing = asyncio.create_task(self._undo(conn), name="undo")
            self._undoing.add(undoing)
            undoing.add_done_callback(self._undoing.discard)
            await asyncio.shield(undoing)
            raise
        await self._give_back(conn)

    async def close(self) -> None:
        """What is lent comes back to nobody."""
        self._closed = True
        await asyncio.gather(*self._undoing, return_exceptions=True)
        while self._idle:
            await self._idle.pop().return_to_pool()

    async def _wait(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(WAIT_S):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout(f"no connection was free within {WAIT_S:.0f} s") from None

    async def _take(self) -> Direct:
        """The one used last, which the server knows best."""
        while self._idle:
            conn = self._idle.pop()
            if conn.is_free:
                return conn
            await conn.discard()
        opened = await self._engine.connect()
        return Direct(opened, (await opened.get_raw_connection()).driver_connection)

    async def _give_back(self, conn: Direct) -> None:
        self._free.release()
        if self._closed:
            await conn.return_to_pool()
        else:
            self._idle.append(conn)

    async def _undo(self, conn: Direct | None) -> None:
        """Whatever it stands in the middle of."""
        if conn is None:
            self._free.release()
            return
        try:
            await conn.rollback()
        except Exception:  # noqa: BLE001 - whatever it was, another connection serves as well
            self._free.release()
            await conn.discard()
        else:
            await self._give_back(conn)


def _kinds(dbapi: Any) -> list[tuple[type[Exception], Any]]:
    """What asyncpg raises -> SQLAlchemy's name for it, the narrower first."""
    return [
        (asyncpg.InvalidCachedStatementError, dbapi.InvalidCachedStatementError),
        (asyncpg.IntegrityConstraintViolationError, dbapi.IntegrityError),
        (asyncpg.SyntaxOrAccessError, dbapi.ProgrammingError),
        (asyncpg.InterfaceError, dbapi.InterfaceError),
        (asyncpg.OutdatedSchemaCacheError, dbapi.InternalClientError),
    ]


def _rowcount(status: str) -> int:
    """Of "INSERT 0 3" or "UPDATE 3"."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else -1
