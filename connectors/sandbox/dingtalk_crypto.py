"""Signatures and event encryption as DingTalk's own servers make them.

Protocol notes 1.1, 4.5 and 5.2. On purpose apart from the connector's own crypto: each
side checks the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_PAD_BLOCK = 32  # PKCS#7 with a block of 32, not of AES's 16
_RANDOM_BYTES = 16


def sign_robot(timestamp: str, secret: str) -> str:
    """The `sign` of a robot callback and of a webhook call; timestamp in ms as a string."""
    return _hmac_base64(secret, f"{timestamp}\n{secret}")


def sign_card(timestamp: str, secret: str) -> str:
    """The `x-ddpaas-signature` of a card callback."""
    return _hmac_base64(secret, timestamp)


def same(left: str, right: str) -> bool:
    """Compare signatures without telling how much of them agrees."""
    return hmac.compare_digest(left.encode(), right.encode())


class EventCrypto:
    """Encrypts event pushes and reads the bot's encrypted answers.

    owner: the appKey for subscriptions made in the developer console.
    """

    def __init__(self, token: str, aes_key: str, owner: str) -> None:
        self._token = token
        self._key = base64.b64decode(aes_key + "=")
        self._owner = owner.encode()

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        joined = "".join(sorted([self._token, timestamp, nonce, encrypted]))
        return hashlib.sha1(joined.encode()).hexdigest()

    def encrypt(self, message: str, random: bytes = b"") -> str:
        """random: 16 bytes, given only to reproduce a published vector."""
        body = message.encode()
        plain = (random or os.urandom(_RANDOM_BYTES)) + struct.pack(">I", len(body))
        plain += body + self._owner
        pad = _PAD_BLOCK - len(plain) % _PAD_BLOCK
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted: str) -> str:
        """Raises ValueError when it cannot be read or belongs to another owner."""
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(base64.b64decode(encrypted)) + decryptor.finalize()
        if not plain or not 1 <= plain[-1] <= _PAD_BLOCK:
            raise ValueError("wrong padding")
        start = _RANDOM_BYTES + 4
        content = plain[: -plain[-1]]
        if len(content) < start:
            raise ValueError("too short")
        (length,) = struct.unpack(">I", content[_RANDOM_BYTES:start])
        if content[start + length :] != self._owner:
            raise ValueError("another owner key")
        return content[start : start + length].decode()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))


def _hmac_base64(key: str, data: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), data.encode(), "sha256")).decode()
