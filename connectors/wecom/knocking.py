"""Asking our own door as the platform's console does: does a bot with these secrets answer?"""

from __future__ import annotations

import secrets

from bot.clock import Clock
from bot.errors import Rejected
from connectors.http import Http
from connectors.wecom.crypto import Crypto


async def knock(http: Http, crypto: Crypto, url: str, clock: Clock) -> None:
    """Sends an address check, after which nothing is stored. Raises Rejected when somebody else
    answers, or one with other secrets, and as `Http.download` does."""
    echo, nonce = secrets.token_hex(16).encode(), secrets.token_hex(8)
    encrypted = crypto.encrypt(echo)
    timestamp = str(int(clock.now().timestamp()))
    params = {
        "msg_signature": crypto.sign(timestamp=timestamp, nonce=nonce, encrypted=encrypted),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": encrypted.decode(),
    }
    what = "doctor:callback"
    body, _ = await http.download(url, params=params, limit_bytes=64 * 1024, what=what)
    if body != echo:
        raise Rejected(f"{what} at {url}: somebody else answers")
