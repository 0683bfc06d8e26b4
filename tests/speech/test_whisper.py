"""A real recogniser hears real recordings. The figures stand in docs/speech.md."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from handlers.understanding.heard import as_meant
from speech import audio
from speech.voice import Choice, Voice
from speech.workers.errors import EngineMissing
from tests.speech.recordings import WORDS, error_rate, plain, recording

pytestmark = [pytest.mark.asr, pytest.mark.asyncio(loop_scope="module")]

CUSTOMERS = ("杭州恒锐机电有限公司", "宁波甬江轴承有限公司")
MOST_WRONG = 0.35  # of the characters; the figures are lower
# What every processor hears: another instruction set adds up in another order.
MUST_HEAR = {
    "call.amr": ("25分钟", "下周三"),
    "call-dtx.amr": ("25分钟", "价格高", "下周三"),
    "visit.silk": ("甬江轴承", "预算没批"),
    "duration.wav": ("25分钟电话",),
    "rival.mp3": ("报价120万",),
}


class Nobody:
    async def request_json(self, method: str, url: str, **_: Any) -> tuple[int, Mapping[str, Any]]:
        raise AssertionError("a local engine calls nobody")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voice(whisper_folder: Path) -> AsyncIterator[Voice]:
    choice = Choice(engine="whisper", folder=whisper_folder, threads=2, timeout_s=120)
    opened = Voice(choice, Nobody())
    yield opened
    await opened.close()


@pytest.mark.parametrize("name", WORDS)
async def test_it_hears_what_was_said(voice: Voice, name: str) -> None:
    heard = as_meant(await voice.transcribe(recording(name), name=name), customers=CUSTOMERS)
    for words in MUST_HEAR.get(name, ()):
        assert words in plain(heard), heard
    assert error_rate(heard, name) <= MOST_WRONG, heard


@pytest.mark.parametrize(
    "recorded", [b"#!AMR\n" + b"\x7c" * 200, audio.to_wav(bytes(audio.RATE * 8))]
)
async def test_in_silence_it_hears_nothing(voice: Voice, recorded: bytes) -> None:
    assert await voice.transcribe(recorded, name="") == ""


async def test_the_check_passes(voice: Voice) -> None:
    await voice.check()


@pytest.fixture
def broken_folder(whisper_folder: Path, tmp_path: Path) -> Path:
    for file in whisper_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:1000])
    return tmp_path


async def test_a_broken_model_is_told(broken_folder: Path) -> None:
    broken = Voice(Choice(engine="whisper", folder=broken_folder), Nobody())
    with pytest.raises(EngineMissing, match="重新下载"):
        await broken.check()
    await broken.close()
