"""The scanner finds what a search with the whole alternation finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.understanding.heads import Scanner, heads
from handlers.understanding.lexicon import lists, table

WORDS = lists("lexicon", "objections")
SCANNER = Scanner(WORDS)
PIECES = sorted(
    {piece for ones in WORDS.values() for one in ones for piece in re.findall(r"\w+", one)}
)


@given(st.lists(st.sampled_from([*PIECES, "", "。", " ", "3", "٣", "\n", "〓〓"]), max_size=12))
def test_an_objection_is_found_where_its_whole_alternation_finds_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    wanted = [
        (code, match.span())
        for code, pattern in table("lexicon", "objections").items()
        for match in pattern.finditer(text)
    ]
    assert [(code, match.span()) for code, match in SCANNER.find(text)] == wanted


@pytest.mark.parametrize(
    ("pattern", "beginnings"),
    [
        ("贵", {"贵"}),
        ("太?(?:高|贵)", {"太", "高", "贵"}),
        (r"[\d一两]台|3c", {r"\d", "一", "两"}),
        ("(?<!不)嫌[^,]{0,4}高", {"嫌"}),
        ("(?:等|得)?(?:要|再){0,2}慢", {"等", "得", "要", "再", "慢"}),
        ("[^不]行", None),
        ("(?:^|[,。])来年", {",", "。", "来"}),
        ("高?", None),
    ],
)
def test_a_pattern_tells_what_it_may_begin_with(pattern: str, beginnings: set[str] | None) -> None:
    assert heads(pattern) == beginnings


@pytest.mark.parametrize("code", WORDS)
def test_no_objection_is_an_empty_text(code: str) -> None:
    assert all(re.match(one, "") is None for one in WORDS[code])
