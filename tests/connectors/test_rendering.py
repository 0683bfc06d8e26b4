"""Words as HTML."""

from __future__ import annotations

import pytest

from connectors.web.rendering import unbroken


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        ("合同 HT-2026-022，收款单 SK-31", ["HT-2026-022", "SK-31"]),
        ("2026年11月3日 到账 40,000.00元", ["2026年11月3日", "40,000.00元"]),
        ("有效到 11月27日(周五) 11:30", ["11月27日(周五) 11:30"]),
        ("满20万元时，比差一分钱多发 4,000.00元", ["20万元", "4,000.00元"]),
        ("6个工作日没有跟进，占 24.48%", ["6个工作日", "24.48%"]),
        (
            "从第47周（11月16日–22日）到第48周（11月23日–12月1日）",
            ["11月16日–22日", "11月23日–12月1日"],
        ),
        ("没有数字", []),
    ],
)
def test_what_stays_together(words: str, whole: list[str]) -> None:
    html = unbroken(words)
    assert html.count("<span") == len(whole)
    assert [one for one in whole if f'<span class="keep">{one}</span>' not in html] == []
    assert html.striptags() == words


def test_a_figure_that_was_sealed_with_a_hyphen_is_shown_with_a_minus() -> None:
    assert unbroken("本次计 -150.00元").striptags() == "本次计 −150.00元"


def test_what_people_wrote_stays_text() -> None:
    assert unbroken("<b>3天</b>") == '&lt;b&gt;<span class="keep">3天</span>&lt;/b&gt;'
