"""A bucket that refuses, hangs, is away or holds something else: nothing is lost, nothing wrong is
handed out, and no secret is told."""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import FilesAway, PermanentError
from storage.kept_files import KeptFiles, open_files
from tests.object_store import Misbehaving, ObjectStore

DATA = b"%PDF-1.7\n" + b"x" * 100
UNKNOWN = "0" * 64

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    return f"faults-{next(_numbers)}"


@pytest.fixture
async def weak(object_store: ObjectStore) -> AsyncIterator[Misbehaving]:
    async with Misbehaving(object_store).running() as weak:
        yield weak


@pytest.mark.parametrize(
    "keys",
    [{"secret_key": "another-secret"}, {"access_key": "somebody", "secret_key": "their-secret"}],
)
async def test_wrong_keys_are_told_as_such_and_nowhere_shown(
    object_store: ObjectStore, name: str, keys: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bucket = object_store.bucket(name, **keys)
    files = open_files(bucket)
    for asked in (files.put(DATA, name="a.pdf"), files.get(UNKNOWN), files.check()):
        with pytest.raises(FilesAway, match="请管理员核对密钥") as told:
            await asked
        assert "http" not in str(told.value)
    said = f"{caplog.text} {[vars(one) for one in caplog.records]} {files.trouble} {bucket!r}"
    assert bucket.secret_key not in said
    assert "密钥" in files.trouble


async def test_a_bucket_that_is_not_there_is_told(object_store: ObjectStore, name: str) -> None:
    files = open_files(replace(object_store.bucket("made"), name=name))
    with pytest.raises(FilesAway, match="没有这个存储桶"):
        await files.put(DATA, name="a.pdf")
    with pytest.raises(FilesAway, match="没有这个存储桶"):
        await files.check()
    with pytest.raises(FilesAway, match="没有这个存储桶"):
        await files.get(UNKNOWN)


AWAY: list[Callable[[Misbehaving], None]] = [
    lambda weak: weak.refuses(503, "SlowDown"),
    lambda weak: weak.refuses(500, "InternalError"),
    lambda weak: weak.refuses(403, "AccessDenied"),
    Misbehaving.hangs,
    Misbehaving.hangs_up,
]


@pytest.mark.parametrize("fails", AWAY)
async def test_a_store_that_is_away_is_told_and_forgiven(
    weak: Misbehaving, name: str, fails: Callable[[Misbehaving], None]
) -> None:
    files = open_files(weak.bucket(name, timeout_s=0.5))
    stored = await files.put(DATA, name="a.pdf")
    fails(weak)
    async with asyncio.timeout(30):
        for asked in (
            files.put(b"another", name="b.txt"),
            files.get(stored.sha256),
            files.delete(stored.sha256),
            files.find_damage(stored),
        ):
            with pytest.raises(FilesAway, match="文件存储暂时用不了"):
                await asked
    assert name in files.trouble
    weak.recovers()
    assert await files.get(stored.sha256) == DATA
    assert files.trouble == ""


async def test_what_is_there_is_not_sent_again(weak: Misbehaving, name: str) -> None:
    files = open_files(weak.bucket(name))
    await files.put(DATA, name="a.pdf")
    asked = weak.asked
    await files.put(DATA, name="b.pdf")
    assert weak.asked == asked + 1, "a question, and no upload"


async def test_half_an_object_is_written_anew(object_store: ObjectStore, name: str) -> None:
    files, place = await _one_file(object_store, name)
    half = await files.put(DATA[:50], name="a.pdf")
    bucket = object_store.folder / name
    for one in bucket.rglob(f"{half.sha256}*"):
        shutil.copy(one, next(bucket.rglob(one.name.replace(half.sha256, place.name))))
    with pytest.raises(FileNotFoundError):
        await files.get(place.name)
    await files.put(DATA, name="a.pdf")
    assert await files.get(place.name) == DATA


async def test_other_bytes_under_a_name_are_never_handed_out(
    object_store: ObjectStore, name: str
) -> None:
    files, place = await _one_file(object_store, name)
    place.write_bytes(DATA[:-1] + b"!")
    with pytest.raises(FileNotFoundError, match="content changed"):
        await files.get(place.name)


async def test_a_bucket_that_keeps_old_versions_is_no_place_to_forget(
    weak: Misbehaving, name: str
) -> None:
    weak.adds(**{"x-amz-version-id": "3sL4kqtJlcpXroDTDmJ"})
    with pytest.raises(PermanentError, match="请关掉版本控制"):
        await open_files(weak.bucket(name)).check()


async def test_without_the_library_it_is_said_what_to_install(
    object_store: ObjectStore, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "storage.bucket_files", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(PermanentError, match=r"gendan\[s3\]"):
        open_files(object_store.bucket(name))


async def _one_file(store: ObjectStore, name: str) -> tuple[KeptFiles, Path]:
    files = open_files(store.bucket(name))
    stored = await files.put(DATA, name="a.pdf")
    return files, next(one for one in (store.folder / name).rglob(stored.sha256) if one.is_file())
