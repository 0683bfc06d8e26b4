"""Recordings of every kind that arrives become the same: 16 kHz mono PCM, or a clear refusal."""

from __future__ import annotations

import contextlib
import io
import math
import random
import struct
import sys
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import PermanentError, Unavailable
from speech import audio
from speech.errors import BadAudio, DamagedAudio, NotAudio, TooLong
from speech.workers.errors import EngineMissing
from speech.workers.worker import Worker
from tests.speech.recordings import SECONDS, recording

AMR, AMR_WB, SILK = b"#!AMR\n", b"#!AMR-WB\n", b"#!SILK_V3"
NO_DATA = b"\x7c"  # a frame of 20 ms without a sound


def tone(*, rate: int, channels: int = 1, seconds: float = 1.0, hertz: float = 440.0) -> bytes:
    """A WAV of a sine, the same in each channel."""
    samples = (
        round(10_000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(rate * seconds))
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, 2, rate, 0, "NONE", ""))
        writer.writeframes(b"".join(struct.pack("<h", sample) * channels for sample in samples))
    return file.getvalue()


def loudest_hertz(pcm: bytes) -> float:
    spectrum = np.abs(np.fft.rfft(audio.samples(pcm)))
    return float(np.fft.rfftfreq(len(pcm) // 2, 1 / audio.RATE)[spectrum.argmax()])


@pytest.mark.parametrize("name", SECONDS)
def test_each_format_is_decoded_whole(name: str) -> None:
    pcm = audio.decode(recording(name))
    assert audio.seconds(pcm) == pytest.approx(SECONDS[name], abs=0.15)
    assert np.sqrt(np.mean(audio.samples(pcm) ** 2)) > 0.03  # speech, not silence or noise
    assert np.abs(audio.samples(pcm)).max() < 1


def test_silk_is_read_with_and_without_the_byte_that_tencent_adds() -> None:
    tencent = recording("visit.silk")
    assert tencent[0] == 2
    assert audio.decode(tencent[1:]) == audio.decode(tencent)


def test_the_silence_frames_of_a_phone_are_silent_and_last_as_long_as_they_say() -> None:
    whole = audio.samples(audio.decode(recording("call-dtx.amr")))
    plain = audio.samples(audio.decode(recording("call.amr")))
    assert len(whole) - len(plain) == pytest.approx(2.4 * audio.RATE, abs=0.1 * audio.RATE)
    assert np.abs(whole[: audio.RATE]).max() < 0.05


@pytest.mark.parametrize("head", [AMR, AMR_WB])
def test_nothing_but_silence_frames_is_silence(head: bytes) -> None:
    pcm = audio.decode(head + NO_DATA * 50)
    assert audio.seconds(pcm) == pytest.approx(1.0, abs=0.05)
    assert np.abs(audio.samples(pcm)).max() < 0.01


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (44_100, 2), (48_000, 1)])
@pytest.mark.parametrize("has_av", [True, False])
def test_a_wav_keeps_its_length_and_pitch_with_and_without_ffmpeg(
    rate: int, channels: int, has_av: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_av:
        monkeypatch.setitem(sys.modules, "av", None)
    pcm = audio.decode(tone(rate=rate, channels=channels))
    assert audio.seconds(pcm) == pytest.approx(1.0, abs=0.02)
    assert loudest_hertz(pcm) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("name", "package"), [("call.amr", "av"), ("quote.ogg", "av"), ("visit.silk", "pysilk")]
)
def test_a_missing_decoder_is_named_with_the_command_that_installs_it(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EngineMissing, match=r"pip install 'gendan\[voice\]'"):
        audio.decode(recording(name))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotAudio),
        (b"\x02", NotAudio),
        (b"%PDF-1.7", NotAudio),
        (b"\0" * 5000, NotAudio),
        (b"#EXTM3U\nhttp://127.0.0.1/a.wav\n", NotAudio),
        (AMR, DamagedAudio),
        (SILK, DamagedAudio),
        (b"OggS", DamagedAudio),
        (b"RIFF\xff\xff\xff\xffWAVE", DamagedAudio),
        (b"\0\0\0\x18ftypM4A " + b"\0" * 100, DamagedAudio),
        (b"\x1aE\xdf\xa3", DamagedAudio),
        (b"ID3", DamagedAudio),
    ],
)
def test_what_is_no_recording_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        audio.decode(data)


@pytest.mark.parametrize(
    "data",
    [
        AMR + NO_DATA * 50 * 601,  # 30 kB that would be ten minutes
        AMR_WB + NO_DATA * 2_000_000,
        SILK + b"\x01\x00\x00" * 50 * 601,
        tone(rate=100, seconds=601),
        b"RIFF" + b"\0" * (audio.MAX_BYTES + 1),
    ],
    ids=["amr", "amr-wb", "silk", "wav", "bytes"],
)
def test_a_recording_of_more_than_ten_minutes_is_refused(data: bytes) -> None:
    with pytest.raises(TooLong):
        audio.decode(data)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (tone(rate=100, seconds=601), TooLong),
        (tone(rate=8_000)[:40], DamagedAudio),
        (tone(rate=8_000)[:24] + b"\0" * 4 + tone(rate=8_000)[28:], DamagedAudio),  # 0 Hz
    ],
)
def test_without_ffmpeg_a_bad_wav_is_refused_too(
    data: bytes, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(error):
        audio.decode(data)


@settings(max_examples=60)
@given(name=st.sampled_from(sorted(SECONDS)), share=st.floats(0, 1))
def test_what_was_cut_off_gives_its_beginning_or_a_refusal(name: str, share: float) -> None:
    whole = recording(name)
    try:
        pcm = audio.decode(whole[: int(len(whole) * share)])
    except BadAudio:
        return
    assert 0 < audio.seconds(pcm) <= SECONDS[name] + 0.15


async def test_damaged_recordings_harm_no_later_one() -> None:
    chance = random.Random(7)
    worker = Worker("speech.audio:decoder")
    for name in [*SECONDS] * 8:
        data = bytearray(recording(name))
        for _ in range(chance.randint(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with contextlib.suppress(PermanentError, Unavailable):
            assert await worker.do(bytes(data), limit_s=20)
    good = await worker.do(recording("call-dtx.amr"), limit_s=20)
    assert audio.seconds(good) == pytest.approx(8.38, abs=0.15)
    await worker.close()


def test_pcm_as_a_wav_is_what_it_was() -> None:
    pcm = audio.decode(recording("duration.wav"))
    assert audio.decode(audio.to_wav(pcm)) == pcm
