"""`POST /erp/{system}`: an ERP, or whoever stands beside it, tells of receipts, customers, orders.

The body is signed with the system's secret: `X-Gendan-Signature` is the hex HMAC-SHA256 of
`<X-Gendan-Timestamp>\n<body>`, the timestamp in whole seconds since 1970. docs/erp.md says what
the body holds.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import web
from prometheus_client import Counter

from bot.clock import Clock
from bot.errors import InvalidInput
from bot.messages import Address, Envelope, InboundMessage, Kind, Platform
from bot.ports import Accept
from connectors.doors import Answer, NotTaken, read_body, take
from connectors.erp.told import read_news
from connectors.watching.answers import timed

FRESH_FOR_S = 300

_CALLBACKS = Counter(
    "gendan_erp_notices_total", "Deliveries of ERPs by outcome.", ["system", "outcome"]
)
_TAKEN = Answer(b'{"ok":true}', content_type="application/json")

log = logging.getLogger(__name__)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}\n".encode() + body, hashlib.sha256).hexdigest()


class NoticeReader:
    """`bot.ports.EnvelopeReader` for one system."""

    def __init__(self, system: str) -> None:
        self._system = system

    def parse(self, envelope: Envelope) -> InboundMessage:
        """Raises InvalidInput, which makes it a dead letter with its reason."""
        try:
            news = read_news(envelope.body)
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidInput(str(error)) from None
        return InboundMessage(
            platform=Platform.ERP,
            app=self._system,
            message_id=envelope.delivery_id,
            origin=Address(Platform.ERP, self._system, user_id=""),
            sender_id="",
            sent_at=envelope.sent_at,
            kind=Kind.ERP_NEWS,
            news=news,
        )


class Door:
    """One system's door. clocks: a signature is fresh if it is fresh by any of them; the
    first one says when a delivery arrived."""

    def __init__(self, system: str, secret: str, accept: Accept, clocks: Sequence[Clock]) -> None:
        self._system = system
        self._secret = secret
        self._accept = accept
        self._clocks = clocks

    def routes(self) -> list[web.RouteDef]:
        receive = timed(f"erp:{self._system}:notices", self.receive)
        return [web.post(f"/erp/{self._system}", receive)]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """The same signed body again is the same delivery."""
        try:
            body = await read_body(request)
        except NotTaken as refused:
            self._count(refused.reason.replace(" ", "_"))
            return web.Response(status=refused.status)
        stamp = request.headers.get("X-Gendan-Timestamp", "")
        given = request.headers.get("X-Gendan-Signature", "").encode("utf-8", "replace")
        if not self._is_fresh(stamp) or not hmac.compare_digest(
            given, sign(self._secret, stamp, body).encode()
        ):
            self._count("refused")
            fields = {"action": "refuse", "channel": f"erp:{self._system}:notices"}
            log.warning("a delivery was refused", extra=fields)
            return web.Response(status=401)
        envelope = self._envelope(stamp, body)
        response = await take(request, envelope, self._accept, _TAKEN)
        self._count("accepted" if response.status == 200 else "not_stored")
        return response

    def _envelope(self, stamp: str, body: bytes) -> Envelope:
        channel = f"erp:{self._system}:notices"
        digest = hashlib.sha256(f"{stamp}\n".encode() + body).hexdigest()
        sent_at = datetime.fromtimestamp(int(stamp), UTC)
        return Envelope(channel, digest, channel, sent_at, self._clocks[0].now(), body)

    def _is_fresh(self, stamp: str) -> bool:
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return False
        return any(
            abs(clock.now().timestamp() - int(stamp)) <= FRESH_FOR_S for clock in self._clocks
        )

    def _count(self, outcome: str) -> None:
        _CALLBACKS.labels(self._system, outcome).inc()
