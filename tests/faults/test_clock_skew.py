"""This machine's clock is ten minutes off, ahead or behind: which doors still take what comes.

The platforms' doors are wide (an hour, a day): a message that is refused for its time is lost.
An ERP's notice is fresh for five minutes and comes again by the reading every ten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import orjson
import pytest
from aiohttp import web

from bot.clock import Clock, FixedClock
from bot.messages import Envelope
from connectors.dingtalk import webhook as dingtalk
from connectors.dingtalk.crypto import sign_card, sign_robot
from connectors.dingtalk.settings import DingtalkApp
from connectors.erp import notices
from connectors.http import Http
from connectors.web import server
from connectors.wecom import webhook as wecom
from connectors.wecom.crypto import Crypto
from connectors.wecom.knocking import knock
from connectors.wecom.settings import WecomApp

NOW = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)
KEY = "k" * 42 + "E"
APP = WecomApp(
    name="sales", corp_id="ww1", agent_id=1, secret="s", token="t", aes_key=KEY,
    base_url="http://127.0.0.1:9",
)  # fmt: skip
DING = DingtalkApp(
    name="sales", corp_id="ding1", client_id="c", client_secret="s", card_callback_secret="cs"
)
STAMP = str(int(NOW.timestamp() * 1000))


async def accept(_: Envelope) -> Callable[[], None]:
    return lambda: None


async def of_wecom(session: aiohttp.ClientSession, url: str) -> int:
    crypto = Crypto(token="t", aes_key=KEY, receive_id="ww1")
    await knock(Http(session), crypto, f"{url}/wecom/sales", FixedClock(NOW))
    return 200


async def of_a_robot(session: aiohttp.ClientSession, url: str) -> int:
    headers = {"timestamp": STAMP, "sign": sign_robot(STAMP, "s")}
    return await posted(session, f"{url}/dingtalk/sales/robot", b"{}", headers)


async def of_a_card(session: aiohttp.ClientSession, url: str) -> int:
    signed = {"x-ddpaas-signature": sign_card(STAMP, "cs")}
    headers = {"x-ddpaas-signature-timestamp": STAMP, **signed}
    return await posted(session, f"{url}/dingtalk/sales/cards", b"{}", headers)


async def of_an_erp(session: aiohttp.ClientSession, url: str) -> int:
    stamp, body = str(int(NOW.timestamp())), orjson.dumps({"receipts": []})
    headers = {"X-Gendan-Timestamp": stamp, "X-Gendan-Signature": notices.sign("n", stamp, body)}
    return await posted(session, f"{url}/erp/books", body, headers)


async def posted(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]
) -> int:
    async with session.post(url, data=body, headers=headers) as answer:
        return answer.status


def doors(clock: Clock) -> list[web.RouteDef]:
    return [
        *wecom.routes(APP, accept, clock),
        *dingtalk.routes(DING, accept, [clock]),
        *notices.Door("books", "n", accept, [clock]).routes(),
    ]


DOORS: dict[str, tuple[Callable[[aiohttp.ClientSession, str], Awaitable[int]], int]] = {
    "wecom": (of_wecom, 200),
    "dingtalk robot": (of_a_robot, 200),
    "dingtalk cards": (of_a_card, 200),
    "erp": (of_an_erp, 401),
}
SKEWS = (timedelta(minutes=10), timedelta(minutes=-10))


@pytest.mark.parametrize("skew", SKEWS, ids=["ahead", "behind"])
@pytest.mark.parametrize("door", DOORS)
async def test_ten_minutes_off(door: str, skew: timedelta) -> None:
    knocks, wanted = DOORS[door]
    bound = server.bind("127.0.0.1", 0)
    async with (
        server.listening(doors(FixedClock(NOW + skew)), bound),
        aiohttp.ClientSession() as session,
    ):
        assert await knocks(session, server.base_url(bound)) == wanted
