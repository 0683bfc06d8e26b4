"""The numbers of the policy in words: what each is called, what it means, how it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.policy_changes import Setting, Value, ValueKind

ADMINS_ONLY = "设置由管理员改；销售总监可以改自己团队的。"
ORGANISATION_ADMINS_ONLY = "这一项整个公司共用，由管理员改。"
ON, OFF = "开", "关"
CONFIRM, CANCEL, UNDO = "确认修改", "取消", "撤销"
DONE, CANCELLED, UNDONE = "已生效", "已取消", "已撤销"
NOTHING_CHANGED = "好的，没有改动。"
BY_DEFAULT = ("默认", "恢复默认")
MOST = 999
HISTORY = 8


@dataclass(frozen=True, slots=True)
class Words:
    """How one setting is told to people. label: what the setting is called. unit: behind a number.
    meaning: what it does."""

    label: str
    unit: str
    meaning: str


_CHOICES = {
    ValueKind.COUNTED_ON: {"workday": "工作日", "office": "办公时间", "calendar": "自然日"},
    ValueKind.RELATIVE_TO: {"scale": "分数", "mean": "平均分", "rep": "销售评分"},
}
_H, _D, _WD = "小时", "天", "个工作日"

WORDS = {
    "lights.yellow_days": Words("黄灯天数", _WD, "没有有效跟进满这么多，亮黄灯"),
    "lights.red_days": Words("红灯天数", _WD, "没有有效跟进超过这么多，亮红灯并告诉主管"),
    "pushes.group_wait_min": Words("合并推送等待", "分钟", "这段时间里的灯合成一张卡片"),
    "pushes.group_max": Words("卡片条数", "条", "一张卡片最多列这么多线索"),
    "pushes.repeat_after_h": Words("催办间隔", _H, "红灯没人点知道了，过这么久再提醒主管"),
    "pushes.repeat_clock": Words("催办计时", "", "催办间隔按哪种时间算"),
    "pushes.quiet_from": Words("免打扰开始", "", "从这时起不推送"),
    "pushes.quiet_until": Words("免打扰结束", "", "从这时起可以推送"),
    "pushes.digest_at": Words("晨报时间", "", "工作日这时发待办清单和主管汇总"),
    "pushes.weekly_at": Words("周报时间", "", "每周最后一个工作日这时发小结"),
    "pushes.snooze_max_workdays": Words("延后上限", _WD, "销售自己最多把灯延后这么久"),
    "pushes.snooze_reasons": Words("延后理由", "", "卡片上可选的理由"),
    "actions.late_hours": Words("补录时限", _H, "动作发生后超过这么久才记，要主管解锁"),
    "actions.late_clock": Words("补录计时", "", "补录时限按哪种时间算"),
    "actions.remind_after_h": Words("补全提醒", _H, "纪要或字段没补全，过这么久提醒销售"),
    "actions.call_min_s": Words("电话最短时长", "秒", "电话至少这么长才算有效"),
    "actions.same_file_customers": Words(
        "同一方案客户数", "家", "同一文件发给这么多家，不再算专门方案"
    ),
    "drafts.ttl_h": Words("草稿有效期", _H, "草稿没人确认，过这么久作废"),
    "drafts.auto_confirm": Words("自动存草稿", "", "读得清楚、填得完整的记录不用按确认，直接保存"),
    "drafts.min_confidence": Words("识别把握", "", "读得没这么有把握的内容要人确认（0到1）"),
    "drafts.use_habits": Words("记住叫法", "", "同样的叫法选过一次客户，下次不再问"),
    "diagnosis.look_back_days": Words("诊断天数", _D, "诊断往回看这么多天"),
    "diagnosis.dead_days": Words("沉睡天数", _WD, "超过这么久没有有效跟进，诊断里算沉睡"),
    "customers.pool_after_workdays": Words(
        "公海天数", _WD, "没有有效跟进满这么久，客户进公海；0为不进"
    ),
    "customers.pool_warn_workdays": Words("公海预警", _WD, "进公海前提前这么久告诉负责人"),
    "customers.claims_per_day": Words("每日领取上限", "个", "一个人一天最多从公海领这么多"),
    "customers.claims_held": Words("公海持有上限", "个", "一个人手里最多留这么多公海客户"),
    "customers.reclaim_after_days": Words("再领间隔", _D, "原负责人过这么久才能再领"),
    "customers.accept_h": Words("线索接收时限", _H, "分到的线索过这么久没人接，告诉主管"),
    "receivables.due_days": Words("预付款期限", _D, "合同没写付款日时，签约后这么多天到期"),
    "receivables.review_workdays": Words("条款复核期限", _WD, "法务和销售要在这么久内复核完"),
    "receivables.checklist": Words("条款复核清单", "", "复核人逐项打勾的内容"),
    "forecasts.evidence_days": Words(
        "凭据有效期", _D, "意向级别的凭据这么多天后到期，级别随之下调"
    ),
    "forecasts.evidence_warn_days": Words("凭据到期提醒", _D, "到期前这么多天提醒销售"),
    "forecasts.cosign_h": Words("复评时限", _H, "客户成功要在这么久内复评"),
    "forecasts.cosign_difference": Words(
        "复评差距", "", "两边相差超过这么多要三方会审；是多少分还是百分之几，看「复评差距算法」"
    ),
    "forecasts.relative_to": Words(
        "复评差距算法", "", "差距按分数算，还是按占平均分、占销售评分的百分比算"
    ),
    "forecasts.remind_at": Words("预测提醒时间", "", "提交日这个时间提醒没交的人"),
    "forecasts.lock_at": Words("预测锁定时间", "", "提交日这个时间锁定"),
    "supply.above_wan": Words("备货推送金额", "万元", "L1 商机超过这个金额时通知仓储和计划"),
    "supply.remind_after_h": Words(
        "备货催收", _H, "备货通知过这么久（上班时间）没人按收到，提醒一次"
    ),
    "supply.escalate_after_h": Words("备货升级", _H, "提醒后再过这么久还没人按，告诉其主管"),
    "privacy.raw_chat_days": Words(
        "原文保留", _D, "收发的消息和已结束的草稿过这么久删去原文，至少30天；0为一直保留"
    ),
    "privacy.history_years": Words(
        "动态原话保留", "年", "没有在谈商机的客户，动态里的话过这么久删去，至少2年；0为一直保留"
    ),
}

_GROUPS = {
    "lights": "灯", "pushes": "推送", "actions": "动作", "drafts": "草稿", "diagnosis": "诊断",
    "customers": "客户和公海", "receivables": "回款",
    "forecasts": "意向和预测",
    "supply": "供应链", "privacy": "个人信息",
}  # fmt: skip

_OFF_AT_ZERO = frozenset({"customers.pool_after_workdays"})

_NUMBER = re.compile(r"(?P<number>\d{1,6}(?:\.\d{1,3})?) ?(?P<unit>\D{0,4})")
_CLOCK = re.compile(r"(?P<hour>\d{1,2})(?:[:：点时](?P<minute>\d{1,2})?分?|(?P<half>点半))")


def label(key: str) -> str:
    return WORDS[key].label


def group(table: str) -> str:
    """What the numbers of one table of policy.toml are about."""
    return _GROUPS[table]


def key_of(words: str) -> str | None:
    """By its name, as people type it."""
    return next((key for key, one in WORDS.items() if one.label == words), None)


def key_in(words: str) -> str | None:
    """By its name, or without its unit: 黄灯, 免打扰开始时间."""
    return key_of(words) or key_of(f"{words}天数")


def value(setting: Setting, given: Value) -> str:
    """«3个工作日», «开», «08:30», «24、44小时»."""
    if isinstance(given, bool):
        return ON if given else OFF
    if isinstance(given, list):
        return "、".join(str(item) for item in given) + WORDS[setting.key].unit if given else "无"
    if setting.kind in _CHOICES:
        return _CHOICES[setting.kind][str(given)]
    if setting.key in _OFF_AT_ZERO and not given:
        return OFF
    return f"{given}{WORDS[setting.key].unit}"


def read_value(setting: Setting, text: str) -> Value | None:
    """What somebody typed; None if it is no such value."""
    text = text.strip(" 。「」")
    match setting.kind:
        case ValueKind.FLAG:
            return {"开": True, "打开": True, "开启": True, "是": True,
                    "关": False, "关闭": False, "否": False}.get(text)  # fmt: skip
        case ValueKind.CLOCK:
            return _read_clock(text)
        case ValueKind.COUNTED_ON | ValueKind.RELATIVE_TO:
            words = _CHOICES[setting.kind]
            return next((key for key, word in words.items() if word == text), None)
        case ValueKind.TEXTS:
            parts = [part.strip() for part in re.split(r"[、,，;；]", text)]
            return [part[:30] for part in parts if part][:9] or None
        case ValueKind.HOURS:
            bare = text.removesuffix("小时").removesuffix("h").strip()
            parts = re.split(r"[、,， ]+", bare)
            whole = all(re.fullmatch(r"\d{1,3}", part) for part in parts)
            return [int(part) for part in parts] if whole else None
        case ValueKind.WHOLE | ValueKind.SHARE:
            off = setting.key in _OFF_AT_ZERO and text in (OFF, "关闭")
            return 0 if off else _read_number(setting, text)


def _read_number(setting: Setting, text: str) -> Value | None:
    match = _NUMBER.fullmatch(text)
    unit = WORDS[setting.key].unit
    usual = ("", unit, unit.removeprefix("个"), *([_D] if unit == _WD else []))
    if match is None or match["unit"].strip() not in usual:
        return None
    if setting.kind is ValueKind.SHARE:
        return float(match["number"])
    whole = int(match["number"]) if match["number"].isdecimal() else None
    return whole if whole is not None and whole <= MOST else None


def _read_clock(text: str) -> Value | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute = int(match["hour"]), 30 if match["half"] else int(match["minute"] or 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def listing(lines: Sequence[tuple[str, str, bool]]) -> str:
    """lines: key, present value in words, whether it was changed."""
    parts = ["**可以改的设置**"]
    group = ""
    for key, words, changed in lines:
        table = key.split(".")[0]
        if table != group:
            group = table
            parts.append(f"**{_GROUPS[table]}**")
        parts.append(f"- {label(key)}：{words}{'（改过）' if changed else ''}")
    parts.append("> 看一项发「设置 黄灯天数」，改发「设置 黄灯天数 2」，改过的发「设置记录」。")
    return "\n".join(parts)


def which(words: str) -> str:
    return f"没有叫「{words}」的设置。发「设置」看全部。"


def explained(setting: Setting, *, now: str, default: str, teams: Sequence[str], last: str) -> str:
    """teams: those with a number of their own, in words. last: who changed it last, or ""."""
    words = WORDS[setting.key]
    lines = [f"**{words.label}**：{words.meaning}。", f"现在：{now}；默认：{default}"]
    lines += [f"单独设的团队：{'、'.join(teams)}"] if teams else []
    lines += [f"上次修改：{last}"] if last else []
    team = "；只改一个团队，在后面加「给 李敏团队」" if setting.per_team else ""
    lines.append(
        f"> 改：设置 {words.label} {example(setting)}；恢复：设置 {words.label} 默认{team}"
    )
    return "\n".join(lines)


def example(setting: Setting) -> str:
    return {
        ValueKind.FLAG: "开",
        ValueKind.CLOCK: "08:45",
        ValueKind.HOURS: "8、24、44",
        ValueKind.TEXTS: "理由一、理由二",
        ValueKind.COUNTED_ON: "工作日",
        ValueKind.RELATIVE_TO: "平均分",
        ValueKind.SHARE: "0.8",
        ValueKind.WHOLE: "3",
    }[setting.kind]


def unreadable(setting: Setting, text: str) -> str:
    limit = f"，最大 {MOST}" if setting.kind is ValueKind.WHOLE else ""
    return f"「{text}」不是{label(setting.key)}的写法，例如：{example(setting)}{limit}"


def refused(setting: Setting, to: str, why: str) -> str:
    """why: what the rules say, with keys as in the file."""
    for key, words in WORDS.items():
        why = re.sub(rf" ?\b{key.split('.')[1]}\b ?", words.label, why)
    return f"{label(setting.key)}不能改成 {to}：{why}"


def same(setting: Setting, now: str) -> str:
    return f"{label(setting.key)}现在就是 {now}，不用改。"


def stale(setting: Setting, now: str) -> str:
    return f"{label(setting.key)}已经被别人改过，现在是 {now}。这次没有改，请重新发「设置」。"


def changed_since(setting: Setting, now: str) -> str:
    return f"{label(setting.key)}后来又改过，现在是 {now}，这里不能撤销。"


def leads_nobody(name: str) -> str:
    return f"{name}名下没有团队成员，改了也不影响谁。"


def not_per_team(setting: Setting) -> str:
    return f"{label(setting.key)}整个公司共用，不能只给一个团队。"


def title(setting: Setting) -> str:
    return f"改设置：{label(setting.key)}"


def preview(setting: Setting, *, was: str, to: str, whose: str, people: int) -> list[str]:
    return [
        WORDS[setting.key].meaning,
        f"{was} → {to}",
        f"影响：{whose}，{people}人；从下一条消息、下一轮推送起生效，已经排好的提醒不变。",
    ]


def changed(setting: Setting, *, to: str, whose: str) -> str:
    return f"{whose}的{label(setting.key)}改为 {to}，已生效。"


def told(setting: Setting, *, was: str, to: str, whose: str, by: str) -> str:
    return f"{by}把{whose}的{label(setting.key)}从 {was} 改为 {to}：{WORDS[setting.key].meaning}。"


def history(lines: Sequence[str]) -> str:
    if not lines:
        return "还没有人改过设置，都是默认值。"
    return "\n".join(["**设置记录（最近的在前）**", *(f"- {line}" for line in lines)])


def history_line(setting: Setting, *, day: str, by: str, whose: str, was: str, to: str) -> str:
    return f"{day} {by}：{whose} {label(setting.key)} {was} → {to}"
