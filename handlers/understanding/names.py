"""The parts of a company's name: the place in front, the legal form behind, what is between."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_WORDS = Path(__file__).with_name("words")
_COMPANY = ("有限责任公司", "有限公司", "公司")
_BEFORE_COMPANY = ("集团", "控股", "股份", "实业", "科技", "技术", "贸易", "商贸", "信息", "发展")
_ALONE = ("集团", "股份")
_PARENTHESIS = re.compile(r"[(（][^)）]{1,12}[)）]")
_SHORTEST_CORE = 2
_SHORTEST_INNER = 4

LEGAL_FORM_AHEAD = re.compile(
    r"(?:集团|控股|股份|实业|科技|技术|贸易|商贸|信息|发展)*(?:有限责任公司|有限公司|股份公司|公司)"
    r"|集团|股份"
)


class NameParts(NamedTuple):
    """A company's name as people shorten it, in parts. place: 南京, or "". core: 栖霞阀业, the part
    that tells one company from another.

    town: a second place at the head of the core: 松原 in 吉林松原粮油.
    """

    place: str
    core: str
    town: str = ""

    @property
    def bare(self) -> str:
        """The name without its legal form."""
        return self.place + self.core

    @property
    def inner(self) -> str:
        """The core without its town; "" where that leaves too little to tell a company."""
        inner = self.core[len(self.town) :]
        return inner if self.town and len(inner) >= _SHORTEST_INNER else ""


@cache
def places() -> frozenset[str]:
    """Provinces and cities that stand in front of company names."""
    return frozenset((_WORDS / "places.txt").read_text("utf-8").split())


@cache
def towns() -> frozenset[str]:
    """Smaller cities, known as places only at the head of a company's full name."""
    return frozenset((_WORDS / "towns.txt").read_text("utf-8").split())


@cache
def districts() -> frozenset[str]:
    """Parts of cities, known as places only behind the city in a company's full name."""
    return towns() | frozenset((_WORDS / "districts.txt").read_text("utf-8").split())


@cache
def everyday_words() -> frozenset[str]:
    """Words too common to be taken for the short name of a company."""
    return frozenset((_WORDS / "everyday.txt").read_text("utf-8").split())


def is_a_word(words: str) -> bool:
    """Whether `words` is a word of general Chinese, so hardly a misheard name."""
    return words in vocabulary()


@cache
def vocabulary() -> frozenset[str]:
    """The words of jieba's dictionary, read from its file: jieba itself would take a second."""
    package = find_spec("jieba")
    assert package is not None
    assert package.origin is not None
    lines = Path(package.origin).with_name("dict.txt").read_text("utf-8")
    return frozenset(lines.split()[::3])  # a word, how often it is met, its part of speech


def load_jieba() -> None:
    """Makes jieba ready to cut sentences, once; takes about a second."""
    import jieba

    if not jieba.dt.initialized:
        jieba.setLogLevel("WARNING")
        jieba.initialize()


def place_at(text: str, start: int) -> str:
    """The place that begins at `start`, with its 市 or 省, or ""."""
    known = places()
    for length in (4, 3, 2):
        if text[start : start + length] in known:
            end = start + length
            return text[start : end + (text[end : end + 1] in ("市", "省"))]
    return ""


def _town_at(name: str, known: frozenset[str]) -> str:
    for length in (2, 3, 4):
        if name[:length] in known:
            return name[:length]
    return ""


def take_apart(name: str) -> NameParts:
    """Split a full name; what would leave less than two characters is not cut."""
    if "(" in name or "（" in name:
        name = _PARENTHESIS.sub("", name)
    bare = _without_legal_form(name.strip())
    place = place_at(bare, 0)
    if not place and (town := _town_at(bare, towns())) and len(bare) - len(town) >= _SHORTEST_INNER:
        place = town
    core = bare[len(place) :]
    if len(core) < _SHORTEST_CORE:
        return NameParts(place="", core=bare)
    behind = districts() if place else towns()
    return NameParts(place=place, core=core, town=place_at(core, 0) or _town_at(core, behind))


def _without_legal_form(name: str) -> str:
    shorter = name
    for ending in _COMPANY:
        if name.endswith(ending):
            shorter = name.removesuffix(ending)
            while shorter.endswith(_BEFORE_COMPANY):
                shorter = shorter[:-2]
            break
    else:
        if name.endswith(_ALONE):
            shorter = name[:-2]
    return shorter if len(shorter) >= _SHORTEST_CORE else name
