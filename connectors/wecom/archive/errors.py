"""What the library's return codes mean, and what the admin can do.

Source: developer.work.weixin.qq.com/document/path/91774. The platform's own codes travel inside
the JSON of a call that went well, and are those of `connectors.wecom.errors`.
"""

from __future__ import annotations

from bot.errors import AuthFailed, BotError, Rejected, Unavailable

PAGE_TOO_LARGE = 301058
FILE_GONE = frozenset({10005, 10010, 301048})

_WORDS: dict[int, tuple[type[BotError], str]] = {
    10000: (Rejected, "参数不对：请核对配置里的企业 ID 和会话内容存档 Secret"),
    10001: (Unavailable, "网络不通：请检查本机能否访问企业微信，需要代理时在配置里写 proxy"),
    10002: (Unavailable, "平台的应答读不懂，稍后自动重试"),
    10003: (Unavailable, "平台系统错误，稍后自动重试"),
    10005: (Rejected, "文件编号无效"),
    10009: (
        AuthFailed,
        "本机 IP 不在会话内容存档的可信 IP 里：请在管理后台「管理工具」→「会话内容存档」中添加",
    ),
    10010: (Rejected, "数据已过期，平台不再提供"),
    10011: (Unavailable, "证书错误：请检查代理和系统时间"),
}


class FileGone(Rejected):
    """The platform no longer has the file."""


def of_code(what: str, code: int) -> BotError:
    """what: the library's function."""
    cls, words = _WORDS.get(code, (Rejected, "请按编号查官方文档"))
    told = f"archive {what}: {code}（{words}）"
    return FileGone(told) if code in FILE_GONE else cls(told)
