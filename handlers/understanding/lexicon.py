"""The word tables in words/*.toml: what people say, as lists of regular expressions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from handlers.understanding.choices import Choices, together

_WORDS = Path(__file__).with_name("words")


def says(file: str, section: str, name: str, text: str) -> re.Match[str] | None:
    """Where `text` first says what the named list holds."""
    return _all()[file, section][name].search(text)


def lists(file: str, section: str) -> dict[str, Choices]:
    """Every list of one section, to be searched for in messages."""
    return _all()[file, section]


def heard(file: str, section: str, text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Each list of a section with its matches in `text`, list by list."""
    for name, words in lists(file, section).items():
        if words.may_match(text):
            for match in words.finditer(text):
                yield name, match


@cache
def patterns(file: str, section: str) -> dict[str, re.Pattern[str]]:
    """Every list of one section as one expression, to be matched at places already found."""
    return {name: re.compile("|".join(words)) for name, words in _read(file)[section].items()}


def alternation(file: str, section: str, name: str) -> str:
    """The named list as one alternation, to be put together with others; "" without a list."""
    return "|".join(_read(file)[section].get(name, ()))


def load() -> None:
    """Now, and not while somebody waits for the first answer."""
    _all()


@cache
def _all() -> dict[tuple[str, str], dict[str, Choices]]:
    tables = {
        (path.stem, section): named
        for path in sorted(_WORDS.glob("*.toml"))
        for section, named in _read(path.stem).items()
    }
    flat = together(
        {(*key, name): words for key, named in tables.items() for name, words in named.items()}
    )
    return {key: {name: flat[*key, name] for name in named} for key, named in tables.items()}


@cache
def _read(file: str) -> dict[str, dict[str, list[str]]]:
    with (_WORDS / f"{file}.toml").open("rb") as source:
        return tomllib.load(source)
