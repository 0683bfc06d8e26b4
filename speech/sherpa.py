"""SenseVoice, Paraformer and Whisper by sherpa-onnx, from a model folder, on the CPU.

Folders as k2-fsa publishes them (github.com/k2-fsa/sherpa-onnx/releases/tag/asr-models).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speech import audio, stretches
from speech.workers.errors import EngineMissing

_TAIL_BYTES = 1 << 20  # an ONNX file ends with its metadata, where the model's type stands


def load(folder: str, threads: str) -> Callable[[bytes], bytes]:
    """PCM -> UTF-8 text. Raises EngineMissing."""
    make, arguments = find(Path(folder))
    try:
        import sherpa_onnx
    except ImportError:
        told = f"请运行 {sys.executable} -m pip install 'gendan[sherpa]'"
        raise EngineMissing(f"没有安装 sherpa-onnx，{told}") from None
    try:
        recogniser = getattr(sherpa_onnx.OfflineRecognizer, make)(
            **arguments, num_threads=int(threads)
        )
    except (RuntimeError, ValueError) as error:
        raise EngineMissing(f"{folder} 里的模型读不了，请重新下载 ({error})") from None

    def recognise(pcm: bytes) -> bytes:
        pieces = stretches.cut(audio.samples(pcm))
        return stretches.joined(_heard(recogniser, piece) for piece in pieces).encode()

    return recognise


def find(folder: Path) -> tuple[str, dict[str, Any]]:
    """Which constructor of OfflineRecognizer the files ask for, and its arguments; the small
    int8 files go first. Raises EngineMissing."""
    tokens = _one(folder, "*tokens.txt")
    encoder, decoder = _one(folder, "*encoder*.onnx"), _one(folder, "*decoder*.onnx")
    model = _one(folder, "model*.onnx")
    if tokens and encoder and decoder and not _one(folder, "*joiner*.onnx"):
        return "from_whisper", {
            "encoder": encoder, "decoder": decoder, "tokens": tokens, "language": "zh",
        }  # fmt: skip
    kind = _kind(Path(model)) if model else ""
    if tokens and model and kind == "sense_voice":
        return "from_sense_voice", {
            "model": model, "tokens": tokens, "language": "zh", "use_itn": True,
        }  # fmt: skip
    if tokens and model and kind == "paraformer":
        return "from_paraformer", {"paraformer": model, "tokens": tokens}
    raise EngineMissing(
        f"{folder} 里没有完整的模型，请放入 sherpa-onnx 的 SenseVoice、Paraformer 或 Whisper 模型"
        "（model.int8.onnx 和 tokens.txt，或 encoder、decoder 和 tokens.txt）"
    )


def _one(folder: Path, pattern: str) -> str | None:
    found = sorted(folder.glob(pattern), key=lambda path: ("int8" not in path.name, path.name))
    return str(found[0]) if found else None


def _kind(model: Path) -> str:
    with model.open("rb") as file:
        file.seek(-min(_TAIL_BYTES, model.stat().st_size), 2)
        tail = file.read()
    return next((kind for kind in ("sense_voice", "paraformer") if kind.encode() in tail), "")


def _heard(recogniser: Any, piece: Any) -> str:
    stream = recogniser.create_stream()
    stream.accept_waveform(audio.RATE, piece)
    recogniser.decode_stream(stream)
    return str(stream.result.text).strip()
