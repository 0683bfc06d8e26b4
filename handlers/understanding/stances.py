"""Objections said as a topic and a stance on it, in either order: 怕装不完, 合同卡在赔偿上限."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from handlers.understanding.lexicon import alternation, table

_GAP_BEFORE_STANCE = r"[^,。;!?\n\s没未不]{0,6}?"
_GAP_BEFORE_TOPIC = r"[^,。;!?\n\s]{0,5}?"


def find_stances(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """The code and the words of each objection; a topic that is said to stand well is none."""
    eased = table("stances", "eased")["after"]
    for code, topic, (follows, leads) in _patterns():
        for said in topic.finditer(text):
            if eased.search(text[said.end() : said.end() + 12]):
                continue
            match = follows.match(text, said.start()) or leads.search(
                text, max(0, said.start() - 10), said.end()
            )
            if match:
                yield code, match
                break


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str], tuple[re.Pattern[str], re.Pattern[str]]], ...]:
    return tuple(
        (code, pattern, (_follows(code, pattern.pattern), _leads(code, pattern.pattern)))
        for code, pattern in table("stances", "topics").items()
    )


def _follows(code: str, topic: str) -> re.Pattern[str]:
    words = (
        alternation("stances", "stances", "after"),
        alternation("stances", "stances_after", code),
    )
    stance = "|".join(filter(None, words))
    return re.compile(f"(?:{topic}){_GAP_BEFORE_STANCE}(?:{stance})")


def _leads(code: str, topic: str) -> re.Pattern[str]:
    words = (
        alternation("stances", "stances", "before"),
        alternation("stances", "stances_before", code),
    )
    stance = "|".join(filter(None, words))
    return re.compile(f"(?:{stance}){_GAP_BEFORE_TOPIC}(?:{topic})$")
