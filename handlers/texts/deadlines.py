"""What the bot says about what a record still owes: reminders, locks, reopening."""

from __future__ import annotations

from datetime import datetime

from bot.domain.deadlines import Awaited, Deadline
from handlers.texts.customers import when
from handlers.texts.dialog import short_company, shorten

WRITE_MINUTES = "写纪要"
COMPLETE = "补齐"
NOT_HELD = "没见成"
ASK_SUPERVISOR = "请主管解锁"

WRITTEN_ON_REMINDER = "（按提醒补写）"
VISIT_NOT_HELD = "面访未成行"
SETTLED = "这件事已经处理完了，不用再按。"
CARD_NOT_HELD = "已记面访未成行"
CARD_ASKED = "已请主管解锁"
HOW_LOCKED = "现在补的记录照样留痕，但要主管写明原因解锁后才计有效。"

_LACKS = {
    Awaited.MINUTES: "面访纪要还没交",
    Awaited.FIELDS: "记录还没补全",
    Awaited.LATE: "补录太晚，等主管解锁",
}


def title(owed: Deadline, *, locked: bool) -> str:
    words = {Awaited.MINUTES: "面访纪要", Awaited.FIELDS: "记录"}.get(owed.awaited, "补录")
    name = shorten(short_company(owed.account_name), 14)
    return f"{words}已锁定：{name}" if locked else f"{words}待补：{name}"


def reminder(owed: Deadline, locks_at: datetime) -> str:
    """locks_at: local."""
    return f"「{owed.account_name} · {owed.title}」{_LACKS[owed.awaited]}，{when(locks_at)}锁定。"


def locked(owed: Deadline) -> str:
    return (
        f"「{owed.account_name} · {owed.title}」{_LACKS[owed.awaited]}，"
        f"过了{owed.hours}小时（只算工作日），已锁定。"
    )


def rule(hours: int) -> str:
    return f"规则：动作之后{hours}小时内（只算工作日）要补全，过时锁定，只有主管能解锁。"


def owed_line(owed: Deadline, locks_at: datetime) -> str:
    """For 待办 and a customer's card. locks_at: local."""
    return f"📎 {short_company(owed.account_name)} · {_owed(owed)}，{when(locks_at)}锁定"


def locked_line(owed: Deadline, rep: str = "") -> str:
    """rep: for readers who are not the rep."""
    name = short_company(owed.account_name)
    who = f"{name}（{rep}）" if rep else name
    return f"🔒 {who} · {_owed(owed)}，已锁定"


def _owed(owed: Deadline) -> str:
    if owed.awaited is Awaited.MINUTES:
        return _LACKS[owed.awaited]
    return f"{owed.title}{_LACKS[owed.awaited].removeprefix('记录')}"


def locked_question(owed: Deadline, text: str) -> str:
    words = f"原话：{shorten(text, 60)}" if text else ""
    return f"{_LACKS[owed.awaited]}，超过{owed.hours}小时已锁定。{words}"


def asked(leaders: list[str], customer: str) -> str:
    if not leaders:
        return f"「{customer}」没有找到能解锁的主管，请联系管理员。"
    return f"已请{'、'.join(leaders)}解锁「{customer}」，解锁后补的记录照常计有效。"


def reopened(customer: str, title: str, by: str, reason: str, hours: int) -> str:
    return (
        f"{by}已解锁「{customer} · {title}」，从现在起{hours}小时内（只算工作日）补上就计有效，"
        f"动态里标为补录。原因：{reason}。"
    )


def you_reopened(customer: str, title: str, hours: int) -> str:
    return f"已解锁「{customer} · {title}」，{hours}小时内（只算工作日）补上就计有效。"


def not_held(customer: str) -> str:
    return f"已记下「{customer}」面访未成行，不再催纪要。改约了直接说新的时间。"
