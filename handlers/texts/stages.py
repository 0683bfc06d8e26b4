"""What the bot says about the stages of a deal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.domain.library import SlotSpec
from bot.domain.stages import MoveKind
from handlers.texts.alerts import day

MOVE, CANCEL, PROPOSED = "确认推进", "取消", "推进"
CANCELLED = "已取消，阶段没有变。"
NOT_NOW = "先不推进"
CARD_DONE, CARD_CANCELLED, CARD_OLD = "已推进", "已取消", "已过时"
NOTHING_ASKED = "这次推进已经结束了。要推进请再说一次，例如「恒锐机电推进到报价」。"
HOLD_UNTIL_WHEN = "暂停到哪天？要写今天以后的日期，例如「恒锐机电暂停到3月1日，客户停产」。"
TITLES = {
    MoveKind.FORWARD: "阶段推进",
    MoveKind.BACK: "阶段退回",
    MoveKind.HELD: "商机暂停",
    MoveKind.RESUMED: "商机恢复",
    MoveKind.CLOSED: "商机关闭",
}
_EXAMPLES = {MoveKind.HELD: "暂停到3月1日，客户停产", MoveKind.CLOSED: "作废，重复线索"}


def no_such_stage(name: str, labels: Sequence[str]) -> str:
    return f"没有「{name}」这个阶段。可选：{' → '.join(labels)}。"


def no_open_deal(customer: str) -> str:
    return f"{customer} 没有进行中的商机，不能改阶段。记一次新的跟进，就会自动开新商机。"


def closed(customer: str, state: str) -> str:
    return f"{customer} 的商机{state}，不能再改阶段。记一次新的跟进，就会自动开新商机。"


def same(customer: str, place: str) -> str:
    return f"{customer} 已经在「{place}」，不用改。"


def stale(customer: str, seen: str, place: str, who: str, when: str) -> str:
    changed = f"{who} {when} 已把它改到「{place}」" if who else f"它现在在「{place}」"
    return f"{customer} 没有改：你看到的是「{seen}」，但{changed}。要继续请按新阶段再说一次。"


def needs_reason(customer: str, kind: MoveKind, *, place: str, target: str) -> str:
    """place, target: where the deal stands and where it was told to go."""
    what = TITLES[kind][2:]
    if kind is not MoveKind.BACK:
        return f"{customer} {what}要写原因，例如「{customer}{_EXAMPLES.get(kind, what)}」。"
    example = f"{customer}退回到{target}，客户换了负责人"
    return f"{customer} 现在在「{place}」，{what}要写原因，例如「{example}」。"


def card_title(customer: str, target: str) -> str:
    return f"推进到{target} · {customer}"[:36]


def missing(place: str, target: str, specs: Sequence[SlotSpec]) -> str:
    labels = "、".join(spec.label for spec in specs)
    return f"从「{place}」到「{target}」还差{len(specs)}项：{labels}。填好或直接回我就推进。"


def still_missing(specs: Sequence[SlotSpec]) -> str:
    return f"还没有推进，还差{len(specs)}项。{specs[0].question}"


def moved(customer: str, came_from: str, went_to: str, filled: int) -> str:
    return f"{customer}：{came_from} → {went_to}（必填{filled}项已填）。停留天数从今天重新算。"


def went_back(customer: str, came_from: str, went_to: str, reason: str) -> str:
    return f"{customer}：{came_from} 退回到 {went_to}，原因：{reason}。"


def changed_state(customer: str, what: str, reason: str) -> str:
    return f"{customer} {what}，原因：{reason}。" if reason else f"{customer} {what}。"


def propose(customer: str, target: str) -> str:
    return f"{customer} 要推进到「{target}」阶段吗？"


def entry(came_from: str, went_to: str, facts: Sequence[str], reason: str) -> str:
    tail = "；".join([*facts, *([f"原因：{reason}"] if reason else [])])
    return f"{came_from} → {went_to}" + (f"；{tail}" if tail else "")


FUNNEL = "漏斗"
CONVERSION = "线索转化"


def funnel_line(
    stage: str, *, here: int, reached: int, rate: str, stay_days: int | None, stuck_days: int
) -> str:
    now = f"现有{here}家，到过{reached}家，进下一阶段 {rate}"
    stay = " —" if stay_days is None else f"{stay_days}个工作日"
    return f"- {stage}：{now}，停留{stay}（停滞线{stuck_days}个工作日）"


def funnel(whose: str, library: str, lines: Sequence[str]) -> str:
    head = f"{whose}漏斗（{library}，按客户去重，到过含跨过）："
    tail = "停留为已结束停留的中位数，和停滞线一样只数中间隔着的工作日；没有数据的显示「—」。"
    return "\n".join([head, *lines, tail])


def conversion_line(on: date, leads: int, converted: int, rate: str) -> str:
    return f"- {day(on)}：线索{leads}家，转成商机{converted}家，转化率 {rate}"


def conversion(whose: str, lines: Sequence[str]) -> str:
    head = f"{whose}线索转化（按客户去重）："
    tail = (
        "线索：当天当过线索的客户，即商机还在第一个阶段。转成商机：其中当天结束时已过第一个阶段的。"
        "没有线索的日子显示「—」。"
    )
    return "\n".join([head, *lines, tail])
