"""What the bot says in the digest of a supervisor, and to what is done from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from handlers.texts.alerts import day
from handlers.texts.dialog import short_company

LATER = "延后"
ASSIGN = "转给…"
COMMENT = "批注"
ALL = "全部"
WHICH = "处理哪家"
COMMENT_TITLE = "主管批注"

HOW_TO_UNLOCK = "解锁请回「解锁 客户名 原因」。"
CHOOSE_ONE = "请先在卡片上选一家客户再按。"
GONE = "这盏灯已经处理过了，卡片刷新了，请看还剩什么。"
NOTHING_LEFT = "团队红灯都已处理"
NOBODY_TO_TAKE_IT = "你的团队里没有别人可以接手，直接说「把某客户转给某人」也可以。"
COMMENT_TOO_LONG = "批注请控制在500字以内。"
NOT_YOURS_TO_COMMENT = "批注由负责人的主管来写。"
WHICH_TO_COMMENT = "要批注哪家客户？例如「批注 恒锐机电 价格可以再让两个点」。"


def title(on: date, *, reds: int, locked: int) -> str:
    counts = [f"红灯{reds}个"] * bool(reds) + [f"新锁定{locked}条"] * bool(locked)
    return f"{day(on)}团队早报：{'，'.join(counts) or '没有红灯要催'}"


def quiet(count: int) -> str:
    return f"另有{count}个已知悉或已延后，不再催"


def stuck(names: Sequence[str]) -> str:
    shown = "、".join(short_company(name) for name in names[:3])
    return f"⏸ 阶段停滞{len(names)}个：{shown}{'…' if len(names) > 3 else ''}"


def assign_title(customer: str) -> str:
    return f"转给谁：{short_company(customer)}"


def assign_question(customer: str, owner: str) -> str:
    return f"「{customer}」现在由{owner}负责。转给谁？跟进时间会重新算。"


def write_comment(customer: str) -> str:
    return f"「{customer}」批注什么？直接回一句，我转给负责人并记进动态。"


def comment_told(customer: str, by: str, text: str) -> str:
    return f"{by}批注「{customer}」：{text}"


def comment_stored(customer: str, owner: str) -> str:
    return f"批注已转给{owner}，并记进「{customer}」的动态。"
