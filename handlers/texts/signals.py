"""What the bot says about what customers do by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.calendar import ClockKind
from bot.domain.signals import LINK, PAGE, PARAMETERS, WHITE_PAPER, Share, SignalRule, Visit
from bot.domain.websites import Website, titles_of
from handlers.texts.alerts import day
from handlers.texts.dialog import shorten

CALLED = "打电话了"
WRITE = "写情况"
SEEN = "知道了"
SEEN_CLOSED = "已知道，不再提醒这一次"
SETTLED = "这一次已经处理过了。"
NO_SITES = "还没有配置网站，请管理员在 gendan.toml 里写 [site.名字]，见 docs/signals.md。"
NO_ADDRESS = "还没有配置外网地址 public_url，链接发出去打不开，请联系管理员。"
ADMIN_ONLY = "网站代码只给管理员看。"
LINK_HOW = "要发哪份资料、给谁？例如：资料链接 白皮书 恒锐"
ENTRY_LINK = "打开了资料"
ENTRY_VISIT = "浏览网站"
MOST_PAGES = 3

_KINDS = {PARAMETERS: "参数页", WHITE_PAPER: "白皮书", PAGE: "普通页", LINK: "资料链接"}
_CLOCKS = {
    ClockKind.WORKDAY: "休息日不算",
    ClockKind.OFFICE: "只算上班时间",
    ClockKind.CALENDAR: "",
}


def when(at: datetime) -> str:
    """3月9日(周一) 10:00. at: local."""
    return f"{day(at.date())} {at:%H:%M}"


def materials(titles: Sequence[str]) -> str:
    listed = "、".join(titles) or "还没有登记的资料"
    return f"可以发的资料：{listed}。也可以直接贴本公司网站的地址。\n{LINK_HOW}"


def no_such_material(title: str, titles: Sequence[str]) -> str:
    return f"没有「{title}」这份资料。{materials(titles)}"


def foreign_address(origins: Sequence[str]) -> str:
    return f"资料链接只能指向自己的网站：{'、'.join(origins)}"


def which_contact(names: Sequence[str]) -> str:
    return f"这家客户没有这个联系人，已有：{'、'.join(names) or '无'}。先在跟进里提到他，再发链接。"


def link_made(title: str, customer: str, contact: str, url: str, until: datetime) -> str:
    to = f"{customer} {contact}".strip()
    known = f"算作{contact}看的" if contact else "算作这家客户看的"
    return (
        f"给{to}的「{title}」，{day(until.date())}前有效，请转发给本人：\n{url}\n"
        f"点开算这家客户的动静；对方在网站上同意后，之后的浏览{known}。"
    )


CONSENTS = ("gendan.consent(true)", "gendan.consent(false)")


def script(url: str, key: str) -> str:
    return f'<script async src="{url}/track.js" data-key="{key}"></script>'


def snippet(site: str, origins: Sequence[str], script: str) -> str:
    given, withdrawn = CONSENTS
    return (
        f"**网站 {site}**（{'、'.join(origins)}）\n"
        f"放在每个页面的 head 里：\n"
        f"{script}\n"
        f"访客同意后调用 `{given}`，撤回用 `{withdrawn}`。"
    )


def visit(visit: Visit, sites: Sequence[Website]) -> str:
    """参数页 2次（R10 减速机参数），白皮书 1次；共约12分钟"""
    counts: dict[str, list[str]] = {}
    for event in visit.events:
        if event.kind != "stay":
            counts.setdefault(event.kind, []).append(event.page)
    parts = []
    for kind, pages in counts.items():
        label = _KINDS.get(kind, kind)
        named = pages_named(titles_of(sites, pages), 60)
        parts.append(f"{label} {len(pages)}次{f'（{named}）' if named not in ('', label) else ''}")
    told = "，".join(parts) or "停留"
    return f"{told}；共约{visit.minutes}分钟"


def opened(title: str) -> str:
    return f"点开了发给他们的「{title}」"


def heat_line(total: float, shares: Sequence[Share], local: Mapping[int, datetime]) -> str:
    """热度 2.5：下载白皮书后没人联系 1.5（3月9日）、… local: place of a share -> local time."""
    told = "、".join(
        f"{share.rule.label} {share.heat:.1f}（{day(local[place].date())}）"
        for place, share in enumerate(shares[:3])
    )
    return f"🔥 热度 {total:.1f}：{told}"


def rule_words(rule: SignalRule) -> str:
    """Why it fired, with the numbers of the policy."""
    often = f"{rule.within_days}天内超过{rule.more_than}次" if rule.more_than else "每次"
    clock = _CLOCKS[rule.clock]
    hours = f"{rule.silent_h}小时{f'（{clock}）' if clock else ''}"
    silent = f"、{hours}没人联系" if rule.silent_h else ""
    return f"{often}{silent}；热度{rule.weight:g}，每{rule.half_life_days:g}天减半"


def task_title(customer: str) -> str:
    return shorten(f"客户有动静：{customer}", 36)


def pages_named(titles: Sequence[str], longest: int) -> str:
    """The first three."""
    more = f"等{len(titles)}页" if len(titles) > MOST_PAGES else ""
    return "、".join(shorten(one, longest) for one in titles[:MOST_PAGES]) + more


def task_lines(
    rule: SignalRule, at: datetime, count: int, titles: Sequence[str]
) -> tuple[str, ...]:
    named = pages_named(titles, 40)
    return (
        f"{rule.label}：{when(at)}，{count}次{f'（{named}）' if named else ''}",
        f"为什么提醒：{rule_words(rule)}",
        "记一次有效跟进就不再提醒。",
    )


def task_line(customer: str, rule_label: str, at: datetime) -> str:
    return f"{customer} {rule_label}（{day(at.date())}），请联系"


def later(customer: str) -> str:
    return f"{customer}的动静不能延后；不用联系就在那张卡片上点「{SEEN}」。"


def from_the_card(customer: str) -> str:
    return f"{customer} 客户有动静，已联系"


def faded(name: str, *, hours: int, clock: ClockKind, since: datetime, left: float) -> str:
    return (
        f"{name}：{when(since)}后没有有效跟进，超过{hours}小时（{_CLOCKS[clock] or '日历时间'}），"
        f"意向只剩 {left:.0%}，L2 暂记为 L2.5。做一次有效跟进就恢复 L2。"
    )


def faded_reason(hours: int) -> str:
    return f"超过{hours}小时没有有效跟进"


def restored_reason(at: datetime) -> str:
    return f"{when(at)}有了有效跟进"


def left_words(
    left: float, *, hours: int, clock: ClockKind, since: datetime, fades_at: datetime | None
) -> str:
    """fades_at: None once it has."""
    rule = f"每{hours}小时（{_CLOCKS[clock] or '日历时间'}）没有有效跟进减半"
    then = f"，{when(fades_at)}后降为 L2.5" if fades_at is not None else "，已降为 L2.5"
    return f"还剩 {left:.0%}：从{when(since)}算起，{rule}{then}。"
