"""Whisper by faster-whisper, from a CTranslate2 model folder, on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speech import audio, stretches
from speech.workers.errors import EngineMissing

FILES = ("model.bin", "config.json", "tokenizer.json")

_WORDS = (
    "客户跟单：打电话、拜访、演示、报价、合同、预算、付款、样品、竞争对手，嫌价格高，下周再联系。"
)
"""Said before every recording: simplified characters, and what salespeople talk about."""

_LEAST_LOGPROB = -1.0
_MOST_COMPRESSION = 2.4  # a stretch that repeats itself compresses well
_MOST_SILENCE = 0.6


def load(folder: str, threads: str) -> Callable[[bytes], bytes]:
    """PCM -> UTF-8 text. Raises EngineMissing."""
    missing = [name for name in FILES if not (Path(folder) / name).is_file()]
    if missing:
        raise EngineMissing(
            f"{folder} 里没有 {'、'.join(missing)}，请放入完整的 faster-whisper (CTranslate2) 模型"
        )
    try:
        from faster_whisper import WhisperModel
    except ImportError:
        told = f"请运行 {sys.executable} -m pip install 'gendan[whisper]'"
        raise EngineMissing(f"没有安装 faster-whisper，{told}") from None
    try:
        model = WhisperModel(
            folder, device="cpu", compute_type="int8", cpu_threads=int(threads),
            local_files_only=True,
        )  # fmt: skip
    except (RuntimeError, ValueError) as error:
        raise EngineMissing(f"{folder} 里的模型读不了，请重新下载 ({error})") from None

    def recognise(pcm: bytes) -> bytes:
        segments, _ = model.transcribe(
            audio.samples(pcm),
            language="zh",
            beam_size=5,
            condition_on_previous_text=False,  # one bad stretch would spoil all that follow
            initial_prompt=_WORDS,
            vad_filter=True,  # in silence it repeats the words of the prompt
        )
        heard = (segment.text.strip() for segment in segments if _is_sure(segment))
        return stretches.joined(heard).encode()

    return recognise


def _is_sure(segment: Any) -> bool:
    return bool(
        segment.avg_logprob >= _LEAST_LOGPROB
        and segment.compression_ratio <= _MOST_COMPRESSION
        and segment.no_speech_prob <= _MOST_SILENCE
    )
