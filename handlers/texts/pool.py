"""What the bot says about the public pool and about leads that are given to somebody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

TITLE = "公海客户"
CLAIMED = "领取"
NEW_LEAD = "新线索，待分配"
MOST_NAMED = 20
CLAIM_WHICH = "要领取哪家？例如「领取 恒锐机电」。发「公海」看有哪些。"
PUT_BACK_WHICH = "要放回哪家？请带上原因，例如「放回公海 恒锐机电 半年内没有采购计划」。"
NOT_YOURS_TO_PUT = "这家不是你的客户，只有负责人和他的主管能放回公海。"
ASSIGN_HOW = "请说清楚分配哪家、给谁，例如「分配 恒锐机电 给 李敏」。"
ASSIGN_NOT_YOURS = "分配线索由主管和管理员来做，而且只能给自己团队的人。"
LEAD_TITLE = "分给你的线索"
ACCEPT, RETURN = "接收", "退回"
ACCEPTED, RETURNED = "已接收", "已退回"
LEAD_NOT_YOURS = "这条线索不是分给你的，你不用按。"
LEAD_SETTLED = "这条线索已经处理过了，不用再按。"


def line(name: str, industry: str, since: date, reason: str) -> str:
    facts = "，".join(part for part in (industry, f"{_day(since)}进公海", reason) if part)
    return f"{name}（{facts}）"


def listed(words: str, lines: Sequence[str], total: int) -> str:
    about = f"含「{words}」的" if words else ""
    if not lines:
        return f"公海里没有{about}客户。"
    shown = "\n".join(f"- {one}" for one in lines)
    more = (
        f"\n另有{total - len(lines)}家，加个词再查，例如「公海 轴承」。"
        if total > len(lines)
        else ""
    )
    return f"公海里{about}客户有{total}家：\n{shown}{more}\n要哪家就发「领取 客户名」。"


def not_in_pool(name: str) -> str:
    return f"「{name}」不在公海里，可能刚被领走。"


def lies_there(name: str) -> str:
    return f"「{name}」已经在公海里了。"


def take_first(name: str) -> str:
    return (
        f"「{name}」现在在公海里，没有人负责，这条没有保存。先发「领取 {name}」，再说一遍就能记上。"
    )


def not_again(name: str, day: date) -> str:
    return f"「{name}」是从你名下进公海的，{_day(day)}起你才能再领，别的同事现在就可以。"


def enough_today(limit: int) -> str:
    return f"你今天已经从公海领了{limit}家，到上限了，明天再来。"


def enough_held(limit: int) -> str:
    return f"你从公海领的客户已有{limit}家在手上，到上限了。先把不跟的放回去再领。"


def claimed(name: str) -> str:
    return f"「{name}」归你了，跟进时间从现在起算。"


def why_put_back(name: str) -> str:
    return f"请带上原因再发一次，例如「放回公海 {name} 半年内没有采购计划」。"


def put_back(name: str) -> str:
    return f"「{name}」已放回公海，别的同事可以领取。"


def exempt(name: str) -> str:
    return f"「{name}」有已赢单或暂缓的商机，不进公海。要换人跟，请主管转交。"


def idle_reason(days: int) -> str:
    return f"{days}个工作日没有有效跟进"


def warning(names: Sequence[tuple[str, date]]) -> str:
    lines = "\n".join(f"- {name}：{_day(day)}" for name, day in names[:MOST_NAMED])
    return (
        f"下面{len(names)}家客户很久没有有效跟进，到期会进公海，任何同事都可以领取：\n{lines}"
        f"{_more(len(names))}\n在那之前有一次有效跟进就会留在你名下。"
    )


def lost(names: Sequence[str]) -> str:
    lines = "\n".join(f"- {name}" for name in names[:MOST_NAMED])
    return f"下面{len(names)}家客户到期没有有效跟进，已进公海：\n{lines}{_more(len(names))}"


def assigned(name: str, to: str, hours: int) -> str:
    return f"已把「{name}」分给{to}，等对方接收；{hours}个工作小时没接收，我会告诉对方的主管。"


def lead_for_you(by: str, hours: int) -> str:
    return f"{by}把这条线索分给了你，请在{hours}个工作小时内接收；不合适就退回。"


def accepted(name: str) -> str:
    return f"「{name}」你已接收。直接告诉我你和他们的跟进就行。"


def was_accepted(name: str, who: str) -> str:
    return f"{who}已接收「{name}」。"


def returned(name: str) -> str:
    return f"「{name}」已退回公海。"


def was_returned(name: str, who: str) -> str:
    return f"{who}退回了「{name}」，它现在在公海里。改派请发「分配 {name} 给 某人」。"


def return_reason(who: str) -> str:
    return f"{who}退回，待分配"


def not_accepted(name: str, who: str, hours: int) -> str:
    return (
        f"分给{who}的线索「{name}」已经{hours}个工作小时没有接收。"
        f"可以催一下，或发「分配 {name} 给 某人」改派。"
    )


def without_owner(count: int) -> str:
    return (
        f"\n其中{count}家没有写负责人，已放进公海待分配："
        "发「公海」查看，再发「分配 客户名 给 某人」。"
    )


def _more(total: int) -> str:
    return f"\n等共{total}家" if total > MOST_NAMED else ""


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"
