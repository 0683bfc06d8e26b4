"""What both of WeCom's encrypted doors check alike: signature, age, receiver, and the address
check of the admin page.

Sources: developer.work.weixin.qq.com/document/path/90930 and 100719.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import orjson
from aiohttp import web
from prometheus_client import Counter

from bot.clock import Clock
from connectors.doors import NotTaken
from connectors.wecom.crypto import Crypto, Undecipherable, WrongReceiver, WrongSignature

log = logging.getLogger(__name__)

_SIGNING = ("msg_signature", "timestamp", "nonce")
_NO_SIGNATURE = "这里是企业微信的回调地址，服务正常。请求没有签名，所以不作处理。\n"

_REFUSED = Counter(
    "gendan_wecom_callbacks_refused_total",
    "Callbacks refused before anything was stored; key: also those stored unread.",
    ["app", "reason"],
)


class Gate:
    """One door's secrets, and what it refuses.

    clocks: a timestamp is fresh by any of them; the sandbox's own has jumped ahead of whoever
    signs by the wall clock. slack_s: how far it may be from now; retries carry their own
    timestamp, and a replay is caught by its delivery id.
    """

    def __init__(
        self, app: str, channel: str, crypto: Crypto, *, clocks: Sequence[Clock], slack_s: int
    ) -> None:
        self._app = app
        self._channel = channel
        self._crypto = crypto
        self._clocks = clocks
        self._slack_s = slack_s

    async def check_address(self, request: web.Request) -> web.Response:
        """The admin page's check: the decrypted echostr, bare, within a second."""
        query = request.query
        # A decoder in between may have read "+" as a space, which base64 has not.
        encrypted = query.get("echostr", "").replace(" ", "+").encode()
        try:
            self.verify(query, encrypted)
            echo = self.decrypt(encrypted)
            if echo is None:
                raise forbidden("key")
            if echo.startswith((b"<", b"{")):
                # A captured message sent here as an echostr must not come back readable.
                raise forbidden("echo")
        except NotTaken as refused:
            return self.refuse(refused)
        return web.Response(body=echo, content_type="text/plain")

    def check_query(self, query: Mapping[str, str]) -> None:
        """What can be judged before a stranger's body is read. Raises NotTaken."""
        if not all(name in query for name in _SIGNING):
            raise forbidden("unsigned")
        timestamp = query["timestamp"]
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 10):
            raise forbidden("timestamp")
        at = int(timestamp)
        if all(abs(at - clock.now().timestamp()) > self._slack_s for clock in self._clocks):
            raise forbidden("timestamp")

    def verify(self, query: Mapping[str, str], encrypted: bytes) -> None:
        """Raises NotTaken."""
        try:
            self._crypto.verify(
                query["msg_signature"],
                timestamp=query["timestamp"],
                nonce=query["nonce"],
                encrypted=encrypted,
            )
        except KeyError:
            raise forbidden("unsigned") from None
        except WrongSignature:
            raise forbidden("signature") from None

    def decrypt(self, encrypted: bytes) -> bytes | None:
        """None when it is signed, but not encrypted with our key. Raises NotTaken."""
        try:
            return self._crypto.decrypt(encrypted)
        except Undecipherable:
            return None
        except WrongReceiver:
            raise forbidden("receiver") from None

    def note_unread(self) -> None:
        """Signed, but not encrypted with our key: it was stored all the same."""
        _REFUSED.labels(self._app, "key").inc()

    def refuse(self, refused: NotTaken) -> web.Response:
        """The answer, counted and logged."""
        _REFUSED.labels(self._app, refused.reason).inc()
        log.warning(
            "callback refused",
            extra={
                "action": "callback_refused",
                "channel": self._channel,
                "reason": refused.reason,
            },
        )
        text = _NO_SIGNATURE if refused.reason == "unsigned" else ""
        return web.Response(status=refused.status, text=text)


def forbidden(reason: str) -> NotTaken:
    return NotTaken(reason, 403)


def encrypted_in_json(body: bytes) -> bytes:
    """The encrypted text of a JSON envelope. Raises NotTaken."""
    try:
        return str(orjson.loads(body)["encrypt"]).encode()
    except (ValueError, TypeError, KeyError):
        raise forbidden("unsigned") from None
