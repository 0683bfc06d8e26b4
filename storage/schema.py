"""Which version the tables have, and which versions of the program may serve them.

Of each migration its file says whether it is `additive`: whether the program before it may go on,
and may be started anew, beside the one after it. The database remembers the last step that was
not, its floor: a program that knows the floor knows all that could trouble it. So a program serves
a database that is newer than itself until tables are taken away from under it (docs/scaling.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table, update

from bot.errors import PermanentError

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent / "migrations"

_VERSION = table("alembic_version", column("version_num"), column("floor"))


def alembic_config(connection: Connection) -> Config:
    """For alembic's commands over an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> bool:
    """Towards the program's version; whether it is reached. A newer one that it may serve is left
    as it is. Raises PermanentError for one that it may not.

    What others may be serving is changed by one step, to be committed before the next: a
    transaction that changes two tables and one that works on them the other way round would wait
    for each other.
    """
    from alembic import command

    found = _revision(connection)
    if found is not None and not _is_known(found):
        told = complaint(connection)
        if told is not None:
            raise PermanentError(told)
        return True
    newest = _scripts().get_current_head()
    by_steps = found is not None and connection.dialect.name == "postgresql"
    if found != newest:
        command.upgrade(alembic_config(connection), "+1" if by_steps else "head")
    reached = _revision(connection)
    if _has_floor(connection):
        connection.execute(update(_VERSION).values(floor=_floor(str(reached))))
    return reached == newest


def complaint(connection: Connection) -> str | None:
    """Why the program must not serve these tables, with the remedy; None when it may."""
    found, newest = _revision(connection), _scripts().get_current_head()
    if found == newest:
        return None
    if found is None or _is_known(found):
        return f"数据库结构是 {found or '空的'}，程序需要 {newest}：请先运行 gendan db upgrade。"
    floor = connection.scalar(select(_VERSION.c.floor)) if _has_floor(connection) else None
    if floor is not None and _is_known(floor):
        return None
    return (
        f"数据库结构 {found} 比程序的 {newest} 新，旧程序用不了："
        "请换用新版本的程序；一定要退回，先恢复升级前的备份。"
    )


def _revision(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS))


def _is_known(revision: str) -> bool:
    return any(one.revision == revision for one in _scripts().walk_revisions())


def _floor(reached: str) -> str:
    """The newest migration so far that is not additive; one that says nothing is none."""
    newest_first = _scripts().walk_revisions(head=reached)
    return next(one.revision for one in newest_first if not _is_additive(one.module))


def _is_additive(migration: object) -> bool:
    return getattr(migration, "additive", False) is True


def _has_floor(connection: Connection) -> bool:
    """Databases from before this was remembered have not."""
    found = inspect(connection)
    return found.has_table(_VERSION.name) and any(
        one["name"] == _VERSION.c.floor.name for one in found.get_columns(_VERSION.name)
    )
