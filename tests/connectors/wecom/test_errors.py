"""Codes of the platform to our errors."""

from __future__ import annotations

import pytest

from bot.errors import (
    AuthFailed,
    BotError,
    PermanentError,
    RateLimited,
    Rejected,
    TransientError,
    Unavailable,
)
from connectors.wecom.errors import TokenRefused, WecomRejected, classify, to_error

TABLE: list[tuple[int, type[BotError]]] = [
    *((code, TokenRefused) for code in (40001, 40014, 41001, 42001)),
    *((code, Unavailable) for code in (-1, 6000, 45035, 41063, 301022)),
    *((code, RateLimited) for code in (45009, 45033)),
    *((code, AuthFailed) for code in (40013, 40056, 40057, 41002, 41004, 43012, 48001, 48002)),
    *((code, AuthFailed) for code in (48003, 48006, 50003, 50006, 60020, 93000, 93004)),
    *((code, AuthFailed) for code in (301002, 301042, 301055, 60031, 40091, 45031)),
    *((code, Rejected) for code in (40003, 60111, 46004, 40007, 40008, 44004, 45002, 81013)),
    *((code, Rejected) for code in (82001, 60140, 60011, 42014, 42039, 40058, 86008, 999999)),
]


@pytest.mark.parametrize(("errcode", "cls"), TABLE)
def test_code_decides_the_class_whatever_the_status(errcode: int, cls: type[BotError]) -> None:
    assert classify(200, errcode) is cls
    error = to_error("wecom:message/send", 200, errcode, "words of the platform")
    assert isinstance(error, cls)
    assert "words of the platform" in str(error)


@pytest.mark.parametrize(
    ("status", "cls"), [(500, Unavailable), (503, Unavailable), (429, RateLimited), (403, Rejected)]
)
def test_status_decides_where_there_is_no_code(status: int, cls: type[BotError]) -> None:
    assert classify(status, 0) is cls


@pytest.mark.parametrize(("errcode", "wait_s"), [(45009, 60.0), (45033, 2.0), (-1, None)])
def test_wait_is_told_where_the_platform_has_one(errcode: int, wait_s: float | None) -> None:
    error = to_error("wecom:x", 200, errcode, "")
    assert isinstance(error, TransientError)
    assert error.retry_after_s == wait_s


def test_refusal_tells_its_code() -> None:
    error = to_error("wecom:x", 200, 40007, "invalid media_id")
    assert isinstance(error, WecomRejected)
    assert error.errcode == 40007


def test_untrusted_address_is_named_with_its_remedy() -> None:
    errmsg = (
        "not allow to access from your ip, hint: [1700000000123456789012345], "
        "from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=60020"
    )
    told = str(to_error("wecom:message/send", 200, 60020, errmsg))
    assert "IP 203.0.113.7 不在企业可信IP中" in told
    assert "「企业可信IP」中添加 203.0.113.7" in told


def test_the_same_failure_is_told_in_the_same_words_each_time() -> None:
    """So that dead letters of one reason stand together."""
    told = {
        str(to_error("wecom:x", 200, 81013, f"all invalid, hint: [{hint}], from ip: 203.0.113.7"))
        for hint in ("1700000000123456789012345", "1700000001987654321098765")
    }
    assert len(told) == 1


def test_untrusted_address_that_is_not_told_still_has_a_remedy() -> None:
    assert "本机的出口 IP" in str(to_error("wecom:x", 200, 60020, ""))


@pytest.mark.parametrize("errcode", [40001, 40013, 40056, 40057, 43012, 48002, 50003, 93000, 81013])
def test_what_an_admin_can_fix_says_how(errcode: int) -> None:
    told = str(to_error("wecom:x", 200, errcode, ""))
    assert any("一" <= char <= "鿿" for char in told)
    assert isinstance(to_error("wecom:x", 200, errcode, ""), PermanentError)
