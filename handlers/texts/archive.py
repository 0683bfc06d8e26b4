"""What the bot writes about archived chats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.texts.receivables import moment

CHAT_TITLE = "企业微信聊天"
GROUP_TITLE = "企业微信客户群"
RECALLED = "（已撤回）"
TAKEN_BACK = "撤回了一条消息"
SOMEBODY = "客户"
NOT_YET = "（文件还没有取到，会自动重试）"
LOST = "（文件没有取到，平台已不再提供）"
CAME_LATE = "补取到文件"
UNSURE = "大小或校验值与平台所说不符，已照收到的保存"


def title(*, in_group: bool, recalled: bool) -> str:
    return (GROUP_TITLE if in_group else CHAT_TITLE) + (RECALLED if recalled else "")


def outsider(user_id: str) -> str:
    """Somebody outside whose name nobody has told; the end of the id tells two apart."""
    return f"{SOMEBODY}(…{user_id[-4:]})"


def said(speaker: str, listener: str, text: str) -> str:
    """listener: "" in a group, where all hear it."""
    return f"{speaker} → {listener}：{text}" if listener else f"{speaker}：{text}"


def heard(text: str, transcript: str) -> str:
    return f"{text} {transcript}"


def late_file(speaker: str, name: str) -> str:
    return f"{speaker}：{CAME_LATE}「{name}」"


def silent(since: datetime | None, why: str) -> str:
    """since: local; None: it was never read."""
    until = f"{moment(since)}以后的聊天还没有进来" if since else "还一次都没有读到"
    return (
        f"会话内容存档读不到，{until}：{why}。"
        "平台只保留最近几天的聊天，请尽快处理；恢复后会自动补读。运行 gendan doctor 可以检查。"
    )


def lacks_key(version: int, count: int) -> str:
    return (
        f"会话内容存档有{count}条消息用第 {version} 版公钥加密，"
        "配置里没有对应的私钥，先按原样留着。"
        f"请把第 {version} 版私钥写进 keys 并重启，会自动补上。"
    )


def broken(count: int, reasons: Sequence[str] = ()) -> str:
    why = f"（{'；'.join(reasons)}）" if reasons else ""
    return (
        f"会话内容存档有{count}条消息解不开{why}，已按原样留着。"
        "修好以后运行 gendan replay --failed，会再解一次。"
    )
