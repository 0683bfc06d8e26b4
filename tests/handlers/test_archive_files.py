"""Files of archived chats: fetched slice by slice, each stored once, entered with their message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.sandbox.wecom_archive import SLICE_BYTES
from handlers.texts import archive as texts
from storage.database import Database
from tests.connectors.wecom.archive_bed import WANG
from tests.handlers.archive_company import ArchiveCompany, archive_company

PDF = b"%PDF-1.4 " + b"quote" * 10
AMR = b"#!AMR\n" + b"\x00" * 64


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[ArchiveCompany]:
    async with archive_company(database, tmp_path) as opened:
        yield opened


async def test_a_file_enters_with_its_message(company: ArchiveCompany) -> None:
    company.bind()
    data = PDF + b"\0" * SLICE_BYTES
    company.bed.emulator.archive(
        "zhang", [WANG], "file", {"file": {"filename": "报价.exe"}}, file=data
    )
    await company.read()
    (entry,) = await company.stream()
    assert entry.text == "张伟 → 王总：[文件] 报价.exe（512 KB）"
    async with company.chat.database.read() as tx:
        stored = await tx.files.get(entry.file_hashes[0])
    assert stored is not None
    assert (stored.media_type, stored.name) == ("application/pdf", "报价.exe")
    assert await company.files.get(stored.sha256) == data
    assert not list((company.folder / "coming").iterdir())


async def test_a_file_stands_before_what_was_said_in_the_same_millisecond(
    company: ArchiveCompany,
) -> None:
    company.bind()
    company.bed.emulator.archive(
        "zhang", [WANG], "file", {"file": {"filename": "报价.pdf"}}, file=PDF
    )
    company.bed.emulator.archive(WANG, ["zhang"], "text", {"text": {"content": "收到"}})
    first, second = company.bed.state.messages[-2:]
    assert first.at == second.at
    await company.read()
    assert await company.told() == ["张伟 → 王总：[文件] 报价.pdf（1 KB）", "王总 → 张伟：收到"]


async def test_an_interrupted_file_goes_on_where_it_stopped(company: ArchiveCompany) -> None:
    company.bind()
    data = PDF + b"\0" * (2 * SLICE_BYTES)
    company.bed.emulator.archive(
        "zhang", [WANG], "file", {"file": {"filename": "a.pdf"}}, file=data
    )
    archive = company.archive()
    calls = company.bed.world.counters
    company.bed.state.files, kept = _Drying(company.bed.state.files), company.bed.state.files
    await company.read(archive)
    (entry,) = await company.stream()
    assert entry.text.endswith(texts.NOT_YET)
    before = calls["wecom:archive/mediadata"]
    company.bed.state.files = kept
    company.clock.at += timedelta(minutes=1)
    await company.read()
    assert calls["wecom:archive/mediadata"] - before == 2
    late = (await company.stream())[-1]
    assert late.text == "张伟：补取到文件「a.pdf」"
    assert await company.files.get(late.file_hashes[0]) == data


class _Drying(dict[str, bytes]):
    """Has the whole file once, and then fails."""

    served = 0

    def get(self, key: str, default: object = None) -> bytes:  # type: ignore[override]
        self.served += 1
        if self.served > 1:
            raise ConnectionError
        return self[key]


async def test_a_file_that_is_gone_says_so_and_is_counted(company: ArchiveCompany) -> None:
    company.bind()
    company.bed.state.add(
        "zhang", [WANG], "file", {"file": {"filename": "a.pdf", "sdkfileid": "gone"}}
    )
    archive = await company.read()
    assert (await company.told())[0].endswith(texts.LOST)
    async with company.chat.database.begin() as tx:
        assert (await archive.figures(tx, company.clock.now()))["files_lost"] == 1


async def test_a_wrong_sum_is_fetched_again_and_then_taken_as_it_is(
    company: ArchiveCompany,
) -> None:
    company.bind()
    file = company.bed.state.put_file(PDF) | {"md5sum": "0" * 32, "filename": "a.pdf"}
    company.bed.state.add("zhang", [WANG], "file", {"file": file})
    await company.read()
    (entry,) = await company.stream()
    assert await company.files.get(entry.file_hashes[0]) == PDF
    assert company.bed.world.counters["wecom:archive/mediadata"] == 2


async def test_the_same_file_is_stored_once(company: ArchiveCompany) -> None:
    company.bind()
    for _ in range(2):
        company.bed.emulator.archive("zhang", [WANG], "image", {}, file=PDF)
    await company.read()
    first, second = await company.stream()
    assert first.file_hashes == second.file_hashes


async def test_a_recording_is_heard(company: ArchiveCompany) -> None:
    company.bind()
    company.bed.emulator.archive(WANG, ["zhang"], "voice", {"voice": {"play_length": 4}}, file=AMR)
    await company.read(transcriber=_Hears())
    (entry,) = await company.stream()
    assert entry.text == "王总 → 张伟：[语音 4秒] 价格再低一点"
    assert len(entry.file_hashes) == 1


class _Hears:
    async def transcribe(self, audio: bytes, *, name: str) -> str:
        assert audio == AMR
        assert name == "语音.amr"
        return "价格再低一点"


async def test_a_file_of_a_conversation_that_is_bound_later(company: ArchiveCompany) -> None:
    company.bed.emulator.archive("zhang", [WANG], "image", {}, file=PDF)
    await company.read()
    company.bind()
    company.bed.text("zhang", WANG, "看图")
    await company.read()
    image, _ = await company.stream()
    assert len(image.file_hashes) == 1


async def test_parts_of_a_file_go_with_its_customer(company: ArchiveCompany) -> None:
    company.bind()
    data = PDF + b"\0" * SLICE_BYTES
    company.bed.emulator.archive("zhang", [WANG], "image", {}, file=data)
    company.bed.state.files = _Drying(company.bed.state.files)
    archive = await company.read()
    assert list((company.folder / "coming").iterdir())
    async with company.chat.database.begin() as tx:
        traces = await tx.personal_data.trace(company.account.id)
        await tx.personal_data.erase(traces, company.clock.now())
    await company.read(archive)
    assert not list((company.folder / "coming").iterdir())
