"""WeCom's error codes: which of our errors each one is, and what the admin can do.

Source: developer.work.weixin.qq.com/document/path/90313. Errors come with HTTP 200, so the
code decides; a code that is not listed means that another try cannot help.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import (
    AuthFailed,
    BotError,
    RateLimited,
    Rejected,
    TransientError,
    Unavailable,
)


@contextmanager
def in_shape(api: str) -> Iterator[None]:
    """Around what is made of an answer: where it lacks what we need, or has it as another kind,
    the platform is in trouble and we are not. Raises Unavailable."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        told = f"wecom:{api}: an answer of another shape ({type(error).__name__})"
        raise Unavailable(told) from error


class TokenRefused(AuthFailed):
    """The access token is no longer good: renew it and repeat the call, once."""


class WecomRejected(Rejected):
    """A Rejected that tells its code, for the few places where it makes a difference."""

    def __init__(self, message: str, errcode: int) -> None:
        super().__init__(message)
        self.errcode = errcode


MEDIA_GONE = 40007
ANSWER_TOO_LARGE = 45029
RESPONSE_CODE_USED = 60140
TASK_ID_USED = 42014  # also "malformed", which ours never is
NO_SUCH_USER = frozenset({40003, 46004, 60111})
CODE_USED = frozenset({40029, 42003})  # of OAuth: unknown, used or too old
NOT_RELATED = 84061  # the member and the contact have each other no more, or never had
NOBODY_LICENSED = 701008
NO_CUSTOMER_GROUP = 90501
NO_INTERNAL_ROOM = 301059
CHAT_EXISTS = 86215
NO_OWN_CHAT = frozenset({86001, 86003, 86008, 40050})
BAD_APPROVAL = 301025  # also a number that there is not
NO_CONTACT_RIGHT = frozenset({84074, 60111})  # of a member: 客户联系, or in sight at all
OUT_OF_REACH = frozenset({50002, 60011, 60021, 60030, 60123, 60003})

_CLASSES: dict[type[BotError], tuple[int, ...]] = {
    TokenRefused: (40001, 40014, 41001, 42001),
    Unavailable: (-1, 6000, 41063, 45035, 301022),
    RateLimited: (45009, 45033),
    AuthFailed: (
        40013, 40056, 40057, 40091, 41002, 41004, 43012, 45031, 48001, 48002, 48003, 48006,
        48009, 50001, 50003, 50006, 60020, 60031, 93000, 93004, 301002, 301042, 301052,
        301053, 301055,
    ),
}  # fmt: skip
_CLASS_OF = {code: cls for cls, codes in _CLASSES.items() for code in codes}

_API_NOT_GRANTED = (
    "应用没有调用该接口的权限：请在企业微信管理后台「应用管理」中打开本应用，"
    "检查可见范围和接口权限；客户联系、审批、打卡接口需在对应系统应用的"
    "「可调用接口的应用」中加入本应用"
)
_WRONG_CREDENTIAL = "Secret 不正确：请在管理后台「应用管理」→ 本应用中查看 Secret，更新配置后重启"
_APP_DISABLED = "应用已被停用：请在管理后台「应用管理」中启用本应用"
_WEBHOOK = "群机器人的 key 无效或机器人已被移除、停用：请在群里重新添加，并更新配置中的 key"

_REMEDIES = {
    40001: _WRONG_CREDENTIAL,
    40091: _WRONG_CREDENTIAL,
    45031: "Secret 强度不足：请在管理后台重置本应用的 Secret，并更新配置",
    40013: "企业 ID 不正确：请在管理后台「我的企业」→「企业信息」底部查看企业 ID，更新配置",
    41002: "没有配置企业 ID",
    41004: "没有配置 Secret",
    40056: "AgentId 不正确：请在管理后台「应用管理」→ 本应用中查看 AgentId，更新配置",
    301002: "AgentId 与 Secret 不属于同一个应用：请检查配置",
    40057: "回调地址验证未通过：请检查 URL、Token、EncodingAESKey 是否与配置一致",
    43012: "应用没有设置接收消息的 URL，不能发交互卡片：请在「接收消息」→「设置API接收」中填写",
    48001: _API_NOT_GRANTED,
    48002: _API_NOT_GRANTED,
    48003: _API_NOT_GRANTED,
    48006: _API_NOT_GRANTED,
    60031: _API_NOT_GRANTED,
    301055: _API_NOT_GRANTED,
    48009: "通讯录同步的 Secret 不能从新 IP 读取成员：请改用自建应用的 Secret",
    50003: _APP_DISABLED,
    50006: _APP_DISABLED,
    93000: _WEBHOOK,
    93004: _WEBHOOK,
    81013: "接收人都不在应用的可见范围内，或已离职：请在「应用管理」→ 本应用 →「可见范围」中添加",
    82001: "接收人为空",
    60011: "超出应用的可见范围：请在「应用管理」→ 本应用 →「可见范围」中添加",
    50002: "超出应用的可见范围：请在「应用管理」→ 本应用 →「可见范围」中添加",
    45009: "调用过于频繁，企业微信暂时限流，稍后自动重试",
}  # fmt: skip

_RETRY_AFTER_S = {45009: 60.0, 45033: 2.0}
_FROM_IP = re.compile(r"from ip: ?([0-9a-fA-F.:]+)")
_HINT = re.compile(r",? ?hint: ?\[[^\]]*\]")  # another one each time: no two would be alike
_ERRMSG_CHARS = 300


def classify(status: int, errcode: int) -> type[BotError]:
    """The class of a failed answer; TokenRefused means "renew the token"."""
    if errcode in _CLASS_OF:
        return _CLASS_OF[errcode]
    if errcode == 0 and status == 429:
        return RateLimited
    return Unavailable if status >= 500 else Rejected


def to_error(what: str, status: int, errcode: int, errmsg: str) -> BotError:
    """The error to raise, with the platform's words for the log and ours for the admin."""
    told = f"{what}: {errcode} {_HINT.sub('', errmsg)[:_ERRMSG_CHARS]}"
    if remedy := _remedy(errcode, errmsg):
        told = f"{told}（{remedy}）"
    cls = classify(status, errcode)
    error: BotError
    if issubclass(cls, TransientError):
        error = cls(told, retry_after_s=_RETRY_AFTER_S.get(errcode))
    else:
        error = WecomRejected(told, errcode) if cls is Rejected else cls(told)
    error.code = str(errcode)
    return error


def _remedy(errcode: int, errmsg: str) -> str:
    if errcode != 60020:
        return _REMEDIES.get(errcode, "")
    found = _FROM_IP.search(errmsg)
    address = found[1].rstrip(".") if found else "本机的出口 IP"
    return (
        f"IP {address} 不在企业可信IP中：请在管理后台「应用管理」→ 本应用 →"
        f"「企业可信IP」中添加 {address}，约 1 分钟后生效"
    )
