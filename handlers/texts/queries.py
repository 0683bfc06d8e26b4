"""What the bot answers to questions about work and lights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from bot.domain.opportunities import Light, Opportunity
from handlers.texts import customers
from handlers.texts.dialog import short_company

NOTHING_TO_DO = "今天没有待办：没有约好要联系的客户，没有亮灯，也没有填到一半的记录。"
NO_LIGHTS = "你名下没有亮灯的客户。"
NO_TEAM_LIGHTS = "你和你的团队现在没有亮灯的客户。"
NOT_YET = "这个我现在还答不上来。发「帮助」看看我能做什么。"
NOT_YET_IN_BETWEEN = (
    "这个我现在还答不上来，也没有写进卡片。"
    "上面那张卡片还等着你：补上缺的内容，或回复「确认」「取消」。"
)
NO_RANKING = "我不排名次，只看过程数据："
SNOOZE_WHICH = "要延后哪家客户的灯？请带上客户名和原因，例如「恒锐机电的黄灯缓两天，他们在盘点」。"

COVERED = "代班"
TALK = "沟通记录"
DRAFTS = "没填完的记录"
OWED = "待补和已锁定"
REVIEWS = "条款复核"
LOSSES = "丢单原因没填"
OVERDUE = "约好没联系"
REDS = "红灯"
TEAM_REDS = "团队红灯"
SIGNALS = "客户有动静"
TODAY = "今天约好"
YELLOWS = "黄灯"
STUCK = "阶段停滞"

SHOWN = {
    DRAFTS: 4,
    OWED: 5,
    REVIEWS: 5,
    LOSSES: 3,
    OVERDUE: 6,
    REDS: 6,
    TEAM_REDS: 8,
    SIGNALS: 6,
    TODAY: 6,
    YELLOWS: 4,
    STUCK: 2,
}
"""Lines of each section of the to-do list; the rest is counted, so that sixty items stay one
screen."""

MOST_LIGHTS = 20

Section = tuple[str, Sequence[str]]


def open_draft(title: str, customer: str, missing: int) -> str:
    lacks = f"，还缺{missing}项" if missing else "，等你确认"
    return f"📝 {short_company(customer) or '客户待定'} · {title}{lacks}"


def clause_review(customer: str, number: str, due: datetime, *, late: bool) -> str:
    """due: in the team's zone."""
    until = f"{customers.when(due)}到期" + ("，已过期" if late else "")
    return f"📄 {short_company(customer)} 合同 {number} · {until}，发「回款 {customer}」看进展"


def loss_without_reason(customer: str) -> str:
    name = short_company(customer)
    return f"📉 {name} · 回一句「{name}丢单，因为价格」就补上"


def light_line(
    deal: Opportunity,
    gap_days: int,
    *,
    owner: str = "",
    promised: datetime | None = None,
    today: date | None = None,
) -> str:
    """🔴 恒锐机电（张伟） 6个工作日没跟进，约好11月20日(周五)联系. promised: local."""
    mark = {Light.RED: "🔴", Light.YELLOW: "🟡", Light.GREEN: "⏸" if deal.stuck else "📞"}
    name = short_company(deal.account_name)
    who = f"{name}（{owner}）" if owner else name
    told = [f"{gap_days}个工作日没跟进"] if deal.light is not Light.GREEN else []
    if promised is not None:
        late = "没" if today is not None and promised.date() < today else ""
        told.append(f"约好{customers.promised_words(promised)}{late}联系")
    if deal.stuck:
        told.append("阶段停滞")
    return f"{mark[deal.light]} {who} · {'，'.join(told)}"


def todo_list(sections: Sequence[Section]) -> str:
    """A customer stands once, in the first section it belongs to; "" for nothing to do."""
    parts = _once(sections)
    total = sum(len(lines) for _, lines in parts)
    if not total:
        return ""
    blocks = [_block(title, lines, SHOWN[title]) for title, lines in parts]
    return "\n".join([f"**待办{total}项，从上往下做**", *blocks])


def light_list(sections: Sequence[Section]) -> str:
    """The lit customers; "" for none."""
    parts = _once(sections)
    if not parts:
        return ""
    blocks = [_block(title, lines, MOST_LIGHTS) for title, lines in parts]
    ending = "做一次有效跟进灯就灭；暂时跟不了可以说「某客户延后2天」并写原因。"
    return "\n".join([*blocks, "", ending])


def no_light(customer: str) -> str:
    return f"「{customer}」没有进行中的商机，也就没有灯。"


def _once(sections: Sequence[Section]) -> list[Section]:
    seen: set[str] = set()
    parts: list[Section] = []
    for title, lines in sections:
        fresh = [line for line in lines if line not in seen]
        seen.update(fresh)
        if fresh:
            parts.append((title, fresh))
    return parts


def _block(title: str, lines: Sequence[str], shown: int) -> str:
    listed = [f"- {line}" for line in lines[:shown]]
    if len(lines) > shown:
        listed.append(f"- 还有{len(lines) - shown}项")
    return "\n".join([f"**{title}（{len(lines)}）**", *listed])
