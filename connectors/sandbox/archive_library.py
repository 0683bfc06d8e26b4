"""The emulated library of the chat archive, in the place of Tencent's: the same calls, the same
codes, and it may end the process it runs in. It asks the emulated server over HTTP."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from typing import Any

from .wecom_archive import DEADLY, MOST_AT_ONCE, unseal

_BAD_PARAMETER, _NO_NETWORK, _SYSTEM, _NOT_DECRYPTED = 10000, 10001, 10003, 10008


class EmulatedLibrary:
    """library: base URL of the emulated platform."""

    def __init__(
        self, library: str, corp_id: str, secret: str, proxy: str = "", password: str = ""
    ) -> None:
        del proxy, password
        self._url = library
        self._credentials = {"corp_id": corp_id, "secret": secret}

    def get_chat_data(self, seq: int, limit: int, timeout_s: int) -> tuple[int, bytes]:
        if not 1 <= limit <= MOST_AT_ONCE:
            return _BAD_PARAMETER, b""
        code, told = self._ask("chatdata", timeout_s, seq=seq, limit=limit)
        return code, json.dumps(told).encode()

    def decrypt_data(self, key: str, message: str) -> tuple[int, bytes]:
        try:
            content = unseal(key, message)
        except ValueError:
            return _NOT_DECRYPTED, b""
        if content.startswith(DEADLY):
            os.abort()
        return 0, content

    def get_media_data(self, mark: str, file_id: str, timeout_s: int) -> tuple[int, str, bytes]:
        code, told = self._ask("mediadata", timeout_s, mark=mark, file_id=file_id)
        if code or told.get("errcode"):
            return code or _SYSTEM, "", b""
        return 0, told["mark"], base64.b64decode(told["data"])

    def _ask(self, what: str, timeout_s: int, **asked: Any) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
            f"{self._url}/archive/{what}",
            data=json.dumps({**self._credentials, **asked}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
                told: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError:
            return _SYSTEM, {}
        except OSError:
            return _NO_NETWORK, {}
        if told.get("abort"):
            os.abort()
        return told.get("code", 0), told
