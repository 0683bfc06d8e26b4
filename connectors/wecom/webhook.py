"""The door WeCom knocks at: verify, decrypt, store, answer; the work comes after.

Sources: developer.work.weixin.qq.com/document/path/90930 and 90238. The platform waits 5 s
(1 s for the address check) and sends again, three times, what was not answered with 200.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import orjson
from aiohttp import web
from prometheus_client import Counter

from bot.clock import Clock
from bot.errors import InvalidInput
from bot.messages import Address, Envelope, Platform
from bot.ports import Accept
from connectors.wecom.crypto import Crypto, Undecipherable, WrongReceiver, WrongSignature
from connectors.wecom.leaves import Leaves, fields_of, read_leaves
from connectors.wecom.settings import WecomApp

log = logging.getLogger(__name__)

_BODY_LIMIT_BYTES = 1024 * 1024
_BODY_TIMEOUT_S = 10.0
_LONGEST_USERID = 64
_SANE_SENT_AT = timedelta(days=1)

_NO_SIGNATURE = "这里是企业微信的回调地址，服务正常。请求没有签名，所以不作处理。\n"

_REFUSED = Counter(
    "gendan_wecom_callbacks_refused_total",
    "Callbacks refused before anything was stored.",
    ["app", "reason"],
)


def routes(
    app: WecomApp, accept: Accept, clock: Clock, *, also_fresh_by: Sequence[Clock] = ()
) -> list[web.RouteDef]:
    """GET (address check) and POST (messages and events) of /wecom/{app.name}.

    also_fresh_by: further clocks by which a timestamp may be fresh; the sandbox's own has
    jumped ahead of whoever signs by the wall clock. Raises ValueError when the
    application's EncodingAESKey is not one.
    """
    door = _Door(app, accept, clock, also_fresh_by)
    path = f"/wecom/{app.name}"
    return [
        web.get(path, door.check_address, allow_head=False),
        web.post(path, door.receive),
    ]


class _Refused(Exception):
    """Answer `status` and count `reason`; nothing is stored."""

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class _Door:
    def __init__(
        self, app: WecomApp, accept: Accept, clock: Clock, also_fresh_by: Sequence[Clock]
    ) -> None:
        self._app = app
        self._accept = accept
        self._clock = clock
        self._fresh_by = (clock, *also_fresh_by)
        self._crypto = Crypto(token=app.token, aes_key=app.aes_key, receive_id=app.corp_id)
        self._channel = f"{Platform.WECOM}:{app.name}:app"

    async def check_address(self, request: web.Request) -> web.Response:
        """The admin page's check: the decrypted echostr, bare, within a second."""
        query = request.query
        # A decoder in between may have read "+" as a space, which base64 has not.
        encrypted = query.get("echostr", "").replace(" ", "+").encode()
        try:
            self._verify(query, encrypted)
            echo = self._decrypt(encrypted)
            if echo is None:
                raise _Refused("key")
            if echo.startswith((b"<", b"{")):
                # A captured message sent here as an echostr must not come back readable.
                raise _Refused("echo")
        except _Refused as refused:
            return self._refuse(refused)
        return web.Response(body=echo, content_type="text/plain")

    async def receive(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await _read(request)
            envelope = self._open(request.query, body)
        except _Refused as refused:
            return self._refuse(refused)
        try:
            release = await self._accept(envelope)
        except Exception:
            log.exception(
                "could not store a callback; the platform will send it again",
                extra={"action": "accept_failed", "channel": self._channel},
            )
            return web.Response(status=500)
        try:
            response = web.Response()
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            # The caller has gone; it is stored, and will be known when it comes again.
            log.info("nobody waited for an answer", extra={"action": "answer"})
        finally:
            release()
        return response

    def _open(self, query: Mapping[str, str], body: bytes) -> Envelope:
        encrypted = _encrypted_part(body)
        self._verify(query, encrypted)
        self._check_age(query["timestamp"])
        received_at = self._clock.now()
        message = self._decrypt(encrypted)
        if message is None:
            return self._dead_letter(body, received_at, "signed, but not encrypted with our key")
        try:
            return self._envelope(message, read_leaves(message), received_at)
        except InvalidInput as error:
            return self._dead_letter(message, received_at, str(error))

    def _verify(self, query: Mapping[str, str], encrypted: bytes) -> None:
        try:
            self._crypto.verify(
                query["msg_signature"],
                timestamp=query["timestamp"],
                nonce=query["nonce"],
                encrypted=encrypted,
            )
        except KeyError:
            raise _Refused("unsigned") from None
        except WrongSignature:
            raise _Refused("signature") from None

    def _check_age(self, timestamp: str) -> None:
        """Far-off clocks only: retries carry their own timestamp, and a replay is caught by
        its delivery id."""
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 10):
            raise _Refused("timestamp")
        at = int(timestamp)
        if all(abs(at - clock.now().timestamp()) > self._app.slack_s for clock in self._fresh_by):
            raise _Refused("timestamp")

    def _decrypt(self, encrypted: bytes) -> bytes | None:
        try:
            return self._crypto.decrypt(encrypted)
        except Undecipherable:
            return None
        except WrongReceiver:
            raise _Refused("receiver") from None

    def _envelope(self, message: bytes, leaves: Leaves, received_at: datetime) -> Envelope:
        fields = fields_of(leaves)
        sender = fields.get("FromUserName", "")
        if not fields.get("MsgType"):
            raise InvalidInput("no MsgType")
        if not 0 < len(sender) <= _LONGEST_USERID:
            raise InvalidInput("no usable FromUserName")
        return Envelope(
            channel=self._channel,
            delivery_id=_delivery_id(fields, leaves),
            conversation=self._conversation(sender),
            sent_at=_sent_at(fields.get("CreateTime", ""), received_at),
            received_at=received_at,
            body=message,
        )

    def _conversation(self, sender: str) -> str:
        if sender == "sys":
            return self._channel
        return Address(Platform.WECOM, self._app.name, user_id=sender.lower()).key

    def _dead_letter(self, body: bytes, received_at: datetime, reason: str) -> Envelope:
        return Envelope(
            channel=self._channel,
            delivery_id=hashlib.sha256(body).hexdigest(),
            conversation=self._channel,
            sent_at=received_at,
            received_at=received_at,
            body=body,
            unreadable=reason,
        )

    def _refuse(self, refused: _Refused) -> web.Response:
        _REFUSED.labels(self._app.name, refused.reason).inc()
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


async def _read(request: web.Request) -> bytes:
    """The body, reading no further than the limit whatever the headers promise."""
    if (request.content_length or 0) > _BODY_LIMIT_BYTES:
        raise _Refused("too large", 413)
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > _BODY_LIMIT_BYTES:
                    raise _Refused("too large", 413)
    except TimeoutError:
        raise _Refused("too slow", 408) from None
    return bytes(body)


def _encrypted_part(body: bytes) -> bytes:
    """The encrypted text of an XML or JSON envelope.

    No XML parser sees what is not signed yet: the one signed value is cut out.
    """
    _, opened, rest = body.partition(b"<Encrypt>")
    if opened:
        text = rest.partition(b"</Encrypt>")[0].strip()
        return text.removeprefix(b"<![CDATA[").removesuffix(b"]]>").strip()
    try:
        return str(orjson.loads(body)["encrypt"]).encode()
    except (ValueError, TypeError, KeyError):
        raise _Refused("unsigned") from None


def _delivery_id(fields: Mapping[str, str], leaves: Leaves) -> str:
    """One id for all retries of a delivery, and never one for two deliveries.

    Messages have an id; alone it has collided, so sender and second go with it. Events have
    none, and the advised sender + second loses same-second events of a batch: there all
    values count, which a retry repeats whatever its random prefix, nonce and whitespace.
    """
    message_id = fields.get("MsgId", "")
    if fields["MsgType"] != "event" and message_id.isdigit() and len(message_id) <= 20:
        return f"{message_id}:{fields['FromUserName']}:{fields.get('CreateTime', '')[:20]}"
    values = "\n".join(f"{path}={text}" for path, text in leaves)
    return hashlib.sha256(values.encode()).hexdigest()


def _sent_at(create_time: str, received_at: datetime) -> datetime:
    """CreateTime where it is believable, because it orders a conversation."""
    if not (create_time.isascii() and create_time.isdigit() and len(create_time) <= 10):
        return received_at
    sent_at = datetime.fromtimestamp(int(create_time), UTC)
    return sent_at if abs(sent_at - received_at) <= _SANE_SENT_AT else received_at
