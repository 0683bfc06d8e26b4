"""How DingTalk says no: the new API's status and word, the old one's number in a 200 answer.

Codes from the protocol notes 3.3, 3.5, 4.4 and 9.1.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from typing import Any

from aiohttp import web

from .world import Fault

Body = dict[str, Any]

BAN = "ip-ban"  # as a fault's errcode: the answer of an address banned for five minutes

_OLD_WORDS = {
    -1: "系统繁忙",
    15: "isp.top-remote-connection-timeout",
    88: "ding talk error",
    33001: "无效的企业ID",
    40001: "获取access_token时Secret错误，或者access_token无效",
    40014: "不合法的access_token",
    42001: "access_token超时",
    60011: "没有调用该接口的权限",
    60020: "访问ip不在白名单之中",
    90002: "您的服务器调用钉钉开放平台当前接口的请求都被暂时禁用了",
    90018: "您的服务器调用钉钉开放平台所有接口的请求都被暂时禁用了",
    90020: "企业本月的接口调用量已用完",
    130101: "send too fast, exceed 20 times per minute",
    300001: "session 不存在",
    310000: "sign not match",
    410100: "发送速度太快而限流",
}

_STATUS_WORDS = {
    400: "invalidParameter",
    401: "authFailed",
    403: "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi",
    429: "systemBusy",
    500: "system.error",
    503: "ServiceUnavailable",
    504: "ServiceUnavailable.Timeout",
}


class ApiError(Exception, ABC):
    """Carries the whole answer to a failed call."""

    @abstractmethod
    def response(self) -> web.Response: ...


class NewError(ApiError):
    """A failure of /v1.0/…: HTTP status and {code, message, requestid}."""

    def __init__(self, status: int, code: str, message: str = "", **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body: Body = {
            "code": code,
            "message": message or code,
            "requestid": secrets.token_hex(8).upper(),
            **more,
        }

    def response(self) -> web.Response:
        return web.json_response(self.body, status=self.status)


class OldError(ApiError):
    """A failure of the old API: {errcode, errmsg, request_id} under HTTP 200."""

    def __init__(self, errcode: int, errmsg: str = "", status: int = 200) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.status = status
        self.body: Body = {
            "errcode": errcode,
            "errmsg": errmsg or _OLD_WORDS.get(errcode, "error"),
            "request_id": secrets.token_hex(6),
        }

    def is_about_access(self) -> bool:
        return self.body["errcode"] in (40014, 42001, 60011, 90018)

    def wrapped(self) -> OldError:
        """The same failure inside 88 with a sub code, as the gateway of topapi tells it."""
        code, word = self.body["errcode"], self.body["errmsg"]
        outer = OldError(88, f"ding talk error[subcode={code},submsg={word}]")
        outer.body |= {"sub_code": str(code), "sub_msg": word}
        return outer

    def response(self) -> web.Response:
        return web.json_response(self.body, status=self.status)


class PageError(ApiError):
    """Not an answer of the API at all: a gateway's page, the ban notice, a cut connection."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self._response = response

    def response(self) -> web.Response:
        return self._response


def invalid(code: str, message: str = "") -> NewError:
    """The new API's 400."""
    return NewError(400, code, message)


def scope_missing(scope: str) -> NewError:
    return NewError(
        403,
        "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        f"没有调用该接口的权限，接口权限申请参考 requiredScopes：{scope}",
        accessdenieddetail={"requiredScopes": [scope]},
    )


def from_fault(fault: Fault, *, new: bool) -> ApiError | None:
    """The answer a fault asks for; None when it only delays."""
    if fault.errcode == BAN:
        page = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "0" * 32}
        return PageError(web.json_response(page))
    if fault.errcode is None and fault.status is None:
        return None
    if new:
        code = str(fault.errcode or _STATUS_WORDS.get(fault.status or 500, "unknownError"))
        return NewError(fault.status or _status_of(code), code)
    if fault.errcode is None and fault.status is not None:
        text = f"<html><body><h1>{fault.status}</h1></body></html>"
        return PageError(web.Response(text=text, status=fault.status, content_type="text/html"))
    return OldError(int(fault.errcode or -1), status=fault.status or 200)


def _status_of(code: str) -> int:
    if code.startswith("Forbidden."):
        return 403
    return 500 if code in ("system.error", "system.busy", "systemBusy", "unknownError") else 400
