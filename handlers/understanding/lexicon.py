"""The word tables in words/*.toml, compiled once."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from handlers.understanding.heads import headed

_WORDS = Path(__file__).with_name("words")


@cache
def table(file: str, section: str) -> dict[str, re.Pattern[str]]:
    """Every list of one section as one alternation."""
    return {name: re.compile("|".join(words)) for name, words in _read(file)[section].items()}


def says(file: str, section: str, name: str, text: str) -> re.Match[str] | None:
    """Where `text` first says what the named list holds."""
    return _pattern(file, section, name).search(text)


@cache
def _pattern(file: str, section: str, name: str) -> re.Pattern[str]:
    return re.compile(headed("|".join(_read(file)[section][name])))


def compile_all() -> None:
    """Now, and not while somebody waits for the first answer."""
    for file in sorted(path.stem for path in _WORDS.glob("*.toml")):
        for section, named in _read(file).items():
            for name in named:
                _pattern(file, section, name)


def lists(file: str, section: str) -> dict[str, list[str]]:
    """Every list of one section, as it is written."""
    return _read(file)[section]


def alternation(file: str, section: str, name: str) -> str:
    """The named list as one alternation, to be put together with others; "" without a list."""
    return "|".join(_read(file)[section].get(name, ()))


@cache
def _read(file: str) -> dict[str, dict[str, list[str]]]:
    with (_WORDS / f"{file}.toml").open("rb") as source:
        return tomllib.load(source)
