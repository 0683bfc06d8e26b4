"""The door WeCom knocks at: verify, decrypt, store, answer; the work comes after.

Sources: developer.work.weixin.qq.com/document/path/90930 and 90238. The platform waits 5 s
(1 s for the address check) and sends again, three times, what was not answered with 200.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot.clock import Clock
from bot.errors import InvalidInput
from bot.messages import Address, Envelope, Platform
from bot.ports import Accept
from connectors.doors import Answer, NotTaken, read_body, take
from connectors.watching.answers import timed
from connectors.wecom.crypto import Crypto
from connectors.wecom.gate import Gate, encrypted_in_json
from connectors.wecom.leaves import Leaves, fields_of, read_leaves
from connectors.wecom.settings import WecomApp

_LONGEST_USERID = 64
_SANE_SENT_AT = timedelta(days=1)
_TAKEN = Answer()  # an empty 200 is all that the platform wants


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
        web.post(path, timed(door.channel, door.receive)),
    ]


class _Door:
    def __init__(
        self, app: WecomApp, accept: Accept, clock: Clock, also_fresh_by: Sequence[Clock]
    ) -> None:
        self._app = app
        self._accept = accept
        self._clock = clock
        self.channel = f"{Platform.WECOM}:{app.name}:app"
        crypto = Crypto(token=app.token, aes_key=app.aes_key, receive_id=app.corp_id)
        self._gate = Gate(
            app.name,
            self.channel,
            crypto,
            clocks=(clock, *also_fresh_by),
            slack_s=app.slack_s,
        )

    async def check_address(self, request: web.Request) -> web.Response:
        return await self._gate.check_address(request)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        try:
            self._gate.check_query(query)
            envelope = self._open(query, await read_body(request))
        except NotTaken as refused:
            return self._gate.refuse(refused)
        return await take(request, envelope, self._accept, _TAKEN)

    def _open(self, query: Mapping[str, str], body: bytes) -> Envelope:
        encrypted = _encrypted_part(body)
        self._gate.verify(query, encrypted)
        received_at = self._clock.now()
        message = self._gate.decrypt(encrypted)
        if message is None:
            self._gate.note_unread()
            return self._dead_letter(body, received_at, "signed, but not encrypted with our key")
        try:
            return self._envelope(message, read_leaves(message), received_at)
        except InvalidInput as error:
            return self._dead_letter(message, received_at, str(error))

    def _envelope(self, message: bytes, leaves: Leaves, received_at: datetime) -> Envelope:
        fields = fields_of(leaves)
        sender = fields.get("FromUserName", "")
        if not fields.get("MsgType"):
            raise InvalidInput("no MsgType")
        if not 0 < len(sender) <= _LONGEST_USERID:
            raise InvalidInput("no usable FromUserName")
        return Envelope(
            channel=self.channel,
            delivery_id=_delivery_id(fields, leaves),
            conversation=self._conversation(sender),
            sent_at=_sent_at(fields.get("CreateTime", ""), received_at),
            received_at=received_at,
            body=message,
        )

    def _conversation(self, sender: str) -> str:
        if sender == "sys":
            return self.channel
        return Address(Platform.WECOM, self._app.name, user_id=sender.lower()).key

    def _dead_letter(self, body: bytes, received_at: datetime, reason: str) -> Envelope:
        return Envelope(
            channel=self.channel,
            delivery_id=hashlib.sha256(body).hexdigest(),
            conversation=self.channel,
            sent_at=received_at,
            received_at=received_at,
            body=body,
            unreadable=reason,
        )


def _encrypted_part(body: bytes) -> bytes:
    """The encrypted text of an XML or JSON envelope.

    No XML parser sees what is not signed yet: the one signed value is cut out.
    """
    _, opened, rest = body.partition(b"<Encrypt>")
    if opened:
        text = rest.partition(b"</Encrypt>")[0].strip()
        return text.removeprefix(b"<![CDATA[").removesuffix(b"]]>").strip()
    return encrypted_in_json(body)


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
