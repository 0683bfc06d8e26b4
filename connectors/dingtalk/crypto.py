"""Signatures and event encryption (protocol notes 1.1, 3.3, 4.5, 5.2).

The AES envelope of events is dingtalk-sdk's. The signatures are ours: the SDK compares
with `!=`, which tells a forger by its timing how much of a signature agrees.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

_BLOCK = 64  # bytes that SHA-256 takes at a time


class WrongSignature(Exception):
    """Not from DingTalk, or not meant for this application."""


class Unreadable(Exception):
    """Correctly signed, and still nothing that can be decrypted."""


def sign_robot(timestamp: str, secret: str) -> str:
    """The `sign` of robot callbacks (appSecret) and of custom robots (SEC…), not URL-encoded.

    timestamp: milliseconds since the epoch, as the string that is sent.
    """
    return _hmac_base64(secret, f"{timestamp}\n{secret}")


def sign_card(timestamp: str, secret: str) -> str:
    """The `x-ddpaas-signature` of card callbacks; secret: the apiSecret registered."""
    return _hmac_base64(secret, timestamp)


def is_same(left: str, right: str) -> bool:
    """Compare in constant time, whatever characters a stranger sends."""
    return hmac.compare_digest(left.encode("utf-8", "replace"), right.encode("utf-8", "replace"))


class EventCrypto:
    """Opens event pushes and seals the answers to them.

    owner_key: the client id for subscriptions made in the developer console. An SDK client
    would build this with the corp id and refuse them.
    """

    def __init__(self, token: str, aes_key: str, owner_key: str) -> None:
        from connectors.dingtalk.envelope import Envelope, NotForUs

        self._token = token
        self._owner_key = owner_key
        self._not_for_us = NotForUs
        self._envelope = Envelope(base64.b64decode(aes_key + "="))

    def open(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        """The message. Raises WrongSignature or Unreadable."""
        if not is_same(signature, self._sign(timestamp, nonce, encrypted)):
            raise WrongSignature("signature")
        try:
            message: str = self._envelope.decrypt(encrypted, self._owner_key)
        except self._not_for_us:
            raise WrongSignature("owner key") from None
        except Exception as error:  # noqa: BLE001 - the SDK lets a dozen kinds through
            raise Unreadable(f"cannot be decrypted ({type(error).__name__})") from None
        return message.encode()

    def seal(self, message: str, *, timestamp: str) -> dict[str, str]:
        """An answer. `timeStamp` with a capital S is the platform's spelling."""
        nonce = secrets.token_hex(8)
        encrypted = self._envelope.encrypt(message, self._owner_key).decode()
        return {
            "msg_signature": self._sign(timestamp, nonce, encrypted),
            "timeStamp": timestamp,
            "nonce": nonce,
            "encrypt": encrypted,
        }

    def _sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        joined = "".join(sorted([self._token, timestamp, nonce, encrypted]))
        digest = hashlib.sha1(joined.encode("utf-8", "replace"), usedforsecurity=False)
        return digest.hexdigest()


def _hmac_base64(key: str, data: str) -> str:
    return base64.b64encode(_keyed(key).digest(data.encode())).decode()


class _Keyed:
    """HMAC-SHA256 (RFC 2104) with a key that is worked in once. OpenSSL looks up its algorithms
    for each message, which costs a door three times what the two hashes do."""

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, data: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


@lru_cache(maxsize=256)  # applications and group robots
def _keyed(key: str) -> _Keyed:
    return _Keyed(key.encode())
