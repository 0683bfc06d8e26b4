"""What the bot says about lights: cards, digests, and why an action does not count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from bot.domain.lights import Cleared
from bot.domain.notifying import Reason
from bot.domain.opportunities import Light
from bot.domain.policy import LightPolicy, PushPolicy
from bot.domain.valid_actions import Invalid, Verdict
from handlers.texts.customers import promised_words
from handlers.texts.dialog import WEEKDAYS

MARKS = {Light.RED: "🔴", Light.YELLOW: "🟡", Light.GREEN: "🟢"}

ACKNOWLEDGE = "知道了"
DETAIL = "看详情"
SNOOZE_REASON = "延后原因"

NO_LIGHT = "这些客户的灯已经解除，不用再处理。"
NOT_YOURS = "只有负责人、他的主管和收到提醒的人可以处理这盏灯。"
SNOOZE_WITHOUT_REASON = (
    "延后要有原因：请先在卡片上选一个，或直接回复，例如「恒锐机电延后2天，客户出差」。"
)
SNOOZE_REASON_TOO_LONG = "延后原因太长了，请控制在200字以内。"
SNOOZE_NOT_LATER = "延后的日期要在今天之后。"
SNOOZED_BEFORE = "这盏灯你已经延后过一次。还要延后，请主管来定。"
DETAIL_TITLE = "亮灯详情"

_INVALID = {
    Invalid.NOT_COUNTED: "沟通记录只留痕",
    Invalid.FUTURE_DATED: "时间在将来，还没发生的事不能记",
    Invalid.LOCKED: "补录超过规定时间，已锁定，请主管写明原因后解锁",
    Invalid.MISSING_FIELDS: "必填项没有填全",
    Invalid.UNPROVEN: "缺少要求的附件证明",
    Invalid.NOT_CONNECTED: "电话没有接通",
    Invalid.TOO_SHORT: "通话时长不足3分钟",
    Invalid.SAME_CALL: "和已记录的一通电话时间重叠，按同一通算",
    Invalid.SAME_FILE: "同一份文件已发给多家客户，不算定制方案",
    Invalid.NO_CLOCK: "面访预约要写明几点",
    Invalid.VISIT_PAST: "面访时间已经过去，预约要写将来的时间",
    Invalid.VISIT_MOVED: "是同一次面访改期，只算一次",
}

_CLEARED = {
    Cleared.VALID_ACTION: "有了有效跟进",
    Cleared.BACKFILLED: "补录了有效跟进",
    Cleared.REASSIGNED: "已改派负责人",
    Cleared.CLOSED: "商机已结束",
    Cleared.PAUSED: "商机暂缓或负责人休假",
    Cleared.RECALCULATED: "按最新日历重新计算",
}

_HEADLINES = {
    Reason.FIRST: "跟进提醒",
    Reason.CHANGED: "红灯提醒",
    Reason.REPEAT_DUE: "红灯再次提醒",
    Reason.ESCALATED: "红灯升级提醒",
}


def reason(code: str) -> str:
    """The Chinese words for a stored `Activity.invalid_reason`; "" for none."""
    return _INVALID[Invalid(code)] if code in set(Invalid) else code


def entry_mark(code: str, *, taken_back: bool, locked: bool) -> str:
    """Beside an entry of the stream: why it does not count, or that it is locked; "" if it
    counts and owes nothing."""
    if taken_back:
        return "已撤回"
    words = reason(code)
    if not locked or code == Invalid.LOCKED:
        return words
    return f"{words}，已锁定" if words else "面访纪要没交，已锁定"


def invalid_words(verdict: Verdict) -> str:
    """Why an action does not count; "" if it does."""
    if verdict.reason is None:
        return ""
    words = _INVALID[verdict.reason]
    if verdict.reason is Invalid.MISSING_FIELDS:
        return f"{words}：{'、'.join(verdict.missing)}"
    return words


def day(on: date) -> str:
    """1月28日(周三)"""
    return f"{on.month}月{on.day}日(周{WEEKDAYS[on.weekday()]})"


def lead_line(
    *, name: str, light: Light, gap_days: int, last: str, owner: str = "", marks: Sequence[str] = ()
) -> str:
    """🔴 恒锐机电（张伟） 已6个工作日没有有效跟进（上次 1月20日 电话）。owner: for readers
    who are not the owner."""
    who = f"{name}（{owner}）" if owner else name
    tail = "".join(f" · {mark}" for mark in marks)
    return f"{MARKS[light]} {who} 已{gap_days}个工作日没有有效跟进（{last}）{tail}"


def last_action(on: date, label: str) -> str:
    return f"上次 {on.month}月{on.day}日 {label}"


def no_action_yet(assigned_on: date) -> str:
    return f"{assigned_on.month}月{assigned_on.day}日接手后还没有"


def stuck(stage: str) -> str:
    return f"停滞在{stage}"


def lead_age(days: int) -> str:
    return f"商机已{days}天"


def more(count: int) -> str:
    return f"还有{count}个，回复「我的灯」查看"


def push_title(why: Reason, *, reds: int, yellows: int) -> str:
    counts = [f"红灯{reds}个"] * bool(reds) + [f"黄灯{yellows}个"] * bool(yellows)
    return f"{_HEADLINES[why]}：{'，'.join(counts)}"


def why(step: Reason, lights: LightPolicy, pushes: PushPolicy) -> str:
    """Why this card was sent, with the numbers that applied."""
    hours = int(pushes.repeat_after.total_seconds() // 3600)
    rule = f"{lights.yellow_days}个工作日没有有效跟进亮黄灯，超过{lights.red_days}个亮红灯"
    if step is Reason.REPEAT_DUE:
        return f"为什么提醒：红灯发出后{hours}个工作小时没有人点「知道了」"
    if step is Reason.ESCALATED:
        return "为什么提醒：红灯再次提醒后到下一个工作日仍无人处理，所以告诉你"
    return f"为什么提醒：{rule}"


def how_to_stop(pushes: PushPolicy) -> str:
    return (
        "怎么停：记一次有效跟进灯就灭，或点「知道了」「延后」"
        f"（最多{pushes.snooze_max_workdays}个工作日）"
    )


def uncovered(year: int) -> str:
    return f"⚠ {year}年放假安排还没导入，暂按周一到周五推算"


def snooze_button(workdays: int) -> str:
    return f"延后{workdays}个工作日"


def acknowledged(count: int) -> str:
    return f"已知悉{count}个，不再催。灯要等有效跟进才会灭。"


def snoozed(name: str, until: date) -> str:
    return f"「{name}」已延后，{day(until)}前不再提醒；灯要等有效跟进才会灭。"


def card_acknowledged(count: int) -> str:
    """On the closed card, where WeCom shows ten characters."""
    return f"已知悉{count}个，不再催"


def card_snoozed(until: date) -> str:
    """On the closed card, where WeCom shows ten characters."""
    return f"已延后到{until.month}月{until.day}日"


def snooze_too_long(max_workdays: int, latest: date) -> str:
    return f"自己最多延后{max_workdays}个工作日（到{day(latest)}）。要更久请主管来延后。"


def nothing_to_snooze(name: str) -> str:
    return f"「{name}」现在没有亮灯，不用延后。"


def cleared(name: str, why_cleared: Cleared, owner: str) -> str:
    who = f"{name}（{owner}）" if owner else name
    return f"🟢 {who} 红灯已解除：{_CLEARED[why_cleared]}。"


def detail(
    line: str,
    *,
    stage: str,
    amount: str,
    next_contact: datetime | None,
    snoozed_until: datetime | None,
    acknowledged: bool,
) -> str:
    """One lead of a card, looked at more closely. Times local."""
    known = [
        f"阶段：{stage}" if stage else "",
        f"金额：{amount}" if amount else "",
        f"下次联系：{promised_words(next_contact)}" if next_contact else "下次联系：还没约",
        f"已延后到{day(snoozed_until.date())}" if snoozed_until else "",
        "已知悉" if acknowledged else "",
    ]
    return "\n".join([line, *(f"- {item}" for item in known if item)])


def picture_name(on: date) -> str:
    return f"跟进热力图_{on:%m%d}.png"
