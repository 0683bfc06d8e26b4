"""What the bot says about deals as forecast lines of an ERP, and which contract is whose."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.domain.erp_sales import Blocked
from handlers.texts.erp import held_words

PAIR_HOW = (
    "可以说「ERP预测 重写 GD-C12」，用我方的数重写；"
    "「ERP预测 HT-2026-018 是 GD-D5」，说明合同属于哪个商机；"
    "「ERP预测 HT-2026-018 没有商机」。"
)
_REP_MENDS = {Blocked.NO_AMOUNT: "金额", Blocked.NO_EXPECTED_DAY: "预计成交日"}


def deal_label(key: str, customer: str) -> str:
    return f"{customer}（{key}）"


def deal_lacks(customer: str, lacking: Collection[Blocked]) -> str:
    """To its rep; "" where nothing is lacking that a rep can mend."""
    missing = [words for why, words in _REP_MENDS.items() if why in lacking]
    if not missing:
        return ""
    return (
        f"{customer}的商机缺{'和'.join(missing)}，计划部门在 ERP 里还看不到这一单。"
        "补上请发「改预测 客户名 金额 日期」，例如「改预测 恒锐机电 35万 12月20日」。"
    )


def stuck_for_rep(customer: str, reason: str) -> str:
    """A conflict, to the deal's rep, who cannot decide it."""
    return (
        f"{customer}这一单的预测，计划部门在 ERP 里改过，{held_words(reason)}，没有覆盖。"
        "已请计划核对；商机有变化请发「改预测」。"
    )


def which_deal(number: str, keys: Sequence[tuple[str, str]]) -> str:
    """keys: of the lines that the contract may replace, with the deals' names."""
    listed = "，".join(f"{key} {name}" for key, name in keys)
    return (
        f"合同 {number} 可能属于几个商机：{listed}。为免重复计算，这些商机先不写进 ERP。"
        f"请回复「ERP预测 {number} 是 {keys[0][0]}」，都不是就回复「ERP预测 {number} 没有商机」。"
    )


def deal_said(number: str, key: str) -> str:
    """key: "" for no deal."""
    return (
        f"好的，合同 {number} {f'是 {key} 的' if key else '不属于在册的商机'}，ERP 预测随之更新。"
    )


def no_such_pair(number: str, key: str) -> str:
    return f"合同 {number} 的客户没有商机 {key}。"


def no_such_contract(number: str) -> str:
    return f"没有登记过合同 {number}。"
