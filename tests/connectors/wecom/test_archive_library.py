"""The binding to a C library, against a stand-in with the same calls."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from connectors.wecom.archive.library import Library, load

SOURCE = Path(__file__).parents[2] / "fixtures" / "wecom" / "finance_sdk.c"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    made = tmp_path_factory.mktemp("library") / "libWeWorkFinanceSdk_C.so"
    command = [compiler, "-shared", "-fPIC", "-o", str(made), str(SOURCE)]
    subprocess.run(command, check=True)  # noqa: S603 - our own source
    return made


@pytest.fixture
def sdk(library: Path) -> Library:
    return load(str(library), "corp", "secret", proxy="http://proxy:1", password="user:pass")


def test_every_argument_arrives_and_nothing_is_left_allocated(sdk: Library) -> None:
    for _ in range(3):
        for call in range(2):
            sdk.get_media_data("", "file" if call else "gone", 5)
            sdk.decrypt_data("key", "bad" if call else "message")
        told = sdk.get_chat_data(2**63 + 5, 200, 15)
        assert told == (0, b"9223372036854775813 200 http://proxy:1 user:pass 15 1")


def test_content_may_hold_zero_bytes(sdk: Library) -> None:
    assert sdk.decrypt_data("key", "message") == (0, b"a\0b\0c")
    assert sdk.decrypt_data("key", "bad") == (10008, b"")


def test_slices_of_a_file(sdk: Library) -> None:
    assert sdk.get_media_data("", "file", 5) == (0, "Range:bytes=3-5", b"\0\1\2")
    assert sdk.get_media_data("Range:bytes=3-5", "file", 5) == (0, "", b"\0\1\2")
    assert sdk.get_media_data("", "gone", 5) == (10010, "", b"")


def test_refusals(sdk: Library, library: Path) -> None:
    assert sdk.get_chat_data(0, 1001, 5)[0] == 10000
    with pytest.raises(ValueError, match="10000"):
        load(str(library), "", "secret")
    with pytest.raises(OSError, match="absolute"):
        load("libWeWorkFinanceSdk_C.so", "corp", "secret")
