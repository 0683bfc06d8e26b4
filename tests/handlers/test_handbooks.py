"""Everything that a handbook tells people to type exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from handlers import commands

BOOKS = sorted(Path("docs/handbooks").glob("*.md"))
NOTICE = Path("docs/privacy/员工告知书.md")  # tells employees what to type
PAPERS = [*BOOKS, *sorted(Path("docs/privacy").glob("*.md"))]
_FENCED = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_PLAIN = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
_FIELD = re.compile(r"[a-z_]+|/[a-z/]*|\.json|[a-z]+\.toml")


def _chat_words() -> Iterator[tuple[str, str]]:
    """What stands as code in running text: a thing to say, a command line, or a field."""
    for book in (*BOOKS, NOTICE):
        for code in _CODE.findall(_FENCED.sub("", book.read_text("utf-8"))):
            if not _FIELD.fullmatch(code) and not code.startswith("gendan "):
                yield book.stem, code


def _command_lines() -> Iterator[str]:
    for book in PAPERS:
        text = book.read_text("utf-8")
        for block in _FENCED.findall(text):
            yield from block.splitlines()
        yield from (code for code in _CODE.findall(text) if code.startswith("gendan "))


@pytest.mark.parametrize(("book", "words"), list(_chat_words()))
def test_what_is_to_be_said_is_a_command(book: str, words: str) -> None:
    assert commands.is_known(words), f"{book}: {words}"


@pytest.mark.parametrize("line", sorted(set(_command_lines())))
def test_what_is_to_be_run_exists(line: str) -> None:
    words = line.split()[1:]
    options = {word for word in words if word.startswith("--")}
    names = list(takewhile(re.compile(r"[a-z][a-z-]*").fullmatch, words))
    asked = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "run_bot.py", *names, "--help"],
        capture_output=True, text=True, check=False, env={**os.environ, **_PLAIN},
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    assert f"run_bot.py {' '.join(names)}" in asked.stdout
    assert options <= set(re.findall(r"--[a-z-]+", asked.stdout))


@pytest.mark.parametrize("book", PAPERS, ids=lambda one: one.stem)
def test_what_a_handbook_links_to_is_there(book: Path) -> None:
    missing = [
        one
        for one in _LINK.findall(book.read_text("utf-8"))
        if "://" not in one and not (book.parent / one).exists()
    ]
    assert missing == []
