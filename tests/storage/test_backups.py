"""A backup comes back: row by row, on both kinds of database, sealed or not; never over another."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select

from bot.errors import PermanentError
from storage import admin, restoring, sealing
from storage.database import Database
from storage.tables import metadata
from tests.engine.parts import envelope
from tests.handlers.chat_company import Chat

KEY = "k" * sealing.LEAST_KEY_CHARS


async def fill(database: Database) -> None:
    chat = await Chat(database).open()
    account = await chat.customer("杭州恒锐机电有限公司")
    await chat.say("zhang", f"刚和{account.name}通了25分钟电话，嫌价格高，下周三再联系")
    await chat.press("zhang", chat.card(), "确认")
    for number in range(20):
        await database.append(envelope(str(number)))


def rows(url: str) -> dict[str, list[Any]]:
    engine: Engine = create_engine(url)
    try:
        with engine.connect() as conn:
            return {
                table.name: sorted(map(str, conn.execute(select(table)).all()))
                for table in metadata.sorted_tables
            }
    finally:
        engine.dispose()


@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "sealed"])
async def test_what_was_backed_up_comes_back(sqlite_url: str, tmp_path: Path, key: str) -> None:
    database = await Database.open(sqlite_url)
    await fill(database)
    file, place = tmp_path / "copy", tmp_path / "new" / "gendan.db"
    await admin.backup(sqlite_url, file, key=key)
    await database.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (b"SQLite format 3" in file.read_bytes()) == (key == "")
    restored = await restoring.restore(f"sqlite:///{place}", file, key=key)
    kept = rows(sqlite_url)
    assert restored == sum(map(len, kept.values())) + 1, "and the version of the tables"
    assert rows(f"sqlite:///{place}") == kept
    assert kept["activities"]
    assert await admin.verify(f"sqlite:///{place}") == []
    assert sorted(one.name for one in place.parent.iterdir()) == ["gendan.db"]


@pytest.mark.postgres
@pytest.mark.parametrize("key", ["", KEY], ids=["plain", "sealed"])
async def test_postgres_comes_back_too(
    postgres_url: str, empty_postgres_url: str, tmp_path: Path, key: str
) -> None:
    if shutil.which("pg_restore") is None:
        pytest.skip("PostgreSQL's client programs are not installed")
    database = await Database.open(postgres_url)
    await fill(database)
    await database.close()
    try:
        await admin.backup(postgres_url, tmp_path / "dump", key=key)
    except PermanentError as error:
        if "version mismatch" not in str(error):
            raise
        pytest.skip("pg_dump is older than the server")
    assert await restoring.restore(empty_postgres_url, tmp_path / "dump", key=key) > 20
    assert await admin.verify(empty_postgres_url) == []
    again = await Database.open(empty_postgres_url)
    async with again.read() as tx:
        assert [account.name for account in await tx.accounts.list_all()] == [
            "杭州恒锐机电有限公司"
        ]
    await again.close()
    with pytest.raises(PermanentError, match="empty"):
        await restoring.restore(empty_postgres_url, tmp_path / "dump", key=key)


async def test_a_database_that_is_there_is_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "copy"
    await admin.backup(sqlite_url, file)
    before = rows(sqlite_url)
    with pytest.raises(PermanentError, match="move it away"):
        await restoring.restore(sqlite_url, file)
    assert rows(sqlite_url) == before


async def test_what_belongs_to_an_older_database_is_in_the_way(
    sqlite_url: str, tmp_path: Path
) -> None:
    """An old write-ahead log beside the new file would be replayed into it."""
    await admin.backup(sqlite_url, tmp_path / "copy")
    place = tmp_path / "other.db"
    place.with_name("other.db-wal").touch()
    with pytest.raises(PermanentError, match=r"other\.db-wal"):
        await restoring.restore(f"sqlite:///{place}", tmp_path / "copy")


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-1],
        lambda data: data[: -(len(data) // 2)],
        lambda data: data + b"x",
        lambda data: _flip(data, len(data) // 2),
        lambda data: _flip(data, len(sealing.MAGIC)),
        lambda data: data[: len(sealing.MAGIC) + 16],
    ],
    ids=["cut", "halved", "longer", "one bit", "salt", "nothing inside"],
)
async def test_a_sealed_backup_that_was_touched_is_refused(
    sqlite_url: str, tmp_path: Path, harm: Any
) -> None:
    file, place = tmp_path / "copy", tmp_path / "new.db"
    await admin.backup(sqlite_url, file, key=KEY)
    file.write_bytes(harm(file.read_bytes()))
    with pytest.raises(PermanentError, match="damaged"):
        await restoring.restore(f"sqlite:///{place}", file, key=KEY)
    assert not place.exists()


async def test_pieces_of_a_sealed_file_cannot_be_exchanged_or_left_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "PIECE", 64)
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(bytes(range(256)))
    sealing.seal(plain, sealed, KEY)
    sealing.unseal(sealed, tmp_path / "again", KEY)
    assert (tmp_path / "again").read_bytes() == plain.read_bytes()
    head, step = len(sealing.MAGIC) + 16, 64 + 16
    whole = sealed.read_bytes()
    pieces = [whole[place : place + step] for place in range(head, len(whole), step)]
    assert len(pieces) == 4
    for order in ([1, 0, 2, 3], [0, 1, 2], [0, 1, 3], [0, 1, 2, 3, 3]):
        sealed.write_bytes(whole[:head] + b"".join(pieces[number] for number in order))
        with pytest.raises(PermanentError, match="damaged"):
            sealing.unseal(sealed, tmp_path / "again", KEY)


async def test_a_sealed_backup_needs_its_key(sqlite_url: str, tmp_path: Path) -> None:
    file, place = tmp_path / "copy", f"sqlite:///{tmp_path / 'new.db'}"
    await admin.backup(sqlite_url, file, key=KEY)
    with pytest.raises(PermanentError, match="--key-file"):
        await restoring.restore(place, file)
    with pytest.raises(PermanentError, match="another key"):
        await restoring.restore(place, file, key="q" * 40)
    (tmp_path / "short").write_text("geheim\n", encoding="utf-8")
    with pytest.raises(PermanentError, match="too short"):
        sealing.read_key(tmp_path / "short")


@pytest.mark.parametrize("data", [b"", b"no database", b"SQLite format 3\0" + bytes(4096)])
async def test_what_is_no_backup_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "copy").write_bytes(data)
    with pytest.raises(PermanentError):
        await restoring.restore(f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "copy")
    assert not (tmp_path / "new.db").exists()
