"""The image, as far as it can be tried without building it: its sources, and the program in its
environment, which may write to its data and to /tmp alone."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
DATA = "/var/lib/gendan"
MADE_BEFORE = "dist/gendan-*.whl"  # by `make wheel`

CONFIGURED = f"""
[wecom.sales]
corp_id = "ww1"
agent_id = 1000002
secret = "s"
token = "t"
aes_key = "{"k" * 43}"
base_url = "http://127.0.0.1:9"
"""
WATCHED = """
import os, sys

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def note(event, told):
    path = told[0] if told else None
    if event == "open" and not (told[2] or 0) & WRITES:
        return
    if event in ("open", "os.mkdir", "os.rename", "sqlite3.connect") and isinstance(path, str):
        os.write(LOG, (os.path.abspath(path) + "\\n").encode())

LOG = os.open(os.environ["WRITTEN_TO"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sys.addaudithook(note)
"""


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} +(.+)$", DOCKERFILE, re.MULTILINE)


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for one in instructions("ENV") for pair in shlex.split(one))


def test_what_is_copied_is_there_and_let_into_the_build() -> None:
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    let_in = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    copied = [one.split()[:-1] for one in instructions("COPY") if "--from=" not in one]
    for source in [name for names in copied for name in names]:
        assert any(fnmatch(source, pattern) for pattern in let_in), source
        assert source == MADE_BEFORE or (ROOT / source).exists(), source


def test_what_the_second_stage_copies_the_first_has_made() -> None:
    made, _, run = DOCKERFILE.rpartition("\nFROM ")
    (source, target) = re.findall(r"COPY --from=build (\S+) (\S+)", run)[0]
    assert re.search(rf"-m venv .*{source}\b", made)
    assert source == target, "a virtual environment does not move"
    assert environment()["PATH"].startswith(f"{target}/bin:")


def test_what_the_configuration_says_holds() -> None:
    """A variable would win over the file that is mounted there."""
    (config,) = [value for name, value in environment().items() if name.startswith("GENDAN_")]
    made = [one for one in instructions("RUN") if f"/dev/null {config}" in one]
    assert made, "one that is named must be there, for who mounts none"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Folders in the stead of those that the image may write to, and a configuration."""
    for name in ("data", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "gendan.toml").write_text(CONFIGURED, encoding="utf-8")
    (tmp_path / "sitecustomize.py").write_text(WATCHED, encoding="utf-8")
    return tmp_path


@dataclass(frozen=True, slots=True)
class Serving:
    """process: the image's command in its environment. written: what it opened to write, a line
    each."""

    process: subprocess.Popen[str]
    port: int
    written: Path


@pytest.fixture
def serving(place: Path) -> Iterator[Serving]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    moved = {
        key: value.replace(DATA, f"{place}/data").replace("/tmp/", f"{place}/tmp/")
        for key, value in environment().items()
    }
    env = {
        **moved,
        "TMPDIR": f"{place}/tmp",
        "PATH": os.environ["PATH"],
        "HOME": f"{place}/data",
        "PYTHONPATH": f"{place}:{ROOT}",
        "GENDAN_CONFIG": f"{place}/gendan.toml",
        "GENDAN_HOST": "127.0.0.1",
        "GENDAN_PORT": str(port),
        "WRITTEN_TO": f"{place}/written",
    }
    (told,) = instructions("CMD")[-1:]
    command = [sys.executable, str(ROOT / "run_bot.py"), *json.loads(told)]
    with subprocess.Popen(command, cwd=place / "data", env=env, text=True) as process:  # noqa: S603
        try:
            yield Serving(process, port, place / "written")
        finally:
            process.terminate()


def test_it_serves_and_writes_where_the_image_lets_it(serving: Serving, place: Path) -> None:
    check = re.search(r'"(import urllib[^"]+)"', DOCKERFILE)
    assert check is not None
    probe = [sys.executable, "-c", check[1].replace("8080", str(serving.port))]
    while subprocess.run(probe, capture_output=True, check=False).returncode:  # noqa: S603
        assert serving.process.poll() is None, "it has ended"
        time.sleep(0.2)
    written = set(serving.written.read_text("utf-8").splitlines())
    assert any(path.endswith("/data/gendan.db") for path in written)
    allowed = (f"{place}/data", f"{place}/tmp", "/dev/")
    assert {path for path in written if not path.startswith(allowed)} == set()
