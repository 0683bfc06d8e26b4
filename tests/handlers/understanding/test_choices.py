"""A list of patterns finds what a search with the whole alternation finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.understanding.choices import together
from handlers.understanding.lexicon import lists, patterns
from handlers.understanding.signs import signs_of

OBJECTIONS = patterns("lexicon", "objections")
PIECES = sorted({piece for one in OBJECTIONS.values() for piece in re.findall(r"\w+", one.pattern)})


@given(st.lists(st.sampled_from([*PIECES, "", "。", " ", "3", "٣", "\n", "〓〓"]), max_size=12))
def test_an_objection_is_found_where_its_whole_alternation_finds_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    for code, words in lists("lexicon", "objections").items():
        wanted = [match.span() for match in OBJECTIONS[code].finditer(text)]
        assert [match.span() for match in words.finditer(text)] == wanted
        assert not wanted or words.may_match(text)


@given(
    st.lists(
        st.sampled_from(["ab?", "b", "(?:a|bc)d", "c{2,3}", r"\da", "[^a]b", "ba", "(?<=a)c|d+"]),
        min_size=1,
        max_size=4,
    ),
    st.text("abcd3", max_size=12),
)
def test_of_two_choices_the_leftmost_then_the_first_is_found(words: list[str], text: str) -> None:
    found = together({"all": words})["all"].finditer(text)
    wanted = re.finditer("|".join(words), text)
    assert [match.span() for match in found] == [match.span() for match in wanted]


@pytest.mark.parametrize(
    ("pattern", "signs"),
    [
        ("贵", {"贵"}),
        ("太贵", {"太贵"}),
        ("太?(?:高|贵)", {"高", "贵"}),
        ("很?[高贵]了", {"高了", "贵了"}),
        ("价格?高", {"价格", "价高"}),
        (r"[\d一两]台|3c", {"0台", "一台", "两台", "0c"}),
        ("(?<!不)嫌[^,]{0,4}高", {"嫌"}),
        ("(?P<which>上|下)周", {"上周", "下周"}),
        ("[^不]行", {"行"}),
        ("(?:^|[,。])来年", {"来年"}),
        ("..", None),
        ("高?", None),
        ("高|.", None),
    ],
)
def test_a_pattern_tells_what_its_matches_hold(pattern: str, signs: set[str] | None) -> None:
    assert signs_of(pattern) == signs


@pytest.mark.parametrize("code", OBJECTIONS)
def test_no_objection_is_an_empty_text(code: str) -> None:
    assert OBJECTIONS[code].match("") is None
