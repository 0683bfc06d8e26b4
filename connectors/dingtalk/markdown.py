"""Text for DingTalk: line breaks its Markdown keeps, and parts its limits take. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import accumulate, pairwise, takewhile

# DingTalk asks for two spaces on either side of a break inside a paragraph (notes 3.5).
_BREAK = "  \n  "
_BREAK_IN_QUOTE = "  \n"
_BREAK_EXTRA_BYTES = len(_BREAK) - 1

_LIST = re.compile(r"\s*([-*+]|\d+\.)\s")
_GOOD_ENDS = "。！？；，、 "


def hard_breaks(text: str) -> str:
    """Every line of `text` on a line of its own.

    Common Markdown joins the lines of a paragraph, and draws a line behind a list or a
    quote into it; so the break between two lines depends on what they are.
    """
    lines = text.split("\n")
    parts = [lines[0]]
    for before, line in pairwise(lines):
        parts += [_between(_kind(before), _kind(line)), line]
    return "".join(parts)


def split_text(text: str, limit_bytes: int) -> list[str]:
    """`text` in parts of at most that many bytes of JSON, breaks counted as `hard_breaks` writes.

    Breaks between lines, where a line alone is too long behind a punctuation mark.
    """
    parts: list[str] = []
    current: list[str] = []
    used = 0
    for piece in _pieces(text, limit_bytes):
        cost = _cost(piece) + _cost("\n")
        if current and used + cost > limit_bytes + _cost("\n"):
            parts.append("\n".join(current))
            current, used = [], 0
        current.append(piece)
        used += cost
    return [*parts, "\n".join(current)]


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    if line.startswith("#"):
        return "heading"
    if line.startswith(">"):
        return "quote"
    return "list" if _LIST.match(line) else "words"


def _between(before: str, after: str) -> str:
    if "blank" in (before, after) or "heading" in (before, after):
        return "\n"
    if before != after:
        return "\n\n"
    return {"words": _BREAK, "quote": _BREAK_IN_QUOTE}.get(before, "\n")


def _pieces(text: str, limit_bytes: int) -> Iterator[str]:
    """The lines, those too long for any part broken up."""
    for line in text.split("\n"):
        rest = line
        while _cost(rest) > limit_bytes:
            head = _head(rest, limit_bytes)
            yield head
            rest = rest[len(head) :]
        yield rest


def _head(line: str, limit_bytes: int) -> str:
    """The longest beginning that fits, if possible up to a mark in its last third."""
    totals = accumulate(map(_cost, line))
    end = max(1, sum(1 for _ in takewhile(lambda total: total <= limit_bytes, totals)))
    last_mark = max(line.rfind(mark, end * 2 // 3, end) for mark in _GOOD_ENDS)
    return line[: end if last_mark < 0 else last_mark + 1]


def _cost(text: str) -> int:
    """Bytes inside a string of JSON."""
    escaped = len(json.dumps(text, ensure_ascii=False).encode()) - 2
    return escaped + _BREAK_EXTRA_BYTES * text.count("\n")
