"""Bytes are kept once, under their hash, and come back the same or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import InvalidInput
from bot.messages import StoredFile
from storage import files
from storage.database import Database
from storage.files import clean_name, sniff
from tests.object_store import Kept
from tests.storage.samples import AT, customer, member

PDF = b"%PDF-1.7\n" + b"x" * 100
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


async def test_a_file_comes_back_by_its_hash(kept: Kept) -> None:
    stored = await kept.files.put(PDF, name="报价/方案.pdf")
    sha256 = hashlib.sha256(PDF).hexdigest()
    assert stored == StoredFile(sha256, len(PDF), "application/pdf", "方案.pdf")
    assert await kept.files.get(sha256) == PDF
    (place,) = kept.places
    assert place.relative_to(kept.folder).as_posix() == f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


async def test_the_same_content_is_written_once(kept: Kept) -> None:
    first = await kept.files.put(PDF, name="a.pdf")
    (place,) = kept.places
    written = place.stat().st_mtime_ns
    second = await kept.files.put(PDF, name="b.pdf")
    assert (second.sha256, second.name) == (first.sha256, "b.pdf")
    assert [one.stat().st_mtime_ns for one in kept.places] == [written]


async def test_many_at_once_are_all_there(kept: Kept) -> None:
    """The same one among them, from several at the same moment."""
    sent = [b"%PDF" + bytes([n % 5]) * n * 20_000 for n in range(20)] + [PDF] * 5
    stored = await asyncio.gather(*(kept.files.put(data, name="a.pdf") for data in sent))
    back = await asyncio.gather(*(kept.files.get(file.sha256) for file in stored))
    assert back == sent
    assert len(kept.places) == len(set(sent))


async def test_a_file_of_many_megabytes_comes_back(kept: Kept) -> None:
    large = bytes(range(256)) * 64 * 1024 * 2  # 32 MiB: more than any part of a request
    stored = await kept.files.put(large, name="录像.mp4")
    assert await kept.files.get(stored.sha256) == large
    assert await kept.files.find_damage(stored) is None


async def test_an_empty_file_comes_back(kept: Kept) -> None:
    stored = await kept.files.put(b"", name="空.txt")
    assert await kept.files.get(stored.sha256) == b""


@pytest.mark.parametrize("sha256", ["0" * 64, "../../etc/passwd", "", "A" * 64, "0" * 63 + "/"])
async def test_an_unknown_or_crooked_hash_is_not_found(kept: Kept, sha256: str) -> None:
    with pytest.raises(FileNotFoundError):
        await kept.files.get(sha256)


async def test_a_file_too_large_is_refused_in_words(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    with pytest.raises(InvalidInput, match=r"大图\.png.*100 MB"):
        await kept.files.put(PNG, name="大图.png")
    assert kept.places == []


async def test_damage_is_found(kept: Kept) -> None:
    stored = await kept.files.put(PDF, name="a.pdf")
    assert await kept.files.find_damage(stored) is None
    (place,) = kept.places
    place.write_bytes(PDF[:-1] + b"!")
    assert await kept.files.find_damage(stored) == "content changed"
    place.unlink()
    assert await kept.files.find_damage(stored) is not None


async def test_what_is_deleted_is_gone_and_can_come_again(kept: Kept) -> None:
    stored = await kept.files.put(PDF, name="a.pdf")
    other = await kept.files.put(PNG, name="b.png")
    for _ in range(2):
        await kept.files.delete(stored.sha256)
    with pytest.raises(FileNotFoundError):
        await kept.files.get(stored.sha256)
    assert [one.name for one in kept.places] == [other.sha256]
    await kept.files.put(PDF, name="a.pdf")
    assert await kept.files.get(stored.sha256) == PDF


async def test_a_check_leaves_nothing_behind(kept: Kept) -> None:
    await kept.files.check()
    assert kept.places == []
    assert kept.files.trouble == ""


def _docx() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", "<Relationships/>")
        archive.writestr("word/document.xml", "<document/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (PDF, "harmless.txt", "application/pdf"),
        (PNG, "a", "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 20, "a.jpg", "image/jpeg"),
        (b"#!AMR\n" + b"\0" * 20, "voice.amr", "audio/amr"),
        (b"\x02#!SILK_V3\x0c\0" + b"\1" * 20, "voice.amr", "audio/silk"),
        ("客户,负责人\n".encode(), "客户.CSV", "text/csv"),
        (b"\0\1\2\3", "客户.csv", "application/octet-stream"),
        (b"<svg onload='alert(1)'/>", "a.svg", "application/octet-stream"),
        (b"", "empty", "application/octet-stream"),
    ],
)
def test_the_content_says_what_a_file_is(data: bytes, name: str, media_type: str) -> None:
    assert sniff(data, name) == media_type


def test_an_office_file_is_known_from_inside() -> None:
    assert sniff(_docx(), "方案.docx").endswith("wordprocessingml.document")


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("方案.pdf", "方案.pdf"),
        ("C:\\Users\\me\\方案.pdf", "方案.pdf"),
        ("../../etc/passwd", "passwd"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\nb\0.pdf", "ab.pdf"),
        ("", "file"),
        ("...", "file"),
        ("长" * 400 + ".pdf", "长" * 251 + ".pdf"),
    ],
)
def test_a_name_is_made_safe_to_show(given_name: str, shown: str) -> None:
    assert clean_name(given_name) == shown


@settings(max_examples=100)
@given(st.text(max_size=400))
def test_any_name_becomes_a_plain_one(name: str) -> None:
    cleaned = clean_name(name)
    assert 0 < len(cleaned) <= 255
    assert not set(cleaned) & set("/\\\0\n\r")
    assert clean_name(cleaned) == cleaned


async def test_a_file_counts_each_customer_once(database: Database) -> None:
    file = StoredFile("a" * 64, 5, "application/pdf", "方案.pdf")
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        first, second = await customer(tx, zhang, "甲"), await customer(tx, zhang, "乙")
        assert await tx.files.get(file.sha256) is None
        await tx.files.record(file, AT)
        await tx.files.record(StoredFile(file.sha256, 5, file.media_type, "改名.pdf"), AT)
        assert await tx.files.get(file.sha256) == file
        for account in (first, second, first):
            await tx.files.use(file.sha256, account.id, AT)
        assert await tx.files.accounts_using(file.sha256) == 2
        assert await tx.files.accounts_using("b" * 64) == 0
