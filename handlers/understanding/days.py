"""The ways a day is said, and which day each means by the rules of docs/understanding.md."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.domain.activities import Moment
from bot.domain.calendar import WorkingCalendar
from handlers.understanding.numbers import SMALL, to_lower_number, to_number

_DAY = timedelta(days=1)
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]|[一二三四五六七八九十])"
_DOM = r"(?:[0-3]?\d|[一二三]?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|[一二三四五六七八九])"
_NOT_MONEY = r"(?![\d.,]*\s*[万千百wk元块%折个套台家单])"
_WEEKDAYS = {name: index for index, name in enumerate("一二三四五六日")} | {"天": 6}
_WEEKDAYS |= {str(index + 1): index for index in range(7)}
_ENGLISH_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NEAR_DAYS = {
    "大前天": -3, "前天": -2, "前日": -2, "前儿": -2, "前晚": -2,
    "昨天": -1, "昨日": -1, "昨儿": -1, "昨晚": -1, "昨": -1,
    "今天": 0, "今日": 0, "今儿": 0, "今早": 0, "今晚": 0, "今夜": 0, "当天": 0, "今明": 0,
    "今": 0, "明天": 1, "明日": 1, "明儿": 1, "明早": 1, "明晚": 1, "明后": 1, "听日": 1,
    "明朝": 1, "明": 1,
    "后天": 2, "后日": 2, "后儿": 2, "后晚": 2, "大后天": 3, "大后日": 3, "大后儿": 3,
}  # fmt: skip
_HOLIDAY_NAMES = {
    "元旦": "元旦", "春节": "春节", "过年": "春节", "年": "春节", "新年": "春节", "清明": "清明",
    "五一": "劳动节", "51": "劳动节", "劳动节": "劳动节", "端午": "端午", "中秋": "中秋",
    "国庆": "国庆", "十一": "国庆",
}  # fmt: skip
_ALREADY = re.compile(r"(?:上午|下午|晚上|就|那天)*(?:已|刚|[^,。;!?\s再要会]{1,3}[了过](?!去))")
_LONGEST_HOLIDAY = 12
"""In days, with the weekend behind it."""
_ANY_HOLIDAY = ("节", "长假", "小长假", "假期", "黄金周", "放假", "假")


@dataclass(frozen=True, slots=True)
class Today:
    """What relative words are relative to."""

    now: datetime
    calendar: WorkingCalendar

    @property
    def day(self) -> date:
        return self.now.date()

    def plus(self, days: int) -> date:
        return self.day + days * _DAY

    def month_later(self, months: int) -> tuple[int, int]:
        years, month = divmod(self.day.month - 1 + months, 12)
        return self.day.year + years, month + 1


Reader = Callable[[re.Match[str], Today], Moment | None]


def _on(day: date | None) -> Moment | None:
    return None if day is None else Moment(day)


def _full_date(match: re.Match[str], today: Today) -> Moment | None:
    return _on(date(int(match["year"]), int(match["month"]), int(match["day"])))


def _month_and_day(match: re.Match[str], today: Today) -> Moment | None:
    month, day = to_number(match["month"]), to_number(match["day"])
    assert month is not None
    assert day is not None
    year = today.day.year + (match.groupdict().get("next_year") is not None)
    said = date(year, int(month), int(day))
    # In December people say 1月8号 and mean the coming one; in June, 5月20号 is behind us.
    return _on(said.replace(year=year + 1) if (today.day - said).days > 180 else said)


def _month_only(match: re.Match[str], today: Today) -> Moment | None:
    month = to_number(match["month"])
    assert month is not None
    year = today.day.year + (match["next_year"] is not None)
    part = match["part"] or ""
    if (year, int(month)) < (today.day.year, today.day.month):
        year += 1
    if part in ("底", "末"):
        return _on(_last_day(year, int(month)))
    return None if part in ("中", "中旬", "下旬") else _on(date(year, int(month), 1))


def _part_of_month(match: re.Match[str], today: Today) -> Moment | None:
    shift = {"下下": 2, "下": 1, "次": 1}.get((match["which"] or "").removesuffix("个"), 0)
    part = match["part"]
    if part in ("底", "末"):
        return _on(_last_day(*today.month_later(shift)))
    if part != "初":
        return None
    first = date(*today.month_later(shift), 1)
    return _on(first if match["which"] or first >= today.day else date(*today.month_later(1), 1))


def _day_of_month(match: re.Match[str], today: Today) -> Moment | None:
    day = to_number(match["day"])
    assert day is not None
    which = re.sub("[个的月]", "", match["which"] or "")
    shift = {"下下": 2, "下": 1, "次": 1, "上": -1}.get(which, 0)
    if not which and day < today.day.day and not _ALREADY.match(match.string, match.end()):
        shift = 1
    return _on(date(*today.month_later(shift), int(day)))


def _near_day(match: re.Match[str], today: Today) -> Moment | None:
    return _on(today.plus(_NEAR_DAYS[match["near"]]))


def _later_today(match: re.Match[str], today: Today) -> Moment | None:
    return _on(today.day)


def _weekday(match: re.Match[str], today: Today) -> Moment | None:
    weekday = _WEEKDAYS[match["weekday"]]
    which = (match["which"] or "").removesuffix("个")
    monday = today.day - today.day.weekday() * _DAY
    weeks = {"这": 0, "本": 0, "下": 1, "下下": 2, "上": -1, "上上": -2}.get(which)
    if weeks is None:
        return _on(today.plus((weekday - today.day.weekday() - 1) % 7 + 1))
    return _on(monday + timedelta(weeks=weeks, days=weekday))


def _english_weekday(match: re.Match[str], today: Today) -> Moment | None:
    """Thursday is the next one, next Monday that of next week."""
    weekday = _ENGLISH_WEEKDAYS.index(match["weekday"][:3])
    if match["next"]:
        return _on(today.plus(7 - today.day.weekday() + weekday))
    return _on(today.plus((weekday - today.day.weekday() - 1) % 7 + 1))


def _after(match: re.Match[str], today: Today) -> Moment | None:
    count = _count(match)
    unit = match["unit"]
    if count is None or (match["begin"] and not match["end"] and match["count"] in "两二2"):
        return None  # 过两天 means "some day"
    whole = int(count)
    if unit == "工作日":
        return _on(today.calendar.add_workdays(today.day, whole)) if whole <= 500 else None
    if unit in ("月", "年"):
        months = count * (12 if unit == "年" else 1)
        if unit == "月" and months % 1:
            return _on(today.plus(15) if months < 1 else _months_on(today, whole) + 15 * _DAY)
        return _on(_months_on(today, int(months)))
    return _on(today.plus(whole * (1 if unit in ("天", "日") else 7)))


def _count(match: re.Match[str]) -> Decimal | None:
    half = Decimal("0.5") if match["half"] else Decimal(0)
    if not match["count"]:
        return half or None
    count = to_lower_number(match["count"])
    return None if count is None else count + half


def _half_month(match: re.Match[str], today: Today) -> Moment | None:
    return _on(today.plus(15))


def _soon(match: re.Match[str], today: Today) -> Moment | None:
    """两小时后, 半小时后, 一刻钟后."""
    count = _count(match)
    if match["quarter"]:
        minutes = Decimal(15)
    elif count is None:
        return None
    else:
        minutes = count * (1 if match["unit"].startswith("分") else 60)
    at = today.now + timedelta(minutes=float(minutes))
    return Moment(at.date(), at.time().replace(second=0, microsecond=0))


def _holiday(match: re.Match[str], today: Today) -> Moment | None:
    said = match["holiday"]
    name = "" if said in _ANY_HOLIDAY else _HOLIDAY_NAMES[said]
    if match["ordinal"] == "一" and _is_back_at_work(today):
        return _on(today.day)
    block = today.calendar.block_after(today.day, name)
    ordinal = to_number(match["ordinal"]) if match["ordinal"] else Decimal(1)
    assert ordinal is not None
    if block is not None:
        last = block.last
    elif name == "元旦":
        last = date(today.day.year + 1, 1, 1)  # its day never moves, known table or not
    else:
        return None
    return _on(today.calendar.add_workdays(last, int(ordinal)))


def _is_back_at_work(today: Today) -> bool:
    """Whether today is the first working day after a holiday."""
    block = today.calendar.block_after(today.plus(-_LONGEST_HOLIDAY), "")
    return block is not None and today.calendar.add_workdays(block.last, 1) == today.day


def _year_end(match: re.Match[str], today: Today) -> Moment | None:
    return None


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _months_on(today: Today, months: int) -> date:
    year, month = today.month_later(months)
    return date(year, month, min(today.day.day, monthrange(year, month)[1]))


IN_HOURS = re.compile(
    rf"(?:再?过|再?等)?(?:(?P<quarter>一刻)钟|(?P<count>{SMALL})?个?(?P<half>半)?个?"
    rf"(?P<unit>小时|钟头|分钟))(?:之后|以后|后|内|之内|以内)"
)
"""Of all ways to say a day the only one that says the hour as well."""

READERS: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (
        re.compile(
            r"(?<!\d)(?P<year>20\d\d)[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})(?!\d)[日号]?"
        ),
        _full_date,
    ),
    (
        re.compile(
            rf"(?P<next_year>明年)?(?<![\d.])(?P<month>{_MONTH})月份?\s?(?P<day>{_DOM})(?:[日号]"
            rf"|{_NOT_MONEY}(?!\d))"
        ),
        _month_and_day,
    ),
    (
        re.compile(
            r"(?<![\d./-])(?<!\d:)(?P<month>1[0-2]|0?[1-9])(?:/|[-.](?=[0-3]?\d(?:[日号]|\s*"
            r"(?:再|去|见|联系|拜访|开会|上午|下午|晚上|前|之前|回访|给|约|到|过)))"
            rf")(?P<day>[0-3]?\d)(?![\d./%:-]){_NOT_MONEY}[日号]?"
        ),
        _month_and_day,
    ),
    (
        re.compile(
            rf"(?P<next_year>明年)?(?<![\d.个])(?P<month>{_MONTH})月(?![\d个])份?(?P<part>底"
            rf"|末|初|中旬|上旬|下旬|中)?"
        ),
        _month_only,
    ),
    (
        re.compile(
            r"(?P<which>下下个?|下个?|次|这个?|本|当)?月(?P<part>底|末|初|中旬|上旬|下旬|中(?!旬))"
        ),
        _part_of_month,
    ),
    (
        re.compile(
            rf"(?P<which>(?:下下|下|上|这)个?月的?|[本当次]月的?)?(?<![\d.a-z-])(?<!\d月)(?P<day>{_DOM})"
            rf"(?:号(?![线楼机店院门库标方])|(?<=\d)日)"
        ),
        _day_of_month,
    ),
    (
        re.compile(
            r"(?P<near>大前天|大后[天日儿]|前[天日]|昨[天日儿]|昨(?=晚)|今[天日儿明]|今"
            r"(?=[早晚夜])|(?<!赶)明[天日儿后]|(?<![说证声])明(?=[早晚])|(?<![然之以今落])后[天日儿]"
            r"|听日|明朝|当天)(?:个|两?天)?"
        ),
        _near_day,
    ),
    (
        re.compile(
            r"(?P<which>下下个?|下个?|这个?|本|上上个?|上个?|每个?)?(?<![一二两三四五六七八九十\d几半]个)"
            r"(?<![一二两三四五六七八九十\d几半])(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天]"
            r"|[1-7](?![\d天年月个]))(?!次)"
        ),
        _weekday,
    ),
    (
        re.compile(
            rf"(?P<begin>再?过|隔|再?等)?(?<![\d.])(?=[\d半一二两三四五六七八九十百])(?P<count>{SMALL})?"
            rf"(?:个)?(?P<half>半)?(?:来|多)?个?(?P<unit>工作日|天|日(?=后|之|以|内)|周"
            rf"|星期|礼拜|月|年)(?P<end>之后|以后|过后|后|之内|以内|内)(?!天)"
        ),
        _after,
    ),
    (
        re.compile(
            rf"(?P<begin>再?过|隔|(?<![要得需多长])(?<![多长]再)再?等)(?P<count>{SMALL})(?P<half>半)?个?(?P<unit>工作日"
            rf"|天|周|星期|礼拜|月)(?P<end>)(?![前内])"
        ),
        _after,
    ),
    (re.compile(r"半个?月(?:之后|以后|过后|后|内|之内|以内)"), _half_month),
    (IN_HOURS, _soon),
    (
        re.compile(
            r"(?:等?过[完了]?|等|放完)?(?P<holiday>元旦|春节|过年|新年|清明|五一|劳动节"
            r"|端午|中秋|国庆|十一|(?<![今明后去前本当往每半\d])年|小长假|长假|黄金周"
            r"|假期|放假|(?<![春午旦节环季细调])节|假)"
            r"(?:节|假期|小?长假|假)?(?:结束|放完|回来|过完|完)?(?:之后|以后|过后|回来"
            r"|(?<!天)后)(?!天)(?:的?(?:上班)?(?:头一|第(?P<ordinal>[一二三四五]))个?(?:工作日|天))?"
        ),
        _holiday,
    ),
    (
        re.compile(
            r"(?P<holiday>元旦|春节|清明|五一|劳动节|端午|中秋|国庆|十一)节?(?:收假|放假完|放完假?|假期?结束)后?"
            r"(?:的?(?:上班)?(?:头一|第(?P<ordinal>[一二三四五]))个?(?:工作日|天))?"
        ),
        _holiday,
    ),
    (
        re.compile(
            r"(?<![a-z])(?P<next>next )?"
            r"(?P<weekday>mon|tues|wednes|thurs|fri|satur|sun)day(?![a-z])"
        ),
        _english_weekday,
    ),
    (
        re.compile(
            r"(?:等?过[完了]|放完|等)(?P<holiday>元旦|春节|清明|五一|劳动节|端午|中秋|国庆"
            r"|十一|年|节|假)(?:节|假期|长假)?(?:过[了完]|完了?|结束|一过)?(?P<ordinal>(?!))?"
        ),
        _holiday,
    ),
    (
        re.compile(
            r"(?<![天日儿号今明后昨前周一二三四五六])(?P<near>下午|晚上|晚点下午|下班前)(?=再?(?:要|得|就|我|我们)?再?(?:去(?!了|过|的)"
            r"|打(?!了|过|的|通|来|完)|联系(?!了|上)|给(?!了|他们?打了)|发(?!了|过|现)|约(?!了|好)|见(?!了|过|到)"
            r"|过去(?!了)|回(?!了|来了)|催(?!了)|报(?!了|过)|拜访(?!了|过)|跟进(?!了)))"
        ),
        _later_today,
    ),
    (re.compile(r"(?:今|明)?年[底末]|月中(?!旬)|周末"), _year_end),
)
