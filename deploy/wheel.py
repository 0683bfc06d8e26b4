"""The wheel: all that `gendan` needs at work, its built pages included, and the same bytes each
time.

Built from a copy, so that neither an older build beside the sources nor the file modes of whoever
builds get into it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from deploy.packages import ROOT

BESIDE = ("pyproject.toml", "README.md", "LICENSE", "run_bot.py")
PAGES = Path("web", "build")
_DIRECTORY, _FILE = 0o755, 0o644
_EARLIEST = 315_532_800  # 1980-01-01, where the time of a zip begins


class NoPages(Exception):
    """The scripts and styles of the pages were not built."""


def build(target: Path, *, epoch_s: int | None = None) -> Path:
    """Build into the folder; the file. epoch_s: the time of all entries, seconds since 1970;
    by default SOURCE_DATE_EPOCH, else the earliest there is.

    Raises NoPages, and subprocess.CalledProcessError with what the builder said.
    """
    if not (ROOT / PAGES / "manifest.json").exists():
        raise NoPages(f"{PAGES}: make {PAGES}/manifest.json")
    if epoch_s is None:
        epoch_s = int(os.environ.get("SOURCE_DATE_EPOCH", _EARLIEST))
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gendan-wheel-") as folder:
        copied, built = Path(folder, "source"), Path(folder, "built")
        _copy(copied)
        subprocess.run(  # noqa: S603 - our own arguments
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", built, "."],
            cwd=copied,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch_s)},
            umask=0o777 - _DIRECTORY,  # what it generates itself gets modes by this
            check=True,
        )  # fmt: skip
        (made,) = built.glob("gendan-*.whl")
        return Path(shutil.copy(made, target / made.name))


def _copy(target: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    named = settings["tool"]["setuptools"]["packages"]["find"]["include"]
    folders = [Path(name.rstrip("*").replace(".", "/")) for name in named]
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")
    target.mkdir()
    for name in BESIDE:
        shutil.copyfile(ROOT / name, target / name)
    for folder in folders:
        shutil.copytree(
            ROOT / folder, target / folder, ignore=ignore, copy_function=shutil.copyfile
        )
    for path in target.rglob("*"):
        path.chmod(_DIRECTORY if path.is_dir() else _FILE)
