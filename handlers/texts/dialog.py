"""What the bot says in a conversation about drafts, customers and commands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bot.domain.activities import ATTACHMENTS, OBJECTIONS, Draft, Moment
from bot.domain.library import SlotSpec
from bot.domain.people import Person

WEEKDAYS = "一二三四五六日"

SLOT_LABELS = {
    "contact": "联系人",
    "duration_min": "时长",
    "objections": "异议",
    "next_contact": "下次联系",
    "amount_fen": "金额",
    "customer_received": "客户查收",
    "files": "附件",
    "customer": "客户",
    "minutes": "纪要",
}

HELP = (
    "我是跟单助手。像平时说话一样告诉我就行：\n"
    "- 记跟进：刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系\n"
    "- 改：不对，是下周四 / 金额是12万8\n"
    "- 确认、取消、撤销：直接说，或按卡片上的按钮\n"
    "- 发方案或照片：直接发文件，我会挂到正在填的记录上\n"
    "- 待办：今天要联系谁、哪些亮灯、哪些没填完\n"
    "- 客户 恒锐机电：状态、灯和最近五条动态\n"
    "- 动态 恒锐机电：更多动态\n"
    "- 新建客户 杭州某某有限公司"
)

NOTHING_TO_CONFIRM = "现在没有等你确认的记录。想记一条新的，直接告诉我客户和经过就行。"
NOTHING_TO_CANCEL = "现在没有未完成的记录可以取消。"
NOTHING_TO_UNDO = "没有找到你在48小时内记下、还能撤销的记录。"
NOTHING_TO_CORRECT = "没有正在填写的记录可以改。想改已经存下的，请先发「撤销」，再把正确的说一遍。"
CHITCHAT = "在的。要记跟进就直接说客户和经过；想看能做什么，发「帮助」。"
VAGUE_INTENT = (
    "「高意向」这类说法我没法记成等级。请说具体些：有没有PO号（L1）、"
    "盖章技术确认函和预算审批邮件（L2），或者明确的需求和对接人（L3）？"
)
NOT_YOURS_TO_PRESS = "这张卡片是别人的记录，只有记录人本人可以操作。"
CARD_OUTDATED = "这张卡片已经更新过了，请看最新的一张。"
CARD_UNKNOWN = "这张卡片已经失效了，请重新说一遍。"
VOICE_UNREADABLE = "语音已收到并保存，但我这里还听不懂语音。请把要点打字发给我。"
UNSUPPORTED = "这类消息我还读不了，已经原样保存。请用文字、图片、语音或文件告诉我。"
OVER_QUOTA = (
    "本月钉钉消息额度已用完，同事发来的消息钉钉不再给我内容，也就记不下来。"
    "请在钉钉开放平台购买额度包；在那之前请同事改用企业微信或下月再发。"
)


def apology(reference: str) -> str:
    return (
        f"抱歉，刚才那条我没处理成功，已经原样保存，同事会来看（编号 {reference}）。"
        "急的话请换个说法再发一次。"
    )


def day_words(moment: Moment) -> str:
    """1月28日(周三) or 1月28日(周三) 15:00."""
    day = f"{moment.day.month}月{moment.day.day}日(周{WEEKDAYS[moment.day.weekday()]})"
    return f"{day} {moment.clock:%H:%M}" if moment.clock else day


def amount_words(fen: int) -> str:
    """12.8万元 where that is exact, else 1,234.50元."""
    yuan = Decimal(fen) / 100
    if abs(yuan) >= 10_000 and yuan % 100 == 0:
        return f"{(yuan / 10_000).normalize():f}万元"
    return f"{yuan:,.2f}元" if yuan % 1 else f"{yuan:,.0f}元"


def slot_words(key: str, value: object) -> str:
    """One slot of a draft as the card shows it."""
    if key == "duration_min":
        return f"{value}分钟"
    if key == "objections" and isinstance(value, list):
        return "、".join(OBJECTIONS.get(str(code), str(code)) for code in value) or "没有异议"
    if key == "next_contact":
        return day_words(Moment.parse(str(value)))
    if key == "amount_fen" and isinstance(value, int):
        return amount_words(value)
    if key == "customer_received":
        return "已查收" if value else "还没查收"
    if key == "attachments" and isinstance(value, list):
        return "、".join(ATTACHMENTS.get(str(code), str(code)) for code in value)
    return str(value)


def missing_words(missing: Sequence[SlotSpec]) -> str:
    return f"还缺：{'、'.join(spec.label for spec in missing)}。{missing[0].question}"


def which_customer(mention: str, names: Sequence[str]) -> str:
    """The question about an unclear customer."""
    if mention and not names:
        return f"客户名单里没有找到「{mention}」。要新建，还是换个名字再说一次？"
    if mention:
        return f"「{mention}」是哪一家？请点一下，或直接回复客户名。"
    return "这是哪家客户的？请点一下，或直接回复客户名。"


def owned_by_other(customer: str, owner: Person) -> str:
    return (
        f"「{customer}」现在由{owner.name}负责，不能记到你名下，这条没有保存。"
        f"确实是你在跟，请让主管转给你，或请{owner.name}来记。"
    )


def recorded(title: str, customer: str, *, valid: bool, reason: str) -> str:
    if valid:
        return f"已记录：{customer} · {title}，计为有效跟进。记错了发「撤销」。"
    why = f"（{reason}）" if reason else ""
    return f"已记录：{customer} · {title}，但不计为有效跟进{why}。记错了发「撤销」。"


def undone(title: str, customer: str) -> str:
    return f"已撤销：{customer} · {title}。原记录仍留在动态里，标为已撤回。"


def cancelled(title: str) -> str:
    return f"好，「{title}」不记了。"


def expired(draft: Draft, title: str, customer: str) -> str:
    who = f"{customer} · " if customer else ""
    return (
        f"「{who}{title}」的记录放了{_hours(draft)}小时没有确认，已经作废，没有存下。"
        f"还需要的话请再说一遍：{shorten(draft.text, 60)}"
    )


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def file_for_whom(names: Sequence[str]) -> str:
    listed = "、".join(names)
    return f"收到{listed}，已经存好。这是给哪家客户的？请点一下，或直接回复客户名。"


def file_lost(kind: str) -> str:
    what = {"image": "图片", "voice": "语音", "video": "视频", "file": "文件"}.get(kind, "附件")
    return f"这个{what}没能从平台取下来，没有存上。请再发一次；还是不行就告诉管理员。"


def _hours(draft: Draft) -> int:
    since = draft.touched_at or draft.created_at
    return round((draft.expires_at - since).total_seconds() / 3600)


NO_FILES_WAITING = "没有等着归档的文件了，可能已经处理过。"
FILES_DROPPED = "好，这些文件不归到客户名下。"


def files_given(names: str, customer: str) -> str:
    return f"已把{names}存到「{customer}」的动态里。"

CORRECT_WHAT = "要改哪一项？直接说改成什么，例如「时长25分钟」「下周四联系」「金额是12万8」。"


def welcome(name: str) -> str:
    return (
        f"{name}，你好。跟客户聊完，直接把经过告诉我，例如"
        "「刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系」。发「帮助」看更多。"
    )
