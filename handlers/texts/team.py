"""What the bot says to and about those who lead: hand-overs, leaves, late records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from handlers.texts.dialog import WEEKDAYS, shorten

HAND_OVER_NOT_YOURS = (
    "客户改派要由双方的主管、销售总监或管理员来定，我这里没有改动。"
    "请让主管对我说「把某客户转给某人」。"
)
LEAVE_NOT_YOURS = (
    "请假要由主管、销售总监或管理员来设，我这里没有改动。"
    "请让主管对我说，例如「陈静请假到周五，李敏代」。"
)
LEAVE_UNTIL_WHEN = "请假到哪天？请写清楚日期再说一遍，例如「陈静请假到周五，李敏代」，最长一年。"
UNLOCK_WHICH = "要解锁哪家客户的补录？请带上客户名和原因，例如「解锁 恒锐机电 出差没信号」。"
NOT_YOURS_TO_UNLOCK = "补录要由记录人的主管解锁，自己或其他同事不能解。"
ALREADY_DECIDED = "这条补录已经处理过了，不用再按。"
CARD_DONE = "已处理"
YOU_ARE_BACK = "欢迎回来，请假已结束，你名下客户从今天起照常计灯。"

UNLOCK_TITLE = "补录待解锁"
UNLOCK_REASON = "解锁原因"
UNLOCK_REASONS = ("出差或外勤不便", "系统或网络故障", "请假期间发生", "客户补充确认", "已当面核实")
HOW_TO_UNLOCK = "解锁要选原因，选好再按；也可以回复「解锁 客户名 原因」。"


def _day(on: date) -> str:
    return f"{on.month}月{on.day}日(周{WEEKDAYS[on.weekday()]})"


def asked_to_unlock(leaders: Sequence[str], customer: str) -> str:
    if not leaders:
        return f"「{customer}」这条补录没有找到能解锁的主管，请联系管理员。"
    return f"「{customer}」这条补录已请{'、'.join(leaders)}解锁，解锁后就计为有效跟进。"


def unlock_question(text: str) -> str:
    return f"超过48小时才补录，暂不计有效。原话：{shorten(text, 60)}"


def unlock_needs_reason(customer: str) -> str:
    return f"解锁要写原因。请在卡片上选一个再按，或回复「解锁 {customer} 原因」。"


def nothing_locked(customer: str) -> str:
    return f"「{customer}」没有等着解锁的补录。"


def unlock_note(by: str, reason: str) -> str:
    return f"{by}：{reason}"


def unlocked(customer: str, title: str, by: str, reason: str, why_not: str) -> str:
    counts = f"但仍不计有效（{why_not}）" if why_not else "现在计为有效跟进"
    return f"{by}已解锁你补录的「{customer} · {title}」，{counts}。原因：{reason}。"


def you_unlocked(customer: str, title: str, why_not: str) -> str:
    counts = f"但仍不计有效（{why_not}）" if why_not else "已计为有效跟进"
    return f"已解锁「{customer} · {title}」，{counts}，动态里标为补录。"


def kept_locked(customer: str, title: str, by: str) -> str:
    return (
        f"{by}没有解锁你补录的「{customer} · {title}」，它留在动态里，不计有效。"
        f"有疑问请直接找{by}。"
    )


def you_kept_locked(customer: str, title: str) -> str:
    return f"好，「{customer} · {title}」保持锁定，已告诉记录人。"


def decision(by: str, reason: str, *, unlocked: bool) -> str:
    return f"{by}已解锁：{reason}" if unlocked else f"{by}没有解锁"


def decided_before(words: str) -> str:
    """Somebody was faster. words: what `decision` says of it."""
    return f"这条已经处理过了：{words}。先按的算数，这次没有改动。"


def same_owner(customer: str, owner: str) -> str:
    return f"「{customer}」本来就由{owner}负责，没有改动。"


def handed_over(customer: str, before: str, after: str) -> str:
    return f"「{customer}」已从{before}转给{after}，跟进时间从现在起重新算，两人都会收到通知。"


def you_lost(customer: str, to: str, by: str) -> str:
    return f"{by}把「{customer}」转给了{to}。以后的跟进请{to}来记，你没确认的草稿不会记入。"


def you_got(customer: str, before: str, by: str) -> str:
    return (
        f"{by}把「{customer}」从{before}转给了你，从现在起计跟进。"
        f"发「客户 {customer}」看以前的动态。"
    )


def not_one_of_yours(name: str) -> str:
    return f"你带的人里没有找到「{name}」，或者不止一位；请写全名。别人的客户要由他的主管看。"


def no_such_colleague(name: str) -> str:
    return f"通讯录里没有找到「{name}」，请写同事的全名再说一遍。"


def two_of_that_name(name: str) -> str:
    return (
        f"通讯录里有两位{name}，我分不清是哪位。是同一个人就请管理员发「合并账号 {name}」；"
        "不是的话，请在通讯录里把其中一位的名字改得能区分，同步后再说一遍。"
    )


def cannot_deputise(name: str) -> str:
    return f"{name}自己也在请假，不能代班，请换一位。"


def on_leave(name: str, last_day: date, deputy: str, customers: int) -> str:
    cover = f"由{deputy}代跟" if deputy else "没有指定代班人"
    return (
        f"{name}请假到{_day(last_day)}，名下{customers}家客户期间不亮灯，{cover}。"
        f"提前回来发「{name}销假」。"
    )


def your_leave(last_day: date, deputy: str) -> str:
    cover = f"，由{deputy}代跟" if deputy else ""
    return f"已为你登记请假到{_day(last_day)}，期间你的客户不亮灯{cover}。"


LEAVE_WITHDRAWN = "你的请假审批已撤销或改期，名下客户从今天起照常计灯。"


def leave_approved(last_day: date) -> str:
    return f"你的请假审批已通过，{_day(last_day)}为止你名下的客户不亮灯。提前回来请主管发「销假」。"


def leave_of(name: str, last_day: date, customers: int) -> str:
    """To the supervisor: nobody stands in."""
    return (
        f"{name}请假到{_day(last_day)}（审批已通过），名下{customers}家客户期间不亮灯，还没有代班人。"
        f"要指定就回复「{name}请假到{last_day.month}月{last_day.day}日，某某代」。"
    )


def you_deputise(name: str, last_day: date, customers: int) -> str:
    return f"{name}请假到{_day(last_day)}，{customers}家客户由你代跟；你可以直接记他们的跟进。"


def you_deputise_no_more(name: str) -> str:
    return f"{name}的请假已结束，名下客户不再由你代跟。"


def not_on_leave(name: str) -> str:
    return f"{name}现在没有请假。"


def back_at_work(name: str) -> str:
    return f"{name}的请假已结束，名下客户照常计灯。"
