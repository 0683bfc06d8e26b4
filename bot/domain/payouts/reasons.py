"""Why a line has its amount: one Chinese sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.payouts.lines import Kind
from bot.domain.payouts.money import BP, percent, rounded, short_yuan, yuan
from bot.domain.payouts.rules import Base, Mode, Rule

if TYPE_CHECKING:
    from bot.domain.payouts.evaluating import Amount, Award
    from bot.domain.payouts.facts import Deal

BASE_WORDS = {Base.CONTRACT: "合同额", Base.PAID: "回款"}


def named(rule: Rule | None) -> str:
    return f"规则「{rule.id}」第{rule.version}版" if rule else "期初已付"


def accrual(deal: Deal, award: Award, before: Award | None) -> str:
    """before: what the slot was awarded when last looked at."""
    text = f"合同 {deal.id} 按{named(award.rule)}：{calculation(award.amount)}"
    if award.kind is Kind.COLLAB and award.rule.collab:
        text += f"，其中协作奖金 {percent(award.rule.collab.share_bp)} 归 {award.person}"
    whole = award.fen + award.cut_fen
    if whole != award.amount.fen:
        text += f"，{award.person} 分得 {yuan(whole)}"
    if award.cut_fen:
        text += f"，封顶减去 {yuan(award.cut_fen)} 后为 {yuan(award.fen)}"
    if before:
        text += f"，此前已计 {yuan(before.fen)}，本次计 {yuan(award.fen - before.fen)}"
    return text + "。"


def calculation(amount: Amount) -> str:
    """合同额 100,000.00元 × 3% = 3,000.00元"""
    rule = amount.rule
    if amount.month_base_fen is None:
        return f"{_product(rule, amount.base_fen)} = {_result(amount.exact)}"
    product = _product(rule, amount.month_base_fen)
    return f"当月累计{product} = {_result(amount.exact)}，归本合同 {yuan(amount.fen)}"


def taken_back(deal: Deal, gross: int, refunded: int, base: int, due: int) -> str:
    return (
        f"合同 {deal.id} 累计退款 {yuan(refunded)}，占基数 {yuan(base)}，"
        f"已计 {yuan(gross)} 按比例累计追回 {yuan(due)}。"
    )


def reevaluated(deal: Deal, refunded: int, gross: int, left: int) -> str:
    return (
        f"合同 {deal.id} 累计退款 {yuan(refunded)}，按退款后的合同重算应为 {yuan(left)}，"
        f"原计 {yuan(gross)}，差额追回。"
    )


def fined(deal: Deal, rule: Rule, complaints: int, due: int) -> str:
    penalty = rule.penalty
    each = ""
    if penalty:
        each = (
            f"每次扣 {yuan(penalty.per_complaint_fen)}"
            if penalty.per_complaint_fen
            else f"每次扣提成的 {percent(penalty.per_complaint_bp)}"
        )
        each += f"，扣后不低于 {yuan(penalty.floor_fen)}"
    return (
        f"合同 {deal.id} 有 {complaints} 次成立的投诉，按{named(rule)}{each}，累计扣 {yuan(due)}。"
    )


def no_longer(deal: Deal, before: Award) -> str:
    return f"合同 {deal.id} 不再适用{named(before.rule)}，冲回已计 {yuan(before.fen)}。"


def amended(deal: Deal, rule: Rule, fen: int) -> str:
    word = "补发" if fen > 0 else "冲回"
    return f"合同 {deal.id} 改按{named(rule)}计算，与已发放的差额{word} {yuan(abs(fen))}。"


def deducted(month: str, *, owed: int, limit: int, fen: int) -> str:
    return (
        f"待追回 {yuan(owed)}，{month} 工资在比例上限和最低工资之内可扣 {yuan(limit)}，"
        f"扣 {yuan(fen)}，余 {yuan(owed - fen)} 结转。"
    )


def _product(rule: Rule, base_fen: int) -> str:
    word = BASE_WORDS[rule.base]
    if rule.mode is Mode.FIXED:
        return "固定金额"
    if rule.mode is Mode.FLAT:
        return f"{word} {yuan(base_fen)} × {percent(rule.rate_bp)}"
    if rule.mode is Mode.WHOLE:
        tier = rule.tier_of(base_fen)
        reached = f"(达到 {short_yuan(tier.from_fen)} 档)"
        return f"{word} {yuan(base_fen)}{reached} × {percent(tier.rate_bp)}"
    slices = rule.slices(base_fen) or [(0, rule.tiers[0])]
    return f"{word} {yuan(base_fen)} 分段：" + " + ".join(
        f"{yuan(fen)} × {percent(tier.rate_bp)}" for fen, tier in slices
    )


def _result(exact: int) -> str:
    """Said to be rounded where it is."""
    fen = yuan(rounded(exact, BP))
    return f"{fen}(四舍五入到分)" if exact % BP else fen
