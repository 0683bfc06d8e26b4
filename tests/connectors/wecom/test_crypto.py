"""Against published vectors, and against wechatpy in both directions."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import PrpCrypto
from wechatpy.enterprise.crypto import WeChatCrypto

from connectors.wecom.crypto import Crypto, Undecipherable, WrongReceiver, WrongSignature

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
VECTORS = [
    (
        "wwcorp",
        b"echo-123",
        b"4j/AuRx71kQlxVlzbpsMWAb2GfGn6+sHJMY1dfBWBInKd+NT4IUx4JhOPNeTito1isnSLfEnmHjN0q6Pe/F4xg==",
        "19d04174ee4989a9271c1eb1a772ae602d90e9c6",
    ),
    (
        "",
        b'{"msgid":"M1","aibotid":"B1","chattype":"single","from":{"userid":"li4"},'
        b'"msgtype":"text","text":{"content":"hi"}}',
        b"4j/AuRx71kQlxVlzbpsMWBxnanz60xUHmwj47zsYclKSfmeCa9c2rPydRS80I0KoazXTApZtugMnpB3G5IAwRFJq"
        b"1ez92rmbaRUn1K+2ZmOYt5gDMIdlc346kUOAaBHdKs//HyOT4vY9nOxvZFfBSjCHQpkBLHBNP14vbilDFx+t57pN"
        b"snG4FZZ4/h+03mJf8qIkXxpaAg+K4upocML4JA==",
        "cd5459494082883d11fbadb1f8ba5b6c4fce35b7",
    ),
]
SIGNED = {"timestamp": "1700000000", "nonce": "nonce1"}


def crypto(receive_id: str = "wwcorp") -> Crypto:
    return Crypto(token="tok", aes_key=KEY, receive_id=receive_id)


@pytest.mark.parametrize(("receive_id", "message", "encrypted", "signature"), VECTORS)
def test_published_vectors_are_verified_and_decrypted(
    receive_id: str, message: bytes, encrypted: bytes, signature: str
) -> None:
    ours = crypto(receive_id)
    ours.verify(signature, **SIGNED, encrypted=encrypted)
    assert ours.decrypt(encrypted) == message


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_wechatpy_encrypts_we_decrypt(message: str) -> None:
    theirs = PrpCrypto(WeChatCrypto("tok", KEY, "wwcorp").key)
    assert crypto().decrypt(theirs.encrypt(message, "wwcorp")) == message.encode()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_we_encrypt_wechatpy_decrypts_and_finds_signed(message: str) -> None:
    ours = crypto()
    encrypted = ours.encrypt(message.encode())
    theirs = WeChatCrypto("tok", KEY, "wwcorp")
    found = theirs.check_signature(
        ours.sign(**SIGNED, encrypted=encrypted), "1700000000", "nonce1", encrypted.decode()
    )
    assert (found.encode() if isinstance(found, str) else found) == message.encode()


@pytest.mark.parametrize("length", range(65))
def test_every_padding_length_comes_back(length: int) -> None:
    assert crypto().decrypt(crypto().encrypt(b"x" * length)) == b"x" * length


@pytest.mark.parametrize("signature", ["", "0" * 40, "签名", VECTORS[0][3].upper()])
def test_any_other_signature_is_wrong(signature: str) -> None:
    with pytest.raises(WrongSignature):
        crypto().verify(signature, **SIGNED, encrypted=VECTORS[0][2])


def test_message_for_another_corporation_is_refused() -> None:
    with pytest.raises(WrongReceiver):
        crypto("wwother").decrypt(VECTORS[0][2])


@pytest.mark.parametrize(
    "encrypted",
    [
        b"",
        b"not base64 at all!",
        "中文".encode(),
        base64.b64encode(b"15 bytes of text"[:15]),
        base64.b64encode(b"\x00" * 32),
        base64.b64encode(b"\xff" * 4096),
        VECTORS[0][2][:-24],
    ],
)
def test_garbage_is_undecipherable(encrypted: bytes) -> None:
    with pytest.raises(Undecipherable):
        crypto().decrypt(encrypted)


@pytest.mark.parametrize("key", ["", "short", KEY[:-1], KEY + "A", "钥" * 43, "!" * 43])
def test_what_is_no_encoding_aes_key_is_told_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="43"):
        Crypto(token="tok", aes_key=key, receive_id="wwcorp")
