"""The list of somebody's customers in chat."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.opportunities import Light
from handlers.texts.dialog import short_company

SHOWN = 20

_MARKS = {Light.RED: "🔴", Light.YELLOW: "🟡", Light.GREEN: "🟢"}
_NOTHING_OPEN = "⚪"
NONE_OWN = "你名下还没有客户。发「公海」看能领的，或者「新建客户 杭州某某有限公司」。"


def title(name: str, *, own: bool) -> str:
    return "我的客户" if own else f"{name}的客户"


def line(customer: str, light: Light | None, *, stuck: bool) -> str:
    """light: None where no deal is open."""
    mark = _NOTHING_OPEN if light is None else _MARKS[light]
    return f"- {mark} {short_company(customer)}{' · 阶段停滞' if stuck else ''}"


def listing(head: str, lines: Sequence[str], *, own: bool) -> str:
    if not lines:
        return NONE_OWN if own else f"{head}：没有。"
    shown = [f"**{head}（{len(lines)}）**", *lines[:SHOWN]]
    if len(lines) > SHOWN:
        shown.append(f"- 还有{len(lines) - SHOWN}家")
    closing = "⚪没有进行中的商机。看一家发「客户 名字」"
    return "\n".join([*shown, "", closing + ("；全部发「网页」。" if own else "。")])
