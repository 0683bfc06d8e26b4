"""A rule as a sentence that a rep can read. WORDING changes whenever a sentence here or in
`reasons.py` does, so that an old evidence pack is not held to new words."""

from __future__ import annotations

from datetime import date

from bot.domain.approvals import MEANINGS, STATE_WORDS
from bot.domain.payouts.conditions import CONTRACT, PAID, PAID_RATIO, Condition
from bot.domain.payouts.expressions import Comparison, Node, Word
from bot.domain.payouts.money import percent, short_yuan
from bot.domain.payouts.reasons import BASE_WORDS
from bot.domain.payouts.rules import Collab, Mode, Penalty, Rule, Scope, Tier

WORDING = 2

APPROVAL = "approval_"
"""How fields of approvals begin; see `bot.domain.approvals.MEANINGS`."""

_FIELDS = {
    CONTRACT: "合同额",
    PAID: "回款",
    PAID_RATIO: "回款率",
    "kind": "合同类型",
    "closer": "签单人",
    "original_seller": "原销售",
    "lead_provider": "线索提供人",
    "signed_at": "签约时间",
    "id": "合同编号",
    "attendance_days": "签单人签约当月出勤天数",
    "late_days": "签单人签约当月迟到天数",
    "early_days": "签单人签约当月早退天数",
    "absent_days": "签单人签约当月缺卡天数",
    "outside_checkins": "签单人签约当月外出签到次数",
    "customer_checkins": "签单人在该客户处的签到次数",
    **{f"{APPROVAL}{key}": f"「{name}」审批" for key, name in MEANINGS.items()},
}
_VALUES = {"new": "新签", "upsell": "增购", "renewal": "续约", True: "是", False: "否", None: "空"}
_OPS = {">=": "≥", ">": "＞", "<=": "≤", "<": "＜", "==": "为", "!=": "不是", "in": "属于"}


def in_words(rule: Rule) -> str:
    """One sentence; what it says is all that the rule does."""
    parts = [_payment(rule)]
    if rule.collab:
        parts.append(_collab(rule.collab))
    if rule.penalty:
        parts.append(_penalty(rule.penalty))
    if rule.exclusive:
        group, priority = rule.exclusive.group, rule.exclusive.priority
        parts.append(f"与「{group}」组的其他规则不同时发放，序号小的优先，本规则序号 {priority}")
    if rule.fund_bp:
        parts.append(f"季度合计的 {percent(rule.fund_bp)} 划入成长基金")
    if rule.supersedes is not None:
        parts.append(f"发布后取代第{rule.supersedes}版，已发放的不改，差额在下一次发放时补发或冲回")
    if rule.legal_approval:
        parts.append(f"已签合同的奖金因此追溯减少的，由法务{rule.legal_approval}批准")
    return f"「{rule.id}」第{rule.version}版，{_period(rule)}：{'；'.join(parts)}。"


def condition_words(condition: Condition) -> str:
    """合同额≥10万元"""
    if isinstance(condition.value, tuple):
        listed = "、".join(_value(condition.field, each) for each in condition.value)
        return f"{_field(condition.field)}属于({listed})"
    value = _value(condition.field, condition.value)
    return f"{_field(condition.field)}{_OPS[condition.op]}{value}"


def _payment(rule: Rule) -> str:
    when = "且".join(condition_words(condition) for condition in rule.when)
    when = f"{when}时，" if when else ""
    base = BASE_WORDS[rule.base]
    if rule.scope is Scope.REP_MONTH:
        base = f"签单人当月签约合同的累计{base}"
    match rule.mode:
        case Mode.FLAT:
            return f"{when}按{base}的 {percent(rule.rate_bp)} 提成"
        case Mode.FIXED:
            each = "每位签单人每月" if rule.scope is Scope.REP_MONTH else "每份合同"
            return f"{when}{each}固定 {short_yuan(rule.amount_fen)}"
        case Mode.CAP:
            return f"{when}每份合同各项奖金合计最多 {short_yuan(rule.cap_fen)}，超出部分从后往前减"
        case Mode.WHOLE:
            return f"{when}按{base}达到的最高一档全额提成：{_reached(rule.tiers)}"
        case Mode.MARGINAL:
            return f"{when}按{base}分段提成：{_slices(rule.tiers)}"


def _reached(tiers: tuple[Tier, ...]) -> str:
    return "，".join(f"{short_yuan(tier.from_fen)}起 {percent(tier.rate_bp)}" for tier in tiers)


def _slices(tiers: tuple[Tier, ...]) -> str:
    ends = [short_yuan(tier.from_fen) for tier in tiers[1:]]
    starts = [short_yuan(tier.from_fen) for tier in tiers]
    spans = [
        f"{start}至{end}的部分 {percent(tier.rate_bp)}"
        for start, end, tier in zip(starts, ends, tiers, strict=False)
    ]
    return "，".join([*spans, f"{starts[-1]}以上的部分 {percent(tiers[-1].rate_bp)}"])


def _collab(collab: Collab) -> str:
    share = f"其中 {percent(collab.share_bp)} 作为协作奖金归{_field(collab.to)}"
    return f"{_expression(collab.when.tree)}时，{share}"


def _penalty(penalty: Penalty) -> str:
    each = (
        short_yuan(penalty.per_complaint_fen)
        if penalty.per_complaint_fen
        else f"本规则提成的 {percent(penalty.per_complaint_bp)}"
    )
    floor = f"扣后该合同提成不低于 {short_yuan(penalty.floor_fen)}"
    return f"每次成立的投诉扣 {each}，{floor}"


def _period(rule: Rule) -> str:
    begins = f"{_day(rule.effective_from)}起"
    if rule.effective_to is None:
        return f"适用于{begins}签约的合同"
    return f"适用于{begins}、{_day(rule.effective_to)}前签约的合同"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _field(name: str) -> str:
    return _FIELDS.get(name, f"「{name}」")


def _value(field: str, value: object) -> str:
    if field == PAID_RATIO and isinstance(value, int):
        return percent(value)
    if field.endswith("_fen") and isinstance(value, int):
        return short_yuan(value)
    if field.startswith(APPROVAL) and value in STATE_WORDS:
        return STATE_WORDS[str(value)]
    return _VALUES.get(value, str(value)) if isinstance(value, str | bool | None) else str(value)


def _expression(node: Node) -> str:
    if isinstance(node, Comparison):
        return f"{_field(node.field)}{_OPS[node.op]}{_side(node)}"
    if node.op == "not":
        return f"并非({_expression(node.parts[0])})"
    word = "且" if node.op == "and" else "或"
    return word.join(
        _expression(part) if isinstance(part, Comparison) else f"({_expression(part)})"
        for part in node.parts
    )


def _side(node: Comparison) -> str:
    def one(operand: Word | str | int) -> str:
        if isinstance(operand, Word):
            name = operand.name
            return _FIELDS.get(name) or _value(node.field, name)
        return _value(node.field, operand)

    if isinstance(node.right, tuple):
        return f"({'、'.join(one(each) for each in node.right)})"
    return one(node.right)
