"""`POST /erp/{system}`: who may tell us of receipts, and what of it is understood."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FixedClock
from bot.errors import InvalidInput
from bot.messages import Envelope, ErpNews
from bot.ports import Release
from connectors.doors import MAX_BODY_BYTES
from connectors.erp.notices import Door, NoticeReader, sign

NOW = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
SECRET = "a-secret-of-the-accounts"
LINE = {
    "number": "SK-1",
    "line": 1,
    "contract": "ht-2026-018",
    "amount": "105000.10",
    "currency": "CNY",
    "received_on": "2026-01-28",
    "payer": "恒锐机电有限公司",
}


@dataclass
class Bed:
    url: str
    session: aiohttp.ClientSession
    stored: dict[str, Envelope] = field(default_factory=dict)

    async def accept(self, envelope: Envelope) -> Release:
        self.stored[envelope.delivery_id] = envelope
        return lambda: None

    async def post(
        self, body: bytes, *, stamp: str = STAMP, secret: str = SECRET, signature: str = ""
    ) -> int:
        headers = {
            "X-Gendan-Timestamp": stamp,
            "X-Gendan-Signature": signature or sign(secret, stamp, body),
        }
        async with self.session.post(self.url, data=io.BytesIO(body), headers=headers) as answer:
            return answer.status

    def news(self) -> ErpNews:
        [envelope] = self.stored.values()
        news = NoticeReader("books").parse(envelope).news
        assert news is not None
        return news


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    application = web.Application()
    server = TestServer(application)
    async with aiohttp.ClientSession() as session:
        found = Bed("", session)
        door = Door("books", SECRET, found.accept, [FixedClock(NOW)])
        application.add_routes(door.routes())
        await server.start_server()
        found.url = str(server.make_url("/erp/books"))
        yield found
        await server.close()


async def test_signed_receipts_are_stored_and_read(bed: Bed) -> None:
    body = {"receipts": [LINE], "complete_until": "2026-01-28T15:00:00+08:00"}
    assert await bed.post(json.dumps(body).encode()) == 200
    [receipt] = bed.news().receipts
    assert (receipt.contract_number, receipt.amount_fen) == ("HT-2026-018", 10_500_010)
    assert (receipt.line, receipt.received_on) == ("1", date(2026, 1, 28))
    assert bed.news().complete_until == NOW


async def test_the_same_columns_may_come_as_csv(bed: Bed) -> None:
    names, values = ",".join(LINE), ",".join(str(value) for value in LINE.values())
    assert await bed.post(f"\ufeff{names}\n{values}\n".encode()) == 200
    [receipt] = bed.news().receipts
    assert (receipt.number, receipt.amount_fen) == ("SK-1", 10_500_010)


async def test_an_amount_as_a_json_number_loses_nothing(bed: Bed) -> None:
    body = json.dumps({"receipts": [LINE]}).replace('"105000.10"', "105000.10")
    assert await bed.post(body.encode()) == 200
    assert bed.news().receipts[0].amount_fen == 10_500_010


@pytest.mark.parametrize(
    ("stamp", "secret", "signature"),
    [
        (STAMP, "another secret entirely", ""),
        (STAMP, SECRET, "签名"),
        (str(int(STAMP) - 301), SECRET, ""),
        ("soon", SECRET, ""),
        ("", SECRET, ""),
    ],
)
async def test_what_is_not_signed_or_not_fresh_is_refused_and_not_stored(
    bed: Bed, stamp: str, secret: str, signature: str
) -> None:
    status = await bed.post(b"{}", stamp=stamp, secret=secret, signature=signature)
    assert (status, bed.stored) == (401, {})


async def test_a_body_over_the_limit_is_refused(bed: Bed) -> None:
    assert await bed.post(b" " * (MAX_BODY_BYTES + 1)) == 413
    assert bed.stored == {}


async def test_a_replay_is_the_same_delivery(bed: Bed) -> None:
    body = json.dumps({"receipts": [LINE]}).encode()
    assert [await bed.post(body), await bed.post(body)] == [200, 200]
    assert len(bed.stored) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"amount": "1.005"}, "line 1: amount"),
        ({"amount": "NaN"}, "line 1: amount"),
        ({"amount": True}, "line 1: amount"),
        ({"number": ""}, "line 1: number"),
        ({"currency": ""}, "currency"),
        ({"received_on": "28.1.2026"}, "line 1"),
        ({"contract": "H" * 61}, "contract: longer"),
    ],
)
async def test_a_line_that_cannot_be_is_named(
    bed: Bed, change: dict[str, object], told: str
) -> None:
    assert await bed.post(json.dumps({"receipts": [LINE | change]}).encode()) == 200
    with pytest.raises(InvalidInput, match=told):
        bed.news()


@pytest.mark.parametrize(
    "body",
    [
        b'{"receipts": {}}',
        b'{"receipts": [1]}',
        b"[1]",
        b"{",
        b"\xff",
        b'{"complete_until": "2026-01-28"}',
    ],
)
async def test_what_cannot_be_read_is_said_to_be(bed: Bed, body: bytes) -> None:
    assert await bed.post(body) == 200
    with pytest.raises(InvalidInput):
        bed.news()


ORDER = {
    "number": "XSDD1", "customer": "K001", "customer_name": "恒锐机电", "contract": "ht-1",
    "amount": "350000.00", "line_amount": "100000.00", "currency": "CNY",
    "ordered_on": "2026-01-28", "delivery_on": "2026-03-01", "status": "confirmed",
}  # fmt: skip


async def test_customers_and_the_lines_of_orders_may_come_along(bed: Bed) -> None:
    customer = {"code": "K001", "name": "恒锐机电有限公司", "active": False}
    rest = {**ORDER, "line_amount": "250000.00", "delivery_on": "2026-03-15"}
    body = {"customers": [customer], "orders": [ORDER, rest]}
    assert await bed.post(json.dumps(body).encode()) == 200
    [known] = bed.news().customers
    assert (known.code, known.name, known.active) == ("K001", "恒锐机电有限公司", False)
    [order] = bed.news().orders
    assert (order.amount_fen, order.lines_fen, order.line_count) == (35_000_000, 35_000_000, 2)
    assert (order.delivery_on, order.contract_number) == (date(2026, 3, 15), "HT-1")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"orders": [ORDER | {"status": "somehow"}]}, "order XSDD1"),
        ({"orders": [ORDER, ORDER | {"amount": "1.00"}]}, "contradict"),
        ({"customers": [{"code": "", "name": "x"}]}, "line 1: code and name"),
        ({"customers": {}}, "customers: a list"),
    ],
)
async def test_a_customer_or_an_order_that_cannot_be_is_named(
    bed: Bed, body: dict[str, object], told: str
) -> None:
    assert await bed.post(json.dumps(body).encode()) == 200
    with pytest.raises(InvalidInput, match=told):
        bed.news()
