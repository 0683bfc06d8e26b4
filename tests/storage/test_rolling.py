"""A program beside a newer one: it goes on while tables are only added to, and refuses else."""

from __future__ import annotations

import ast
import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from bot.errors import PermanentError
from storage import admin, schema
from storage.database import Database
from tests.storage.samples import envelope

BEFORE_THE_RULE = "0032"
"""Migrations with smaller numbers say nothing, and count as not additive."""

FOUND = [
    one for one in sorted((schema.MIGRATIONS / "versions").glob("[0-9]*.py"))
    if one.name >= BEFORE_THE_RULE
]  # fmt: skip

ADDS = 'op.add_column("people", sa.Column("nickname", sa.String(32)))'
TAKES = 'op.drop_column("people", "nickname")'

Newer = Callable[..., None]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """A database of its own, with the tables that we have, or none yet on PostgreSQL."""
    name = {"sqlite": "sqlite_url", "postgres": "empty_postgres_url"}[request.param]
    found: str = request.getfixturevalue(name)
    return found


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Newer:
    """Writes migrations behind ours; until the end of the test the program has them."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder)
    head = ScriptDirectory(str(folder)).get_current_head()

    def write(*steps: tuple[str, bool]) -> None:
        nonlocal head
        for statement, additive in steps:
            number = len(list((folder / "versions").glob("9*.py"))) + 9001
            (folder / "versions" / f"{number}_test.py").write_text(
                f'"""A later one."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
                f'revision = "{number}_test"\ndown_revision = "{head}"\n'
                f"additive = {additive}\n\n\ndef upgrade() -> None:\n    {statement}\n",
                encoding="utf-8",
            )
            head = f"{number}_test"
        monkeypatch.setattr(schema, "MIGRATIONS", folder)

    return write


@contextmanager
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program that we are, without later migrations."""
    with monkeypatch.context() as changed:
        changed.setattr(schema, "MIGRATIONS", Path(schema.__file__).parent / "migrations")
        yield


async def test_an_older_program_serves_what_was_only_added_to(
    url: str, newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer((ADDS, True), ('op.create_table("nicknames", sa.Column("name", sa.String(9)))', True))
    await admin.upgrade(url)
    assert await admin.complaints(url) == []
    with as_before(monkeypatch):
        await admin.upgrade(url)  # as it does at each start
        assert await admin.complaints(url) == []
        database = await Database.open(url)
        await database.append(envelope())
        assert len(await database.unfinished()) == 1
        await database.close()
        assert await admin.verify(url) == []
    assert await admin.complaints(url) == [], "nothing was taken back"


async def test_an_older_program_refuses_what_was_taken_from(
    url: str, newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer((ADDS, True), (TAKES, False), (ADDS.replace("nick", "by"), True))
    await admin.upgrade(url)
    assert await admin.complaints(url) == []
    with as_before(monkeypatch):
        (told,) = await admin.complaints(url)
        assert "请换用新版本的程序" in told
        with pytest.raises(PermanentError, match="请换用新版本的程序"):
            await admin.upgrade(url)


async def test_a_program_between_the_two_serves_as_well(
    url: str, newer: Newer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that came with the breaking step, beside a further one that adds again."""
    newer((ADDS, True), (TAKES, False))
    between = tmp_path / "between"
    shutil.copytree(tmp_path / "migrations", between)
    newer((ADDS.replace("nick", "by"), True))
    await admin.upgrade(url)
    monkeypatch.setattr(schema, "MIGRATIONS", between)
    assert await admin.complaints(url) == []


async def test_an_upgrade_from_one_version_to_the_next_moves_the_floor(
    url: str, newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admin.upgrade(url)
    newer((ADDS, True))
    await admin.upgrade(url)
    with as_before(monkeypatch):
        assert await admin.complaints(url) == []
    newer((TAKES, False))
    await admin.upgrade(url)
    with as_before(monkeypatch):
        assert await admin.complaints(url) != []


async def test_a_step_that_says_nothing_is_not_additive(
    url: str, newer: Newer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer((ADDS, True))
    (file,) = (tmp_path / "migrations" / "versions").glob("9*.py")
    file.write_text(file.read_text("utf-8").replace("additive = True\n", ""), encoding="utf-8")
    await admin.upgrade(url)
    with as_before(monkeypatch):
        assert await admin.complaints(url) != []


@pytest.mark.postgres
async def test_nobody_stands_for_long_behind_an_upgrade_that_waits(
    empty_postgres_url: str, newer: Newer
) -> None:
    """Whoever wants a table that an upgrade waits for would wait as long as it does."""
    await admin.upgrade(empty_postgres_url)
    newer((ADDS, True))
    at_work = await asyncpg.connect(empty_postgres_url)
    begun = at_work.transaction()
    await begun.start()
    await at_work.execute("SELECT count(*) FROM people")
    upgrading = asyncio.create_task(admin.upgrade(empty_postgres_url))
    other = await asyncpg.connect(empty_postgres_url)
    async with asyncio.timeout(60):
        while not await waits_for_a_table(other):  # noqa: ASYNC110 - a lock has no event
            await asyncio.sleep(0.01)
        assert await other.fetchval("SELECT count(*) FROM people") == 0, "while both go on"
        assert not upgrading.done()
        await begun.commit()
        await upgrading
    assert await other.fetchval("SELECT count(nickname) FROM people") == 0
    await at_work.close()
    await other.close()


async def waits_for_a_table(conn: asyncpg.Connection) -> bool:
    query = "SELECT count(*) FROM pg_locks JOIN pg_class ON relation = pg_class.oid"
    return bool(await conn.fetchval(f"{query} WHERE NOT granted AND relname = 'people'"))


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.name)
def test_every_migration_says_whether_it_is_additive(file: Path) -> None:
    assert says(file.read_text("utf-8")) is not None, "additive = True or False (docs/scaling.md)"


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.name)
def test_what_calls_itself_additive_only_adds(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not says(text) or takes_away(text) == []


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.name)
def test_a_step_that_is_taken_while_others_serve_touches_one_table(file: Path) -> None:
    """A transaction that changes two and one that works on both the other way round would wait
    for each other."""
    text = file.read_text("utf-8")
    assert not says(text) or len(touched(text)) <= 1


def test_what_a_step_touches_is_known() -> None:
    assert touched(f"def upgrade():\n    {ADDS}; {NEW}; {FILLED}\n") == {"people"}
    refers = 'op.create_table("b", sa.Column("c", sa.ForeignKey("people.id")))'
    assert touched(f"def upgrade():\n    {refers}; {FILLED}\n") == {"people", "a"}


FILLED = 'op.add_column("a", sa.Column("b", nullable=False, server_default="x"))'
NEW = 'op.create_table("a", sa.Column("b", nullable=False))'
INDEXED = f'{NEW}; op.create_index("u", "a", unique=True)'


@pytest.mark.parametrize(
    "line",
    [TAKES, 'op.alter_column("a", "b", nullable=False)', 'op.rename_table("a", "b")',
     'op.execute("DROP TABLE a")', 'op.add_column("a", sa.Column("b", nullable=False))',
     'op.create_unique_constraint("u", "a", ["b"])', 'op.drop_index("ix", "a")',
     'batch.drop_column("a")', 'op.execute("CREATE OR REPLACE FUNCTION a()")',
     'op.create_index("u", "a", ["b"], unique=True)'],
)  # fmt: skip
def test_what_takes_away_is_known(line: str) -> None:
    assert takes_away(f"def upgrade():\n    {line}\n") != []
    assert takes_away(f"def upgrade():\n    {ADDS}\n\ndef downgrade():\n    {line}\n") == []


MADE = 'op.execute("CREATE FUNCTION a() RETURNS void LANGUAGE sql AS $$ SELECT $$")'


@pytest.mark.parametrize(
    "line", [ADDS, 'op.create_index("ix", "a", ["b"])', FILLED, NEW, INDEXED, MADE]
)
def test_what_adds_is_no_trouble(line: str) -> None:
    assert takes_away(f"def upgrade():\n    {line}\n") == []


ONLY_ADD = {"create_table", "create_index", "add_column", "get_bind", "batch_alter_table", "f",
            "bulk_insert"}  # fmt: skip


def says(migration: str) -> bool | None:
    """What a file says of itself."""
    for one in ast.parse(migration).body:
        named = isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "additive"
        if named and isinstance(one.value, ast.Constant) and isinstance(one.value.value, bool):
            return one.value.value
    return None


def takes_away(migration: str) -> list[str]:
    """Calls outside of `downgrade` that may trouble a program which does not know of them."""
    calls, new = _operations(migration)
    return [ast.unparse(one) for one in calls if _may_trouble(one, new)]


def touched(migration: str) -> set[str]:
    """Tables from before it that it changes, or that its own refer to."""
    calls, new = _operations(migration)
    at = {"create_index": 1, "create_table": 0, "add_column": 0, "batch_alter_table": 0}
    named = {ast.unparse(one.args[at[_method(one)]]) for one in calls if _method(one) in at}
    referred = re.findall(r"ForeignKey\('(\w+)\.", " ".join(map(ast.unparse, calls)))
    return {one.strip("'") for one in named - new} | set(referred)


def _operations(migration: str) -> tuple[list[ast.Call], set[str]]:
    """What it does outside of `downgrade`, and the tables that it makes."""
    tree = ast.parse(migration)
    parts = [one for one in tree.body if getattr(one, "name", "") != "downgrade"]
    calls = [one for part in parts for one in ast.walk(part) if isinstance(one, ast.Call)]
    calls = [one for one in calls if ast.unparse(one.func).startswith(("op.", "batch."))]
    return calls, {ast.unparse(one.args[0]) for one in calls if _method(one) == "create_table"}


def _may_trouble(call: ast.Call, new: set[str]) -> bool:
    """new: tables that nobody knew before, with which nothing can be wrong."""
    if _method(call) == "add_column":
        columns = [one for one in ast.walk(call) if isinstance(one, ast.Call) and one is not call]
        return any(_given(one, "nullable") == "False" for one in columns) and not any(
            _given(one, "server_default") for one in columns
        )
    if _given(call, "unique") == "True":
        return ast.unparse(call.args[1]) not in new
    if _method(call) == "execute":  # a function of a new name, which nobody calls yet
        sql = call.args[0]
        return not (isinstance(sql, ast.Constant) and str(sql.value).startswith("CREATE FUNCTION"))
    return _method(call) not in ONLY_ADD


def _method(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[1]


def _given(call: ast.Call, name: str) -> str:
    return next((ast.unparse(one.value) for one in call.keywords if one.arg == name), "")
