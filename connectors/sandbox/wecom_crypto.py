"""Encryption and signatures of WeCom callbacks, from the platform's side.

AES-256-CBC, IV = first half of the key, PKCS#7 to blocks of 32 bytes, a 16-byte random
head and a big-endian length before the message, the receiver's id after it.
Source: developer.work.weixin.qq.com/document/path/90968 (and its sample vectors).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32
_HEAD = 20  # 16 random bytes, 4 bytes of length


class CryptoError(ValueError):
    """What was received is not a message encrypted and signed for this application."""


@dataclass(frozen=True, slots=True)
class Seal:
    """One application's Token and EncodingAESKey; seals outgoing, opens incoming bodies."""

    token: str
    aes_key: str
    receive_id: str

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        parts = sorted((self.token, timestamp, nonce, encrypted))
        return hashlib.sha1("".join(parts).encode()).hexdigest()

    def encrypt(self, message: bytes, *, head: bytes | None = None) -> str:
        """Base64 of the encrypted message. head: 16 bytes instead of random ones, for vectors."""
        key = self._key()
        plain = b"".join(
            (
                head or os.urandom(16),
                struct.pack(">I", len(message)),
                message,
                self.receive_id.encode(),
            )
        )
        pad = _BLOCK - len(plain) % _BLOCK
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        sealed = cipher.update(plain + bytes([pad]) * pad) + cipher.finalize()
        return base64.b64encode(sealed).decode()

    def open(self, *, signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        """The message inside. Raises CryptoError."""
        expected = self.sign(timestamp, nonce, encrypted)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise CryptoError("signature does not match")
        return self.decrypt(encrypted)

    def decrypt(self, encrypted: str) -> bytes:
        """The message inside, its signature not looked at. Raises CryptoError."""
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except binascii.Error as error:
            raise CryptoError("not base64") from error
        if not sealed or len(sealed) % 16:
            raise CryptoError("not a whole number of blocks")
        key = self._key()
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        return self._unwrap(cipher.update(sealed) + cipher.finalize())

    def _unwrap(self, padded: bytes) -> bytes:
        pad = padded[-1]
        if not 1 <= pad <= _BLOCK or len(padded) < pad + _HEAD:
            raise CryptoError("illegal padding")
        plain = padded[:-pad]
        (length,) = struct.unpack(">I", plain[16:_HEAD])
        end = _HEAD + length
        if end > len(plain):
            raise CryptoError("illegal length")
        if plain[end:] != self.receive_id.encode():
            raise CryptoError("meant for another receiver")
        return plain[_HEAD:end]

    def _key(self) -> bytes:
        key = base64.b64decode(self.aes_key + "=")
        if len(key) != 32:
            raise CryptoError("EncodingAESKey must be 43 letters and digits")
        return key
