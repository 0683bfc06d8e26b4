"""No text keeps a regular expression, and with it everybody, busy.

What is measured is processor time under a hard limit, and only whether it was reached."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from storage.database import Database
from tests.attacks import patterns
from tests.handlers.chat_company import Chat

LONG = 50_000
WHOLE_MESSAGE_S = 20.0


def test_every_expression_lives_through_texts_made_against_it() -> None:
    done = subprocess.run(  # noqa: S603 - our own file
        [sys.executable, patterns.__file__],
        cwd=patterns.ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    *too_long, count = done.stdout.splitlines()
    assert too_long == []
    assert int(count) > 400, "the expressions were not found"


@pytest.mark.parametrize(
    "pattern",
    [r"(?:催了?|问|了)+$", r"(a|aa)+$", r"(?:\s*,?\s*)*;", r"(?P<who>.+?)[ ,]+(\S*\d+.*);"],
)
def test_a_dangerous_expression_is_found(pattern: str) -> None:
    assert patterns.outlasting(pattern, 0) is not None


@pytest.mark.parametrize("pattern", [r"(?:催|问|了)+$", r"\d{1,15}(?:,\d{3})*", r"[a-z]+@[a-z]+"])
def test_a_harmless_expression_is_left_alone(pattern: str) -> None:
    assert patterns.outlasting(pattern, 0) is None


@pytest.mark.parametrize(
    "text",
    [
        "恒锐机电聊了半小时" + "催了" * 40 + "嗯甬江轴承见了",
        "恒锐机电产值" + "报了" * 40 + "呢35万",
        "恒锐机电少发" + "了我" * 40 + "呢800",
        "恒锐机电周五十点" + "," * 1_900 + "呢两点",
        "客户画像 " + "x " * (LONG // 2),
        *(unit * (LONG // len(unit)) for unit in (" ", ",", "，", "1", "_", "大约", "\n", "明天")),
        *("预测 " + unit * (LONG // len(unit)) for unit in (" ", "，", "1", "a，")),
    ],
    ids=lambda text: text[:14].strip() or repr(text[:1]),
)
async def test_a_message_made_to_keep_the_bot_busy_is_answered(
    text: str, database: Database
) -> None:
    def ring(*_: object) -> None:
        raise patterns.TooLong

    chat = await Chat(database).open()
    for name in ("杭州恒锐机电有限公司", "宁波甬江轴承有限公司"):
        await chat.customer(name)
    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, WHOLE_MESSAGE_S)
    try:
        assert await chat.say("zhang", text)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
