"""Failures as administrators read them: what they mean first, the platform's own words behind."""

from __future__ import annotations

import pytest

from connectors.dingtalk.errors import failure_of
from connectors.wecom.errors import to_error
from handlers.texts.failures import Failure, failure

CREDENTIALS = "平台不认我们的凭证，或者应用缺权限"


def test_a_remedy_of_wecom_stands_first() -> None:
    refused = str(to_error("wecom:message/send", 200, 60020, "not allow, from ip: 203.0.113.7"))
    told = failure(f"after 9 attempts: AuthFailed: {refused}")
    assert told.words.startswith("IP 203.0.113.7 不在企业可信IP中：请在管理后台")
    assert told.raw == "wecom:message/send: 60020 not allow, from ip: 203.0.113.7"


def test_so_does_one_of_dingtalk() -> None:
    body = {"code": "Forbidden.AccessDenied.IpNotInWhiteList", "message": "ip not in whitelist"}
    refused = failure_of(403, body, what="dingtalk:robot/send")
    told = failure(str(refused))
    assert told.words == "服务器出口 IP 不在应用的白名单里"
    assert told.raw.startswith("dingtalk:robot/send: HTTP 403")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", Failure("没有写明原因")),
        ("收件人已离职", Failure("收件人已离职")),
        (
            "wecom:message/send: 42014 malformed",
            Failure("企业微信没有收下（错误码 42014）", "wecom:message/send: 42014 malformed"),
        ),
        ("unreadable: 签名不对 [3f1c09ab]", Failure("内容读不懂：签名不对", "", "3f1c09ab")),
        (
            "after 8 attempts: TimedOut: dingtalk:robot/send: no answer in 20 s",
            Failure("平台没有在时限内回应", "dingtalk:robot/send: no answer in 20 s"),
        ),
        (
            "after 5 attempts: KeyError: 'stage' [5be2d110]",
            Failure("程序出错", "KeyError: 'stage'", "5be2d110"),
        ),
        ("AuthFailed", Failure(CREDENTIALS)),
        ("backlog", Failure("积压太多，处理不过来")),
    ],
)  # fmt: skip
def test_what_has_no_remedy_is_told_too(reason: str, told: Failure) -> None:
    assert failure(reason) == told
