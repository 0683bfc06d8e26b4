"""What the bot says about contacts, groups, and the customers they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.bindings import BoundBy, ChatKind

MOST_NAMED = 8
MOST_LISTED = 20
SOMEBODY = "群成员"

HOW: Mapping[BoundBy, str] = {
    BoundBy.MOBILE: "手机号相同",
    BoundBy.COMPANY: "公司名相同",
    BoundBy.TAG: "标签是客户名",
    BoundBy.MEMBERS: "群里是同一家的人",
    BoundBy.HAND: "手工绑定",
}
FAIL_REASONS: Mapping[str, str] = {
    "customer_refused": "客户拒绝了",
    "customer_limit_exceed": "接手人的外部联系人已满",
}
OUTCOMES: Mapping[int, str] = {
    3: "客户拒绝了",
    4: "接手人的外部联系人已满",
    5: "平台没有这次转接的记录",
}
NOT_IN_TIME = "三天内没有完成"
PLATFORMS = {"wecom": "企业微信", "dingtalk": "钉钉"}

TITLE = "绑定外部联系人"
UNBOUND = "未绑定"
MAKE_WHICH = "要给哪家客户建群？例如「建群 恒锐机电」。"
CANNOT_MAKE = (
    "这里还不能建群：请管理员在配置里打开 group_chats（企业微信应用），"
    "或者填上群模板 group_template_id（钉钉）。"
)
OPEN_WHICH = "要打开和哪家客户的聊天？例如「打开聊天 恒锐机电」。"
OPEN_PROFILE = "点开名片即可发起聊天"
THIS_CHAT = "这个会话"
NAMELESS_GROUP = "（没有群名的群）"
UNKNOWN_CONTACT = "（联系人已删除）"
BIND_WHAT = (
    "在有我的群里发「绑定客户 恒锐机电」绑定这个群；单聊里发「绑定客户 联系人姓名或群名 客户名」；"
    "发「绑定建议」看可以自动绑定的。"
)
NOTHING_TO_UNDO = "没有可以撤销的绑定。"
NO_PROPOSALS = "没有可以自动绑定的外部联系人或群。发「未绑定」看还没有归属的。"
DONE = "已绑定"
DECLINED = "已忽略"
NOTHING_UNBOUND = "名下的外部联系人和客户群都已绑定。"
NOT_BOUND = "这个会话没有绑定客户，可能刚被别人解绑。"
NO_GROUP_BOUND = "这个群没有绑定客户。"


def proposals(counts: Mapping[BoundBy, int], *, more: bool) -> list[str]:
    total = sum(counts.values())
    lines = [f"{HOW[how]}：{count}个" for how, count in counts.items() if count]
    some = "至少" if more else ""
    return [f"{some}{total}个外部联系人和客户群与在册客户对得上：", *lines]


def proposed(name: str, company: str, customer: str, how: BoundBy) -> str:
    where = f"（{company}）" if company else ""
    return f"{name}{where} → {customer}，{HOW[how]}"


def accepted(count: int, *, more: bool) -> str:
    tail = "还有一批，再发「绑定建议」继续。" if more else ""
    return f"已绑定{count}个，以后的往来会进客户动态。绑错了发「撤销绑定」。{tail}"


def bound_group(customer: str) -> str:
    return f"这个群已绑定到{customer}，以后群里@我的消息会进客户动态。解除请发「解绑客户」。"


def bound_contact(name: str, customer: str) -> str:
    return f"{name}已绑定到{customer}。绑错了发「撤销绑定」。"


def bound_already(what: str, customer: str) -> str:
    return f"{what}已经绑定在{customer}名下。要换客户请先发「解绑客户」。"


def bound_elsewhere(what: str) -> str:
    return f"{what}已经绑定在另一位同事的客户名下，请找主管或管理员处理。"


def unbound_group(customer: str) -> str:
    return f"这个群已和{customer}解绑。之前的动态保留，恢复请发「绑定客户 {customer}」。"


def unbound_contact(name: str, customer: str) -> str:
    return f"{name}已和{customer}解绑，之前的动态保留。"


def undone(count: int) -> str:
    return f"刚才绑定的{count}个会话已解绑。"


def not_yours(customer: str) -> str:
    return f"{customer}不在你名下，只有负责人、其主管或管理员能绑定。"


def no_such_contact(name: str) -> str:
    return f"没有找到叫「{name}」的外部联系人或客户群。发「未绑定」看名单。"


def several_contacts(name: str, who: Sequence[str]) -> str:
    return f"叫「{name}」的有{len(who)}位：{'、'.join(who)}。请写备注名全称。"


def several_groups(name: str, count: int) -> str:
    return f"叫「{name}」的客户群有{count}个，分不清是哪个。请先给群改个名字。"


def unbound(contacts: Sequence[tuple[str, str]], groups: Sequence[str], *, more: bool) -> str:
    """contacts: name and company."""
    lines = []
    if contacts:
        lines.append("**外部联系人**")
        lines += [f"- {name}" + (f"（{company}）" if company else "") for name, company in contacts]
        if more:
            lines.append("- ……只列出前面这些")
    if groups:
        lines += ["**客户群**", *(f"- {name or '（没有群名）'}" for name in groups)]
    lines.append("绑定发「绑定客户 姓名或群名 客户名」；有我的群里直接发「绑定客户 客户名」。")
    return "\n".join(lines)


def kind_of(kind: ChatKind, platform: str) -> str:
    where = PLATFORMS.get(platform, platform)
    return f"{where}群" if kind is ChatKind.GROUP else f"{where}联系人"


def group_title(customer: str) -> str:
    return f"{customer}项目群"


def made(platform: str, title: str, customer: str) -> str:
    if platform == "wecom":
        return (
            f"内部群「{title}」已建好并绑定到{customer}，可以把同事拉进来（客户进不了这种群）。"
            f"发「发到群 {customer} 内容」，我就发到群里。"
        )
    return (
        f"群「{title}」已建好并绑定到{customer}，请在钉钉里把客户和同事拉进来。"
        "群里@我的消息会进客户动态。"
    )


def first_words(customer: str, who: str) -> str:
    return f"这是{who}为{customer}建的群。和这家客户有关的消息可以让我发到这里。"


SEND_HOW = "要发给哪家客户的群、发什么？例如「发到群 恒锐机电 明天上午十点开会」。"


def no_group_of_ours(customer: str) -> str:
    return f"{customer}还没有我建的群。发「建群 {customer}」就有了。"


def said_in_group(who: str, text: str) -> str:
    return f"{who}：{text}"


SENT_TO_GROUP = "已发到群里。"


def not_made(customer: str, reason: str) -> str:
    return f"给{customer}建群没有成功，请告诉管理员：{reason}"


def chats_with(customer: str) -> str:
    return f"和{customer}的聊天"


def no_chats(customer: str) -> str:
    return (
        f"{customer}还没有绑定联系人或群。发「绑定建议」自动绑定，"
        f"或在客户群里发「绑定客户 {customer}」。"
    )


def way(name: str, what: str, how: str, link: str) -> str:
    return f"- {link or f'**{name}**'}（{what}）：{how}"


def search_contact(platform: str) -> str:
    return f"在{PLATFORMS.get(platform, platform)}顶部搜索这个名字"


def search_group(platform: str) -> str:
    return f"在{PLATFORMS.get(platform, platform)}顶部搜索这个群名"


def ask_colleague(names: Sequence[str]) -> str:
    if not names:
        return "现在没有同事加着这位联系人"
    return f"是{'、'.join(names)}的联系人，可以请他们分享名片"


def group_entry(group: str) -> str:
    return f"群聊「{group}」" if group else "群聊"


def cannot_read(platform: str, reason: str) -> str:
    return (
        f"{PLATFORMS.get(platform, platform)}的外部联系人读不到：{reason}。"
        "修好后会自动再读；不用的话把配置里的 contacts 改成 false。"
    )


def said_by(name: str, words: str) -> str:
    return f"{name}：{words}"


def refused_at_once(code: int | None) -> str:
    if code == 84061:
        return "他们已经不是外部联系人"
    return f"企业微信没有接受（错误码 {code}），可能是转接得太频繁"


def groups_not_moved(names: Sequence[str], reason: str) -> str:
    listed = "、".join(f"「{name or NAMELESS_GROUP}」" for name in names)
    return f"客户群{listed}没能换群主：{reason}。请在企业微信里更换，绑定的客户不变。"


def transfer_failed(names: Sequence[str], reason: str) -> str:
    who = "、".join(names[:MOST_NAMED])
    more = f"等{len(names)}位" if len(names) > MOST_NAMED else ""
    return f"外部联系人{who}{more}没有转接成功：{reason}。请联系客户后重新添加。"
