"""How figures about the process are said: each with its n and how it is computed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.figures import LEAST_TO_RANK, Figures, Share, TeamLights, Wait

NOT_FOR_YOU = "团队总览给销售总监、主管和管理员看。你可以发「过程数据」看自己的。"
NO_TEAM = "你的团队里还没有销售，暂时没有数据。"
HOW_RESPONSE = "红灯、黄灯推送到点「知道了」，按工作时间算中位数"
HOW_FIRST = "分到线索到第一次有效跟进，按工作时间算中位数"
HOW_COMPLETE = "有效动作÷全部动作，沟通记录和撤回的不算"
HOW_LIT = "亮灯商机÷进行中商机"
HOW_KEPT = "约在本周的联系里，到约定那天为止真的联系了的"


_LONG = re.compile(r"\d{4,}")


def quarter_words(quarter: str) -> str:
    """2026Q4 -> 2026年第4季度"""
    return f"{quarter[:4]}年第{quarter[5:]}季度"


def week_words(week: str) -> str:
    """2026-W48 -> 第48周（11月23日–29日）"""
    monday = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    sunday = monday + timedelta(days=6)
    until = f"{sunday.month}月" if sunday.month != monday.month else ""
    return f"{week_number(week)}（{monday.month}月{monday.day}日–{until}{sunday.day}日）"


def week_number(week: str) -> str:
    """2026-W48 -> 第48周"""
    return f"第{int(week[6:])}周"


def grouped(amount: str) -> str:
    """2280万元 -> 2,280万元"""
    return _LONG.sub(lambda found: f"{int(found[0]):,}", amount)


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One team in the director's view. gap_days: of the longest silent lit lead."""

    name: str
    people: int
    lights: TeamLights
    gap_days: int
    completeness: Share


def share(figure: Share) -> str:
    if figure.value is None:
        return "还没有数据"
    return f"{round(figure.value * 100)}%（{figure.part}/{figure.whole}）"


def wait(figure: Wait) -> str:
    waiting = f"另有{figure.open}个还在等" if figure.open else ""
    if figure.median is None:
        return f"还没有数据{f'（{waiting}）' if waiting else ''}"
    told = "，".join(filter(None, (of_how_many(figure.n), waiting)))
    return f"{hours(figure.median)}（{told}）"


def of_how_many(times: int) -> str:
    """What a middle value is the middle of."""
    return "只有1次" if times == 1 else f"{times}次的中位数"


def own(title: str, figures: Figures) -> str:
    """«过程数据»."""
    return "\n".join(
        [
            f"**{title}**",
            f"- 过程数据完整率：{share(figures.completeness)}",
            f"> 怎么算：{HOW_COMPLETE}",
            f"- 预警响应时效：{wait(figures.response)}",
            f"> 怎么算：{HOW_RESPONSE}",
            f"- 亮灯占比：{share(figures.lights.lit)}",
            f"> 怎么算：{HOW_LIT}",
            f"- 首次联系用时：{wait(figures.first_contact)}",
            f"> 怎么算：{HOW_FIRST}",
        ]
    )


def period(first: date, last: date) -> str:
    return f"{first.month}月{first.day}日–{last.month}月{last.day}日"


def weekly(title: str, figures: Figures, *, rose: int, ended: int, kept: Share) -> str:
    lights = figures.lights
    return "\n".join(
        [
            f"**{title}**",
            f"- 亮灯：本周新亮{rose}个，熄灭{ended}个，"
            f"现在黄灯{lights.yellow}个、红灯{lights.red}个、停滞{lights.stuck}个",
            f"- 预警响应时效：{wait(figures.response)}",
            f"- 过程数据完整率：{share(figures.completeness)}",
            f"- 约定兑现：{share(kept)}",
            f"- 首次联系用时：{wait(figures.first_contact)}",
            f"> 怎么算：{HOW_KEPT}；其余发「过程数据」看。",
        ]
    )


def overview(rows: Sequence[TeamRow]) -> str:
    """«团队总览»: teams big enough are ranked by their share of red leads, the others stand
    below without a rank."""
    ranked = [row for row in rows if row.people >= LEAST_TO_RANK]
    small = [row for row in rows if row.people < LEAST_TO_RANK]
    ranked.sort(key=lambda row: (-_red_share(row.lights), row.name))
    lines = ["**团队总览**"]
    lines += [f"{place}. {_row(row)}" for place, row in enumerate(ranked, 1)]
    if small:
        lines.append(f"**不足{LEAST_TO_RANK}人，不排名**")
        lines += [f"- {_row(row)}" for row in sorted(small, key=lambda row: row.name)]
    order = "按红灯占比排，多的在前。" if ranked else ""
    lines.append(f"> {order}完整率怎么算：{HOW_COMPLETE}，近7天。")
    return "\n".join(lines)


def team_name(supervisor: str) -> str:
    return f"{supervisor}团队" if supervisor else "没有主管的"


def _row(row: TeamRow) -> str:
    lights = row.lights
    oldest = f"，最久{row.gap_days}个工作日没跟进" if lights.yellow + lights.red else ""
    return (
        f"{row.name}（{row.people}人，商机{lights.leads}个）：黄灯{lights.yellow}，"
        f"红灯{lights.red}，停滞{lights.stuck}{oldest}；完整率{share(row.completeness)}"
    )


def _red_share(lights: TeamLights) -> float:
    return lights.red / lights.leads if lights.leads else 0.0


def hours(span: timedelta) -> str:
    """25分钟, 3.5小时."""
    minutes = round(span.total_seconds() / 60)
    return f"{minutes}分钟" if minutes < 60 else f"{minutes / 60:.1f}小时"
