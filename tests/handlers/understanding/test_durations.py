from __future__ import annotations

import pytest

from handlers.understanding.durations import find_duration


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("聊了25分钟", 25),
        ("聊了 25 分钟", 25),
        ("通话半小时", 30),
        ("一个半小时", 90),
        ("1小时20分", 80),
        ("一小时零五分", 65),
        ("半个多小时", 30),
        ("个把小时", 60),
        ("一个钟", 60),
        ("三个钟头", 180),
        ("打咗半个钟", 30),
        ("一刻钟", 15),
        ("三刻钟", 45),
        ("两分半", 2),
        ("6分40秒", 6),
        ("90秒", 1),
        ("通话00:25:10", 25),
        ("通话时长25:10", 25),
        ("30min", 30),
        ("1.5h", 90),
        ("40来分钟", 40),
        ("二十几分钟", 20),
        ("十来分钟", 10),
        ("七八分钟", 7),
        ("两三分钟", 2),
        ("不到10分钟", 9),
        ("五分钟不到", 4),
        ("超过20分钟", 20),
        ("一个小时零五", 65),
        ("从两点讲到三点半", 90),
        ("昨天16:05打到16:20", 15),
    ],
)
def test_lengths_are_whole_minutes_rounded_down(text: str, minutes: int) -> None:
    found = find_duration(text)
    assert found is not None
    assert found.value == minutes


@pytest.mark.parametrize(
    "text",
    [
        "几十分钟",
        "几分钟",
        "30分钟后再打",
        "等了40分钟",
        "下午3点一刻",
        "10分公司",
        "需要30分钟",
        "9月10号",
    ],
)
def test_what_was_not_spent_talking_is_no_length(text: str) -> None:
    assert find_duration(text) is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("聊了15分钟 不对是25分钟", 25),
        ("不是15分钟是25分钟", 25),
        ("聊了20分钟，其中5分钟在等", 20),
    ],
)
def test_the_last_value_said_wins_only_after_a_correction(text: str, minutes: int) -> None:
    found = find_duration(text)
    assert found is not None
    assert found.value == minutes
