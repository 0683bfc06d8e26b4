from __future__ import annotations

from datetime import datetime

import pytest

from bot.domain.calendar import WorkingCalendar
from handlers.understanding.dates import find_moments, may_say_the_hour


def first(text: str, at: str, calendar: WorkingCalendar) -> str | None:
    now = datetime.fromisoformat(f"{at}+08:00")
    found = find_moments(text, now, calendar)
    return str(found[0].value) if found and found[0].value else None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("明天再说", "2026-06-11"),
        ("周五去看风场,我说好,八点门口等", "2026-06-12T08:00"),
        ("定在8月3号上午十点,啊说错,是下午两点", "2026-08-03T14:00"),
        ("最多等三个月", None),
        ("国庆后10月12号再碰", "2026-10-12"),
        ("明朝下半天3点", "2026-06-11T15:00"),
        ("thursday再confirm", "2026-06-11"),
        ("next monday我再follow", "2026-06-15"),
        ("6/24 3pm", "2026-06-24T15:00"),
        ("明天去 上午十点", "2026-06-11T10:00"),
        ("端午收假头一天上午九点半", "2026-06-22T09:30"),
        ("端午放假完就联系", "2026-06-22"),
        ("明儿联系", "2026-06-11"),
        ("明早9点", "2026-06-11T09:00"),
        ("明晚8点", "2026-06-11T20:00"),
        ("后天出方案", "2026-06-12"),
        ("大后天", "2026-06-13"),
        ("3天后", "2026-06-13"),
        ("两周后", "2026-06-24"),
        ("半个月后", "2026-06-25"),
        ("一个月后", "2026-07-10"),
        ("五个工作日后", "2026-06-17"),
        ("周三", "2026-06-17"),
        ("周四", "2026-06-11"),
        ("这周五", "2026-06-12"),
        ("本周六", "2026-06-13"),
        ("下周一上午10点", "2026-06-15T10:00"),
        ("下个星期五", "2026-06-19"),
        ("下礼拜天", "2026-06-21"),
        ("下下周四下午三点半", "2026-06-25T15:30"),
        ("20号", "2026-06-20"),
        ("5号", "2026-07-05"),
        ("十五号下午两点", "2026-06-15T14:00"),
        ("下个月3号", "2026-07-03"),
        ("月底", "2026-06-30"),
        ("下月底", "2026-07-31"),
        ("7月初", "2026-07-01"),
        ("8月", "2026-08-01"),
        ("6月25号", "2026-06-25"),
        ("6/25", "2026-06-25"),
        ("6.25再联系", "2026-06-25"),
        ("2026-06-30", "2026-06-30"),
        ("25号周四", "2026-06-25"),
        ("下周三(17号)", "2026-06-17"),
        ("端午后", "2026-06-22"),
        ("过完端午", "2026-06-22"),
        ("节后", "2026-06-22"),
        ("国庆后", "2026-10-08"),
        ("周一或周二", "2026-06-15"),
        ("每周一", "2026-06-15"),
        ("两三天后", "2026-06-12"),
        ("下午3点再打", "2026-06-10T15:00"),
        ("15:30", "2026-06-10T15:30"),
        ("两点半", "2026-06-10T14:30"),
        ("中午12点", "2026-06-10T12:00"),
        ("周五下午", "2026-06-12"),
        ("两小时后", "2026-06-10T17:00"),
        ("昨天", "2026-06-09"),
        ("上周五", "2026-06-05"),
    ],
)
def test_relative_words_resolve_from_a_wednesday(
    text: str, said: str, calendar: WorkingCalendar
) -> None:
    assert first(text, "2026-06-10T15:00", calendar) == said


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("三个工作日后", "2026-04-29T16:00", "2026-05-07"),
        ("七个工作日后", "2026-04-29T16:00", "2026-05-12"),
        ("四个工作日后", "2026-02-10T14:00", "2026-02-14"),
        ("节后", "2026-04-29T16:00", "2026-05-06"),
        ("年后", "2026-02-10T14:00", "2026-02-24"),
        ("中秋后", "2026-09-22T15:00", "2026-09-28"),
        ("1月8号", "2026-12-24T09:30", "2027-01-08"),
        ("元旦后", "2026-12-24T09:30", "2027-01-04"),
        ("31号", "2026-04-29T16:00", None),
    ],
)
def test_holidays_and_make_up_days_count_as_worked_or_not(
    text: str, at: str, said: str | None, calendar: WorkingCalendar
) -> None:
    assert first(text, at, calendar) == said


@pytest.mark.parametrize(
    "text",
    [
        "改天", "回头", "有空", "过两天", "过几天", "几天后", "晚点", "下周", "赶明儿", "周末",
        "2月30日", "明天25点", "13月5号", "周八", "99999999天后",
        "24号线", "3点意见", "5.20万", "一周一次",
    ],
)  # fmt: skip
def test_vague_or_impossible_days_are_not_guessed(text: str, calendar: WorkingCalendar) -> None:
    assert first(text, "2026-06-10T15:00", calendar) is None


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("昨天下午3点打的电话", True),
        ("周五15:30去", True),
        ("10时到的", True),
        ("3pm再打", True),
        ("两小时后再打", True),
        ("半个钟头以后联系", True),
        ("过一刻钟后回", True),
        ("下周三再联系", False),
        ("刚打了25分钟电话，嫌贵", False),
    ],
)
def test_whether_an_hour_is_said_is_known_without_finding_it(
    text: str, hour: bool, calendar: WorkingCalendar
) -> None:
    found = find_moments(text, datetime.fromisoformat("2026-06-10T15:00+08:00"), calendar)
    assert any(one.value is not None and one.value.clock is not None for one in found) is hour
    assert may_say_the_hour(text) is hour
