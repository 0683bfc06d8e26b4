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


HINTS = {
    "cliff": "过了线，整笔金额都换成新一档的比例，所以差一点没到和刚好到的两单，奖金差一大截，"
    "容易有人拆单或压单。确实要这样就照常往下走；不想要，在画布上把「怎么算」改成"
    "「分段：各段按各段的比例」。",
    "equal_priority": "要让另一条优先，在画布上把它的序号改小。",
    "always_beaten": "要让它发得出来，把它的序号改得更小，或者给那一条加上条件。",
    "month_cut": "想整月按同一版算，把生效日改到月初。",
    "absent_field": "可能是字段名写错了，也可能还没有这类合同；这个条件现在一单也不成立。",
}
"""Key of a `Notice` -> what comes of it, and what to do."""

_HINT_TITLES = {
    "cliff": "有{count}处断崖：差一分钱，奖金差很多",
    "equal_priority": "和别的规则分不出先后",
    "always_beaten": "可能一单也发不出来",
    "month_cut": "在月中换版",
    "absent_field": "用到了没有的字段",
}


def hint_title(whose: str, key: str, count: int) -> str:
    return f"{whose}{_HINT_TITLES[key].format(count=count)}"
