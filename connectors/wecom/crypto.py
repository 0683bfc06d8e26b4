"""Signature and encryption of WeCom callbacks.

Source: developer.work.weixin.qq.com/document/path/90968 (加解密方案说明). A message is
AES-256-CBC of: 16 random bytes, length (4 bytes, big-endian), text, receive id; padded to
blocks of 32 bytes, which a stock 16-byte unpadder refuses for half of all messages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.errors import BotError

_BLOCK = 32
_HEAD = 20


class WrongSignature(BotError):
    """Not signed with our token: not from the platform."""


class WrongReceiver(BotError):
    """Correctly signed and encrypted, for somebody else."""


class Undecipherable(BotError):
    """Correctly signed, but not an encryption with our key."""


class Crypto:
    """One application's callback secrets.

    receive_id: the corp id for a self-built application, "" for an intelligent robot.
    Raises ValueError when `aes_key` is no EncodingAESKey (43 letters and digits).
    """

    def __init__(self, *, token: str, aes_key: str, receive_id: str) -> None:
        key = _decode_key(aes_key)
        self._token = token.encode()
        self._receive_id = receive_id.encode()
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16]))

    def sign(self, *, timestamp: str, nonce: str, encrypted: bytes) -> str:
        parts = sorted((self._token, timestamp.encode(), nonce.encode(), encrypted))
        # The platform's choice; it authenticates because one of the parts is secret.
        return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()

    def verify(self, signature: str, *, timestamp: str, nonce: str, encrypted: bytes) -> None:
        """Raises WrongSignature."""
        expected = self.sign(timestamp=timestamp, nonce=nonce, encrypted=encrypted)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise WrongSignature

    def decrypt(self, encrypted: bytes) -> bytes:
        """The text inside base64 `encrypted`. Raises Undecipherable, WrongReceiver."""
        plain = _unpad(self._decipher(encrypted))
        if len(plain) < _HEAD:
            raise Undecipherable("too short")
        end = _HEAD + struct.unpack_from(">I", plain, 16)[0]
        if end > len(plain):
            raise Undecipherable("length runs past the end")
        if not hmac.compare_digest(plain[end:], self._receive_id):
            raise WrongReceiver
        return plain[_HEAD:end]

    def encrypt(self, message: bytes) -> bytes:
        """Base64 as the platform would send it; for checking our own callback address."""
        plain = os.urandom(16) + struct.pack(">I", len(message)) + message + self._receive_id
        count = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher.encryptor()
        padded = plain + bytes([count]) * count
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize())

    def _decipher(self, encrypted: bytes) -> bytes:
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except binascii.Error as error:
            raise Undecipherable("not base64") from error
        if not raw or len(raw) % 16:
            raise Undecipherable("not a whole number of blocks")
        decryptor = self._cipher.decryptor()
        return decryptor.update(raw) + decryptor.finalize()


def decrypt_file(aes_key: str, data: bytes) -> bytes:
    """A file of an intelligent robot: the same cipher and padding, without a head. aes_key:
    the robot's EncodingAESKey, or the message's own key. Raises Undecipherable.

    Source: developer.work.weixin.qq.com/document/path/100719.
    """
    try:
        key = _decode_key(aes_key.rstrip("="))
    except ValueError:
        raise Undecipherable("not a key") from None
    if not data or len(data) % 16:
        raise Undecipherable("not a whole number of blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    return _unpad(decryptor.update(data) + decryptor.finalize())


def _decode_key(aes_key: str) -> bytes:
    try:
        key = base64.b64decode(aes_key + "=", validate=True)
    except ValueError as error:
        raise ValueError("EncodingAESKey must be 43 letters and digits") from error
    if len(key) != 32:
        raise ValueError("EncodingAESKey must be 43 letters and digits")
    return key


def _unpad(padded: bytes) -> bytes:
    count = padded[-1]
    if not 1 <= count <= _BLOCK or count > len(padded):
        raise Undecipherable("illegal padding")
    return padded[:-count]
