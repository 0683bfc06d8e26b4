"""What the pages of bonus rules say."""

from __future__ import annotations

from datetime import date

from bot.domain.payouts.rule_changes import Move, State
from handlers.texts import payout_rules

IN_FORCE, COMING, OVER = "现行", "即将生效", "已失效"
TRIAL_NUMBER = "试算合同"
NEW_ID = "新规则"
STEPS = (
    (State.DRAFT, "草稿"),
    (State.SIMULATED, "试算"),
    (State.SUBMITTED, "送审"),
    (State.APPROVED, "批准"),
    (State.TESTING, "静默试运行"),
    (State.PUBLISHED, "发布"),
)
LABELS = {
    Move.SIMULATE: payout_rules.SIMULATE,
    Move.SUBMIT: payout_rules.SUBMIT,
    Move.APPROVE: payout_rules.APPROVE,
    Move.REFUSE: payout_rules.REFUSE,
    Move.TEST: payout_rules.TEST,
    Move.PUBLISH: payout_rules.PUBLISH,
    Move.DROP: payout_rules.DROP,
}
WAITS_FOR_OTHER = "你写过这份规则，要由另一个人批准。"
NO_CHANGE = "没有这次规则变更。"
NO_RULE = "没有这条规则。"
EMPTY = "至少要有一条规则。"
TOO_MANY = "一次变更最多{most}条规则，请分几次改。"
TOO_LARGE = "内容太大，没有存下。"
NO_AMOUNT = "试算的合同额和回款应是不小于 0 的金额。"
NO_SHAPE = "没读懂要存的内容，请刷新页面后再试。"
TWICE = "规则「{id}」写了两次，请改一个名字。"
FIELDS = {
    "contract_fen": ("合同额", "money"),
    "paid_fen": ("回款", "money"),
    "paid_ratio_bp": ("回款率", "percent"),
    "kind": ("合同类型", "kind"),
    "industry": ("客户行业", "text"),
    "customer": ("客户名称", "text"),
    "lead_provider": ("线索提供人", "text"),
}
"""What the canvas offers for conditions, and how it is typed in."""


def period(begins: date, ends: date | None) -> str:
    if ends is None:
        return f"{payout_rules.day(begins)}起"
    return f"{payout_rules.day(begins)}至{payout_rules.day(ends)}前"


def saved_meanwhile(name: str, at: str) -> str:
    return f"{name}在{at}也存过这份草稿。你的改动还在画布上：可以下载留存，再载入最新的一版。"
