"""What the bot says in the morning list of a rep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from handlers.texts.alerts import day
from handlers.texts.dialog import short_company

CALLED = "打电话了"
WRITE = "写情况"
LATER = "延后"
REFRESH = "刷新"
WHICH = "处理哪项"

EMPTY = "今天的清单做完了，没有要做的事。"
GONE = "这一项已经处理过了，清单刷新了，请看还剩什么。"
ON_TODAYS_CARD = "这是之前的清单。今天的清单刷新了，请看今天早上的那张卡片。"
DONE = "今天的清单已做完"
OWED_NOT_LATER = "待补的记录不能延后，过时会锁定。现在没空就先点「写情况」，缺什么随后补。"
DRAFT_NOT_LATER = "这条记录还没填完，没有日子可延。补完，或说「取消」。"

_NAMES = {
    "owed": "待补",
    "overdue": "约好没联系",
    "red": "红灯",
    "signal": "客户有动静",
    "today": "今天约好",
    "yellow": "黄灯",
    "draft": "没填完",
}
_TITLE_ORDER = ("red", "signal", "yellow", "today", "overdue", "owed", "draft")


def title(on: date, kinds: Sequence[str], *, stuck: int = 0) -> str:
    """1月19日(周一)早报：红灯1个，今天约好2个. kinds: of each item."""
    if not kinds and stuck:
        return f"{day(on)}早报：停滞{stuck}个"
    counts = [f"{_NAMES[kind]}{kinds.count(kind)}个" for kind in _TITLE_ORDER if kind in kinds]
    return f"{day(on)}早报：{'，'.join(counts) or '没有要做的事'}"


def numbered(number: int, line: str) -> str:
    return f"{number}. {line}"


def told(items: Sequence[tuple[int, str]]) -> str:
    """items: number on the list, customer."""
    names = "、".join(f"{number}. {short_company(customer)}" for number, customer in items)
    return f"今天另有单独提醒：{names}"


def more(count: int) -> str:
    return f"还有{count}项，回复「待办」查看"


def stuck(names: Sequence[str]) -> str:
    shown = "、".join(short_company(name) for name in names[:3])
    tail = f"等{len(names)}家" if len(names) > 3 else ""
    return f"⏸ 阶段停滞：{shown}{tail}"


def waiting(count: int) -> str:
    return f"🔒 等主管解锁{count}条"


def quiet(count: int) -> str:
    return f"另有{count}个已知悉或已延后，不再催"


def from_the_list(customer: str) -> str:
    return f"{customer}（早报里点的）"


def tell_me(customer: str) -> str:
    return f"「{customer}」什么情况？直接说，我来记。"


def new_day(customer: str) -> str:
    name = short_company(customer)
    return f"改到哪天？直接说，例如「{name}周四再联系」。"
