"""Published vectors, and the independent implementation of dingtalk-sdk, both ways."""

from __future__ import annotations

import base64
import hmac
import json

import pytest
from dingtalk.core.exceptions import InvalidSignatureException
from dingtalk.crypto import DingTalkCrypto
from hypothesis import given
from hypothesis import strategies as st

from connectors.dingtalk.crypto import (
    EventCrypto,
    Unreadable,
    WrongSignature,
    is_same,
    sign_card,
    sign_robot,
)

TOKEN, AES_KEY = "demotoken", "0123456789abcdefghijABCDEFGHIJ0123456789abc"
OWNER = "dingdemoappkey"
STAMP, NONCE = "1700000000000", "nonce123"
SEALED = [
    (
        '{"EventType":"check_url"}',
        "3Qa8sB9CVC4169UdtWpLhGIFaZckRg57KbSOrUGNGpLRSEhPLtXd+nK3kl+4xkp1eZHhZgd9OhwliPtkz4/Brw==",
        "bcd3bedfaee4674655ba31e788bd8a74737c415b",
    ),
    (
        "success",
        "3Qa8sB9CVC4169UdtWpLhNpqCmTzFx3no44P5qw1uofBWJg0Q3BFpVJK8Zmzd5aHQijcn6eVfT9DeJvJNgkSLg==",
        "ac9b2c253023b8ba6500d9228abe2c9ebbd8e9d6",
    ),
]


@pytest.fixture
def crypto() -> EventCrypto:
    return EventCrypto(TOKEN, AES_KEY, OWNER)


@pytest.mark.parametrize(
    ("secret", "signature"),
    [
        ("demo-app-secret", "35L+VaeC+auo+F48xgwE2nbemVgZgGadfVKR4DtTTo4="),
        ("SECdemo", "lOvVf9TQCVugV68mGbSZCg0gzOl1SVjxWi1MyVZCUuA="),
    ],
)
def test_robot_signature_is_the_published_one(secret: str, signature: str) -> None:
    assert sign_robot(STAMP, secret) == signature


def test_card_signature_is_the_published_one() -> None:
    expected = "CHQy5wRVV+0UoIxs955SJ/PA6cavkZ4k17m//Z/e2/g="
    assert sign_card(STAMP, "demo-card-secret") == expected


@pytest.mark.parametrize(("message", "encrypted", "signature"), SEALED)
def test_published_events_are_opened(
    crypto: EventCrypto, message: str, encrypted: str, signature: str
) -> None:
    assert crypto.open(signature, STAMP, NONCE, encrypted).decode() == message


def test_what_we_seal_the_sdk_opens(crypto: EventCrypto) -> None:
    answer = crypto.seal("成功 success", timestamp=STAMP)
    sdk = DingTalkCrypto(TOKEN, AES_KEY, OWNER)
    opened = sdk.decrypt_message(
        {"encrypt": answer["encrypt"]}, answer["msg_signature"], STAMP, answer["nonce"]
    )
    assert opened == "成功 success"
    assert answer["timeStamp"] == STAMP


def test_what_the_sdk_seals_we_open(crypto: EventCrypto) -> None:
    told = json.dumps({"EventType": "user_add_org", "name": "汪"}, ensure_ascii=False)
    sealed = DingTalkCrypto(TOKEN, AES_KEY, OWNER).encrypt_message(told, NONCE, STAMP)
    opened = crypto.open(sealed["msg_signature"], STAMP, NONCE, sealed["encrypt"])
    assert opened.decode() == told


def test_sealing_twice_never_gives_the_same(crypto: EventCrypto) -> None:
    first, second = (crypto.seal("success", timestamp=STAMP) for _ in range(2))
    assert first["encrypt"] != second["encrypt"]


@pytest.mark.parametrize(
    ("token", "owner"), [("othertoken", OWNER), (TOKEN, "dingother")], ids=["token", "owner"]
)
def test_what_is_meant_for_another_application_is_refused(token: str, owner: str) -> None:
    sealed = DingTalkCrypto(TOKEN, AES_KEY, OWNER).encrypt_message("{}", NONCE, STAMP)
    theirs = EventCrypto(token, AES_KEY, owner)
    with pytest.raises(WrongSignature):
        theirs.open(sealed["msg_signature"], STAMP, NONCE, sealed["encrypt"])


@pytest.mark.parametrize("garbage", ["", "!!!", "AAAA", "A" * 44, "汉字"])
def test_signed_garbage_is_unreadable_not_a_crash(crypto: EventCrypto, garbage: str) -> None:
    signature = crypto._sign(STAMP, NONCE, garbage)
    with pytest.raises((Unreadable, WrongSignature)):
        crypto.open(signature, STAMP, NONCE, garbage)


def test_the_sdk_agrees_on_what_a_wrong_signature_is(crypto: EventCrypto) -> None:
    _, encrypted, _ = SEALED[0]
    with pytest.raises(InvalidSignatureException):
        DingTalkCrypto(TOKEN, AES_KEY, OWNER).decrypt_encrypt_str("0" * 40, STAMP, NONCE, encrypted)
    with pytest.raises(WrongSignature):
        crypto.open("0" * 40, STAMP, NONCE, encrypted)


def test_a_signature_of_strange_characters_is_only_wrong() -> None:
    assert not is_same("é\udcff", "abc")
    assert is_same("abc", "abc")


@given(st.text(max_size=200), st.text(max_size=80))
def test_the_signature_is_hmac_sha256_whatever_the_key(secret: str, stamp: str) -> None:
    """A key may be longer than a block of the hash."""
    expected = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), "sha256")
    assert sign_robot(stamp, secret) == base64.b64encode(expected).decode()
