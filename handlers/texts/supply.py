"""What warehouse and planning are told of large sales."""

from __future__ import annotations

from datetime import date

from bot.domain.supply import Notice, NoticeKind, Station
from handlers.texts.money import amount_words

ENTRY = "备货通知"
TITLES = {
    NoticeKind.PUSH: "大单备货通知",
    NoticeKind.CHANGE: "备货变更",
    NoticeKind.WITHDRAWAL: "备货撤回",
}
STATIONS = {Station.WAREHOUSE: "仓储", Station.PLANNING: "计划"}
BY_NAME = {name: station for station, name in STATIONS.items()}
ACKNOWLEDGE = "收到"
MAY_SEE_ROLES = "备货通知由仓储、计划、销售总监或管理员查看。"
ONLY_STATIONS = "备货通知由仓储、计划或管理员确认。"
ONLY_ADMINS = "推送到哪个群由销售总监或管理员设置。"
ONLY_IN_A_GROUP = "请在要接收通知的群里 @我 说这句话。"
NOBODY_HERE = "没有群，也没有这个角色的人"
NONE = "还没有备货通知。商机升到 L1、金额超过设定值时会自动通知仓储和计划。"
WHICH = "请写上编号，例如「收到 CK20260128-0001」。"
LOST = "商机已丢单或作废"
PAGE = "备货看板"
LIST_TITLE = "备货"


def lines(notice: Notice, *, above_fen: int) -> tuple[str, ...]:
    """The body of a card: what happened, and what is to be done."""
    match notice.kind:
        case NoticeKind.PUSH:
            limit = amount_words(above_fen)
            what = f"客户已下采购订单（L1），金额超过 {limit}，请准备备货和排产。"
        case NoticeKind.CHANGE:
            before = amount_words(notice.before_fen or 0)
            what = f"金额由 {before} 改为 {amount_words(notice.amount_fen)}，请按新金额准备。"
        case NoticeKind.WITHDRAWAL:
            what = "这一单不再是确定订单，请暂停备货。"
    return (what, f"原因：{notice.reason}") if notice.reason else (what,)


def facts(
    notice: Notice, *, customer: str, deal: str, rep: str, order: str
) -> tuple[tuple[str, str], ...]:
    found = [
        ("编号", notice.evidence_id),
        ("客户", customer),
        ("商机", deal if deal != customer else ""),
        ("金额", amount_words(notice.amount_fen)),
        ("采购单", order),
        ("销售", rep),
    ]
    return tuple((name, value) for name, value in found if value)


def in_words(notice: Notice, body: tuple[str, ...], listed: tuple[tuple[str, str], ...]) -> str:
    """Where no card can be shown: a group robot."""
    told = [*body, *(f"- {name}：{value}" for name, value in listed)]
    told.append(f"- 防重号：{notice.key}")
    told.append(f"> 确认：私聊我说「收到 {notice.evidence_id}」")
    return "\n".join(told)


def entry(notice: Notice) -> str:
    """In the customer's stream."""
    told = f"{TITLES[notice.kind]} {notice.evidence_id}，{amount_words(notice.amount_fen)}"
    return f"{told}（{notice.reason}）" if notice.reason else told


def unheard(notice: Notice, stations: list[Station]) -> str:
    names = "、".join(STATIONS[one] for one in stations)
    return (
        f"备货通知 {notice.evidence_id} 没有送到{names}：{NOBODY_HERE}。"
        f"请在群里 @我 说「仓储推送到本群」或「计划推送到本群」，或设置角色。"
    )


def acknowledged(station: Station, who: str, clock: str) -> str:
    return f"{STATIONS[station]} {who} {clock} 已收到"


def acknowledged_before(who: str) -> str:
    return f"{who} 已经确认过了。"


def thanks(notice: Notice) -> str:
    return f"已记下：{notice.evidence_id} 收到。"


def not_acknowledged(notice: Notice, customer: str) -> str:
    what = f"{TITLES[notice.kind]} {notice.evidence_id}"
    return (
        f"{what}（{customer}，{amount_words(notice.amount_fen)}）还没有人确认。"
        f"请按卡片上的「收到」，或私聊我说「收到 {notice.evidence_id}」。"
    )


def still_silent(notice: Notice, station: Station, customer: str) -> str:
    """To whoever leads the station."""
    what = f"{TITLES[notice.kind]} {notice.evidence_id}"
    return (
        f"已提醒过{STATIONS[station]}一次，还没有人确认{what}"
        f"（{customer}，{amount_words(notice.amount_fen)}）。请过问一下；「备货」看全部。"
    )


def no_such(number: str) -> str:
    return f"没有编号 {number} 的备货通知。"


def bound(station: Station) -> str:
    return f"好的，以后给{STATIONS[station]}的备货通知发到本群。"


def unbound(station: Station) -> str:
    return f"好的，给{STATIONS[station]}的备货通知不再发到本群。"


def not_bound(station: Station) -> str:
    return f"给{STATIONS[station]}的备货通知本来就不发到本群。"


def listed(notice: Notice, customer: str, waiting: list[Station], day: date) -> str:
    about = f"{notice.evidence_id} {customer} {amount_words(notice.amount_fen)}"
    told = f"- {day.month}月{day.day}日 {about}"
    if notice.kind is NoticeKind.CHANGE:
        told += "（有变更）"
    if waiting:
        told += f"，{'、'.join(STATIONS[one] for one in waiting)}还没确认"
    return told
