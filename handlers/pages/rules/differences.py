"""What differs between two versions of a rule, in words and in code."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.payouts.rule_changes import Document
from bot.domain.payouts.rules import Rule
from bot.domain.payouts.words import in_words as sentence
from handlers.texts import rule_pages as texts


@dataclass(frozen=True, slots=True)
class Line:
    """Of a difference. tone: same, new, old."""

    tone: str
    text: str


def body_of(rule: Rule) -> str:
    """The sentence without name and days."""
    return sentence(rule).partition("：")[2]


def in_words(old: Rule | None, new: Rule) -> tuple[Line, ...]:
    parts = [_parts(one) if one else [] for one in (old, new)]
    return _difference(*parts)


def _parts(rule: Rule) -> list[str]:
    days = f"适用于{texts.period(rule.effective_from, rule.effective_to)}签约的合同"
    return [days, *body_of(rule).rstrip("。").split("；")]


def in_code(old: Document | None, new: Document) -> tuple[Line, ...]:
    return _difference(*(_code(one).splitlines() if one else [] for one in (old, new)))


def _code(rule: Mapping[str, Any]) -> str:
    return json.dumps(rule, ensure_ascii=False, indent=2, sort_keys=True)


def _difference(old: Sequence[str], new: Sequence[str]) -> tuple[Line, ...]:
    """Long texts are compared line by line, not character by character. What has nothing before
    it is not marked as new."""
    if not old:
        return tuple(Line("same", text) for text in new)
    found: list[Line] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [Line("same", text) for text in new[c:d]]
        else:
            found += [Line("old", text) for text in old[a:b]]
            found += [Line("new", text) for text in new[c:d]]
    return tuple(found)
