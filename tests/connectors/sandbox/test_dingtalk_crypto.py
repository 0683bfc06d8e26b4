"""The emulator's signatures and encryption against published vectors and another library."""

from __future__ import annotations

import json

import pytest
from dingtalk.crypto import DingTalkCrypto
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.dingtalk_crypto import EventCrypto, same, sign_card, sign_robot

TOKEN, AES_KEY, OWNER = "demotoken", "0123456789abcdefghijABCDEFGHIJ0123456789abc", "dingdemoappkey"
STAMP, NONCE = "1700000000000", "nonce123"

VECTORS = [
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


def crypto(owner: str = OWNER) -> EventCrypto:
    return EventCrypto(TOKEN, AES_KEY, owner)


@pytest.mark.parametrize(("message", "encrypted", "signature"), VECTORS)
def test_events_match_the_vectors(message: str, encrypted: str, signature: str) -> None:
    assert crypto().encrypt(message, b"ABCDEFGHIJKLMNOP") == encrypted
    assert crypto().sign(STAMP, NONCE, encrypted) == signature
    assert crypto().decrypt(encrypted) == message


def test_signatures_match_the_vectors() -> None:
    robot = sign_robot(STAMP, "demo-app-secret")
    assert robot == "35L+VaeC+auo+F48xgwE2nbemVgZgGadfVKR4DtTTo4="
    assert sign_robot(STAMP, "SECdemo") == "lOvVf9TQCVugV68mGbSZCg0gzOl1SVjxWi1MyVZCUuA="
    assert sign_card(STAMP, "demo-card-secret") == "CHQy5wRVV+0UoIxs955SJ/PA6cavkZ4k17m//Z/e2/g="
    assert same(robot, robot)
    assert not same(robot, "签名")


@given(st.text())
def test_another_library_reads_what_we_encrypt(message: str) -> None:
    sealed = crypto().encrypt(message)
    signature = crypto().sign(STAMP, NONCE, sealed)
    library = DingTalkCrypto(TOKEN, AES_KEY, OWNER)
    assert library.decrypt_message({"encrypt": sealed}, signature, STAMP, NONCE) == message


def test_we_read_what_another_library_encrypts() -> None:
    message = json.dumps({"EventType": "user_add_org", "name": "小王"}, ensure_ascii=False)
    answer = DingTalkCrypto(TOKEN, AES_KEY, OWNER).encrypt_message(message, NONCE, STAMP)
    assert crypto().sign(STAMP, NONCE, answer["encrypt"]) == answer["msg_signature"]
    assert crypto().decrypt(answer["encrypt"]) == message


@pytest.mark.parametrize("encrypted", ["", "AAAA", "not base64", VECTORS[0][1][:24]])
def test_garbage_cannot_be_decrypted(encrypted: str) -> None:
    with pytest.raises(ValueError, match=r"wrong|short|owner|encoded|block|character"):
        crypto().decrypt(encrypted)


def test_another_owner_cannot_be_decrypted() -> None:
    with pytest.raises(ValueError, match="owner"):
        crypto("dingcorp01").decrypt(VECTORS[0][1])
