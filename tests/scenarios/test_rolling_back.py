"""An upgrade that was a mistake: the older program says whether it may go on, and what else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.schema import MIGRATIONS
from tests.scenarios.test_commands import Shell

CONFIGURED = f"""
port = 0
[wecom.sales]
corp_id = "ww1"
agent_id = 1000002
secret = "s"
token = "t"
aes_key = "{"k" * 43}"
base_url = "http://127.0.0.1:9"
"""
NEWEST = max(one.stem for one in (MIGRATIONS / "versions").glob("0*.py"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    shell.configure(CONFIGURED)
    return shell


def a_later_version_was_here(shell: Shell, *, floor: str) -> None:
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9001', floor = ?", [floor])
        connection.commit()


async def test_what_was_only_added_to_is_served_by_the_older_program(shell: Shell) -> None:
    assert (await shell.run("db", "upgrade")).code == 0
    a_later_version_was_here(shell, floor=NEWEST)
    assert (await shell.run("db", "verify")).code == 0
    assert "✓ 数据库版本" in (await shell.run("doctor")).out


async def test_what_was_taken_from_is_refused_until_the_backup_is_back(shell: Shell) -> None:
    assert (await shell.run("db", "upgrade")).code == 0
    assert (await shell.run("db", "backup", "before.db")).code == 0
    a_later_version_was_here(shell, floor="9001")
    for words in (["serve"], ["db", "upgrade"]):
        told = await shell.refusal(*words)
        assert "恢复升级前的备份" in told, words
    assert "✗ 数据库版本" in (await shell.run("doctor")).out
    for file in shell.folder.glob(f"{shell.database.name}*"):
        file.rename(file.with_name(f"newer-{file.name}"))
    assert (await shell.run("db", "restore", "before.db")).code == 0
    assert "✓ 数据库版本" in (await shell.run("doctor")).out
