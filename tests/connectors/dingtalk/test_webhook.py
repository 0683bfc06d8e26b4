"""The doors: who gets in, what is stored, what is answered, and what strangers get."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from dingtalk.crypto import DingTalkCrypto

from bot.clock import FixedClock
from bot.errors import Unavailable
from bot.messages import Envelope
from connectors.dingtalk.crypto import sign_card, sign_robot
from connectors.dingtalk.parse import parse_envelope
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.webhook import routes
from connectors.doors import MAX_BODY_BYTES
from tests.connectors.dingtalk.dingtalk_bed import APP, NOW, recorded

ROBOT, CARDS, EVENTS = (f"/dingtalk/sales/{door}" for door in ("robot", "cards", "events"))
STAMP = str(int(NOW.timestamp() * 1000))

Http = TestClient[web.Request, web.Application]


@dataclass
class Inbox:
    """What was accepted, and when work was let begin."""

    envelopes: list[Envelope] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    is_broken: bool = False

    async def accept(self, envelope: Envelope) -> Callable[[], None]:
        if self.is_broken:
            raise Unavailable("disk full")
        self.envelopes.append(envelope)
        return lambda: self.released.append(envelope.delivery_id)

    @property
    def only(self) -> Envelope:
        (envelope,) = self.envelopes
        return envelope


@dataclass
class Visit:
    http: Http
    inbox: Inbox

    async def robot(
        self, body: bytes, *, stamp: str = STAMP, secret: str = APP.client_secret
    ) -> tuple[int, Any]:
        headers = {"timestamp": stamp, "sign": sign_robot(stamp, secret)}
        return await self.post(ROBOT, body, headers=headers)

    async def cards(
        self, body: bytes, *, stamp: str = STAMP, secret: str = APP.card_callback_secret
    ) -> tuple[int, Any]:
        headers = {
            "x-ddpaas-signature-timestamp": stamp,
            "x-ddpaas-signature": sign_card(stamp, secret),
        }
        return await self.post(CARDS, body, headers=headers)

    async def event(
        self, told: str, *, name: str = "msg_signature", **crypto: str
    ) -> tuple[int, Any]:
        sealed = sdk(**crypto).encrypt_message(told, "nonce123", STAMP)
        query = {name: sealed["msg_signature"], "timestamp": STAMP, "nonce": "nonce123"}
        body = json.dumps({"encrypt": sealed["encrypt"]}).encode()
        return await self.post(EVENTS, body, params=query)

    async def post(self, path: str, body: bytes, **options: Any) -> tuple[int, Any]:
        async with self.http.post(path, data=io.BytesIO(body), **options) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else await answer.text()


def sdk(
    token: str = APP.events_token, key: str = APP.events_aes_key, owner: str = APP.client_id
) -> DingTalkCrypto:
    return DingTalkCrypto(token, key, owner)


def opened(answer: dict[str, str]) -> str:
    """What the platform reads in an answer to an event."""
    return sdk().decrypt_message(
        {"encrypt": answer["encrypt"]},
        answer["msg_signature"],
        answer["timeStamp"],
        answer["nonce"],
    )


@contextlib.asynccontextmanager
async def open_door(app: DingtalkApp = APP, *clocks: FixedClock) -> AsyncIterator[Visit]:
    inbox = Inbox()
    application = web.Application()
    application.add_routes(routes(app, inbox.accept, clocks or (FixedClock(NOW),)))
    async with TestClient(TestServer(application)) as http:
        yield Visit(http, inbox)


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    async with open_door() as visit:
        yield visit


async def test_a_robot_message_is_stored_answered_and_then_worked_on(visit: Visit) -> None:
    status, answer = await visit.robot(recorded("text"))
    assert (status, answer) == (200, {"msgtype": "empty"})
    envelope = visit.inbox.only
    assert envelope.channel == "dingtalk:sales:robot"
    assert envelope.delivery_id == "msgAAAA=="
    assert envelope.conversation == "dingtalk:sales:u:0147001"
    assert envelope.sent_at.timestamp() == 1_760_000_000
    assert envelope.received_at == NOW
    assert envelope.body == recorded("text")
    assert visit.inbox.released == ["msgAAAA=="]
    assert parse_envelope(envelope).text == "今天拜访了三家"


async def test_a_group_is_one_conversation_and_a_press_in_it_too(visit: Visit) -> None:
    await visit.robot(recorded("text_in_group"))
    await visit.cards(recorded("card_press_in_group"))
    lanes = {envelope.conversation for envelope in visit.inbox.envelopes}
    assert lanes == {"dingtalk:sales:g:cidAbC123=="}


async def test_a_message_sent_twice_has_one_delivery_id(visit: Visit) -> None:
    for _ in range(2):
        assert (await visit.robot(recorded("text")))[0] == 200
    first, second = visit.inbox.envelopes
    assert first.delivery_id == second.delivery_id


@pytest.mark.parametrize("shift", [timedelta(minutes=59), timedelta(minutes=-59)])
async def test_a_signature_is_good_for_an_hour(visit: Visit, shift: timedelta) -> None:
    stamp = str(int((NOW + shift).timestamp() * 1000))
    assert (await visit.robot(recorded("text"), stamp=stamp))[0] == 200


STALE = [
    str(int((NOW - timedelta(minutes=61)).timestamp() * 1000)),
    str(int((NOW + timedelta(minutes=61)).timestamp() * 1000)),
    "",
    "now",
    "-1760000060000",
    "٣",
    "9" * 400,
]


@pytest.mark.parametrize("stamp", STALE, ids=range(len(STALE)))
async def test_a_stale_or_senseless_timestamp_is_refused(visit: Visit, stamp: str) -> None:
    assert (await visit.robot(recorded("text"), stamp=stamp))[0] == 401
    assert (await visit.cards(recorded("card_press"), stamp=stamp))[0] == 401
    assert visit.inbox.envelopes == []


async def test_the_secret_of_another_application_is_refused(visit: Visit) -> None:
    assert (await visit.robot(recorded("text"), secret="other-secret"))[0] == 401
    assert (await visit.cards(recorded("card_press"), secret="other-secret"))[0] == 401
    assert (await visit.event("{}", token="othertoken"))[0] == 401
    assert (await visit.event("{}", owner="dingother"))[0] == 401
    assert visit.inbox.envelopes == []


@pytest.mark.parametrize("path", [ROBOT, CARDS, EVENTS])
async def test_no_signature_at_all_is_refused(visit: Visit, path: str) -> None:
    assert (await visit.post(path, recorded("text")))[0] == 401
    assert (await visit.post(path, b""))[0] == 401
    assert visit.inbox.envelopes == []


@pytest.mark.parametrize(
    ("name", "value"), [("robotCode", "dingother"), ("chatbotCorpId", "dingcorp99")]
)
async def test_a_body_of_another_robot_is_refused_though_signed(
    visit: Visit, name: str, value: str
) -> None:
    body = json.dumps(json.loads(recorded("text")) | {name: value}).encode()
    assert (await visit.robot(body))[0] == 401
    assert visit.inbox.envelopes == []


async def test_an_oversized_body_is_refused(visit: Visit) -> None:
    body = b'{"a":"' + b"a" * MAX_BODY_BYTES + b'"}'
    assert (await visit.robot(body))[0] == 413
    assert (await visit.cards(body))[0] == 413
    signing = {"msg_signature": "s", "timestamp": STAMP, "nonce": "n"}
    assert (await visit.post(EVENTS, body, params=signing))[0] == 413
    assert visit.inbox.envelopes == []


async def test_the_body_of_a_stranger_is_not_even_read(visit: Visit) -> None:
    """Or the size of it would be what is complained of."""
    body = b"a" * (MAX_BODY_BYTES + 1)
    for path in (ROBOT, CARDS, EVENTS):
        assert (await visit.post(path, body))[0] == 401


async def test_an_oversized_body_that_hides_its_length_is_refused(visit: Visit) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"a" * 65_536

    headers = {"timestamp": STAMP, "sign": sign_robot(STAMP, APP.client_secret)}
    with contextlib.suppress(aiohttp.ClientConnectionError):
        async with visit.http.post(ROBOT, data=chunks(), headers=headers) as answer:
            assert answer.status == 413
    assert visit.inbox.envelopes == []


@pytest.mark.parametrize("body", [b"", b"garbage", b"[1]", b"{}", b'{"msgtype":"text"}', b"\xff"])
async def test_signed_garbage_becomes_a_dead_letter_and_is_answered(
    visit: Visit, body: bytes
) -> None:
    assert (await visit.robot(body))[0] == 200
    assert (await visit.cards(body))[0] == 200
    for envelope in visit.inbox.envelopes:
        assert envelope.unreadable
        assert envelope.body == body
    assert len(visit.inbox.envelopes) == 2


@pytest.mark.parametrize("door", ["robot", "cards"])
async def test_what_cannot_be_stored_is_to_be_sent_again(visit: Visit, door: str) -> None:
    visit.inbox.is_broken = True
    body = recorded("text") if door == "robot" else recorded("card_press")
    assert (await getattr(visit, door)(body))[0] == 500
    assert visit.inbox.released == []


async def test_any_of_the_clocks_makes_a_signature_fresh() -> None:
    emulated = FixedClock(NOW + timedelta(days=6))
    async with open_door(APP, emulated, FixedClock(NOW)) as visit:
        await visit.robot(recorded("text"))
        await visit.robot(recorded("text"), stamp=str(int(emulated.at.timestamp() * 1000)))
        assert [envelope.received_at for envelope in visit.inbox.envelopes] == [emulated.at] * 2


async def test_a_press_leaves_the_card_as_it_is_until_it_is_worked_on(visit: Visit) -> None:
    status, answer = await visit.cards(recorded("card_press"))
    assert status == 200
    assert answer["cardData"] == {"cardParamMap": {}}
    assert answer["cardUpdateOptions"]["updateCardDataByKey"] is True
    assert visit.inbox.only.channel == "dingtalk:sales:cards"
    assert visit.inbox.released == [visit.inbox.only.delivery_id]


async def test_a_double_click_is_one_delivery(visit: Visit) -> None:
    for later in (0, 1500):
        await visit.cards(recorded("card_press"), stamp=str(int(STAMP) + later))
    assert len({envelope.delivery_id for envelope in visit.inbox.envelopes}) == 1


async def test_a_press_on_a_card_of_another_company_is_refused(visit: Visit) -> None:
    body = json.dumps(json.loads(recorded("card_press")) | {"corpId": "dingcorp99"}).encode()
    assert (await visit.cards(body))[0] == 401


@pytest.mark.parametrize("name", ["msg_signature", "signature"])
async def test_an_event_is_stored_decrypted_and_answered_encrypted(visit: Visit, name: str) -> None:
    told = recorded("event_user_add").decode()
    status, answer = await visit.event(told, name=name)
    assert (status, opened(answer)) == (200, "success")
    envelope = visit.inbox.only
    assert (envelope.channel, envelope.conversation) == ("dingtalk:sales:events",) * 2
    assert envelope.delivery_id == "c7c7120f"
    assert envelope.body == told.encode()
    assert envelope.sent_at.timestamp() == 1_760_000_000


async def test_events_without_an_id_are_told_apart_by_what_they_say(visit: Visit) -> None:
    old = json.loads(recorded("event_user_add_old"))
    for event in (old, old, old | {"TimeStamp": 1_760_000_099_000}):
        await visit.event(json.dumps(event))
    first, again, later = (envelope.delivery_id for envelope in visit.inbox.envelopes)
    assert first == again != later


async def test_the_consoles_check_of_the_address_is_answered_and_not_stored(visit: Visit) -> None:
    status, answer = await visit.event('{"EventType":"check_url"}')
    assert (status, opened(answer)) == (200, "success")
    assert visit.inbox.envelopes == []


async def test_an_event_nobody_knows_is_still_taken(visit: Visit) -> None:
    status, answer = await visit.event(recorded("event_unknown").decode())
    assert (status, opened(answer)) == (200, "success")


@pytest.mark.parametrize("told", ["garbage", "[]"])
async def test_an_event_that_is_no_object_becomes_a_dead_letter(visit: Visit, told: str) -> None:
    status, answer = await visit.event(told)
    assert (status, opened(answer)) == (200, "success")
    assert visit.inbox.only.unreadable


async def test_a_signed_event_that_cannot_be_decrypted_becomes_a_dead_letter(visit: Visit) -> None:
    encrypted = "AAAA"
    joined = "".join(sorted([APP.events_token, STAMP, "n", encrypted]))
    query = {
        "signature": hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest(),
        "timestamp": STAMP,
        "nonce": "n",
    }
    body = json.dumps({"encrypt": encrypted}).encode()
    status, answer = await visit.post(EVENTS, body, params=query)
    assert (status, opened(answer)) == (200, "success")
    assert visit.inbox.only.unreadable
    assert visit.inbox.only.body == body


async def test_an_event_of_another_company_is_refused(visit: Visit) -> None:
    body = json.loads(recorded("event_user_add")) | {"CorpId": "dingcorp99"}
    assert (await visit.event(json.dumps(body)))[0] == 401


async def test_without_event_settings_there_is_no_such_door() -> None:
    async with open_door(replace(APP, events_token="")) as visit:
        assert (await visit.post(EVENTS, b"{}"))[0] == 404


def test_the_card_secret_is_derived_when_none_is_set_and_no_secret_is_shown() -> None:
    app = DingtalkApp("sales", "corp", "id", "top-secret", webhooks={"east": ("tok", "SECx")})
    derived = hmac.new(b"top-secret", b"gendan card callback", "sha256").hexdigest()
    assert app.card_callback_secret == derived
    assert (app.robot_code, app.events_owner_key) == ("id", "id")
    for secret in ("top-secret", derived, "tok", "SECx"):
        assert secret not in repr(app)


@pytest.mark.parametrize(
    ("url", "is_trusted"),
    [
        ("https://oapi.dingtalk.com/robot/sendBySession?session=abc", True),
        ("http://static-legacy.oss-cn-hangzhou.aliyuncs.com/a.file?Expires=1", True),
        ("https://dingtalk.com.evil.example/", False),
        ("https://evildingtalk.com/", False),
        ("http://169.254.169.254/latest", False),
        ("http://oapi.dingtalk.com@10.0.0.1/", False),
        ("http://10.0.0.1\\@oapi.dingtalk.com/", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_only_addresses_of_dingtalk_are_called(url: str, is_trusted: bool) -> None:
    assert APP.trusts(url) is is_trusted


def test_further_hosts_may_be_named_with_or_without_their_port() -> None:
    app = replace(APP, allowed_hosts=("files.example.com", "10.0.0.5:8080"))
    assert app.trusts("http://files.example.com:81/a.file")
    assert app.trusts("http://10.0.0.5:8080/a.file")
    assert not app.trusts("http://10.0.0.5:22/a.file")
    assert not app.trusts("https://oapi.dingtalk.example/a")
