"""The emulator's own cipher, against published vectors and another implementation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.enterprise.crypto import WeChatCrypto

from connectors.sandbox.wecom_crypto import CryptoError, Seal
from connectors.sandbox.wecom_xml import read_xml
from tests.connectors.sandbox.wecom_bed import AES_KEY, CORP, TOKEN

ECHO = "4j/AuRx71kQlxVlzbpsMWAb2GfGn6+sHJMY1dfBWBInKd+NT4IUx4JhOPNeTito1isnSLfEnmHjN0q6Pe/F4xg=="
VECTOR = Seal("tok", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "wwcorp")


def test_known_message_encrypts_to_the_known_text() -> None:
    assert VECTOR.encrypt(b"echo-123", head=b"0123456789abcdef") == ECHO
    assert VECTOR.sign("1700000000", "nonce1", ECHO) == "19d04174ee4989a9271c1eb1a772ae602d90e9c6"


def test_known_message_opens() -> None:
    opened = VECTOR.open(
        signature="19d04174ee4989a9271c1eb1a772ae602d90e9c6",
        timestamp="1700000000",
        nonce="nonce1",
        encrypted=ECHO,
    )
    assert opened == b"echo-123"


@given(st.binary(max_size=200))
def test_every_length_comes_back_whatever_its_padding(message: bytes) -> None:
    assert VECTOR.decrypt(VECTOR.encrypt(message)) == message


def test_wechatpy_reads_what_we_seal_and_we_read_what_it_seals() -> None:
    seal, other = Seal(TOKEN, AES_KEY, CORP), WeChatCrypto(TOKEN, AES_KEY, CORP)
    sealed = seal.encrypt("<xml>跟单</xml>".encode())
    signature = seal.sign("1700000000", "n", sealed)
    assert other.check_signature(signature, "1700000000", "n", sealed) == "<xml>跟单</xml>"
    answer = read_xml(other.encrypt_message("你好", "n", "1700000000").encode())
    assert seal.decrypt(answer.findtext("Encrypt", "")) == "你好".encode()


@pytest.mark.parametrize(
    ("encrypted", "why"),
    [
        ("", "blocks"),
        ("@@@", "base64"),
        ("AAAA", "blocks"),
        (Seal("tok", VECTOR.aes_key, "wwother").encrypt(b"x"), "another receiver"),
        (ECHO[:44], "length|padding|base64|blocks"),
    ],
    ids=["empty", "no base64", "too short", "for somebody else", "cut off"],
)
def test_what_is_not_for_us_is_refused_with_the_reason(encrypted: str, why: str) -> None:
    with pytest.raises(CryptoError, match=why):
        VECTOR.decrypt(encrypted)


def test_wrong_signature_is_refused() -> None:
    with pytest.raises(CryptoError, match="signature"):
        VECTOR.open(signature="0" * 40, timestamp="1", nonce="n", encrypted=ECHO)


def test_key_of_wrong_length_is_told() -> None:
    with pytest.raises(CryptoError, match="43"):
        Seal("tok", "AAEC" * 4 + "AAE", "wwcorp").encrypt(b"x")
