"""What DingTalk's answers mean: (status, body) -> None or one error of the error tree.

Both APIs are read by one function. The new one fails with an HTTP status and a word in
`code`; the old one with a number in `errcode` under HTTP 200, and its gateway may wrap that
number once more into 88 + sub_code. Codes from the protocol notes 3.3, 3.5, 4.4 and 9.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.errors import (
    AuthFailed,
    BotError,
    PermanentError,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)

BAN_S = 300.0
"""An address that called too much is shut out for five minutes (notes 9.1)."""


class TokenRefused(AuthFailed):
    """The access token is no longer good: fetch once, try once more."""


class QuotaUsedUp(PermanentError):
    """The month's paid calls are used up; nothing helps before the month turns."""


class DingtalkRejected(Rejected):
    """A plain no; `code` is DingTalk's word or number for it."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


PERSON_GONE = frozenset({"60121", "33012"})
OUT_OF_RANGE = frozenset({"50002", "50004"})
CODE_USED = frozenset({"40078"})  # of a sign-in: unknown, used or too old
NO_APPROVAL = frozenset({"processInstanceNotExist", "invalidProcessInstanceId"})
CARD_EXISTS = "param.cardAlreadyExist"
CARD_GONE = "param.cardNotExist"
NO_GROUP_ROBOT = frozenset({"300005", "400101", "400102"})  # of a webhook: unknown, or shut off
SESSION_OVER = frozenset({"300001", "session.notExisted", "session.expired"})

_DENIED = "Forbidden.AccessDenied."

_TOKEN = frozenset({"40001", "40014", "42001", "33001", "InvalidAuthentication", "invalidToken"})
_QUOTA = frozenset({"90020", f"{_DENIED}ApiCountLimitForOrg"})

_WAITS_S: Mapping[str, float] = {
    "90018": 1.0,
    f"{_DENIED}QpsLimitForAppkeyAndApi": 1.0,
    "90002": 4.0,
    f"{_DENIED}QpsLimitForApi": 4.0,
    f"{_DENIED}QpmLimitForAppkeyAndApi": 60.0,
    **dict.fromkeys(("90001", "90003", "90004", "90005", "90006", "90010"), 60.0),
    "send.too.fast": 60.0,
    "send.byToken.tooFast": 60.0,
    "too.many.group": 60.0,
    "too.many.people": 60.0,
    # A custom robot that was too fast is blocked for ten minutes.
    "410100": 600.0,
    "130101": 600.0,
}
_TOO_MANY_S = 5.0  # 429 names no wait

# Their own upstream timed out: whether it acted is unknown.
_NO_ANSWER = frozenset({"15", "unknown.send.result"})
_BUSY = frozenset({"-1", "88", "34015", "system.error", "systemBusy", "system.busy"})

_SCOPE = frozenset({"60011", f"{_DENIED}AccessTokenPermissionDenied"})
_ADDRESS = frozenset({"60020", f"{_DENIED}IpNotInWhiteList"})
_CREDENTIALS = frozenset(
    {"40089", "40013", "invalidClientIdOrSecret", "authFailed", "invalid.client"}
    | {"unauthorized.client", "unauthorized", "auth.error", "310000"}
)

_SUB_CODE = re.compile(r"subcode=([^,\]]+)")


def failure_of(status: int, body: Any, *, what: str) -> BotError | None:
    """The error an answer stands for; None for a success. `what` opens its message."""
    if is_ban(body):
        return RateLimited(f"{what}: this address is banned for a while", retry_after_s=BAN_S)
    code = _code_of(body)
    if status // 100 == 2 and code in ("", "0"):
        return None
    failure = _failure(code, status, body, what)
    failure.code = code
    return failure


def _failure(code: str, status: int, body: Any, what: str) -> BotError:
    told = _told(body)
    text = f"{what}: HTTP {status}, code {code or 'none'}: {told}"
    if code in _TOKEN:
        return TokenRefused(text)
    if code in _QUOTA:
        return QuotaUsedUp(f"钉钉本月接口调用量已用完，下月恢复或请管理员购买扩容包（{text}）")
    if code in _WAITS_S or status == 429:
        return RateLimited(text, retry_after_s=_WAITS_S.get(code, _TOO_MANY_S))
    if code in _NO_ANSWER or status == 504:
        return TimedOut(text)
    if code in _BUSY or status >= 500:
        return Unavailable(text)
    return _refusal(code, status, body, text)


def is_ban(body: Any) -> bool:
    """The notice of the gateway that shuts an address out, as JSON or as a page."""
    if isinstance(body, str):
        return "punish" in body
    return isinstance(body, dict) and "punish" in body and "code" not in body


def _refusal(code: str, status: int, body: Any, text: str) -> BotError:
    """An operator must look; the message says at what."""
    if code in _SCOPE:
        return AuthFailed(f"应用缺少接口权限 {_scopes(body)}，请在开发者后台开通（{text}）")
    if code in _ADDRESS:
        return AuthFailed(f"服务器出口 IP 不在应用的白名单里（{text}）")
    if code in _CREDENTIALS or status == 401:
        return AuthFailed(text)
    return DingtalkRejected(text, code=code)


def _code_of(body: Any) -> str:
    """Numbers may come as strings; those wrapped into 88 are unwrapped."""
    if not isinstance(body, dict):
        return ""
    if "errcode" not in body:
        return str(body.get("code") or "")
    code = str(body["errcode"])
    if code != "88":
        return code
    nested = _SUB_CODE.search(str(body.get("errmsg", "")))
    return str(body.get("sub_code") or (nested.group(1) if nested else code))


def _told(body: Any) -> str:
    if not isinstance(body, dict):
        return "not an object"
    words = [body.get("errmsg") or body.get("message") or "", body.get("sub_msg") or ""]
    return " ".join(str(word) for word in words if word)[:300]


def _scopes(body: Any) -> str:
    """Named in a field of their own by the new API, in the message by the old one."""
    detail = body.get("accessdenieddetail") if isinstance(body, dict) else None
    scopes = detail.get("requiredScopes") if isinstance(detail, dict) else None
    return ", ".join(map(str, scopes)) if isinstance(scopes, list) else ""
