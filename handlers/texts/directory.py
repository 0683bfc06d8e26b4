"""What the bot says about people, directories and imports."""

from __future__ import annotations

from collections.abc import Sequence

UNKNOWN_SENDER = (
    "我还不认识你，所以这条没有记到任何客户名下（原话已保存）。请让管理员把你加进应用的"
    "可见范围，通讯录同步后再发一次。"
)
CSV_NOT_TEXT = "这个文件不是文本表格。请存成 CSV（UTF-8 或 GBK）再导入。"


def stranger(platform: str, name: str, user_id: str) -> str:
    where = {"wecom": "企业微信", "dingtalk": "钉钉"}.get(platform, platform)
    return (
        f"{where}上有人给我发消息，但通讯录里没有这个人：{name}（{user_id or '无编号'}）。"
        "如果是同事，请把他加进应用可见范围；不是就不用管。"
    )


def left_with_customers(name: str, count: int) -> str:
    return f"{name}已离职或停用，名下还有{count}家客户没有交接。请在管理页指定新的负责人。"


def undeliverable(where: str, reason: str) -> str:
    return f"有一条消息没发出去，已放进死信，可以重放：{where}，原因：{reason}"


def held_up(where: str, reason: str) -> str:
    return f"有消息暂时发不出去，修好后会自动补发：{where}，原因：{reason}"


def bad_row(number: int, name: str, owner: str) -> str:
    if not name:
        return f"第{number}行：没有客户名（name 列）"
    return f"第{number}行「{name}」：负责人「{owner}」不在通讯录里（owner 列写姓名或账号）"


def csv_lacks(columns: Sequence[str]) -> str:
    return f"表头缺少列：{'、'.join(columns)}。至少要有 name 和 owner 两列。"


def csv_broken(detail: str) -> str:
    return f"这个 CSV 读不完整：{detail}。请检查引号是否成对。"


def csv_too_long(limit: int) -> str:
    return f"一次最多导入{limit}行，请分成几个文件。"


def imported(created: int, known: int, mistakes: Sequence[str]) -> str:
    text = f"导入完成：新建{created}家，已存在{known}家。"
    if mistakes:
        listed = "\n".join(f"- {mistake}" for mistake in mistakes[:10])
        text += f"\n有{len(mistakes)}行没有导入：\n{listed}"
    return text
