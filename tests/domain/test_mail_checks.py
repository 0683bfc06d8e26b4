"""Only what the receiving server noted of the sender's own domain counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.mail_checks import MailChecks, read_checks

SENDER = "ligong@hengrui.cn"
MX = "mx.ours.cn"


@pytest.mark.parametrize(
    ("noted", "dkim", "spf"),
    [
        (f"{MX}; dkim=pass header.d=hengrui.cn", True, False),
        (f"{MX} 1; DKIM=Pass (2048-bit key) header.i=@hengrui.cn header.s=a", True, False),
        (f"{MX}; dkim/1 = pass header.d = mail.hengrui.cn", True, False),
        (f"{MX}; spf=pass (sender IP is 1.2.3.4) smtp.mailfrom=bounce@hengrui.cn", False, True),
        (f"{MX}; spf=pass smtp.mail=hengrui.cn; dkim=pass header.d=hengrui.cn", True, True),
        (f'{MX}; spf=pass reason="a; dkim=pass" smtp.mailfrom="x@hengrui.cn"', False, True),
        # somebody else's domain, in whatever company
        (f"{MX}; dkim=pass header.d=evil.cn; spf=fail smtp.mailfrom=hengrui.cn", False, False),
        (f"{MX}; dkim=pass header.d=evil.cn header.from=hengrui.cn", False, False),
        (f"{MX}; dkim=pass header.d=hengrui.cn.evil.cn", False, False),
        (f"{MX}; dkim=pass header.d=nothengrui.cn", False, False),
        (f"{MX}; dkim=pass header.d=com.cn", False, False),
        # words that only look like a result
        (f"{MX}; dkim=fail (dkim=pass header.d=hengrui.cn)", False, False),
        (f"{MX}; dkim=none (a (nested; dkim=pass header.d=hengrui.cn) one)", False, False),
        (f'{MX}; dkim=fail reason="; dkim=pass header.d=hengrui.cn"', False, False),
        (f'{MX}; spf=pass smtp.mailfrom="x@hengrui.cn"@evil.cn', False, False),
        (f"{MX}; x-dkim=pass header.d=hengrui.cn", False, False),
        (f"{MX}; none", False, False),
        (f"{MX}; dkim=pass", False, False),
    ],
)
def test_results_count_for_the_senders_own_domain(noted: str, dkim: bool, spf: bool) -> None:
    assert read_checks(noted, SENDER) == MailChecks(MX, dkim, spf)


def test_public_mailboxes_stand_for_themselves_alone() -> None:
    noted = f"{MX}; dkim=pass header.d=qq.com"
    assert read_checks(noted, "someone@qq.com").dkim
    assert not read_checks(noted, "someone@vip.qq.com").dkim


@pytest.mark.parametrize("noted", [f'{MX}; dkim=fail reason="', f"{MX}; dkim=fail (", f"{MX} ("])
def test_what_does_not_end_proves_nothing(noted: str) -> None:
    assert read_checks(f"{noted}; dkim=pass header.d=hengrui.cn", SENDER) == MailChecks()


def test_nobody_noted_anything() -> None:
    assert read_checks("", SENDER) == MailChecks()


@given(st.text(alphabet='dkim=pass;() "\\.hengruicn/1\n', max_size=80))
def test_what_is_no_note_is_read_all_the_same(noted: str) -> None:
    assert isinstance(read_checks(noted, SENDER), MailChecks)


@given(st.text(alphabet="abc=;. dkimpas", max_size=40))
def test_a_comment_proves_nothing(inside: str) -> None:
    told = read_checks(f"{MX}; dkim=fail ({inside}; dkim=pass header.d=hengrui.cn)", SENDER)
    assert not told.dkim
