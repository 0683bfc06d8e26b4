"""What is said about opening pages, and words that pages share. What only one page says stands
in its template (connectors/web/templates)."""

from __future__ import annotations

from datetime import date, datetime, time

from bot.domain.lights import Cleared
from bot.domain.opportunities import Light
from bot.domain.people import Role
from bot.domain.stages import MoveKind
from handlers.texts.dialog import WEEKDAYS

LINK_TITLE = "打开网页"
NO_PAGES = "网页还没有开通，请告诉管理员；在聊天里问我一样能看。"
NO_PAGES_FOR_ADMIN = "网页还没有开通：在 gendan.toml 里写上 public_url，重启后再发一次。"
ONLY_LEADERS = "大屏给主管、销售总监和管理员看。你的客户在「我的客户」里。"
ONLY_ADMINS = "管理页给管理员和销售总监看。"
NO_PLACE = "这一页的地址不完整，请从第一页重新打开。"
NO_SUCH_CUSTOMER = "没有这家客户，或者它不在你能看的范围里。"
NO_SUCH_DEAL = "没有这个商机，或者它不在你能看的范围里。"
NO_SUCH_FILE = "没有这个文件，或者它不在你能看的范围里。"
NO_SUCH_KIND = "没有这种筛选，请从页面上的几项里选。"
NO_WORDS_KEPT = "（满{years}年，原话不再保留）"
FILE_GONE = "这个文件已经不在存储里了，请告诉管理员。"
SIGN_IN_OVER = "这次登录已经用过或超时了，请从聊天里重新打开。"
NO_MEMBER = "这些网页只给公司成员看。你在平台上不是公司的成员，如有疑问请联系你的同事。"
UNKNOWN_PERSON = "还没有认出你是谁：新同事的资料通常几分钟内同步过来，请稍后再试，或告诉管理员。"
GONE_PERSON = "你的账号已停用，网页打不开了。如有疑问请联系管理员。"
NOT_YOUR_CHAT = "没有这个会话，或者它不是你的联系人或客户群。"
PICK_CUSTOMER = "请先选一家客户。"
NO_WAY_TO_WRITE = "机器人暂时没有办法给你发消息，请直接在聊天里告诉它。"

ROLES = {
    Role.REP: "销售",
    Role.SUPERVISOR: "主管",
    Role.SALES_DIRECTOR: "销售总监",
    Role.CSM: "客户成功",
    Role.LEGAL: "法务",
    Role.FINANCE: "财务",
    Role.HRBP: "HRBP",
    Role.PRODUCT: "产品",
    Role.WAREHOUSE: "仓管",
    Role.PLANNING: "计划",
    Role.ADMIN: "管理员",
}
LIGHTS = {Light.GREEN: "正常", Light.YELLOW: "黄灯", Light.RED: "红灯"}
CLEARED = {
    Cleared.VALID_ACTION: "有效跟进",
    Cleared.BACKFILLED: "补录了跟进",
    Cleared.REASSIGNED: "换了负责人",
    Cleared.CLOSED: "商机结束",
    Cleared.PAUSED: "暂缓或休假",
    Cleared.RECALCULATED: "日历或规则更新",
}

MOVES = {
    MoveKind.OPENED: "开始",
    MoveKind.FORWARD: "推进",
    MoveKind.BACK: "退回",
    MoveKind.CLOSED: "结束",
    MoveKind.HELD: "暂缓",
    MoveKind.RESUMED: "恢复",
    MoveKind.REMAPPED: "换动作库",
}


def opens(label: str) -> str:
    return f"打开{label}"


def link(to_page: str) -> str:
    """The message that carries a link."""
    return f"{to_page}\n> 链接只给你用，10分钟内有效，只能打开一次，请不要转发。"


def log_how(customer: str) -> tuple[str, str]:
    """Title and text of what opens the conversation in which a follow-up is told."""
    title = f"记一笔 {customer}"
    return title, (
        f"**{title}**\n直接回我一句话，例如「刚和{customer}通了25分钟电话，嫌价格高，"
        "下周三再联系」。发语音、图片、文件也可以。"
    )


def day(on: date, today: date) -> str:
    """1月28日(周三); with the year where that is another one."""
    year = f"{on.year}年" if on.year != today.year else ""
    return f"{year}{on.month}月{on.day}日(周{WEEKDAYS[on.weekday()]})"


def moment(local: datetime, today: date) -> str:
    return f"{day(local.date(), today)} {local:%H:%M}"


def happened(local: datetime, today: date) -> str:
    """As `moment`; a day alone where only the day is known, which is kept as its midnight."""
    return moment(local, today) if local.time() != time.min else day(local.date(), today)


def size(count: int) -> str:
    """1.2 MB"""
    if count < 1024:
        return f"{count} B"
    if count < 1024 * 1024:
        return f"{count / 1024:.0f} KB"
    return f"{count / 1024 / 1024:.1f} MB"


def lasted(days: int) -> str:
    return f"{days}天" if days else "不到1天"
