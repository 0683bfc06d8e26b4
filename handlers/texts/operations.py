"""How queues, timers and connectors are told to administrators."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.texts.binding import PLATFORMS

BOXES = {"inbox": "收到的", "outbox": "要发的"}
LATE_S = {"inbox": 60, "outbox": 15 * 60}
PARTS = {"storage": "数据库", "queue": "收件队列", "tokens": "平台凭证"}

_DOORS = {
    "app": "应用消息和菜单", "aibot": "智能机器人", "robot": "机器人消息", "events": "事件订阅",
    "cards": "卡片点击", "notice": "通知", "archive": "会话存档",
}  # fmt: skip
_JOBS = {
    "audit heads": "发审计链校验值",
    "bonuses of last month": "提醒核算上月奖金",
    "bonuses under new rules": "按新规则重算奖金",
    "compare ERP customers": "核对 ERP 客户",
    "customer pool": "公海回收",
    "digest of lights": "每日汇总",
    "empty old words": "删去到期的原文",
    "disputes that wait": "催没处理的申诉",
    "evidence that has ended": "凭据到期降级",
    "evidence that will end": "提醒快到期的凭据",
    "expire drafts": "作废过期草稿",
    "fade intents": "意向随时间衰减",
    "fetch failed events": "补取没送到的事件",
    "forecast": "机器预测",
    "forecast lock": "锁定预测",
    "forecast reminder": "提醒提交预测",
    "gather signals": "汇总客户动静",
    "growth fund of leavers": "离职人员的成长基金结清",
    "leads nobody took": "催没人接的线索",
    "months of the inbox": "整理按月存的收件",
    "names of archived groups": "读存档客户群的名字",
    "push lights": "推送亮灯",
    "read directories": "同步通讯录",
    "read ERP customers and orders": "读 ERP 客户和订单",
    "read ERPs": "读 ERP 回款",
    "read leaves": "读请假",
    "reconcile ERP forecasts": "核对 ERP 预测",
    "refusals of the week": "拒绝原因周报",
    "remind and escalate": "催办和升级",
    "second signatures": "催还没复评的预测",
    "supply notices nobody took note of": "催没确认的备货通知",
    "sweep deadlines": "查补全和解锁期限",
    "sweep lights": "判灯",
    "watch connections": "看长连接",
    "watch mailboxes": "看邮箱通不通，清理没归属的邮件",
    "watch quota": "看调用量",
    "watch the archive": "看会话存档，清理到期消息",
    "weekly summary": "每周小结",
}
_WEEKDAYS = {
    "mon": "一", "tue": "二", "wed": "三", "thu": "四", "fri": "五", "sat": "六", "sun": "日",
}  # fmt: skip
_FIELDS = {"minute": "分", "hour": "点", "day": "日", "day_of_week": "星期", "month": "月"}

_RAW_KEPT_AT = "设置 原文保留（policy.toml 的 [privacy] raw_chat_days）"
_WORDS_KEPT_AT = "设置 动态原话保留（policy.toml 的 [privacy] history_years）"
_RETENTION = (
    ("群里对机器人说的、还没归到客户的话", "7天", "固定"),
    ("网页登录", "7天后要重新登录", "固定"),
    ("网页链接的记录", "30天", "固定"),
    (
        "收到过一条消息这件事（不含原文）",
        "长期；用 PostgreSQL 时可设几个月",
        "gendan.toml 的 [storage] keep_inbox_months",
    ),
    (
        "客户动态（不含到期的原话）、灯的历史、合同、回款",
        "长期；按客户、联系人、员工删除：gendan erase-customer、erase-contact、erase-person",
        "说明见 docs/privacy.md",
    ),
    ("奖金依据和结果", "长期（工资发放依据至少两年）", "说明见 docs/privacy.md"),
    ("审计链", "长期；内容可按人删除，校验值保留", "说明见 docs/privacy.md"),
)


def retention(raw_chat_days: int, history_years: int) -> tuple[tuple[str, str, str], ...]:
    """What is kept, for how long, and where that is said."""
    raw = f"{raw_chat_days}天，之后每晚删去；时间和处理结果保留" if raw_chat_days else "长期"
    words = f"{history_years}年，有在谈商机的除外；时间、种类和是否有效保留"
    return (
        ("收发的消息、已结束的草稿的原文", raw, _RAW_KEPT_AT),
        ("客户动态里的原话、亮灯推送的记录", words if history_years else "长期", _WORDS_KEPT_AT),
        *_RETENTION,
    )


def emptied(raw_chat_days: int) -> str:
    """Why a message shows no words, and cannot be handled again."""
    ways = ["按客户删除了"]
    if raw_chat_days:
        ways.insert(0, f"原文满{raw_chat_days}天已删去")
    return "，或".join(ways)


def token(until: str, *, good: bool) -> str:
    if not until:
        return "还没取过"
    return f"有效到 {until}" if good else f"已于 {until} 到期，用时会再取"


def connection(trouble: str, since: str) -> str:
    if not trouble:
        return "已连接"
    return f"断开：{trouble}" + (f"（{since}起）" if since else "")


def door(channel: str) -> str:
    name = channel.split(":")[2] if channel.count(":") >= 2 else channel
    return _DOORS.get(name, name)


def place(name: str) -> str:
    """A channel or an application, as people call it."""
    platform, *rest = name.split(":")
    label = PLATFORMS.get(platform, platform.upper())
    door_words = _DOORS.get(rest[1], rest[1]) if len(rest) > 1 else ""
    return " · ".join(filter(None, [label, *rest[:1], door_words]))


def address(key: str, names: Mapping[str, str]) -> str:
    """Of whom a message goes to or comes from. names: of people, by their account."""
    platform, _, rest = key.partition(":")
    kind, _, whom = rest.partition(":")[2].partition(":")
    if kind == "u":
        return names.get(f"{platform}:{whom}") or f"账号 {whom}"
    labels = {"g": "群", "w": "群机器人"}
    return f"{labels[kind]} {whom}" if kind in labels else ""


def waits(where: str, count: int, oldest: str) -> str:
    return f"{where} {count:,}条，最早的{oldest}"


def used_up(when: str, share: int, at_the_end: str) -> str:
    """share: of the month's calls, in percent."""
    return f"{when}的调用量已用{share}%，{at_the_end}"


def month(key: str) -> str:
    """2026-11 -> 11月"""
    return f"{int(key[5:7])}月"


def foretold(count: int | None, limit: int) -> str:
    if count is None:
        return "月初，还估不准"
    over = f"，超出{count - limit:,}次" if count > limit else ""
    return f"按现在的速度，月底约{count:,}次{over}"


def job(name: str) -> str:
    """Of one that there is for each company, too, whose key stands behind its name."""
    return _JOBS.get(name) or next(
        (words for one, words in _JOBS.items() if name.startswith(f"{one} ")), name
    )


def rhythm(trigger: Mapping[str, str]) -> str:
    """Cron fields in words, as far as they are the usual ones."""
    minute, hour = trigger.get("minute", "0"), trigger.get("hour", "*")
    if set(trigger) <= {"minute"}:
        if minute == "*":
            return "每分钟"
        if minute.startswith("*/"):
            return f"每{minute.removeprefix('*/')}分钟"
        return f"每小时第{minute}分"
    if set(trigger) <= {"minute", "hour"} and minute.isdecimal() and "*" not in hour:
        return "每天 " + "、".join(f"{int(one):02}:{int(minute):02}" for one in hour.split(","))
    weekday = _WEEKDAYS.get(trigger.get("day_of_week", ""))
    if weekday and hour.isdecimal() and minute.isdecimal():
        return f"每周{weekday} {int(hour):02}:{int(minute):02}"
    return "，".join(f"{_FIELDS.get(key, key)} {value}" for key, value in trigger.items())


def archive(figures: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    return (
        ("落后", _span(figures.get("lag_seconds", 0.0))),
        ("没有密钥解不开", f"{int(figures.get('undecryptable', 0)):,}条"),
        ("损坏", f"{int(figures.get('broken', 0)):,}条"),
        ("等着取的文件", f"{int(figures.get('files_waiting', 0)):,}个"),
        ("取不到的文件", f"{int(figures.get('files_lost', 0)):,}个"),
    )


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{int(seconds)}秒"
    return f"{int(seconds // 60)}分钟" if seconds < 7200 else f"{int(seconds // 3600)}小时"
