"""`POST /erp/{system}`: an ERP, or whoever stands beside it, tells of receipts.

The body is signed with the system's secret: `X-Gendan-Signature` is the hex HMAC-SHA256 of
`<X-Gendan-Timestamp>\n<body>`, the timestamp in whole seconds since 1970. docs/erp.md says what
the body holds.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from prometheus_client import Counter

from bot.clock import Clock
from bot.domain.receivables import Receipt
from bot.errors import InvalidInput
from bot.messages import Address, Envelope, InboundMessage, Kind, Platform, ReceiptNews
from bot.ports import Accept
from connectors.doors import Answer, Refused, read_body, take
from connectors.erp.lines import receipt_line

FRESH_FOR_S = 300
MOST_LINES = 5000
COLUMNS = ("number", "line", "contract", "amount", "currency", "received_on", "payer")

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
            news = _news(envelope.body)
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidInput(str(error)) from None
        return InboundMessage(
            platform=Platform.ERP,
            app=self._system,
            message_id=envelope.delivery_id,
            origin=Address(Platform.ERP, self._system, user_id=""),
            sender_id="",
            sent_at=envelope.sent_at,
            kind=Kind.ERP_RECEIPTS,
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
        return [web.post(f"/erp/{self._system}", self.receive)]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """The same signed body again is the same delivery."""
        try:
            body = await read_body(request)
        except Refused as refused:
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


def _news(body: bytes) -> ReceiptNews:
    """JSON with `receipts`, and `complete_until` where all up to then were told; or the same
    columns as CSV."""
    news = _told(body.decode("utf-8-sig"))
    if len(news.receipts) > MOST_LINES:
        raise ValueError(f"more than {MOST_LINES} lines")
    return news


def _told(text: str) -> ReceiptNews:
    if not text.lstrip().startswith("{"):
        return ReceiptNews(tuple(read_csv(text)))
    told = json.loads(text, parse_float=str)  # an amount must not pass through a float
    rows = told.get("receipts", [])
    if not isinstance(rows, list):
        raise ValueError("receipts: a list is expected")
    until = told.get("complete_until")
    return ReceiptNews(tuple(_lines(rows)), None if until is None else _moment(until))


def read_csv(text: str) -> list[Receipt]:
    """Raises ValueError, naming the line."""
    table = csv.DictReader(io.StringIO(text))
    lacking = [name for name in COLUMNS[:6] if name not in (table.fieldnames or ())]
    if lacking:
        raise ValueError(f"no column {', '.join(lacking)}")
    return _lines(table)


def _lines(rows: Iterable[Any]) -> list[Receipt]:
    found: list[Receipt] = []
    for count, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise ValueError(f"line {count}: an object is expected")
        try:
            found.append(_line(row))
        except ValueError as error:
            raise ValueError(f"line {count}: {error}") from None
    return found


def _line(row: Mapping[str, Any]) -> Receipt:
    return receipt_line(
        number=row.get("number"),
        line=row.get("line"),
        contract=row.get("contract"),
        amount=row.get("amount"),
        currency=str(row.get("currency") or ""),
        received_on=row.get("received_on"),
        payer=row.get("payer"),
    )


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("complete_until: an offset is wanted, as in 2026-01-28T15:00:00+08:00")
    return moment
