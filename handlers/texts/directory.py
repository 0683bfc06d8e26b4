"""What the bot says about people, directories and imports."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN_SENDER = (
    "我还不认识你，所以这条没有记到任何客户名下（原话已保存）。请让管理员把你加进应用的"
    "可见范围，通讯录同步后再发一次。"
)
CSV_NOT_TEXT = "这个文件不是文本表格。请存成 CSV（UTF-8 或 GBK）再导入。"

ACCOUNTS = "账号"
JOIN_NOT_YOURS = "合并和拆分账号只有管理员能做，我这里没有改动。"
JOIN_WHOM = (
    "要合并谁的账号？例如「合并账号 王伟」，"
    "或者写账号「绑定 wecom:wangwei dingtalk:0123」。发「账号」看可能是同一人的。"
)
JOIN_TITLE = "合并账号"
JOIN_QUESTION = "确认是同一个人吗？合并后名下客户和记录归到一起，通知发到其中一个平台。"
DECIDED_ALREADY = "这两个账号已经合并了，不用再按。"
JOINED = "已合并"
CANCELLED = "已取消"
PART_WHOM = "要拆分谁的账号？例如「拆分账号 王伟」。"

_PLATFORMS = {"wecom": "企业微信", "dingtalk": "钉钉"}


def stranger(platform: str, name: str, user_id: str) -> str:
    where = _PLATFORMS.get(platform, platform)
    return (
        f"{where}上有人给我发消息，但通讯录里没有这个人：{name}（{user_id or '无编号'}）。"
        "如果是同事，请把他加进应用可见范围；不是就不用管。"
    )


def undeliverable(where: str, reason: str) -> str:
    return f"有一条消息没发出去，留在「失败消息」里，可以重放：{where}，原因：{reason}"


def held_up(where: str, reason: str) -> str:
    return f"有消息暂时发不出去，修好后会自动补发：{where}，原因：{reason}"


def quota(used: int, limit: int, foretold: int | None, reached: int) -> str:
    """reached: the threshold, in percent."""
    said = f"钉钉本月接口调用已用 {used} / {limit} 次，超过 {reached}%。"
    if foretold is not None:
        said += f"照这个速度，到月底约{foretold}次（{foretold * 100 // limit}%）。"
    if reached < 80:
        return f"{said}到 80% 时机器人会自动节省。"
    if reached < 95:
        return (
            f"{said}机器人开始节省：处理完的卡片不再刷新，回复尽量走不计费的会话。"
            "到 95% 时停发钉钉上的每日清单和周报。请考虑购买扩容包。"
        )
    if reached < 100:
        return (
            f"{said}钉钉上的每日清单和周报停发，单条提醒和回复照常。"
            "请购买扩容包，并把新额度写进配置 monthly_calls。"
        )
    return (
        f"{said}钉钉可能随时拒绝调用，届时只有会话回复和群机器人还能发。"
        "请购买扩容包，并把新额度写进配置 monthly_calls。"
    )


_CONNECTS_TO = {
    "dingtalk": (
        "钉钉",
        "请核对 Client ID 和 Client Secret，以及开发者后台是否选了 Stream 模式",
    ),
    "wecom": (
        "企业微信",
        "请核对 BotID 和 Secret，并确认同一个机器人没有在别处连着",
    ),
}


def hears_nothing(platform: str, app: str, reason: str, *, is_refused: bool) -> str:
    name, remedy = _CONNECTS_TO[platform]
    if is_refused:
        return f"应用 {app} 的长连接被拒绝，机器人收不到{name}的消息。{remedy}；原因：{reason}"
    return (
        f"应用 {app} 连不上{name}，机器人收不到消息，正在反复重连。"
        f"请检查服务器的网络和代理；原因：{reason}"
    )


def hears_again(platform: str, app: str) -> str:
    name, _ = _CONNECTS_TO[platform]
    return f"应用 {app} 又连上了{name}。断开期间发给机器人的消息可能没有送到，请提醒大家重发。"


def bad_row(number: int, name: str, owner: str) -> str:
    if not name:
        return f"第{number}行：没有客户名（name 列）"
    return f"第{number}行「{name}」：负责人「{owner}」不在通讯录里（owner 列写姓名或账号）"


def refused_row(number: int, name: str, why: str) -> str:
    return f"第{number}行「{name}」没有新建：{why}"


def doubtful_row(number: int, name: str, why: str) -> str:
    return f"第{number}行「{name}」已新建，但{why}，请核对"


def csv_lacks(columns: Sequence[str]) -> str:
    return f"表头缺少列：{'、'.join(columns)}。至少要有 name 和 owner 两列。"


def csv_broken(detail: str) -> str:
    return f"这个 CSV 读不完整：{detail}。请检查引号是否成对。"


def csv_too_long(limit: int) -> str:
    return f"一次最多导入{limit}行，请分成几个文件。"


def imported(created: int, known: int, mistakes: Sequence[str], doubts: Sequence[str]) -> str:
    text = f"导入完成：新建{created}家，已存在{known}家。"
    if mistakes:
        listed = "\n".join(f"- {mistake}" for mistake in mistakes[:10])
        text += f"\n有{len(mistakes)}行没有导入：\n{listed}"
    if doubts:
        listed = "\n".join(f"- {doubt}" for doubt in doubts[:10])
        text += f"\n有{len(doubts)}行可能重复：\n{listed}"
    return text


def described(
    name: str,
    where: Sequence[tuple[str, str, Sequence[str]]],
    *,
    mobile: str,
    customers: int,
) -> str:
    """One person. where: (platform, user id, departments) of each account."""
    accounts = "；".join(
        f"{_PLATFORMS.get(platform, platform)} {'、'.join([*departments, user_id])}"
        for platform, user_id, departments in where
    )
    phone = f"手机{masked(mobile)}" if mobile else "手机未登记"
    return f"{name}（{accounts}），{phone}，{customers}家客户"


def account(platform: str, name: str, departments: Sequence[str]) -> tuple[str, str]:
    """A line of the card that asks whether two accounts are one person's."""
    return _PLATFORMS.get(platform, platform), " · ".join([name, *departments[:1]])


def reached(mobile: str, customers: int) -> tuple[str, str]:
    return "手机", f"{masked(mobile) if mobile else '未登记'} · {customers}家客户"


def masked(mobile: str) -> str:
    """138****0001."""
    return f"{mobile[:3]}****{mobile[-4:]}" if len(mobile) >= 8 else "****"


def pair(one: str, other: str) -> str:
    return f"- {one}\n  {other}"


def pairs(joined: int, listed: Sequence[str], total: int) -> str:
    known = f"两个平台都有账号、已合并的有{joined}人。"
    if not listed:
        return f"{known}没有发现同名而未合并的账号。"
    more = f"\n另有{total - len(listed)}对没有列出。" if total > len(listed) else ""
    shown = "\n".join(listed)
    return (
        f"{known}下面{total}对同名，可能是同一个人：\n{shown}{more}\n"
        "是同一个人就发「合并账号 姓名」，不是就不用管。"
    )


def nobody_named(names: Sequence[str]) -> str:
    return f"通讯录里没有找到「{'」「'.join(names)}」，请核对姓名或账号再说一遍。"


def which_two(listed: Sequence[str]) -> str:
    lines = "\n".join(f"- {one}" for one in listed)
    return f"符合的不止两个，请写明账号，例如「绑定 wecom:wangwei dingtalk:0123」：\n{lines}"


def joined_already(name: str) -> str:
    return f"{name}的企业微信和钉钉账号已经是合并的，不用再合并。"


def only_one(name: str) -> str:
    return f"{name}只在一个平台上有账号，没有可以合并或拆分的。"


def same_platform(one: str, other: str) -> str:
    return f"{one}和{other}在同一个平台上是两个成员，不能合并。"


def joined(name: str, customers: int) -> str:
    moved = f"，另一个账号名下的{customers}家客户已归到一起" if customers else ""
    return f"{name}的两个账号已合并{moved}。合错了发「拆分账号 {name}」。"


def left_apart(one: str, other: str) -> str:
    names = f"两位{one}" if one == other else f"{one}和{other}"
    return f"好，{names}保持两个账号，没有改动。"


def your_accounts_joined(by: str) -> str:
    return f"{by}把你的企业微信和钉钉账号合并了，在哪边记跟进都一样。不是你的账号请告诉{by}。"


def parted(name: str, platform: str, customers: int) -> str:
    back = f"随它来的{customers}家客户已还回去，跟进时间从现在起重新算；" if customers else ""
    where = _PLATFORMS.get(platform, platform)
    return (
        f"已把{name}的{where}账号拆出来。{back}合并期间记的动态留在原处。"
        "两边登记的手机号如果相同，下次同步通讯录又会自动合并，请先改正手机号。"
    )


def your_accounts_parted(by: str) -> str:
    return f"{by}把企业微信和钉钉上误合并的两个账号拆开了，客户以「待办」里看到的为准。"
