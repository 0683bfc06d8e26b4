"""Every answer DingTalk is known to give, and what it means for the next try."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import AuthFailed, BotError, RateLimited, TimedOut, Unavailable
from connectors.dingtalk.errors import DingtalkRejected, QuotaUsedUp, TokenRefused, failure_of

DENIED = "Forbidden.AccessDenied."
CODE_EXPIRED = "invalidParameter.robotCode.downloadCode"


def failure(status: int, body: Any) -> BotError | None:
    return failure_of(status, body, what="dingtalk:test")


def new(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "message": "说明", "requestid": "R", **more}


def old(code: int | str, **more: Any) -> dict[str, Any]:
    return {"errcode": code, "errmsg": "说明", **more}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"processQueryKey": "k"}),
        (200, {"errcode": 0, "errmsg": "ok"}),
        (200, {"errcode": "0", "errmsg": "ok"}),
        (200, {}),
        (204, None),
    ],
)
def test_success_is_no_failure(status: int, body: Any) -> None:
    assert failure(status, body) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, new("InvalidAuthentication")),
        (401, new("InvalidAuthentication")),
        (400, new("invalidToken")),
        *((200, old(code)) for code in (40001, 40014, 42001, 33001)),
        (200, old(88, sub_code="40014", sub_msg="不合法的access_token")),
        (200, old(88, errmsg="ding talk error[subcode=42001,submsg=超时]")),
    ],
)
def test_a_bad_token_is_worth_a_fresh_one(status: int, body: Any) -> None:
    assert type(failure(status, body)) is TokenRefused


@pytest.mark.parametrize(
    ("status", "body", "wait_s"),
    [
        (403, new(f"{DENIED}QpsLimitForAppkeyAndApi"), 1),
        (200, old(90018), 1),
        (200, old(88, sub_code="90018"), 1),
        (403, new(f"{DENIED}QpsLimitForApi"), 4),
        (200, old(90002), 4),
        (403, new(f"{DENIED}QpmLimitForAppkeyAndApi"), 60),
        (200, old(90006), 60),
        (400, new("send.too.fast"), 60),
        (400, new("send.byToken.tooFast"), 60),
        (200, old(410100), 600),
        (200, old(130101), 600),
        (429, new("systemBusy"), 5),
        (200, {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"}, 300),
        (403, "<html><body>punish x5sec</body></html>", 300),
    ],
)
def test_too_many_calls_name_their_wait(status: int, body: Any, wait_s: float) -> None:
    error = failure(status, body)
    assert type(error) is RateLimited
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, new("system.error"), Unavailable),
        (500, new("system.busy"), Unavailable),
        (503, new("ServiceUnavailable"), Unavailable),
        (502, "<html>Bad Gateway</html>", Unavailable),
        (200, old(-1), Unavailable),
        (200, old(88), Unavailable),
        (200, old(34015), Unavailable),
        (504, new("ServiceUnavailable.Timeout"), TimedOut),
        (200, old(15, errmsg="isp.top-remote-connection-timeout"), TimedOut),
        (400, new("unknown.send.result"), TimedOut),
    ],
)
def test_a_busy_platform_is_worth_another_try(status: int, body: Any, kind: type[BotError]) -> None:
    assert type(failure(status, body)) is kind


@pytest.mark.parametrize(
    ("status", "body"), [(403, new(f"{DENIED}ApiCountLimitForOrg")), (200, old(90020))]
)
def test_the_months_quota_is_the_administrators_matter(status: int, body: Any) -> None:
    error = failure(status, body)
    assert type(error) is QuotaUsedUp
    assert "下月" in str(error)


def test_a_missing_scope_is_named() -> None:
    detail = {"requiredScopes": ["qyapi_robot_sendmsg", "Card.Instance.Write"]}
    body = new(f"{DENIED}AccessTokenPermissionDenied", accessdenieddetail=detail)
    error = failure(403, body)
    assert type(error) is AuthFailed
    assert "qyapi_robot_sendmsg, Card.Instance.Write" in str(error)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, old(60011, errmsg="需要权限：qyapi_get_member")),
        (200, old(88, sub_code="60011", sub_msg="没有权限")),
        (403, new(f"{DENIED}IpNotInWhiteList")),
        (200, old(60020)),
        (400, new("invalidClientIdOrSecret")),
        (401, new("authFailed")),
        (200, old(40089)),
        (200, old(310000, errmsg="sign not match")),
    ],
)
def test_what_only_an_administrator_can_grant_stops(status: int, body: Any) -> None:
    assert type(failure(status, body)) is AuthFailed


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, new(CODE_EXPIRED), CODE_EXPIRED),
        (400, new("contain.unsafe.url"), "contain.unsafe.url"),
        (400, new("param.cardAlreadyExist"), "param.cardAlreadyExist"),
        (400, new("robot.oto.notExist"), "robot.oto.notExist"),
        (403, new("some.new.word"), "some.new.word"),
        (200, old(60121), "60121"),
        (200, old(300001), "300001"),
        (200, old(400101), "400101"),
        (200, old(430104), "430104"),
        (400, None, ""),
    ],
)
def test_a_plain_no_keeps_its_code(status: int, body: Any, code: str) -> None:
    error = failure(status, body)
    assert isinstance(error, DingtalkRejected)
    assert error.code == code
    assert str(error).startswith("dingtalk:test: ")
