"""Markup that is not ours becomes words, and ordinary words stay as they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.markup import code, harmless, link, tagless, words

ACTS = re.compile(r"\]\s*[(:]|<[A-Za-z/!?@]|`|://|(?i:javascript:)|~~")
TO_US = link("打开", "https://bot.example.com/in/abc")
MARKS = st.sampled_from(
    [*"[]()!<>`*_:\\\n x", "](", "**", "__", "~~", "]: ", "://", "a href=", "javascript:", "\u3000",
     "http://evil.example", "<@all>", "<think>", "</font>", "- ", "# ", "> ", "1. ", "@张伟 ",
     "退款", "https://bot.example.com", TO_US]
)  # fmt: skip
HOSTILE = st.lists(MARKS | st.text(max_size=3), max_size=25).map("".join)


@pytest.mark.parametrize(
    "text",
    [
        "报价_v2_final.pdf、合同_2026.docx",
        "3*5 米，单价 12.50 元",
        "A<5 且 B>3，x <= y",
        "电话 138****5678",
        "> 客户说：贵\n- 第一 [附件]\n1. 第二（二）\n# 标题",
        "9:30—10:15，#12 归 恒锐机电，a@b.cn，50%～60%，C:\\图纸",
        "[1] 恒锐 (杭州)",
        "**团队总览**\n- **HT-01** 35万，签于1月2日\n1. **约好没联系：6**\n@张伟 **待办2项**",
        "**[OK] 甲 3（个）**（n=3）",
    ],
)
def test_ordinary_words_and_our_own_marks_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[退款](http://evil.example)", "[退款]（http：//evil.example)"),
        ("[退款] (javascript:alert(1))", "[退款] （javascript：alert(1))"),
        ("![图](//evil.example/a.png)", "![图]（//evil.example/a.png)"),
        ("[a][b]\n[b]: //evil.example", "[a][b]\n[b]： //evil.example"),
        ("看http://evil.example", "看http：//evil.example"),
        ("<http://evil.example>", "＜http：//evil.example>"),
        ('<a href="#">领</a>', '＜a href="#">领＜/a>'),
        ('<font color="warning">急</font>', '＜font color="warning">急＜/font>'),
        ("<@all> <!-- x -->", "＜@all> ＜!-- x -->"),
        ("`码`", "｀码｀"),
        ("甲 **急** 乙 *斜*", "甲 ∗∗急∗∗ 乙 ∗斜∗"),
        ("3*5 和 4*6", "3∗5 和 4∗6"),
        ("甲 _斜_ 乙", "甲 ＿斜_ 乙"),
        ("**甲**乙** 合计 3**", "**甲∗∗乙∗∗ 合计 3**"),
    ],
)
def test_what_would_act_is_shown(said: str, shown: str) -> None:
    assert harmless(said) == shown


@given(HOSTILE)
def test_nothing_acts(text: str) -> None:
    shown = harmless(text)
    assert not ACTS.search(shown)
    assert harmless(shown) == shown
    assert len(shown) == len(text), "a look-alike for each mark"


@given(HOSTILE, HOSTILE)
def test_only_the_links_of_ours_act(before: str, after: str) -> None:
    shown = harmless(f"{before}\n{TO_US}\n{after}", [TO_US])
    assert TO_US in shown
    assert not ACTS.search(shown.replace(TO_US, "我们的"))
    assert harmless(shown, [TO_US]) == shown


@given(HOSTILE)
def test_words_in_a_link_of_ours_neither_end_it_nor_lead_elsewhere(label: str) -> None:
    made = link(label, "https://bot.example.com/in/(a b)")
    assert re.fullmatch(r"\[[^\[\]\n]*\]\(https://bot\.example\.com/in/%28a%20b%29\)", made)
    assert not ACTS.search(words(label))


@given(HOSTILE)
def test_plain_text_has_no_tags_and_is_otherwise_untouched(text: str) -> None:
    shown = tagless(text)
    assert not re.search(r"<[A-Za-z/!?@]", shown)
    assert shown.replace("＜", "<") == text.replace("＜", "<")


def test_addresses_may_stay_in_plain_text_and_ours_everywhere() -> None:
    address = "https://www.example.com/a_b_(c)"
    assert harmless(address, addresses=True) == address
    assert harmless(f"材料：{address}", [address]) == f"材料：{address}"
    assert harmless(f"[退款]({address})", [address]) == f"[退款]（{address})"
    script = code('<script src="https://bot.example.com/track.js"></script>')
    assert harmless(f"放在\n{script}", [script]) == f"放在\n{script}"
