"""What the customer objects to now, as codes."""

from __future__ import annotations

import re
from functools import cache

from handlers.understanding.lexicon import table
from handlers.understanding.spans import Found

_CLAUSE_END = re.compile(r"[,。;!?\n]|\s+")


def find_objections(text: str) -> list[Found[str]]:
    """One find per code, in the order of the text."""
    text = _negation()["settled"].sub(lambda settled: " " * len(settled[0]), text)
    first: dict[str, Found[str]] = {}
    for code, pattern in table("lexicon", "objections").items():
        for match in pattern.finditer(text):
            if match.end() > match.start() and not _is_denied(text, match):
                first[code] = Found(match.start(), match.end(), code)
                break
    return sorted(first.values(), key=lambda one: one.start)


def says_none(text: str) -> bool:
    """没有异议, 没意见: an answer that there are no objections."""
    return bool(_NONE.search(text))


_NONE = re.compile(
    r"(?:没|没有|无|冇|木有)(?:啥|什么|任何|提|说)?(?:异议|意见|问题|顾虑|反对|疑问)|都(?:挺)?(?:满意|认可)|^(?:没有|无|没|没啥)[。!]?$"
)


def _is_denied(text: str, match: re.Match[str]) -> bool:
    before = _clause_before(text, match.start())
    after = _clause_after(text, match.end())
    negation = _negation()
    if negation["before"].search(before) or negation["after"].search(after):
        return True
    sentence = text[match.end() : match.end() + 24]
    return bool(
        negation["resolved"].search(before) and negation["resolution"].search(sentence)
    )


def _clause_before(text: str, end: int) -> str:
    return _CLAUSE_END.split(text[max(0, end - 14) : end])[-1]


def _clause_after(text: str, start: int) -> str:
    return _CLAUSE_END.split(text[start : start + 16])[0]


@cache
def _negation() -> dict[str, re.Pattern[str]]:
    return table("lexicon", "negation")
