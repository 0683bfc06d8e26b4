"""The three doors DingTalk knocks at: robot messages, events, card presses.

Verify, store, answer, and only then let the work begin. A stranger gets 401 and leaves
nothing but a count. What is signed and cannot be read is stored as a dead letter and
answered like any other, so that it is not sent for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web

from bot.clock import Clock
from bot.messages import Envelope
from bot.ports import Accept
from connectors.dingtalk import deliveries
from connectors.dingtalk.crypto import (
    EventCrypto,
    Unreadable,
    WrongSignature,
    is_same,
    sign_card,
    sign_robot,
)
from connectors.dingtalk.deliveries import NotOurs
from connectors.dingtalk.events import URL_CHECKS, event_type, normalise
from connectors.dingtalk.read import read_object, text
from connectors.dingtalk.settings import DingtalkApp
from connectors.doors import MAX_BODY_BYTES, Answer, NotTaken, read_body, take
from connectors.watching.answers import timed

FRESH_FOR_S = 3600.0


def _json(body: Any) -> Answer:
    return Answer(orjson.dumps(body), content_type="application/json; charset=utf-8")


# Say nothing now: the answer comes through the API, in its order.
_SILENCE = _json({"msgtype": "empty"})
# Leave the card as it is: the update follows once the press has been worked on.
_CARD_UNCHANGED = _json(
    {
        "cardData": {"cardParamMap": {}},
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
    }
)

log = logging.getLogger(__name__)


def routes(app: DingtalkApp, accept: Accept, clocks: Sequence[Clock]) -> list[web.RouteDef]:
    """The doors of one application, below /dingtalk/<name>.

    clocks: a signature is fresh if it is fresh by any of them; the first one says when a
    delivery arrived. Without event settings there is no events door.
    """
    door = _Door(app, accept, tuple(clocks))
    found = {"robot": door.robot, "cards": door.cards}
    if app.takes_events:
        found["events"] = _EventDoor(door).receive
    return [
        web.post(f"/dingtalk/{app.name}/{name}", timed(f"dingtalk:{app.name}:{name}", receive))
        for name, receive in found.items()
    ]


class _Door:
    """Robot messages and card presses: a signed timestamp in the headers, a plain body."""

    def __init__(self, app: DingtalkApp, accept: Accept, clocks: tuple[Clock, ...]) -> None:
        self.app = app
        self._accept = accept
        self._clocks = clocks

    async def robot(self, request: web.Request) -> web.StreamResponse:
        """Protocol notes 1.1: the body is not signed, so it must name us where it names anyone."""
        stamp, sign = _header(request, "timestamp"), _header(request, "sign")
        if not self._is_fresh(stamp) or not is_same(
            sign, sign_robot(stamp, self.app.client_secret)
        ):
            raise self.refused("robot", "signature")
        raw = await self.read_raw(request, "robot")
        try:
            envelope = deliveries.robot_message(self.app, raw, self.now())
        except NotOurs as error:
            raise self.refused("robot", str(error)) from None
        return await self.take(request, envelope, _SILENCE)

    async def cards(self, request: web.Request) -> web.StreamResponse:
        """Protocol notes 4.5 to 4.7: answered at once, well within two seconds."""
        stamp = _header(request, "x-ddpaas-signature-timestamp")
        sign = _header(request, "x-ddpaas-signature")
        secret = self.app.card_callback_secret
        if not self._is_fresh(stamp) or not is_same(sign, sign_card(stamp, secret)):
            raise self.refused("cards", "signature")
        raw = await self.read_raw(request, "cards")
        sent_at = datetime.fromtimestamp(int(stamp) / 1000, UTC)
        try:
            envelope = deliveries.card_press(self.app, raw, sent_at, self.now())
        except NotOurs as error:
            raise self.refused("cards", str(error)) from None
        return await self.take(request, envelope, _CARD_UNCHANGED)

    async def take(
        self, request: web.Request, envelope: Envelope, answer: Answer
    ) -> web.StreamResponse:
        """Store, answer completely, then let the work begin."""
        response = await take(request, envelope, self._accept, answer)
        if response.status != 200:
            self.count(envelope.door, "not_stored")
        else:
            self.count(envelope.door, "unreadable" if envelope.unreadable else "accepted")
        return response

    def now(self) -> datetime:
        return self._clocks[0].now()

    def count(self, door: str, outcome: str) -> None:
        deliveries.count(self.app.name, door, outcome)

    def refused(self, door: str, why: str) -> web.HTTPUnauthorized:
        self.count(door, "refused")
        fields = {"action": "refuse", "channel": f"dingtalk:{self.app.name}:{door}", "reason": why}
        log.warning("a delivery was refused", extra=fields)
        return web.HTTPUnauthorized()

    async def read_raw(self, request: web.Request, door: str) -> bytes:
        try:
            return await read_body(request)
        except NotTaken as refused:
            self.count(door, refused.reason.replace(" ", "_"))
            if refused.status == web.HTTPRequestTimeout.status_code:
                raise web.HTTPRequestTimeout from None
            raise web.HTTPRequestEntityTooLarge(
                MAX_BODY_BYTES, request.content_length or 0, text=refused.reason
            ) from None

    def _is_fresh(self, stamp: str) -> bool:
        """By any clock: beside the sandbox, callers live by its time or by the machine's."""
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):
            return False
        at = int(stamp) / 1000
        return any(abs(clock.now().timestamp() - at) <= FRESH_FOR_S for clock in self._clocks)


class _EventDoor:
    """Encrypted events; the platform counts only an encrypted "success" as taken (notes 5.2)."""

    def __init__(self, door: _Door) -> None:
        app = door.app
        self._door = door
        self._crypto = EventCrypto(app.events_token, app.events_aes_key, app.events_owner_key)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """The query's timestamp may be seconds or milliseconds: an opaque part of the signature."""
        signature, timestamp, nonce = self._signing(request.query)
        raw = await self._door.read_raw(request, "events")
        body = read_object(raw)
        encrypted = text(body, "encrypt") if body else ""
        try:
            opened = self._crypto.open(signature, timestamp, nonce, encrypted)
        except WrongSignature as error:
            raise self._door.refused("events", str(error)) from None
        except Unreadable as error:
            door = self._door
            envelope = deliveries.unreadable(door.app, "events", raw, str(error), door.now())
            return await door.take(request, envelope, self._success())
        event = read_object(opened)
        if event is not None and event_type(normalise(event)) in URL_CHECKS:
            self._door.count("events", "url_check")
            return await self._success().send(request)
        try:
            envelope = deliveries.event(self._door.app, opened, self._door.now())
        except NotOurs as error:
            raise self._door.refused("events", str(error)) from None
        return await self._door.take(request, envelope, self._success())

    def _signing(self, query: Mapping[str, str]) -> tuple[str, str, str]:
        """Signature, timestamp and nonce: without them nobody's body is read.

        Older pages name the signature `signature`, current code `msg_signature`.
        """
        signature = query.get("msg_signature") or query.get("signature", "")
        found = signature, query.get("timestamp", ""), query.get("nonce", "")
        if not all(found):
            raise self._door.refused("events", "unsigned")
        return found

    def _success(self) -> Answer:
        stamp = str(int(self._door.now().timestamp() * 1000))
        return _json(self._crypto.seal("success", timestamp=stamp))


def _header(request: web.Request, name: str) -> str:
    return request.headers.get(name, "")
