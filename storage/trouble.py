"""Which errors of the database are worth another try: they say nothing about what was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.errors import TimedOut, TransientError, Unavailable

TOOK_TOO_LONG = {
    "57014": "a statement",  # statement_timeout, or somebody cancelled it
    "55P03": "waiting for a lock",
    "25P03": "between two statements",
}
GIVES_WAY = {"40001", "40P01"}  # to another transaction, which goes on
IS_AWAY = {"53300", "57P01", "57P02", "57P03"}  # full, going down, gone, coming up


@contextmanager
def told_apart() -> Iterator[None]:
    """Raises TimedOut or Unavailable instead of what PostgreSQL, or the wait for a connection,
    raised; whatever was begun is rolled back by then."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        again = worth_another_try(error)
        if again is None:
            raise
        raise again from error


def worth_another_try(error: Exception) -> TransientError | None:
    if isinstance(error, PoolTimeout):
        return Unavailable("no connection to the database is free")
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state in TOOK_TOO_LONG:
        return TimedOut(f"the database took too long: {TOOK_TOO_LONG[state]}")
    if state in GIVES_WAY:
        return Unavailable("the database let another transaction go first")
    if state in IS_AWAY or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return Unavailable("the database is away")
    return None
