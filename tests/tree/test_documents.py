"""What README and docs/ name of the tree is there."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TOP = {"run_bot.py", "bot", "handlers", "connectors", "storage", "speech", "config", "web", "tests",
       "benchmarks", "deploy", "docs"}  # fmt: skip
MADE = {"web/build", "web/shots"}  # by make

_PATH = re.compile(r"`([\w.*-]+(?:/[\w.*-]+)*)/?`")
_PLACE = re.compile(r"`([\w/]+\.py)(?:`,? `|: )(\w+)`")


@pytest.fixture(scope="module")
def tree() -> set[str]:
    """Files and folders."""
    found = set(TOP)
    for top in TOP:
        for folder, folders, files in os.walk(ROOT / top):
            folders[:] = [one for one in folders if one not in ("node_modules", "__pycache__")]
            here = Path(folder).relative_to(ROOT)
            found |= {str(here / name) for name in (*folders, *files)}
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_path_that_a_document_names_is_there(document: Path, tree: set[str]) -> None:
    """A file of Python may be named without its folder, where the sentence says which."""
    named = set(_PATH.findall(document.read_text("utf-8"))) - MADE
    ours = {path for path in named if path.split("/")[0] in TOP or path.endswith(".py")}
    assert sorted(path for path in ours if not _find(path, tree)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_name_that_a_document_places_in_a_file_stands_there(
    document: Path, tree: set[str]
) -> None:
    strange = [
        f"{path} {name}"
        for path, name in _PLACE.findall(document.read_text("utf-8"))
        if not any(re.search(rf"\b{name}\b", _text(file)) for file in _find(path, tree))
    ]
    assert strange == []


def _find(path: str, tree: set[str]) -> list[str]:
    exact = [one for one in tree if one == path or ("*" in path and fnmatch(one, path))]
    return exact or [one for one in tree if path.endswith(".py") and one.endswith(f"/{path}")]


def _text(file: str) -> str:
    return (ROOT / file).read_text("utf-8")
