"""The commands, with the files in a bucket of a real server: they check it, take files out of it,
and delete them there."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from storage import admin
from storage.database import Database
from storage.kept_files import open_files
from tests.object_store import ObjectStore
from tests.scenarios.test_commands import Shell
from tests.storage.samples import activity, customer, member

AT = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)
DATA = b"%PDF-1.7 a quotation"


async def test_out_of_the_bucket_and_gone_from_it(
    tmp_path: Path, object_store: ObjectStore
) -> None:
    shell = Shell(tmp_path)
    bucket = object_store.bucket("commands")
    shell.configure(
        f"""
        [storage]
        files = "s3://commands/files"
        [storage.s3]
        endpoint = "{bucket.endpoint}"
        access_key = "{bucket.access_key}"
        """
    )
    shell.more = {"GENDAN_STORAGE__FILES": "", "GENDAN_STORAGE__S3__SECRET_KEY": bucket.secret_key}
    url = f"sqlite:///{shell.database}"
    await admin.upgrade(url)
    stored = await open_files(bucket).put(DATA, name="报价.pdf")
    database = await Database.open(url)
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        await tx.files.record(stored, AT)
        await tx.files.use(stored.sha256, account.id, AT)
        await tx.activities.add(activity(account, "s1", file_hashes=(stored.sha256,)))
    await database.close()

    assert "没有发现问题" in (await shell.run("db", "verify")).out
    await shell.run("export-customer", str(account.id), "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as pack:
        (name,) = [one for one in pack.namelist() if one.startswith("files/")]
        assert pack.read(name) == DATA

    gone = await shell.run("erase-customer", str(account.id))
    assert json.loads(gone.out)["rows"]["files"] == 1, gone.err
    assert not list((object_store.folder / "commands").rglob(stored.sha256))

    shell.more["GENDAN_STORAGE__S3__SECRET_KEY"] = "another"
    told = await shell.run("db", "verify")
    assert told.code == 0, "nothing is left to look at"


async def test_a_lost_file_and_a_store_that_is_away_are_told_apart(
    tmp_path: Path, object_store: ObjectStore
) -> None:
    shell = Shell(tmp_path)
    bucket = object_store.bucket("lost")
    shell.more = {
        "GENDAN_STORAGE__FILES": "s3://lost",
        "GENDAN_STORAGE__S3__ENDPOINT": bucket.endpoint,
        "GENDAN_STORAGE__S3__ACCESS_KEY": bucket.access_key,
        "GENDAN_STORAGE__S3__SECRET_KEY": bucket.secret_key,
    }
    shell.configure("")
    url = f"sqlite:///{shell.database}"
    await admin.upgrade(url)
    database = await Database.open(url)
    elsewhere = await open_files(tmp_path / "elsewhere").put(DATA, name="报价.pdf")
    async with database.begin() as tx:
        await tx.files.record(elsewhere, AT)
    await database.close()
    told = await shell.run("db", "verify")
    assert (told.code, "报价.pdf" in told.out) == (1, True), told
    shell.more["GENDAN_STORAGE__S3__SECRET_KEY"] = "another"
    assert "请管理员核对密钥" in await shell.refusal("db", "verify")
