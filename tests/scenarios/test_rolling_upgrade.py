"""Two bots on one PostgreSQL while reps speak: the tables get a newer version's columns, and one
bot after the other is replaced by that version. Nothing is lost, nothing done twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from benchmarks.several import ROOT, several
from bot.tasks import ASK_AGAIN_S
from connectors.sandbox.world import Fault
from storage import admin, schema

pytestmark = pytest.mark.postgres

TABLES = ("inbox", "outbox", "drafts", "activities", "people", "leases")
SENT = (
    "SELECT count(*) FROM outbox WHERE state = 'sent' AND address LIKE 'wecom:%' "
    "AND content::json->>'type' <> 'card_update'"
)
MIGRATION = '''"""A column of one of the busiest tables, with an index."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
additive = True


def upgrade() -> None:
    op.add_column("{table}", sa.Column("mood", sa.String(8), nullable=False, server_default="calm"))
    op.create_index("ix_{table}_mood", "{table}", ["mood"])
'''
KNOWS_IT = """
for _table in ("inbox", "outbox", "drafts", "activities", "people", "leases"):
    metadata.tables[_table].append_column(
        _sa.Column("mood", _sa.String(8), nullable=False, server_default="calm")
    )
"""


@pytest.mark.timeout(600)
async def test_one_after_the_other_is_replaced_while_reps_speak(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    newer = next_version(tmp_path / "newer")
    async with several(empty_postgres_url, tmp_path, nodes=2) as company:
        async with company.load():
            await company.accepts(more=20)
            await upgrade_by(newer, empty_postgres_url)
            await company.accepts(more=20)
            for old in (0, 1):
                await company.start(old + 2, tree=newer)
                await company.accepts(more=10)
                await company.end(old)
                await company.accepts(more=20)
        await company.drained()
        await company.stop()
        assert await company.ask("SELECT DISTINCT mood FROM activities") == [("calm",)]
        faults = await company.faults()
        assert not any(faults.values()), faults
        assert await company.holders() == {}
        assert await admin.complaints(empty_postgres_url) == [], "an old one may be put back"


async def test_what_goes_out_slowly_at_a_stop_goes_out_once(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    """The platform takes longer for each message than a loop that is to end is left alone for."""
    async with several(empty_postgres_url, tmp_path, nodes=2) as company:
        slow = Fault("wecom", "message/send", delay=3 * ASK_AGAIN_S, times=10_000)
        company.platforms.world.faults.append(slow)
        async with company.load():
            await company.accepts(more=20)
            for old in (0, 1):
                await company.start(old + 2)
                await company.accepts(more=10)
                await company.end(old)
                await company.accepts(more=10)
        await company.drained()
        await company.stop()
        faults = await company.faults()
        assert not any(faults.values()), faults
        # The platform would swallow a repetition, so its calls are counted.
        called = company.platforms.world.counters["wecom:message/send"]
        assert await company.ask(SENT) == [(called,)]


def next_version(tree: Path) -> Path:
    """A copy of the program that has further migrations, and knows the columns that they add."""
    tree.mkdir()
    for one in ROOT.iterdir():
        if one.name not in ("storage", "tests", "data") and not one.name.startswith("."):
            (tree / one.name).symlink_to(one)
    shutil.copytree(ROOT / "storage", tree / "storage")
    before = ScriptDirectory(str(schema.MIGRATIONS)).get_current_head()
    for number, table in enumerate(TABLES, 9001):
        revision = f"{number}_{table}"
        file = tree / "storage" / "migrations" / "versions" / f"{revision}.py"
        text = MIGRATION.format(revision=revision, before=before, table=table)
        file.write_text(text, encoding="utf-8")
        before = revision
    with (tree / "storage" / "tables" / "__init__.py").open("a", encoding="utf-8") as tables:
        tables.write("\nimport sqlalchemy as _sa\n" + KNOWS_IT)
    return tree


async def upgrade_by(tree: Path, url: str) -> None:
    """As the job before a roll-out does."""
    ours = {"GENDAN_STORAGE__URL": url, "GENDAN_CONFIG": str(tree / "none.toml")}
    (tree / "none.toml").touch()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import run_bot; run_bot.main()", "db", "upgrade",
        cwd=tree, env={**os.environ, **ours},
    )  # fmt: skip
    assert await process.wait() == 0
