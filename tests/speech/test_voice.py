"""Recordings through the port: decoded, heard by the engine that is configured, played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.errors import AuthFailed, Unavailable
from speech import audio
from speech.errors import NotAudio
from speech.voice import Choice, Voice
from speech.workers.errors import EngineMissing
from tests.speech.recordings import SECONDS, recording

SERVER = Choice(engine="openai", base_url="http://speech/v1", model="m", timeout_s=10)


class Ear:
    """Answers every call with the same text, and remembers the limits it was given."""

    def __init__(self, text: str = "打了二十五分钟电话", failure: Exception | None = None) -> None:
        self.text = text
        self.failure = failure
        self.limits: list[float] = []

    async def request_json(
        self,
        method: str,
        url: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        what: str,
    ) -> tuple[int, Any]:
        self.limits.append(timeout_s)
        if self.failure is not None:
            raise self.failure
        return 200, {"text": self.text}


@pytest.fixture
async def ear() -> Ear:
    return Ear()


@pytest.fixture
async def voice(ear: Ear) -> AsyncIterator[Voice]:
    opened = Voice(SERVER, ear)
    yield opened
    await opened.close()


@pytest.mark.parametrize("name", SECONDS)
async def test_the_content_says_the_format_whatever_the_name(
    voice: Voice, ear: Ear, name: str
) -> None:
    assert await voice.transcribe(recording(name), name="voice.xyz") == ear.text


async def test_a_longer_recording_may_take_longer(voice: Voice, ear: Ear) -> None:
    for name in ("duration.wav", "call-dtx.amr"):
        await voice.transcribe(recording(name), name=name)
    expected = [10 + 3 * SECONDS[name] for name in ("duration.wav", "call-dtx.amr")]
    assert ear.limits == pytest.approx(expected, abs=0.5)


async def test_what_is_no_recording_never_reaches_the_engine(voice: Voice, ear: Ear) -> None:
    with pytest.raises(NotAudio):
        await voice.transcribe(b"%PDF-1.7", name="voice.amr")
    assert ear.limits == []


async def test_without_an_engine_it_only_plays() -> None:
    voice = Voice(Choice(), Ear())
    assert not voice.can_hear
    data, media_type = await voice.playable(recording("call.amr"), "audio/amr")
    assert (audio.format_of(data), media_type) == ("wav", "audio/wav")
    assert audio.seconds(audio.decode(data)) == pytest.approx(SECONDS["call.amr"], abs=0.1)
    await voice.close()


@pytest.mark.parametrize("name", ["call-dtx.amr", "visit.silk"])
async def test_what_only_phones_play_becomes_a_wav(voice: Voice, name: str) -> None:
    data, media_type = await voice.playable(recording(name), "audio/x")
    assert (audio.format_of(data), media_type) == ("wav", "audio/wav")


@pytest.mark.parametrize("name", ["quote.ogg", "contract.m4a", "rival.mp3", "duration.wav"])
async def test_what_browsers_play_stays_as_it_is(voice: Voice, name: str) -> None:
    assert await voice.playable(recording(name), "audio/x") == (recording(name), "audio/x")


async def test_the_check_hears_a_second_of_silence(voice: Voice, ear: Ear) -> None:
    await voice.check()
    assert len(ear.limits) == 1
    ear.failure = AuthFailed("HTTP 401，请核对 speech.api_key")
    with pytest.raises(AuthFailed):
        await voice.check()


@pytest.mark.parametrize("engine", ["whisper", "sherpa"])
async def test_a_folder_without_a_model_is_told_with_what_belongs_there(
    engine: str, tmp_path: Path
) -> None:
    voice = Voice(Choice(engine=engine, folder=tmp_path), Ear())
    with pytest.raises(EngineMissing, match=r"tokens\.txt|model\.bin"):
        await voice.check()
    await voice.close()


async def test_after_closing_a_recording_waits_for_the_next_start(voice: Voice) -> None:
    await voice.close()
    with pytest.raises(Unavailable):
        await voice.transcribe(recording("call.amr"), name="voice.amr")
