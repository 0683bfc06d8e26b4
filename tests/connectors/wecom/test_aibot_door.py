"""What a robot's door lets in: vectors, signatures, age, and the answers to what it refuses."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from wechatpy.crypto import PrpCrypto

from bot.clock import FixedClock
from bot.messages import Envelope
from bot.ports import Release
from connectors.wecom.aibot_door import SEE_BELOW, routes
from connectors.wecom.aibot_replies import Replies
from connectors.wecom.crypto import Crypto
from connectors.wecom.settings import Aibot
from tests.connectors.wecom.wecom_door import signature

# protocol: token, key, time and nonce of the vectors that Tencent's sample class accepts
TOKEN, KEY = "tok", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
STAMP, NONCE = "1700000000", "nonce1"
NOW = datetime.fromtimestamp(1700000000, UTC)
VECTOR = (
    "4j/AuRx71kQlxVlzbpsMWBxnanz60xUHmwj47zsYclKSfmeCa9c2rPydRS80I0KoazXTApZtugMnpB3G5IAwRFJq1ez"
    "92rmbaRUn1K+2ZmOYt5gDMIdlc346kUOAaBHdKs//HyOT4vY9nOxvZFfBSjCHQpkBLHBNP14vbilDFx+t57pNsnG4FZ"
    "Z4/h+03mJf8qIkXxpaAg+K4upocML4JA=="
)
VECTOR_SIGNATURE = "cd5459494082883d11fbadb1f8ba5b6c4fce35b7"
ROBOT = Aibot("helper", token=TOKEN, aes_key=KEY)


class Door:
    def __init__(self, http: aiohttp.ClientSession, url: str, clock: FixedClock) -> None:
        self.http, self.url, self.clock = http, url, clock
        self.accepted: list[Envelope] = []
        self.is_home = True

    async def accept(self, envelope: Envelope) -> Release:
        self.accepted.append(envelope)
        return lambda: None

    async def post(self, encrypted: str, **changed: str) -> tuple[int, bytes]:
        """Status and body of the answer."""
        query = {
            "msg_signature": signature(encrypted, nonce=NONCE, stamp=STAMP, token=TOKEN),
            "timestamp": STAMP,
            "nonce": NONCE,
            **changed,
        }
        query = {key: value for key, value in query.items() if value}
        body = io.BytesIO(json.dumps({"encrypt": encrypted}).encode())
        async with self.http.post(self.url, params=query, data=body) as answer:
            return answer.status, await answer.read()


def sealed(told: Any, receiver: str = "") -> str:
    text = told if isinstance(told, str) else json.dumps(told)
    return PrpCrypto(base64.b64decode(KEY + "=")).encrypt(text, receiver).decode()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        clock = FixedClock(NOW)
        one = Door(http, "", clock)
        server = web.Application()
        server.add_routes(
            routes(
                ROBOT,
                Replies(clock),
                one.accept,
                clock,
                is_at_work=lambda _: False,
                is_home=lambda: one.is_home,
            )
        )
        running = await stack.enter_async_context(TestServer(server))
        one.url = str(running.make_url("/wecom/helper/aibot"))
        yield one


async def test_the_published_vector_is_let_in(door: Door) -> None:
    assert await door.post(VECTOR, msg_signature=VECTOR_SIGNATURE) == (200, b"")
    (envelope,) = door.accepted
    assert envelope.delivery_id == "M1"
    assert json.loads(envelope.body)["text"]["content"] == "hi"


async def test_where_another_process_speaks_for_robots_the_proxy_is_sent_on(door: Door) -> None:
    door.is_home = False
    assert (await door.post(VECTOR, msg_signature=VECTOR_SIGNATURE))[0] == 503
    assert door.accepted == []


async def test_the_address_check_wants_the_bare_text_and_no_receiver(door: Door) -> None:
    for receiver, status in (("", 200), ("wwcorp", 403)):
        echo = sealed("echo-123", receiver)
        query = {
            "msg_signature": signature(echo, nonce=NONCE, stamp=STAMP, token=TOKEN),
            "timestamp": STAMP,
            "nonce": NONCE,
            "echostr": echo,
        }
        async with door.http.get(door.url, params=query) as answer:
            assert answer.status == status
            if status == 200:
                assert await answer.read() == b"echo-123"


@pytest.mark.parametrize(
    "changed",
    [{"msg_signature": "0" * 40}, {"msg_signature": ""}, {"nonce": "other"}, {"timestamp": "x"}],
)
async def test_what_is_not_signed_is_refused_and_not_stored(
    door: Door, changed: dict[str, str]
) -> None:
    assert (await door.post(VECTOR, **changed))[0] == 403
    assert door.accepted == []


async def test_a_callback_of_the_day_before_yesterday_is_refused(door: Door) -> None:
    door.clock.at += timedelta(days=2)
    assert (await door.post(VECTOR))[0] == 403
    assert door.accepted == []


async def test_the_applications_callback_at_this_door_is_told_apart(door: Door) -> None:
    query = {"msg_signature": "x", "timestamp": STAMP, "nonce": NONCE}
    body = b"<xml><Encrypt>x</Encrypt></xml>"
    async with door.http.post(door.url, params=query, data=body) as answer:
        assert answer.status == 400


async def test_what_is_signed_and_cannot_be_read_is_kept(door: Door) -> None:
    for told in ("no json", {"msgtype": "text"}):
        assert (await door.post(sealed(told)))[0] == 200
    not_ours = base64.b64encode(b"x" * 48).decode()
    assert (await door.post(not_ours))[0] == 200
    assert all(envelope.unreadable for envelope in door.accepted)
    assert len(door.accepted) == 3


async def test_a_body_beyond_the_limit_is_refused(door: Door) -> None:
    assert (await door.post("A" * (1024 * 1024)))[0] == 413


async def test_a_stream_of_which_nothing_is_known_any_more_is_ended(door: Door) -> None:
    """After a restart the platform still asks; it would for six minutes."""
    poll = {"msgid": "P1", "msgtype": "stream", "stream": {"id": "s-M1"}, "from": {"userid": "a"}}
    _, answer = await door.post(sealed(poll))
    outer = json.loads(answer)
    crypto = Crypto(token=TOKEN, aes_key=KEY, receive_id="")
    crypto.verify(
        outer["msgsignature"],
        timestamp=str(outer["timestamp"]),
        nonce=NONCE,
        encrypted=outer["encrypt"].encode(),
    )
    said = json.loads(crypto.decrypt(outer["encrypt"].encode()))
    assert said["stream"] == {"id": "s-M1", "finish": True, "content": SEE_BELOW}
    assert door.accepted == []
