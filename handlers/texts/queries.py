"""What the bot answers to questions about work and lights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from bot.domain.opportunities import Light, Opportunity
from handlers.texts import customers

NOTHING_TO_DO = "今天没有待办：没有约好要联系的客户，没有亮灯，也没有填到一半的记录。"
NO_LIGHTS = "你名下没有亮灯的客户。"
NOT_YET = "这个我现在还答不上来。发「帮助」看看我能做什么。"
SNOOZE_WHICH = "要延后哪家客户的灯？请带上客户名和原因，例如「恒锐机电的黄灯缓两天，他们在盘点」。"


def open_draft(title: str, customer: str, missing: int) -> str:
    lacks = f"，还缺{missing}项" if missing else "，等你确认"
    return f"📝 {customer or '客户待定'} · {title}{lacks}"


def promised(customer: str, local: datetime, today: date) -> str:
    late = "（已过期）" if local.date() < today else ""
    return f"📞 {customer} · 约好{customers.when(local)}联系{late}"


def light_line(deal: Opportunity, gap_days: int) -> str:
    mark = {Light.RED: "🔴", Light.YELLOW: "🟡", Light.GREEN: "⏸"}[deal.light]
    return f"{mark} {deal.account_name} · {customers.light(deal.light, gap_days, stuck=deal.stuck)}"


def todo_list(lines: Sequence[str]) -> str:
    listed = "\n".join(f"- {line}" for line in lines[:30])
    more = f"\n\n还有{len(lines) - 30}项，先从上面的开始。" if len(lines) > 30 else ""
    return f"**今天的待办（{len(lines)}项）**\n{listed}{more}"


def light_list(lines: Sequence[str]) -> str:
    listed = "\n".join(f"- {line}" for line in lines[:30])
    return f"**亮灯的客户（{len(lines)}家）**\n{listed}\n\n做一次有效跟进灯就灭；暂时跟不了可以说「延后」并写原因。"


def no_light(customer: str) -> str:
    return f"「{customer}」没有进行中的商机，也就没有灯。"
