"""The files in a folder say which model it is, and sherpa-onnx takes it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.errors import PermanentError
from speech import audio
from speech.sherpa import find
from speech.voice import Choice, Voice
from speech.workers.errors import EngineMissing
from tests.speech.recordings import recording

MODELS = Path(__file__).parents[1] / "fixtures" / "models"


class Nobody:
    async def request_json(self, method: str, url: str, **_: Any) -> tuple[int, Mapping[str, Any]]:
        raise AssertionError("a local engine calls nobody")


@pytest.fixture
def sherpa() -> None:
    if importlib.util.find_spec("sherpa_onnx") is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("sherpa-onnx is not installed (extra sherpa)")


def folder_of(tmp_path: Path, **files: str) -> Path:
    for name, content in files.items():
        (tmp_path / name.replace("__", ".").replace("_", "-")).write_text(content)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "maker"), [("sense-voice", "from_sense_voice"), ("paraformer", "from_paraformer")]
)
def test_the_models_own_data_tell_which_it_is(name: str, maker: str) -> None:
    assert find(MODELS / name)[0] == maker


def test_the_small_int8_files_go_first(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, base_encoder__onnx="", base_encoder__int8__onnx="", base_decoder__int8__onnx="",
        base_tokens__txt="",
    )  # fmt: skip
    maker, arguments = find(folder)
    assert maker == "from_whisper"
    assert arguments["encoder"] == str(folder / "base-encoder.int8.onnx")
    assert arguments["language"] == "zh"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"tokens__txt": ""},
        {"model__onnx": "sense_voice_ctc"},
        {"model__onnx": "of some other kind", "tokens__txt": ""},
        {"encoder__onnx": "", "decoder__onnx": "", "joiner__onnx": "", "tokens__txt": ""},
    ],
)
def test_a_folder_that_is_not_whole_is_told(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(EngineMissing, match="SenseVoice、Paraformer"):
        find(folder_of(tmp_path, **files))


@pytest.mark.asr
@pytest.mark.parametrize(
    ("name", "short", "long"),
    [("sense-voice", "收", "收，收，收"), ("paraformer", "收到", "收到，收到，收到")],
)
async def test_it_hears_short_and_long_recordings(
    sherpa: None, name: str, short: str, long: str
) -> None:
    voice = Voice(Choice(engine="sherpa", folder=MODELS / name), Nobody())
    assert await voice.transcribe(recording("call-dtx.amr"), name="") == short
    minute = audio.to_wav(bytes(audio.RATE * audio.SAMPLE_BYTES * 65))
    assert await voice.transcribe(minute, name="") == long
    await voice.close()


@pytest.mark.asr
async def test_a_damaged_model_is_told(sherpa: None, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, model__onnx="no ONNX, but says sense_voice_ctc", tokens__txt="a 0")
    voice = Voice(Choice(engine="sherpa", folder=folder), Nobody())
    with pytest.raises(PermanentError, match="重新下载"):
        await voice.check()
    await voice.close()
