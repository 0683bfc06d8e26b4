"""What the big screen says of forecasts, supply and bonuses: short, to be read from afar, and of
nobody's pay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from bot.domain.payouts.health import Closing, Realisation
from handlers.texts.figures import hours
from handlers.texts.money import typeset

FEW = 5
"""Fewer people than that could be told apart by a figure of theirs."""
HORIZON = "今后{}天"
NO_TARGET = "本季还没有设目标：主管说「预测目标 姓名 {} 70万」。"
NO_LINES = "本季还没有提交过预测：销售定级以后说「提交预测」。"
NO_MACHINE = "机器参考每晚算一次，还没有算过。"
LITTLE_HISTORY = "历史不足，机器参考的范围放宽了。"

Told = tuple[str, str, str]
"""Value, unit, note."""


def no_machine(reasons: Sequence[str]) -> str:
    return f"机器还不预测：{reasons[0].rstrip('。')}。" if reasons else NO_MACHINE


def rough(fen: int) -> tuple[str, str]:
    """Number and unit: 1.28亿元, 35.5万元, 980元."""
    yuan = Decimal(fen) / 100
    for size, unit, digits in ((10**8, "亿元", 2), (10**4, "万元", 1)):
        if abs(yuan) >= size:
            number = (yuan / size).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
            whole = number == number.to_integral_value()
            return (f"{number:,.0f}" if whole else f"{number:,f}"), unit
    return f"{yuan:,.0f}", "元"


def money(fen: int) -> str:
    return typeset("".join(rough(fen)))


def supply(count: int, fen: int, waiting: int, *, days: int) -> Told:
    if not count:
        return "0", "单", f"近{days}天没有新的备货通知。"
    tail = f"{waiting}单还有人没确认" if waiting else "都已确认"
    return str(count), "单", f"近{days}天，共{money(fen)}，{tail}。"


def realisation(found: Realisation, since: str, until: str) -> Told:
    """Of fewer people nothing is told: it would be the pay of one."""
    span = f"{_month(since)}到{_month(until)}"
    if found.rate is None:
        return "—", "", f"{span}还没有锁定，锁定后才有数。"
    if found.people < FEW:
        return "—", "", few(found.people)
    return (
        f"{float(found.rate):.1%}".removesuffix("%"),
        "%",
        f"{found.people}人，{span}：每人已发÷应发，再取平均。",
    )


def few(people: int) -> str:
    return f"只有{people}人，不到{FEW}人，不在大屏上显示。"


def impact(day: date, changed: int, people: int) -> Told:
    when = f"{day.month}月{day.day}日发布"
    if people < FEW:
        return "—", "", f"{when}。{few(people)}"
    share = (200 * changed + people) // (2 * people)
    return (
        str(share),
        "%",
        f"{people}人里的{changed}人，{when}。试算三个月，金额会变的人÷参与的人。",
    )


NO_IMPACT: Told = ("—", "", "还没有试算后发布的规则变更。")


def closing(found: Closing, *, still_open: int) -> Told:
    if found.middle is None:
        tail = f"还有{still_open}件等着裁定" if still_open else "也没有等着裁定的"
        return "—", "", f"近90天没有裁定过申诉，{tail}。"
    value, unit = split(found.middle)
    of = f"{found.count}件的中位数" if found.count >= FEW else f"只有{found.count}件，仅供参考"
    tail = f"还有{still_open}件等着裁定。" if still_open else ""
    return value, unit, f"近90天{of}，按工作时间算。{tail}"


def split(span: timedelta) -> tuple[str, str]:
    words = hours(span)
    digits = words.rstrip("小时分钟")
    return digits, words[len(digits) :]


def gap(target_fen: int, won_fen: int, commit_fen: int) -> str:
    missing = target_fen - won_fen - commit_fen
    return f"还差{money(missing)}" if missing > 0 else "赢单加承诺已够目标"


def _month(name: str) -> str:
    return f"{int(name[5:7])}月"
