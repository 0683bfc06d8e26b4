"""The schema is what the tables say; a backup is whole; whatever is wrong is found."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import SchemaItem

from bot.errors import PermanentError
from storage import admin, schema
from storage.database import Database
from storage.engines import to_url
from storage.tables import audit, metadata
from tests.object_store import Kept
from tests.storage.samples import AT, activity, customer, envelope, member

T = TypeVar("T")


async def test_migrations_lead_to_the_tables_of_the_program(fresh_url: str) -> None:
    await admin.upgrade(fresh_url)
    assert await _with_connection(fresh_url, _difference) == []


async def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database_url: str) -> None:
    await asyncio.gather(admin.upgrade(database_url), admin.upgrade(database_url))
    assert await admin.verify(database_url) == []


async def test_migrations_lead_back_to_nothing(fresh_url: str) -> None:
    await admin.upgrade(fresh_url)
    await _with_connection(fresh_url, _downgrade)
    assert await _with_connection(fresh_url, _table_names) == ["alembic_version"]
    await admin.upgrade(fresh_url)
    assert await _with_connection(fresh_url, _difference) == []


async def test_a_relative_file_lies_in_the_data_folder(tmp_path: Path) -> None:
    await admin.upgrade("sqlite:///gendan.db", data_dir=tmp_path / "data")
    database = await Database.open("sqlite:///gendan.db", data_dir=tmp_path / "data")
    await database.append(envelope())
    await database.close()
    assert await admin.verify("sqlite:///gendan.db", data_dir=tmp_path / "data") == []


@pytest.mark.parametrize("url", ["mysql://localhost/gendan", "sqlite://", "sqlite:///:memory:"])
async def test_a_database_we_do_not_support_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)sqlite"):
        await Database.open(url)


async def test_an_unknown_synchronous_setting_is_refused(sqlite_url: str) -> None:
    with pytest.raises(ValueError, match="MAYBE"):
        await Database.open(sqlite_url, synchronous="MAYBE")


async def test_a_backup_taken_while_messages_arrive_is_a_whole_database(
    sqlite_url: str, tmp_path: Path
) -> None:
    database = await Database.open(sqlite_url)
    doors = [database.append(envelope(str(number))) for number in range(300)]
    copy = tmp_path / "backup" / "copy.db"
    copy.parent.mkdir()
    await asyncio.gather(admin.backup(sqlite_url, copy), *doors)
    await database.close()
    assert await admin.verify(f"sqlite:///{copy}") == []
    with pytest.raises(PermanentError, match="never overwrites"):
        await admin.backup(sqlite_url, copy)


async def test_a_backup_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no database"):
        await admin.backup(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "copy.db")


@pytest.mark.postgres
async def test_postgres_is_backed_up_by_its_own_program(postgres_url: str, tmp_path: Path) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")
    target = tmp_path / "gendan.dump"
    try:
        await admin.backup(postgres_url, target)
    except PermanentError as error:
        if "version mismatch" not in str(error):
            raise
        pytest.skip("pg_dump is older than the server")
    with target.open("rb") as dump:
        assert dump.read(5) == b"PGDMP"


@pytest.mark.postgres
async def test_without_the_program_an_administrator_is_told(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentError, match="pg_dump is not installed"):
        await admin.backup(postgres_url, tmp_path / "gendan.dump")


async def test_a_database_never_upgraded_is_found(fresh_url: str, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (finding,) = await admin.verify(fresh_url)
    assert "gendan db upgrade" in finding


async def test_a_changed_audit_entry_is_found(database: Database, database_url: str) -> None:
    async with database.begin() as tx:
        for _ in range(3):
            await tx.audit.append(
                at=AT, actor="system", action="x", subject="x", before=None, after=None
            )
    assert await admin.verify(database_url) == []
    await _with_connection(
        database_url,
        lambda conn: conn.execute(
            update(audit).where(audit.c.seq == 2).values(at=AT.replace(year=2020))
        ),
    )
    (finding,) = await admin.verify(database_url)
    assert "第 2 条" in finding


async def test_lost_files_are_found(database: Database, database_url: str, kept: Kept) -> None:
    there = await kept.files.put(b"kept", name="a.txt")
    lost = await kept.files.put(b"lost", name="b.txt")
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        for number, file in enumerate((there, lost)):
            await tx.files.record(file, AT)
            await tx.activities.add(activity(account, f"s{number}", file_hashes=(file.sha256,)))
        await tx.activities.add(activity(account, "s2", file_hashes=("f" * 64,)))
    shutil.rmtree(kept.folder / lost.sha256[:2])
    unrecorded, missing = await admin.verify(database_url, kept=kept.files)
    assert "f" * 64 in unrecorded
    assert "b.txt" in missing


async def test_a_damaged_sqlite_file_is_found(sqlite_url: str, tmp_path: Path) -> None:
    _delete_behind_its_back(tmp_path / "gendan.db")
    findings = await admin.verify(sqlite_url)
    assert any("contacts" in finding for finding in findings)


def _delete_behind_its_back(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("INSERT INTO contacts (account_id, name, title) VALUES (99, 'x', '')")
    connection.commit()
    connection.close()


async def _with_connection(url: str, function: Callable[[Connection], T]) -> T:
    engine = create_async_engine(to_url(url))
    async with engine.begin() as conn:
        result = await conn.run_sync(function)
    await engine.dispose()
    return result


def _difference(connection: Connection) -> list[object]:
    partitions = _partitions(connection)

    def is_for_this_kind(one: SchemaItem, name: str | None, *_: object) -> bool:
        if name in partitions or name == "inbox_keys":
            return False
        return one.info.get("only_on", connection.dialect.name) == connection.dialect.name

    options = {"compare_type": True, "include_object": is_for_this_kind}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def _partitions(connection: Connection) -> set[str]:
    """Names of the parts of tables, and of those parts' indexes."""
    if connection.dialect.name == "sqlite":
        return set()
    query = "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
    return set(connection.scalars(text(query)))


def _downgrade(connection: Connection) -> None:
    command.downgrade(schema.alembic_config(connection), "base")


def _table_names(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()
