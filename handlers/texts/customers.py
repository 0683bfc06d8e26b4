"""What the bot says about customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.opportunities import Light, OpportunityState
from handlers.texts.dialog import WEEKDAYS

STATES = {
    OpportunityState.OPEN: "跟进中",
    OpportunityState.ON_HOLD: "暂缓",
    OpportunityState.WON: "已赢单",
    OpportunityState.LOST: "已丢单",
    OpportunityState.INVALID: "无效",
}
BAD_CUSTOMER_NAME = (
    "客户名请用2到60个字，只含文字、数字、括号、点和短横，例如「新建客户 杭州某某有限公司」。"
)
STREAM_HAS_MORE = "\n\n更早的动态请在客户页面查看。"
WHICH_TO_SHOW = "想看哪家客户？例如「客户 恒锐机电」。"
WHICH_TO_CREATE = "要新建哪家客户？请带上全称，例如「新建客户 杭州某某有限公司」。"


def light(color: Light, gap_days: int, *, stuck: bool) -> str:
    """The light and why, in one phrase."""
    words = {
        Light.GREEN: "正常",
        Light.YELLOW: f"黄灯，已{gap_days}个工作日没有有效跟进",
        Light.RED: f"红灯，已{gap_days}个工作日没有有效跟进",
    }[color]
    if not stuck:
        return words
    return "阶段停滞" if color is Light.GREEN else f"{words}，阶段停滞"


def when(local: datetime) -> str:
    """1月28日(周三) 15:00."""
    return f"{local.month}月{local.day}日(周{WEEKDAYS[local.weekday()]}) {local:%H:%M}"


def promised_words(local: datetime) -> str:
    """Without the hour where nobody said one: such a promise stands at nine."""
    day = f"{local.month}月{local.day}日(周{WEEKDAYS[local.weekday()]})"
    return day if (local.hour, local.minute) == (9, 0) else f"{day} {local:%H:%M}"


def promised(local: datetime) -> str:
    return f"约好{promised_words(local)}联系"


def not_visible(name: str) -> str:
    return f"「{name}」不在你和你团队的客户里，看不到它的动态。需要的话请找主管开通。"


def no_such_customer(words: str) -> str:
    return f"客户名单里没有找到「{words}」。换个叫法试试，或发「新建客户 全称」来新建。"


def which_one(words: str, names: Sequence[str]) -> str:
    listed = "\n".join(f"- {name}" for name in names)
    return f"「{words}」可能是下面几家，请带上全称再发一次：\n{listed}"


def no_stream(name: str) -> str:
    return f"「{name}」还没有动态。直接告诉我你和他们的跟进，就会记在这里。"


def created(name: str) -> str:
    return f"已新建客户「{name}」，由你负责，从今天起计跟进。"


def similar_exists(name: str, names: Sequence[str]) -> str:
    listed = "\n".join(f"- {other}" for other in names)
    return (
        f"已经有名字很像的客户，先没有新建：\n{listed}\n"
        f"确实是另一家的话，请发「确认新建客户 {name}」。"
    )
