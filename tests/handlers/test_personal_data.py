"""Exports and erasures as the commands run them, on each of our databases, with files on disk."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from bot.domain.people import Directory
from bot.errors import NotFound, PermanentError
from handlers.customers import personal_data
from handlers.customers.personal_data import Asked
from storage.database import Database
from storage.files import FileFolder
from storage.kept_files import KeptFiles
from tests.scenarios.test_commands import Shell
from tests.storage.samples import AT, activity, customer, everybody_is_a_rep, member

VOICE = b"#!AMR\n" + bytes(100)
CONTACT, LEAVER = personal_data.of_contact(1, "王建国"), personal_data.of_person("张三丰")


class PowerCut(Exception):
    pass


class Failing(FileFolder):
    """The process ends before the first file is deleted."""

    async def delete(self, sha256: str) -> None:
        raise PowerCut


@pytest.mark.parametrize("asked", [CONTACT, LEAVER], ids=["contact", "person"])
async def test_files_of_an_erasure_that_was_cut_short_go_with_the_next(
    asked: Asked, database: Database, database_url: str, tmp_path: Path
) -> None:
    sha256 = await _recorded(database, FileFolder(tmp_path / "files"))
    with pytest.raises(PowerCut):
        await personal_data.erase(database_url, Failing(tmp_path / "files"), asked, at=AT)
    files = FileFolder(tmp_path / "files")
    assert await files.get(sha256) == VOICE
    with pytest.raises(NotFound):
        await personal_data.erase(database_url, files, asked, at=AT)
    with pytest.raises(FileNotFoundError):
        await files.get(sha256)


async def test_an_export_is_a_zip_with_the_files_and_overwrites_nothing(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    files: KeptFiles = FileFolder(tmp_path / "files")
    await _recorded(database, files)
    for asked in (CONTACT, LEAVER):
        file = tmp_path / f"{asked.kind}.zip"
        await personal_data.export(database_url, files, asked, file, at=AT)
        with zipfile.ZipFile(file) as pack:
            told = json.loads(pack.read(f"{asked.kind}.json"))
            assert [pack.read(name) for name in pack.namelist() if "语音" in name] == [VOICE]
        assert told["missing_files"] == []
        with pytest.raises(PermanentError, match="已经存在"):
            await personal_data.export(database_url, files, asked, file, at=AT)


async def test_the_commands_on_either_database(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _recorded(database, FileFolder(tmp_path / "files"))
    shell = Shell(tmp_path, {"GENDAN_STORAGE__URL": database_url})
    shell.configure("")
    for words, told in (
        (("erase-contact", "1", "王建国"), {"customer_id": 1, "contact": "王建国"}),
        (("erase-person", "wecom:zhang3"), {"person": "wecom:zhang3"}),
    ):
        ended = await shell.run(*words)
        assert ended.code == 0, ended.err
        certificate = json.loads(ended.out)
        assert certificate["certificate"] == "个人信息删除证明"
        assert certificate.items() >= told.items()
        assert {"erased_at", "rows", "kept", "not_reached", "audit"} <= certificate.keys()
    assert "没有发现问题" in (await shell.run("db", "verify")).out


async def _recorded(database: Database, files: KeptFiles) -> str:
    """A leaver's voice about a customer's contact; its hash."""
    file = await files.put(VOICE, name="语音.amr")
    async with database.begin() as tx:
        leaver = await member(tx, "zhang3", "张三丰")
        account = await customer(tx, await member(tx, "li4", "李四"))
        await tx.accounts.add_contact(account.id, "王建国")
        await tx.files.record(file, AT)
        await tx.files.use(file.sha256, account.id, AT)
        told = activity(account, "1", actor_id=leaver.id, text="王建国嫌贵",
                        file_hashes=(file.sha256,))  # fmt: skip
        await tx.activities.add(told)
        gone = Directory("wecom", whole=False, left_user_ids=("zhang3",))
        await tx.people.save_directory(gone, roles_by_title=everybody_is_a_rep, at=AT)
    return file.sha256
