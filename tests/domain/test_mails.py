"""Who is outside, what answers what, and which words of a mail are new."""

from __future__ import annotations

import pytest

from bot.domain.mails import (
    IN,
    MOST_WORDS,
    OUT,
    Ours,
    domain_key,
    is_forward,
    is_reply,
    new_words,
    outsiders_of,
)

OURS = Ours(frozenset({"we@qq.com"}), frozenset({"ours.cn"}))


@pytest.mark.parametrize(
    ("sender", "to", "found"),
    [
        ("li@hengrui.cn", ["sales@ours.cn"], (IN, ("li@hengrui.cn",))),
        ("we@qq.com", ["li@qq.com", "a@mail.ours.cn"], (OUT, ("li@qq.com",))),
        ("a@ours.cn", ["b@x.cn", "c@y.cn", "b@x.cn"], (OUT, ("b@x.cn", "c@y.cn"))),
        ("a@ours.cn", ["we@qq.com"], (OUT, ())),
    ],
)
def test_who_is_outside(sender: str, to: list[str], found: tuple[str, tuple[str, ...]]) -> None:
    assert outsiders_of(sender, to, OURS) == found


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("可以。\n> 行吗", "可以。"),
        ("好\r\n\r\n------------------ 原始邮件 ------------------\r\n发件人: 张伟", "好"),
        ("好\n\nFrom: a@b.c\nSent: Monday\nTo: d", "好"),
        ("在2026年1月28日 10:00，张伟写道：\n旧的", ""),
        ("On Wed, 28 Jan 2026 at 10:00, 张伟 <z@ours.cn> wrote:\nold", ""),
        ("发件人: 只是一个词\n接着说", "发件人: 只是一个词\n接着说"),
        ("一\n\n\n\n二", "一\n\n二"),
        ("x" * (MOST_WORDS + 1), "x" * (MOST_WORDS - 1) + "…"),
    ],
)
def test_what_is_new(text: str, new: str) -> None:
    assert new_words(text) == new


def test_what_is_a_reply() -> None:
    assert is_reply("Re: 报价", ())
    assert is_reply("回复：报价", ())
    assert is_reply("报价", ("digest",))
    assert not is_reply("Reminder: 报价", ())
    assert not is_reply("转发: 报价", ())


def test_only_a_company_has_a_domain() -> None:
    assert domain_key("a@sales.hengrui.com.cn") == "@hengrui.com.cn"
    assert domain_key("a@163.com") is None


@pytest.mark.parametrize("subject", ["转发：询价", "Fw: x", " FWD: x", "轉寄: x", "转发(2): x"])
def test_a_subject_that_says_it_is_forwarded(subject: str) -> None:
    assert is_forward(subject)
    assert not is_forward(f"Re: {subject}")


@pytest.mark.parametrize("subject", ["转发给客户的报价", "Forward planning: x", ""])
def test_a_subject_that_does_not(subject: str) -> None:
    assert not is_forward(subject)
