"""Objections said as a topic and a stance on it, in either order: 怕装不完, 合同卡在赔偿上限."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from handlers.understanding.lexicon import alternation, heard, patterns

_GAP_BEFORE_STANCE = r"[^,。;!?\n\s没未不]{0,6}?"
_GAP_BEFORE_TOPIC = r"[^,。;!?\n\s]{0,5}?"


def find_stances(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """The code and the words of each objection; a topic that is said to stand well is none."""
    eased = patterns("stances", "eased")["after"]
    found: set[str] = set()
    for code, said in heard("stances", "topics", text):
        if code not in found and not eased.search(text[said.end() : said.end() + 12]):
            match = _follows(code).match(text, said.start()) or _leads(code).search(
                text, max(0, said.start() - 10), said.end()
            )
            if match:
                found.add(code)
                yield code, match


@cache
def _follows(code: str) -> re.Pattern[str]:
    """The topic, then a stance."""
    topic, stance = _topic(code), _stance(code, "after")
    return re.compile(f"(?:{topic}){_GAP_BEFORE_STANCE}(?:{stance})")


@cache
def _leads(code: str) -> re.Pattern[str]:
    """A stance, then the topic."""
    topic, stance = _topic(code), _stance(code, "before")
    return re.compile(f"(?:{stance}){_GAP_BEFORE_TOPIC}(?:{topic})$")


def _topic(code: str) -> str:
    return alternation("stances", "topics", code)


def _stance(code: str, side: str) -> str:
    """What is said of any topic, and what only of this one."""
    words = alternation("stances", "stances", side), alternation("stances", f"stances_{side}", code)
    return "|".join(filter(None, words))
