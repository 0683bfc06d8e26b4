"""What the bot says in a conversation about drafts, customers and commands."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.domain.activities import ATTACHMENTS, OBJECTIONS, Draft, DraftState, Moment
from bot.domain.library import SlotSpec
from bot.domain.people import Person, Role
from handlers.texts.money import amount_words

WEEKDAYS = "一二三四五六日"
TELL_OF_CUSTOMERS = {Role.REP, Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.CSM}

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
    "loss_reason": "丢单主因",
    "loss_note": "原因说明",
    "intent_level": "意向",
    "promise_date": "承诺日期",
    "ref": "单号",
}

LONGEST_HELP_BYTES = 1930  # a text of WeCom holds 2048; the topics left want room too

HELP = (
    "我是跟单助手。像平时说话一样告诉我就行：\n"
    "- 记跟进：刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系\n"
    "- 改：不对，是下周四 / 金额是12万8\n"
    "- 确认、取消、全部确认；存错了发「撤销」，48小时内有效\n"
    "- 方案和照片：直接发，会挂到正在填的记录上\n"
    "- 待办：先做什么、今天联系谁；我的灯：亮灯的客户\n"
    "- 客户 恒锐机电：状态、灯和最近五条；动态 恒锐机电：更多\n"
    "- 新建客户 杭州某某有限公司；客户资料 恒锐机电 电话或网址\n"
    "- 公海；领取 恒锐机电；放回公海 恒锐机电 原因\n"
    "- 登记合同 恒锐机电 HT-2026-018，35万，预付30%；回款 恒锐机电：到账情况；"
    "合同发 PDF 或照片，再说「识别合同」\n"
    "- 改阶段：恒锐机电推进到报价；看漏斗：漏斗；看转化：转化率\n"
    "- 话术 恒锐机电：三条说法，用了按「用了」；客户画像 恒锐机电 300人 年采购200万\n"
    "- 奖金；奖金帮助；意向和预测：预测帮助\n"
    "- 直接问：怎么算有效跟进 / 几天会亮红灯 / 本季度还差多少\n"
    "- 外部联系人：绑定建议；未绑定；绑定客户 王总 恒锐机电；未归属邮件\n"
    "- 过程数据：自己的完整率、亮灯和响应；隐私：记什么、谁能看\n"
    "- 网页：我的客户；网页 恒锐机电：它的动态、热力和回款\n"
    "- 群里：引用一条消息，@我 说「记一下」\n"
    "- 延后：恒锐机电的黄灯缓两天，他们在盘点"
)
INTRODUCTION = (
    "我是跟单助手，帮你记跟进、盯客户。跟客户聊完，像平时说话一样告诉我，打字、语音都行：\n"
    "「刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系」\n"
    "我整理成卡片给你看：没问题回「确认」，有错直接说，例如「不对，是下周四」。\n"
    "每天先发「待办」，看今天联系谁；「我的客户」看手上有谁。\n"
    "报价、合同、奖金、预测这些，发「帮助」看全部说法。"
)
INTRODUCTION_TO_OTHERS = "我是跟单助手。有要你处理的事，我会主动发给你。发「帮助」看全部说法。"
HELP_TO_OTHERS = (
    "我是跟单助手。有要你处理的事，我会主动发给你，也可以直接发：\n"
    "- 待办：等你处理的事\n"
    "- 隐私：记什么、谁能看\n"
    "- 帮助 销售：销售平时怎么说"
)
WHEN_WRONG = (
    "还没确认的：直接说改成什么，例如「不对，是下周四」「金额是12万8」；不要了回「取消」。\n"
    "已经记下的：48小时内直接说改什么，或发「撤销」；几家一起记的，带上客户名，例如"
    "「撤销恒锐机电」。改动都留痕。"
)
HELP_FOR_LEADERS = (
    "主管还可以：把恒锐机电转给陈静 / 分配 恒锐机电 给 陈静 / 陈静请假到周五，李敏代 / "
    "解锁 恒锐机电 原因 / 批注 恒锐机电 内容 / 合并客户 A 到 B / 撤销合并 A / "
    "交接 张伟 给 陈静 / "
    "过程数据 / 团队总览 / 诊断 / 谁没看（钉钉）/ 看板（大屏）/ 动作库 / 拒绝原因 上月 / "
    "丢单清单 上月 / 话术库"
)
HELP_FOR_FINANCE = (
    "财务还可以：待匹配回款 / 匹配 收款单号 合同号 / 待匹配订单 / 匹配订单 订单号 客户 / "
    "奖金核算 2026-01 / 奖金已发 2026-01 / 奖金待办"
)
HELP_FOR_HRBP = (
    "HRBP还可以：奖金规则 / 奖金待办 / 奖金核算 2026-01 / 奖金 张伟 / 奖金健康度 / "
    "网页 申诉（待处理的）/ 奖金帮助"
)
HELP_FOR_LEGAL = "法务：预付款到期没到账时我会发条款复核卡片；回款 恒锐机电：合同和到账情况"
HELP_FOR_PRODUCT = "产品经理还可以：拒绝原因 / 拒绝原因 上月 / 拒绝原因 近90天"
HELP_FOR_PLANNING = (
    "计划还可以：ERP预测（写进 ERP 的预测和写到哪一步）/ ERP预测 重写 编号 / 备货 / 收到 CK编号"
)
HELP_FOR_WAREHOUSE = "仓储还可以：备货（现在有效的大单通知）/ 收到 CK编号"
HELP_FOR_ADMINS = (
    "管理员还可以：管理（网页）/ 账号（疑似的）/ 合并账号 王伟 / 拆分账号 王伟 / "
    "设置主管 张伟 李敏 / 设置角色 张伟 主管 / "
    "ERP客户 / ERP预测 / 待匹配订单 / "
    "切换动作库 医疗器械 给 李敏团队 / 导入动作库 / 话术库 / 新增话术 / 停用话术 M07 / "
    "设置 / 设置 黄灯天数 2 给 李敏团队 / 设置记录 / 审计推送到本群"
)

ABOUT_PRIVACY = "说的话怎么留、谁能看，发「隐私」。"
NOTHING_TO_CONFIRM = "现在没有等你确认的记录。想记一条新的，直接告诉我客户和经过就行。"
NOTHING_TO_CANCEL = "现在没有未完成的记录可以取消。"
CANCEL_WHICH = "要撤掉哪家客户的？请带上完整的客户名，例如「撤销恒锐机电」。我先都没有动。"
WHICH_BY_NAME = "没分清是哪一家，请带上客户名再说一遍，例如「恒锐机电明天再去」。"
NOTHING_TO_UNDO = "没有找到你在48小时内记下、还能撤销的记录。"
NOTHING_TO_CORRECT = (
    "没有正在填写的记录，48小时内也没有可以改的。要补记的话，把客户和经过说一遍就行。"
)
CHITCHAT = "在的。要记跟进就直接说客户和经过；想看能做什么，发「帮助」。"
CHITCHAT_IN_BETWEEN = "在的。上面那张卡片还等着你：补上缺的内容，或回复「确认」「取消」。"
CHECK_AND_CONFIRM = "请核对。没问题按「确认」；有错直接说，例如「不对，是下周四」。"
CORRECT_WHAT = "要改哪一项？直接说改成什么，例如「时长25分钟」「下周四联系」「金额是12万8」。"
SUGGESTED = "这句我没全读准，语言模型帮忙补了几处，请核对后再确认。"
VAGUE_INTENT = (
    "「高意向」这类说法我没法记成等级。请说具体些：有没有PO号（L1）、"
    "盖章技术确认函和预算审批邮件（L2），或者明确的需求和对接人（L3）？"
)
LOSS_REASON = "丢单主因"
LOSS_QUESTION = "最主要是哪个原因？点一下，或直接说，例如「交期太长」；不清楚就回「不清楚」。"
LOSS_REASON_LATER = "丢单原因先空着，已放进你的待办。"
ALREADY_UNDONE = "这条已经撤销或更正过了，不用再按。"
TOO_LATE_TO_UNDO = "这条记下超过48小时，不能再撤销或修改了。需要更正的话找主管。"
CARD_OUTDATED = "这张卡片已经更新过了，请看最新的一张。"
CARD_UNKNOWN = "这张卡片已经失效了，请重新说一遍。"
CARD_MOVED = "已更新，见下方新卡片"
CARD_STORED = "已记录"
CARD_UNDONE = "已撤销"
CARD_CORRECTED = "已更正，以新记录为准"
CARD_CANCELLED = "已取消，没有记录"
CARD_EXPIRED = "已过期，没有记录"
SETTLED = {
    DraftState.CONFIRMED: ("已记录", "这条已经记下了，不用再按。记错了发「撤销」。"),
    DraftState.CANCELLED: (CARD_CANCELLED, "这条已经取消了，没有记下。还要记的话请再说一遍。"),
    DraftState.EXPIRED: (CARD_EXPIRED, "这条放太久已经作废了，没有记下。还要记的话请再说一遍。"),
}
LOCKED = "补录超时，待主管解锁"
WILL_BE_LOCKED = "提醒：补录超过48小时，记下后要主管解锁才计有效。"
BEGINS_ANEW = "这家上一个商机已经结束，确认后会新开一个商机。"
NEXT_LABEL = "下次联系"
NEXT_QUESTION = "约在哪天联系？例如「下周三」；还没约就回「先记下」。"
HOUR_LABEL = "几点见面"
HOUR_QUESTION = "约在几点？例如「上午10点」。"
NO_FILES_WAITING = "没有等着归档的文件了，可能已经处理过。"
FILES_DROPPED = "好，这些文件不归到客户名下。"
VOICE_UNREADABLE = "语音已收到并保存，但没能听写出来。请把要点打字发给我。"
UNSUPPORTED = "这类消息我还读不了，已经原样保存。请用文字、图片、语音或文件告诉我。"
NOTHING_ABOVE = (
    "没有找到要记的那条。群里我只看得到 @我 的消息：请回复（引用）那条并 @我 说「记一下」，"
    "或者把内容转发给我。"
)
NONE_OF_THEM = "好，那是哪一家？请回复客户名；还没建的发「新建客户 全称」。"
ANSWER_HINTS = {
    "next_contact": "请说具体哪天，例如「下周三」「2月5日」。",
    "duration_min": "例如「25分钟」。",
    "amount_fen": "例如「12万8」。",
    "contact": "例如「王总」「李经理」。",
}
TOLD_PRIVATELY = "已单独发给你，请看我们俩的对话。"
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


def slot_words(key: str, value: object) -> str:
    """One slot of a draft as the card shows it."""
    if key == "duration_min":
        return f"{value}分钟"
    if key == "objections" and isinstance(value, list):
        return "、".join(OBJECTIONS.get(str(code), str(code)) for code in value) or "没有异议"
    if key == "loss_reason":
        return OBJECTIONS.get(str(value), str(value))
    if key in ("next_contact", "promise_date"):
        return day_words(Moment.parse(str(value)))
    if key == "amount_fen" and isinstance(value, int):
        return amount_words(value)
    if key == "customer_received":
        return "已查收" if value else "还没查收"
    if key == "attachments" and isinstance(value, list):
        return "、".join(ATTACHMENTS.get(str(code), str(code)) for code in value)
    return str(value)


def not_understood(question: str, slot: str) -> str:
    """What was said answers nothing: ask again. slot: the one asked for."""
    return f"这句我没听懂。{question}{ANSWER_HINTS.get(slot, '')}"


def missing_words(missing: Sequence[SlotSpec]) -> str:
    return f"还缺：{'、'.join(spec.label for spec in missing)}。{missing[0].question}"


def not_yet_stored(title: str, customer: str, missing: Sequence[SlotSpec]) -> str:
    """Why «确认» stored nothing."""
    if not customer:
        return f"「{title}」还没有记下：先告诉我是哪家客户。"
    labels = "、".join(spec.label for spec in missing)
    later = (
        "暂时说不上就回复「先记下」，原因留在待办里。"
        if missing[0].key == "loss_reason"
        else "暂时补不上就回复「先记下」，留痕但不计有效。"
    )
    return f"「{customer} · {title}」还没有记下，缺{labels}。{missing[0].question}{later}"


def by_habit(words: str, customer: str, *, own: bool) -> str:
    """Why the bot did not ask which customer was meant."""
    whose = "按你的习惯" if own else "按同事的习惯"
    name = short_company(customer)
    return f"{whose}，「{words}」记为{name}。不对就回「{words}不是{name}」。"


def habit_dropped(words: str, customer: str) -> str:
    return f"好，「{words}」以后不当作「{customer}」，会先问你。"


def look_closely(labels: Sequence[str]) -> str:
    return f"没听准，请特别核对：{'、'.join(labels)}。"


def stored_at_once(*, valid: bool) -> str:
    counts = "，计为有效跟进" if valid else ""
    return f"已记下{counts}。不对就点「修改」或「撤销」，48小时内都行。"


def which_customer(mention: str, names: Sequence[str]) -> str:
    """The question about an unclear customer."""
    if mention and not names:
        return f"客户名单里没有找到「{mention}」。要新建就回「新建」，或者换个名字再说一次。"
    if mention and len(names) == 1:
        return f"「{mention}」是指「{names[0]}」吗？是就点一下或回「是」；不是请回复正确的客户名。"
    if mention:
        return f"「{mention}」是哪一家：{'、'.join(names)}？请点一下，或直接回复客户名。"
    return f"这是哪家客户的？请{'点一下，或' if names else ''}直接回复客户名。"


def owned_by_other(customer: str, owner: Person) -> str:
    return (
        f"「{customer}」现在由{owner.name}负责，不能记到你名下，这条没有保存。"
        f"确实是你在跟，请让主管转给你，或请{owner.name}来记。"
    )


def card_stored(*, valid: bool | None, corrected: bool) -> str:
    """What a confirmed card says. valid: None for entries that no rule judges."""
    done = "已更正" if corrected else "已记录"
    if valid is None:
        return done
    return f"{done} · 有效跟进" if valid else f"{done} · 不计有效"


def recorded(title: str, customer: str, *, note: str, reason: str) -> str:
    """note: as the card says it."""
    done, _, counts = note.partition(" · ")
    what = f"{done}：{customer} · {title}"
    if counts and reason:
        return f"{what}，但不计为有效跟进（{reason}）。记错了发「撤销」。"
    tail = "，计为有效跟进" if counts else ""
    return f"{what}{tail}。记错了发「撤销」。"


def still_open(names: Sequence[str], *, instead: bool) -> str:
    """What else waits. instead: the one just spoken of could not be stored."""
    listed = "、".join(names[:5])
    how = (
        "要先记这些，就回「全部确认」，或「确认」加客户名"
        if instead
        else "都没问题就回「全部确认」"
    )
    return f"还有{len(names)}条等你确认：{listed}。{how}。"


def cannot_be_stored(customer: str, reason: str) -> str:
    return f"「{customer}」这条没有记下：{reason}。请改一下时间，或回复「取消」。"


def with_correction(text: str, said: str) -> str:
    """What the stream shows of a record that was corrected by words."""
    return f"{text}（更正：{shorten(said, 60)}）"


def will_replace(recorded_at: str) -> str:
    return f"更正：确认后替换{recorded_at}记下的那条，原记录留痕。"


def will_not_count(reason: str, *, refused: bool) -> str:
    if refused:
        return f"提醒：{reason}，这条现在记不了。"
    return f"提醒：{reason}，记下后不计有效跟进。"


def other_file_wanted(names: Sequence[str], wanted: str) -> str:
    return f"已收到{'、'.join(names)}，但这里要的是{wanted}。"


def why_retracted(name: str, *, corrected: bool) -> str:
    return f"{name}更正了这条，以新的记录为准" if corrected else f"{name}撤回了这条记录"


def not_yours_to_press(owner: str) -> str:
    return f"这张卡片是{owner}的记录，只有{owner}可以操作。"


def nothing_to_cancel_but(title: str, customer: str) -> str:
    return f"没有未完成的记录可以取消。如果想撤回刚存下的「{customer} · {title}」，请发「撤销」。"


def no_draft_of(customer: str) -> str:
    return f"「{customer}」没有等你确认的记录。"


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


def short_company(name: str) -> str:
    """Without its legal form."""
    return name.removesuffix("有限责任公司").removesuffix("股份有限公司").removesuffix("有限公司")


def short_name(name: str) -> str:
    """A company's name as it fits a button."""
    return shorten(short_company(name), 10)


def shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def help_for(roles: Collection[Role]) -> str:
    """What somebody of these roles may say, in one message: what finds no room is named, and
    `help_about` tells it."""
    told, left = (HELP if _tells_of_customers(roles) else HELP_TO_OTHERS), []
    for name, text in _help_topics(roles).items():
        longer = f"{told}\n{text}"
        if len(longer.encode()) <= LONGEST_HELP_BYTES:
            told = longer
        else:
            left.append(f"帮助 {name}")
    return f"{told}\n还有：{' / '.join(left)}" if left else told


def introduction(roles: Collection[Role]) -> str:
    """Who the bot is and how to begin, for people of these roles."""
    if _tells_of_customers(roles):
        return INTRODUCTION
    return "\n".join([INTRODUCTION_TO_OTHERS, *_help_topics(roles).values()])


def help_about(topic: str, roles: Collection[Role]) -> str:
    """The part for one kind of work; everything where the reader has no such part."""
    if topic == "销售":
        return HELP
    return _help_topics(roles).get(topic) or help_for(roles)


def _tells_of_customers(roles: Collection[Role]) -> bool:
    """Who has no role yet is taken for somebody of sales."""
    return not roles or not TELL_OF_CUSTOMERS.isdisjoint(roles)


def _help_topics(roles: Collection[Role]) -> dict[str, str]:
    leads = not {Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.ADMIN}.isdisjoint(roles)
    topics = {
        "管理员": HELP_FOR_ADMINS if Role.ADMIN in roles else "",
        "主管": HELP_FOR_LEADERS if leads else "",
        "HRBP": HELP_FOR_HRBP if Role.HRBP in roles else "",
        "财务": HELP_FOR_FINANCE if Role.FINANCE in roles else "",
        "法务": HELP_FOR_LEGAL if Role.LEGAL in roles else "",
        "产品": HELP_FOR_PRODUCT if Role.PRODUCT in roles else "",
        "计划": HELP_FOR_PLANNING if Role.PLANNING in roles else "",
        "仓储": HELP_FOR_WAREHOUSE if Role.WAREHOUSE in roles else "",
    }
    return {name: text for name, text in topics.items() if text}


def file_for_whom(names: Sequence[str]) -> str:
    listed = "、".join(names)
    return f"收到{listed}，已经存好。这是给哪家客户的？请点一下，或直接回复客户名。"


def file_lost(kind: str) -> str:
    what = {"image": "图片", "voice": "语音", "video": "视频", "file": "文件"}.get(kind, "附件")
    return f"这个{what}没能从平台取下来，没有存上。请再发一次；还是不行就告诉管理员。"


def _hours(draft: Draft) -> int:
    since = draft.touched_at or draft.created_at
    return round((draft.expires_at - since).total_seconds() / 3600)


def files_given(names: str, customer: str) -> str:
    return f"已把{names}存到「{customer}」的动态里。"


def welcome(name: str, roles: Collection[Role]) -> str:
    """Only who talks to customers is asked to tell of it."""
    if not _tells_of_customers(roles):
        return (
            f"{name}，你好。有要你处理的事，我会主动发给你；能问什么、做什么，"
            f"发「帮助」看；{ABOUT_PRIVACY}"
        )
    return (
        f"{name}，你好。跟客户聊完，直接把经过告诉我，例如"
        "「刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系」。"
        f"发「帮助」看更多；{ABOUT_PRIVACY}"
    )
