"""What the streams and reports say of approvals and check-ins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from bot.domain.approvals import MEANINGS, STATE_WORDS
from handlers.texts.money import yuan

WITHDRAWN = "（平台更正：这条不再有效）"
MOST_CONTROLS = 8
LONGEST = 80


def approval_title(meaning: str, state: str) -> str:
    """审批 · 折扣价格（已通过）"""
    return f"审批 · {MEANINGS[meaning]}（{STATE_WORDS[state]}）"


def approval_entry(
    title: str, applicant: str, amount_fen: int | None, controls: Sequence[tuple[str, str]]
) -> str:
    lines = [f"{title}，{applicant}发起" if applicant else title]
    if amount_fen is not None:
        lines.append(f"金额：{yuan(amount_fen)}")
    lines += [f"{name}：{text[:LONGEST]}" for name, text in controls[:MOST_CONTROLS]]
    return "\n".join(lines)


def approval_node(meaning: str, state: str) -> str:
    """审批「折扣价格」已通过"""
    return f"审批「{MEANINGS[meaning]}」{STATE_WORDS[state]}"


def approver(name: str, span: str, outcome: str) -> str:
    """王建国 2.5 小时 同意"""
    return f"{name} {span}{f' {outcome}' if outcome else '，还没处理'}"


CHECK_IN = "签到"


def check_in_entry(name: str, at: datetime, place: str, note: str) -> str:
    """at: local."""
    where = f"，{place}" if place else ""
    return f"{name} {at:%H:%M} 签到{where}" + (f"\n{note}" if note else "")


def no_longer(day: date) -> str:
    return f"{day.month}月{day.day}日的签到已在平台更正，不再有效。"


def cannot_read(platform: str, reason: str) -> str:
    where = {"wecom": "企业微信的审批或打卡", "dingtalk": "钉钉的审批或考勤"}[platform]
    return (
        f"读不到{where}：{reason}\n请检查应用的接口权限；"
        "不需要时，在配置里去掉 approvals 和 checkins。"
    )
