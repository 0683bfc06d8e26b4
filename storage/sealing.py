"""A file encrypted with a key that stays elsewhere, and opened again only as it was sealed.

Form: MAGIC, 16 bytes of salt, then pieces of PIECE bytes, each with its tag, AES-256-GCM. The nonce
of a piece is its number and whether it is the last, as in STREAM (Hoang, Reyhanitabar, Rogaway,
Vizár, CRYPTO 2015), so that pieces can be neither exchanged nor left away at the end.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bot.errors import PermanentError

MAGIC = b"GENDAN-SEALED-1\n"
PIECE = 1024 * 1024
LEAST_KEY_CHARS = 32
_SALT, _TAG = 16, 16
_COST = 2**15  # 32 MiB for a guess, 0.1 s


def read_key(file: Path) -> str:
    """What stands in the key file. Raises PermanentError when that is too short to be one."""
    key = file.read_text("utf-8").strip()
    if len(key) < LEAST_KEY_CHARS:
        told = (
            f"密钥至少 {LEAST_KEY_CHARS} 个字符，如 openssl rand -base64 48 (the key is too short)"
        )
        raise PermanentError(f"{file}：{told}")
    return key


def is_sealed(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC


def seal(source: Path, target: Path, key: str) -> None:
    """Write `target`, which nobody else may read."""
    salt = os.urandom(_SALT)
    cipher = _cipher(key, salt)
    target.touch(mode=0o600)
    with source.open("rb") as plain, target.open("wb") as sealed:
        sealed.write(MAGIC + salt)
        number, piece = 0, plain.read(PIECE)
        while True:
            following = plain.read(PIECE)
            sealed.write(cipher.encrypt(_nonce(number, last=not following), piece, MAGIC))
            if not following:
                return
            number, piece = number + 1, following


def unseal(source: Path, target: Path, key: str) -> None:
    """Raises PermanentError when the key is another, or a bit of the file is."""
    target.touch(mode=0o600)
    with source.open("rb") as sealed, target.open("wb") as plain:
        if sealed.read(len(MAGIC)) != MAGIC:
            raise PermanentError(f"{source}：不是加密的备份 (not a sealed backup)")
        cipher = _cipher(key, sealed.read(_SALT))
        number, piece = 0, sealed.read(PIECE + _TAG)
        while True:
            following = sealed.read(PIECE + _TAG)
            try:
                plain.write(cipher.decrypt(_nonce(number, last=not following), piece, MAGIC))
            except (InvalidTag, ValueError):
                told = "密钥不对，或文件被改动、不完整 (another key, or a damaged file)"
                raise PermanentError(f"{source}：{told}") from None
            if not following:
                return
            number, piece = number + 1, following


def _cipher(key: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(key.encode()))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
