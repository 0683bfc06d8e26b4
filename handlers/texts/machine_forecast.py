"""What `forecast` says: what is wrong with a table, and why a number is what it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from handlers.texts.money import amount_words

NO_TEAM = "未分组"


def at_line(file: str, line: int, what: str) -> str:
    return f"{file} 第 {line} 行：{what}"


def not_text(file: str) -> str:
    return f"{file}：不是 UTF-8 或 GB18030 的文字 (not a text file)"


def broken(why: str) -> str:
    return f"不是合格的 CSV (not well-formed CSV)：{why}"


def columns_missing(names: Sequence[str]) -> str:
    return f"缺少列 (missing columns)：{'、'.join(names)}"


def cells(found: int, expected: int) -> str:
    return f"有 {found} 格，表头有 {expected} 格 (wrong number of cells)"


def twice(number: str) -> str:
    return f"编号 {number} 出现了两次 (duplicate id)"


def not_a_stage(said: str) -> str:
    return f"stage 是 {said!r}，应为 open、won 或 lost"


def not_a_day(column: str, said: str) -> str:
    return f"{column} 是 {said!r}，应为 YYYY-MM-DD 的日期 (not a date)"


def not_an_amount(column: str, said: str) -> str:
    return f"{column} 是 {said!r}，应为不小于 0 的数 (not an amount)"


def closed_before_created(closed: str, created: str) -> str:
    return f"closed {closed} 早于 created {created} (closed before created)"


VIEWS = ("赢单节律", "金额节律", "在谈商机", "定级和阶段")


def method(
    version: str, horizon: int, shares: Sequence[tuple[str, float]], count: int, error: float | None
) -> str:
    parts = "、".join(f"{name} {weight:.0%}" for name, weight in shares)
    past = "" if error is None else f"；回看过去{count}次，{horizon}天预测合计误差 {error:.0%}"
    return f"{version}：{parts}{past}"


def start(days: int, horizon: int, amount: float) -> str:
    return f"起点：最近{days}天的赢单速度，折合每{horizon}天 {amount:,.0f}。"


def by_rhythm(wins: int) -> str:
    return f"历史节律（{wins:,}单赢单的周期、趋势和起伏）"


def by_pipeline(still_open: int) -> str:
    return f"在谈商机（{still_open:,}个，按年龄的赢率，加将要新建的）"


def by_standing(still_open: int, lifts: Sequence[str]) -> str:
    told = f"；{'，'.join(lifts)}" if lifts else ""
    return f"在谈商机（{still_open:,}个，按年龄、定级、衰减和阶段的赢率，加将要新建的{told}）"


def level_of(level: str) -> str:
    return {"": "未定级", "L2.5": "L2.5（意向已衰减）"}.get(level, level)


def stage_of(label: str) -> str:
    return f"「{label}」阶段" if label else "没有阶段记录的"


def lifted(mark: str, deals: int, more: float) -> str:
    """more: in yuan, below 0 for less."""
    way = "抬高" if more > 0 else "压低"
    between = "" if mark.endswith("）") else " "
    return f"{mark}{between}{deals:,}单{way} {abs(more):,.0f}元"


def standing(lifts: Sequence[str]) -> str:
    return f"在谈商机的定级和阶段（和只看商机年龄相比）：{'，'.join(lifts)}。"


def pull(name: str, *, sees: float, weight: float, by: float) -> str:
    way = "抬高" if by >= 0 else "压低"
    return f"{name}看到 {sees:,.0f}，权重 {weight:.0%}，把预测{way} {abs(by):,.0f}。"


def little_history(days: int, wins: int) -> str:
    return f"历史不足：只有{days}天、{wins}单赢单，区间已放宽，仅供参考。"


def nothing_won(still_open: int) -> str:
    return f"历史不足：还没有一单赢单，无法预测；上限是{still_open}个在谈商机全部赢下。"


def not_horizons(said: str, longest: int) -> str:
    return f"{said!r}：应为 1 到 {longest} 的天数，如 30,60,90 (not a list of days)"


def not_enough(wins: int, least_wins: int, days: int, least_days: int) -> str:
    return f"历史不足：赢单{wins}单、{days}天，满{least_wins}单和{least_days}天后才预测。"


def few_wins(wins: int, least: int) -> str:
    return f"历史不足：自己只有{wins}单赢单（{least}单起才可信），区间仅供参考。"


def share_of_total(share: float) -> str:
    return f"占全公司 90 天预测的 {share:.0%}，按以往赢单和在谈商机分摊。"


def won_lately(days: int, yuan: float, wins: int) -> str:
    return f"最近{days}天赢单{yuan:,.0f}元，历史上共{wins}单。"


def still_open(count: int, yuan: float) -> str:
    return f"在谈{count}单，报过的金额共{yuan:,.0f}元。"


REFERENCE = "预测参考"
NOT_YET = "还没有机器预测：每天凌晨算一次，请明天再看。"
BESIDE = "仅供参考：不代替、也不改动任何人报的数字。"


def reference(label: str, day: date, rows: Sequence[tuple[int, int, int, int]]) -> list[str]:
    """rows: days, P20, P50, P80 in fen."""
    told = [f"**{label}**（机器，截至{day.month}月{day.day}日）"]
    for days, p20, p50, p80 in rows:
        band = f"{amount_words(_round(p20))}～{amount_words(_round(p80))}"
        told.append(f"- {days}天：{amount_words(_round(p50))}（P20–P80 {band}）")
    return told


def _round(fen: int) -> int:
    """To 1,000 yuan: more digits would pretend to know."""
    return round(fen / 100_000) * 100_000


def people_submitted(people: int, sums: str) -> str:
    """sums: by category."""
    return f"人报的（{people}人已提交的预测）：{sums}"


def people_say(sums: Sequence[tuple[str, int, int]]) -> str:
    """sums: level, deals, fen."""
    told = "；".join(f"{level} {deals}单 {amount_words(fen)}" for level, deals, fen in sums)
    return f"- 人报的在谈商机：{told or '没有'}"


def because(reasons: Sequence[str]) -> list[str]:
    return [f"- {reason}" for reason in reasons]
