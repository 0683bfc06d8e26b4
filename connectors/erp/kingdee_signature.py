"""How calls to Kingdee's Web API are signed: one signature over the path, one over whom we act
for. Learnt from the official SDK; tests hold the two against each other."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote

_MASK = b"0054f397c6234378b09ca7d3"
"""With which the second half of an application id is to be XORed, as the SDK does."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """As Kingdee's 第三方系统登录授权 shows them. app_id: "<client>_<32 characters>". account_id:
    the data centre (账套). language: 2052 is Chinese. organisation: 0 for the user's own."""

    account_id: str
    user: str
    app_id: str
    app_secret: str = field(repr=False)
    language: int = 2052
    organisation: int = 0


def signed_headers(credentials: Credentials, path: str, timestamp: str) -> dict[str, str]:
    """path: of the URL, with its leading slash. timestamp: whole seconds since 1970; it is
    the nonce too."""
    client, _, masked = credentials.app_id.partition("_")
    signed_path = quote(path, safe="/").replace("/", "%2F")
    call = f"POST\n{signed_path}\n\nx-api-nonce:{timestamp}\nx-api-timestamp:{timestamp}\n"
    whom = (
        f"{credentials.account_id},{credentials.user},"
        f"{credentials.language},{credentials.organisation}"
    )
    return {
        "X-Api-ClientID": client,
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": timestamp,
        "x-api-nonce": timestamp,
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": _signature(client_secret(masked), call),
        "X-Kd-Appkey": credentials.app_id,
        "X-Kd-Appdata": base64.b64encode(whom.encode()).decode(),
        "X-Kd-Signature": _signature(credentials.app_secret, credentials.app_id + whom),
    }


def client_secret(masked: str) -> str:
    """What the second half of the application id stands for; "" where it cannot be."""
    try:
        raw = base64.b64decode(masked, validate=True)
    except (binascii.Error, ValueError):
        return ""
    if len(raw) != len(_MASK):
        return ""
    return base64.b64encode(bytes(a ^ b for a, b in zip(raw, _MASK, strict=True))).decode()


def _signature(key: str, text: str) -> str:
    """Base64 of the hexadecimal digest, not of the digest."""
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()
