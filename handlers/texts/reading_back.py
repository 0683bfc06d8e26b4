"""What the bot says of who has read its messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.texts.customers import when

MOST = 20

ONLY_LEADERS = "谁看过消息，只告诉主管、销售总监和管理员。"
NOT_HERE = "这个平台不告诉我们谁看过消息；钉钉可以。"
NO_MESSAGE = "近24小时我没有在这里发过能查的消息。"
NOBODY_WRITTEN_TO = "近24小时我没有给你团队里的人发过能查的消息。"


OF_GROUP = "我在这个群的上一条消息"
RECALLED = "已收回我在这里的上一条消息。"
OWN = (OF_GROUP, RECALLED)
"""How answers to these questions begin, which are not what is asked about."""


def trouble(reason: str) -> str:
    return f"查不到：{reason}"


def group(title: str, read: Sequence[str], unread: Sequence[str]) -> str:
    """Of the last message in a group; unread: of the asker's team."""
    lines = [f"{OF_GROUP}（{title}）："]
    lines.append(f"看过{len(read)}人：{_names(read)}" if read else "还没有人看过。")
    if unread:
        lines.append(f"你团队里没看的{len(unread)}人：{_names(unread)}")
    return "\n".join(lines)


def team(unread: Sequence[tuple[str, str, datetime]], read: int) -> str:
    """unread: (who, what was written to them, when it was, local)."""
    if not unread:
        return f"你团队里{read}人都看过我最近发的消息了。"
    lines = [f"没看我最近一条消息的{len(unread)}人："]
    for name, title, at in unread:
        lines.append(f"- {name}：{title}（{when(at)}）")
    if read:
        lines.append(f"看过的有{read}人。")
    return "\n".join(lines)


def not_recalled(reason: str) -> str:
    return f"没能收回：{reason}"


def _names(names: Sequence[str]) -> str:
    more = f" 等{len(names)}人" if len(names) > MOST else ""
    return "、".join(names[:MOST]) + more
