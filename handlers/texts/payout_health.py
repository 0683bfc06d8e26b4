"""The figures of «奖金健康度» in words, each with its n and its definition."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.domain.payouts.health import Closing, Realisation
from handlers.texts.disputes import hours
from handlers.texts.money import yuan
from handlers.texts.payouts import month_words

TITLE = "**奖金健康度**"
FEW = 5


def realisation(found: Realisation, since: str, until: str) -> list[str]:
    span = f"{month_words(since)}到{month_words(until)}"
    if found.rate is None:
        return [f"**人均激励兑现率**：{span}还没有锁定的奖金，没有数。"]
    few = f"，不到{FEW}人，只作参考" if found.people < FEW else ""
    return [
        f"**人均激励兑现率 {float(found.rate):.1%}**（样本{found.people}人{few}）",
        f"{span}锁定应发 {yuan(found.due_fen)}，已发 {yuan(found.paid_fen)}。",
        "口径：每个人的已发÷应发，再对人求平均；申诉中的算应发、未发。",
    ]


def impacts(lines: Sequence[str]) -> list[str]:
    if not lines:
        return ["**规则变更影响面**：还没有发布过规则。"]
    return [
        "**规则变更影响面**",
        *lines,
        "口径：发布前试算三个月，金额会变的人÷有奖金的人。",
    ]


def change(day: date, names: str, changed: int, people: int) -> str:
    share = f"{changed / people:.0%}" if people else "没有可比的人"
    return f"- {day.month}月{day.day}日 {names}：{share}（{changed}/{people}人）"


def closing(found: Closing, *, still_open: int) -> list[str]:
    tail = f"还有{still_open}件没裁定。" if still_open else "没有等着裁定的。"
    if found.middle is None or found.mean is None:
        return [f"**申诉关闭时效**：近90天没有裁定过申诉，没有数。{tail}"]
    spans = f"中位 {hours(found.middle)}、平均 {hours(found.mean)}"
    return [
        f"**申诉关闭时效 {spans}**（样本{found.count}件）",
        f"2小时内裁定的 {found.within}/{found.count}。{tail}",
        "口径：近90天裁定的申诉，从提交到裁定的工作时间，等补充的时间不算。",
    ]
