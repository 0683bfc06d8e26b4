"""No file and no function of the program grows beyond what is read in one sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "handlers", "connectors", "storage", "speech", "config", "deploy", "benchmarks")
MIGRATIONS = ROOT / "storage" / "migrations" / "versions"  # lists of tables, read once
LINES_OF_A_FILE = 500
LINES_OF_A_FUNCTION = 50

FILES = [
    file
    for package in PACKAGES
    for file in sorted((ROOT / package).rglob("*.py"))
    if MIGRATIONS not in file.parents
]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_looked_at(package: str) -> None:
    assert any(ROOT / package in file.parents for file in FILES)


def test_no_file_is_longer_than_is_read_in_one_sitting() -> None:
    """Split it by subject."""
    lengths = {_name(file): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FILE} == {}


def test_no_function_needs_scrolling() -> None:
    """Break it where its parts have names."""
    lengths = {name: lines for file in FILES for name, lines in _functions(file)}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_OF_A_FUNCTION} == {}


def _functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{_name(file)} {node.name}", node.end_lineno - node.lineno + 1


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))
