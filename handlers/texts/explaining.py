"""What the bot says of its own rules."""

from __future__ import annotations

from bot.domain.activities import Grade, Intent
from bot.domain.calendar import ClockKind
from bot.domain.library import ActionLibrary, ActionUnit
from bot.domain.policy import ActionPolicy, LightPolicy, PushPolicy

WHICH = (
    "想问哪条规则？可以这样问：怎么算有效跟进；几天会亮红灯；L2 要什么凭据；提成怎么算。"
    "奖金规则的全文发「奖金规则」。"
)
LEVELS = (
    "**意向等级怎么定**\n"
    "- L1：有 PO 号和 PO 文件\n"
    "- L2：盖章的技术确认函和预算审批邮件，两样都要\n"
    "- L3：客户的需求写清楚了，有对接人\n"
    "- L2.5：L2 太久没有有效跟进，系统自动标的；跟进一次、凭据还在，就恢复 L2\n"
    "「高意向」「八成能签」不能当等级。怎么定级、怎么交凭据，发「预测帮助」。"
)
_CLOCKS = {
    ClockKind.WORKDAY: "只算工作日",
    ClockKind.OFFICE: "只算上班时间",
}
_GRADES = {
    Grade.FILE_ATTACHED: "附上文件",
    Grade.PLATFORM_PROVEN: "平台上有通话或会话记录",
}


def lights(policy: LightPolicy, pushes: PushPolicy) -> str:
    return (
        f"**什么时候亮灯**\n"
        f"- 黄灯：满{policy.yellow_days}个工作日没有有效跟进\n"
        f"- 红灯：超过{policy.red_days}个工作日没有有效跟进\n"
        "- 停滞：在一个阶段停得太久，有跟进也会标\n"
        "记一次有效跟进，灯就灭。暂时跟不了，说「某客户延后2天」并写原因"
        f"（自己最多延{pushes.snooze_max_workdays}个工作日），延后只是不再提醒，灯还亮着。"
    )


def valid_actions(library: ActionLibrary, policy: ActionPolicy) -> str:
    units = [unit for unit in library.units if unit.counts]
    clock = _CLOCKS.get(policy.late_clock)
    within = f"{policy.late_hours}小时" + (f"（{clock}）" if clock else "")
    return "\n".join(
        [
            f"**什么算有效跟进**（动作库：{library.label}）",
            *(f"- {unit.label}：{_wants(unit, policy)}" for unit in units),
            f"动作发生后{within}内要记下，晚了要主管解锁才计有效。"
            "缺的暂时补不上就回「先记下」，留痕但不计有效。",
        ]
    )


def _wants(unit: ActionUnit, policy: ActionPolicy) -> str:
    required = [slot.label for slot in unit.slots if slot.required]
    parts = [f"写清{'、'.join(required)}"] if required else []
    if unit.intent is Intent.LOG_CALL:
        least_s = policy.call_min_s if unit.min_duration_s is None else unit.min_duration_s
        parts.insert(0, f"接通，满{_length(least_s)}" if least_s else "接通")
    if unit.grade in _GRADES:
        parts.append(_GRADES[unit.grade])
    if unit.deadline_h is not None:
        parts.append(f"{unit.deadline_h}小时内记下")
    return "，".join(parts) or "说清经过"


def _length(seconds: int) -> str:
    return f"{seconds}秒" if seconds % 60 else f"{seconds // 60}分钟"
