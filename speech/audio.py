"""A recording as a phone or a chat tool made it -> 16 kHz mono PCM; by content, never by name.

Blocks, and rests on native decoders: call it in a process of its own (`workers.worker`).
PCM is signed 16 bit, little endian, without a header.
"""

from __future__ import annotations

import io
import resource
import sys
import wave
from collections.abc import Callable
from typing import Any

import numpy as np

from speech.errors import DamagedAudio, NotAudio, TooLong
from speech.workers.errors import EngineMissing

RATE = 16_000
SAMPLE_BYTES = 2
MAX_BYTES = 32 * 1024 * 1024
MAX_S = 600.0

PHONE_ONLY = frozenset({"amr", "amr-wb", "silk"})
"""What no browser plays."""

_MEMORY_BYTES = 1024 * 1024 * 1024
_MAX_PCM_BYTES = int(MAX_S * RATE) * SAMPLE_BYTES
_SILK_FRAME_S = 0.02  # the least that one block of a SILK file holds
_TOO_LONG = f"录音超过 {MAX_S / 60:.0f} 分钟"

# Our name of a format -> FFmpeg's demuxer, and the decoder where its first choice fails: its
# own AMR decoders refuse the silence frames (DTX) that phones record.
_DEMUXERS = {
    "amr": ("amr", "libopencore_amrnb"),
    "amr-wb": ("amr", "libopencore_amrwb"),
    "ogg": ("ogg", None),
    "m4a": ("mov,mp4,m4a,3gp,3g2,mj2", None),
    "mp3": ("mp3", None),
    "wav": ("wav", None),
    "webm": ("matroska,webm", None),
}


def decoder() -> Callable[[bytes], bytes]:
    """`decode` for a worker process, which from now on has only so much memory."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    return decode


def format_of(data: bytes) -> str | None:
    """The format by its first bytes, None if it is none of ours."""
    if data.startswith(b"#!AMR-WB\n"):
        return "amr-wb"
    if data.startswith(b"#!AMR\n"):
        return "amr"
    if data.removeprefix(b"\x02").startswith(b"#!SILK_V3"):  # Tencent puts the 02 in front
        return "silk"
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"OggS"):
        return "ogg"
    if data[4:8] == b"ftyp":
        return "m4a"
    if data.startswith(b"\x1aE\xdf\xa3"):
        return "webm"
    if data.startswith(b"ID3") or _is_mpeg_frame(data):
        return "mp3"
    return None


def decode(data: bytes) -> bytes:
    """PCM of at most MAX_S seconds.

    Raises NotAudio, DamagedAudio, TooLong, and EngineMissing when a decoder is not installed.
    """
    if len(data) > MAX_BYTES:
        raise TooLong(f"录音超过 {MAX_BYTES >> 20} MB")
    kind = format_of(data)
    if kind is None:
        raise NotAudio("不是能识别的录音格式" if data else "录音是空的")
    if kind == "silk":
        pcm = _decode_silk(data)
    elif kind == "wav" and not _has_av():
        pcm = _decode_wav(data)
    else:
        pcm = _decode_by_av(data, *_DEMUXERS[kind])
    if not pcm:
        raise DamagedAudio("录音里没有声音数据")
    return pcm


def seconds(pcm: bytes) -> float:
    return len(pcm) / (RATE * SAMPLE_BYTES)


def samples(pcm: bytes) -> Any:
    """An array of float32, -1.0 … 1.0, as recognisers want it."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768


def to_wav(pcm: bytes) -> bytes:
    """PCM with a header: browsers play it, and every transcription server takes it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(SAMPLE_BYTES)
        writer.setframerate(RATE)
        writer.writeframes(pcm)
    return file.getvalue()


def _is_mpeg_frame(data: bytes) -> bool:
    """Eleven bits of ones, then a layer that is not 0."""
    return len(data) > 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[1] & 0x06 != 0


def _has_av() -> bool:
    try:
        import av  # noqa: F401
    except ImportError:
        return False
    return True


def _decode_by_av(data: bytes, demuxer: str, codec: str | None) -> bytes:
    """The demuxer is named, so that FFmpeg guesses nothing: among what it could guess are
    play lists that lead to other files."""
    try:
        import av
    except ImportError:
        raise _missing("av") from None
    try:
        with av.open(io.BytesIO(data), "r", format=demuxer) as container:
            if not container.streams.audio:
                raise NotAudio("文件里没有声音")
            stream = container.streams.audio[0]
            own = av.CodecContext.create(codec, "r") if codec else stream.codec_context
            return _resampled(av, container.demux(stream), own)
    except av.FFmpegError as error:
        raise DamagedAudio(f"录音已损坏 ({type(error).__name__})") from None


def _resampled(av: Any, packets: Any, context: Any) -> bytes:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    pcm = bytearray()

    def take(frame: Any) -> None:
        for piece in resampler.resample(frame):
            pcm.extend(bytes(piece.planes[0])[: piece.samples * SAMPLE_BYTES])
        if len(pcm) > _MAX_PCM_BYTES:
            raise TooLong(_TOO_LONG)

    for packet in packets:
        for frame in context.decode(packet if packet.size else None):
            take(frame)
    if pcm:
        take(None)
    return bytes(pcm)


def _decode_silk(data: bytes) -> bytes:
    try:
        import pysilk
    except ImportError:
        raise _missing("silk-python") from None
    if _silk_blocks(data) * _SILK_FRAME_S > MAX_S:
        raise TooLong(_TOO_LONG)
    pcm = io.BytesIO()
    try:
        pysilk.decode(io.BytesIO(data), pcm, RATE)
    except pysilk.SilkError as error:
        raise DamagedAudio(f"录音已损坏 ({error})") from None
    if len(pcm.getvalue()) > _MAX_PCM_BYTES:
        raise TooLong(_TOO_LONG)
    return pcm.getvalue()


def _silk_blocks(data: bytes) -> int:
    """How many blocks follow the header, each behind its length in two bytes."""
    position, blocks = data.index(b"#!SILK_V3") + len(b"#!SILK_V3"), 0
    while position + 2 <= len(data):
        length = int.from_bytes(data[position : position + 2], "little", signed=True)
        if length < 0:
            break
        position += 2 + length
        blocks += 1
    return blocks


def _decode_wav(data: bytes) -> bytes:
    """Without FFmpeg: plain PCM only, each new sample the mean of those in its place."""
    try:
        with wave.open(io.BytesIO(data)) as reader:
            rate, channels, width = (
                reader.getframerate(), reader.getnchannels(), reader.getsampwidth(),
            )  # fmt: skip
            if rate == 0:
                raise DamagedAudio("读不了这个 WAV (0 Hz)")
            if reader.getnframes() / rate > MAX_S:
                raise TooLong(_TOO_LONG)
            frames = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError) as error:
        raise DamagedAudio(f"读不了这个 WAV ({error})") from None
    if width != SAMPLE_BYTES:
        raise _missing("av")
    whole = len(frames) // (channels * width) * channels
    mono = np.frombuffer(frames, dtype="<i2", count=whole).reshape(-1, channels).mean(axis=1)
    sums = np.concatenate([[0.0], np.cumsum(mono)])
    edges = np.arange(int(len(mono) * RATE / rate) + 1) * rate / RATE
    means = np.diff(np.interp(edges, np.arange(len(sums)), sums)) * RATE / rate
    return bytes(means.round().astype("<i2").tobytes())


def _missing(package: str) -> EngineMissing:
    return EngineMissing(
        f"没有安装 {package}，请运行 {sys.executable} -m pip install 'gendan[voice]'"
    )
