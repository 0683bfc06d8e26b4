"""Tencent's library for the chat archive, by ctypes. It may end the whole process (DecryptData
throws through C), so it is loaded in a worker process only: see `connectors.wecom.archive.child`.

Source: WeWorkFinanceSdk_C.h of the official SDK, developer.work.weixin.qq.com/document/path/91774.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_char_p, c_int, c_uint, c_ulonglong, c_void_p
from pathlib import Path
from typing import Protocol


class Library(Protocol):
    """What the archive asks of a library; an adapter may be any object like this. Each answer
    begins with the library's return code, 0 for well."""

    def get_chat_data(self, seq: int, limit: int, timeout_s: int) -> tuple[int, bytes]:
        """The platform's JSON: messages after `seq`."""
        ...

    def decrypt_data(self, key: str, message: str) -> tuple[int, bytes]:
        """key: the random key, already decrypted by our RSA key. May end the process."""
        ...

    def get_media_data(self, mark: str, file_id: str, timeout_s: int) -> tuple[int, str, bytes]:
        """One slice; its mark for the next, "" after the last."""
        ...


class FinanceSdk:
    """One SDK object, kept for as long as the process lives: making one for each poll leaks.
    proxy: "http://host:port", with `password` "user:pass"; empty for none."""

    def __init__(
        self, library: str, corp_id: str, secret: str, *, proxy: str = "", password: str = ""
    ) -> None:
        """Raises OSError when there is no such library, ValueError when it refuses."""
        self._c = _declared(ctypes.CDLL(library))
        self._proxy, self._password = proxy.encode(), password.encode()
        self._sdk = self._c.NewSdk()
        code = self._c.Init(self._sdk, corp_id.encode(), secret.encode())
        if code:
            raise ValueError(f"Init: {code}")

    def get_chat_data(self, seq: int, limit: int, timeout_s: int) -> tuple[int, bytes]:
        with self._slice() as out:
            code = self._c.GetChatData(
                self._sdk, seq, limit, self._proxy, self._password, timeout_s, out
            )
            return code, self._content(out)

    def decrypt_data(self, key: str, message: str) -> tuple[int, bytes]:
        with self._slice() as out:
            code = self._c.DecryptData(key.encode(), message.encode(), out)
            return code, self._content(out)

    def get_media_data(self, mark: str, file_id: str, timeout_s: int) -> tuple[int, str, bytes]:
        c, out = self._c, self._c.NewMediaData()
        try:
            code = c.GetMediaData(
                self._sdk, mark.encode(), file_id.encode(), self._proxy, self._password,
                timeout_s, out,
            )  # fmt: skip
            if code:
                return code, "", b""
            data = ctypes.string_at(c.GetData(out), c.GetDataLen(out))
            if c.IsMediaDataFinish(out):
                return 0, "", data
            following = ctypes.string_at(c.GetOutIndexBuf(out), c.GetIndexLen(out)).decode()
            return 0, following, data
        finally:
            c.FreeMediaData(out)

    @contextmanager
    def _slice(self) -> Iterator[int]:
        out = self._c.NewSlice()
        try:
            yield out
        finally:
            self._c.FreeSlice(out)

    def _content(self, out: int) -> bytes:
        size = self._c.GetSliceLen(out)
        return ctypes.string_at(self._c.GetContentFromSlice(out), size) if size > 0 else b""


def load(library: str, corp_id: str, secret: str, proxy: str = "", password: str = "") -> Library:
    """The adapter that is used unless another is configured."""
    path = Path(library)
    if not path.is_absolute():
        raise OSError(f"{library}: not an absolute path")  # else the linker searches for it
    return FinanceSdk(library, corp_id, secret, proxy=proxy, password=password)


def _declared(c: ctypes.CDLL) -> ctypes.CDLL:
    """Pointers as pointers: ctypes' own default cuts them to 32 bits."""
    proxied = (c_char_p, c_char_p, c_int, c_void_p)
    signatures = {
        "NewSdk": (c_void_p, ()),
        "Init": (c_int, (c_void_p, c_char_p, c_char_p)),
        "GetChatData": (c_int, (c_void_p, c_ulonglong, c_uint, *proxied)),
        "DecryptData": (c_int, (c_char_p, c_char_p, c_void_p)),
        "GetMediaData": (c_int, (c_void_p, c_char_p, c_char_p, *proxied)),
        "NewSlice": (c_void_p, ()),
        "FreeSlice": (None, (c_void_p,)),
        "GetContentFromSlice": (c_void_p, (c_void_p,)),
        "GetSliceLen": (c_int, (c_void_p,)),
        "NewMediaData": (c_void_p, ()),
        "FreeMediaData": (None, (c_void_p,)),
        "GetOutIndexBuf": (c_void_p, (c_void_p,)),
        "GetData": (c_void_p, (c_void_p,)),
        "GetIndexLen": (c_int, (c_void_p,)),
        "GetDataLen": (c_int, (c_void_p,)),
        "IsMediaDataFinish": (c_int, (c_void_p,)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(c, name)
        function.restype, function.argtypes = result, arguments
    return c
