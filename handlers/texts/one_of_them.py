"""What a leader reads about one of their people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from bot.domain.figures import Share, TeamLights
from handlers.texts.customers import when
from handlers.texts.dialog import short_company
from handlers.texts.figures import period


def head(name: str, first: date, last: date) -> str:
    days = f"{first.month}月{first.day}日" if first == last else period(first, last)
    return f"{name} {days}"


def summary(
    title: str,
    share: Share | None,
    kinds: Mapping[str, int],
    lights: TeamLights | None,
    entries: Sequence[str],
) -> str:
    """share: valid actions of all that could count. kinds: title of an entry -> how many."""
    count = sum(kinds.values())
    said = "、".join(f"{kind}{number}" for kind, number in kinds.items())
    valid = share.part if share is not None else 0
    parts = [
        f"**{title}**",
        f"- 记了{count}条（{said}），有效跟进{valid}次" if count else "- 这段时间没有记录",
    ]
    if lights is not None and lights.leads:
        parts.append(
            f"- 进行中{lights.leads}个商机：红灯{lights.red}个，黄灯{lights.yellow}个，"
            f"停滞{lights.stuck}个"
        )
    if entries:
        parts += ["最近：", *entries]
    return "\n".join(parts)


def entry(local: datetime, customer: str, title: str) -> str:
    return f"- {when(local)} {short_company(customer)} · {title}"
