"""Our Stream client against the emulated gateway, in virtual time: what is heard, what is
answered, and what becomes of its connections when the platform does what platforms do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.errors import AuthFailed, Unavailable
from bot.messages import DirectoryChange, Envelope, InboundMessage, Kind
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream.connection import AT_ONCE
from connectors.dingtalk.stream.listening import Stream
from connectors.http import Http
from connectors.sandbox.dingtalk_socket import Connection
from connectors.sandbox.world import Fault
from tests.connectors.dingtalk.dingtalk_bed import Memory
from tests.connectors.dingtalk.test_with_emulator import CARD, GROUP, WANG
from tests.connectors.sandbox import dingtalk_bed as sandbox
from tests.virtual_time import virtually


@dataclass
class Inbox:
    """Stores each delivery once, as the dispatcher does; `failures` are raised first."""

    envelopes: list[Envelope] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None
    worked_on: list[str] = field(default_factory=list)

    async def accept(self, envelope: Envelope) -> Callable[[], None]:
        if self.before is not None:
            await self.before()
        if self.failures:
            raise self.failures.pop(0)
        known = [(one.channel, one.delivery_id) for one in self.envelopes]
        if (envelope.channel, envelope.delivery_id) in known:
            return lambda: None
        self.envelopes.append(envelope)

        return lambda: self.worked_on.append(envelope.delivery_id)


@dataclass
class Bed:
    """An emulated company, our client, and its Stream."""

    company: sandbox.Bed
    app: DingtalkApp
    http: Http
    client: DingtalkClient
    stream: Stream
    inbox: Inbox
    running: asyncio.Task[None]

    @property
    def connections(self) -> list[Connection]:
        return [one for one in self.company.emulator.stream.connections if not one.is_leaving]

    @property
    def openings(self) -> int:
        return self.company.world.counters.get("dingtalk:v1.0/gateway/connections/open", 0)

    @property
    def attempts(self) -> list[dict[str, Any]]:
        return self.company.world.attempts

    def fault(self, api: str, **what: Any) -> None:
        self.company.world.faults.append(Fault("dingtalk", api, **what))

    async def say(self, text: str, chat: str | None = None) -> None:
        await self.company.emulator.say("0147001", chat, text)
        await self.company.drained()

    def heard(self) -> list[InboundMessage]:
        return [self.client.parse(envelope) for envelope in self.inbox.envelopes]

    def texts(self) -> list[str]:
        return [message.text for message in self.heard()]

    async def stop(self) -> None:
        self.stream.stop()
        await self.running


@contextlib.asynccontextmanager
async def open_bed(*, wait: bool = True, **settings: Any) -> AsyncIterator[Bed]:
    """wait: until every wanted connection is there."""
    inbox, memory = Inbox(), Memory()
    async with sandbox.open_bed() as company, aiohttp.ClientSession() as session:
        company.world.app("dingtalk").mode = "stream"
        given = {
            "name": "sales",
            "corp_id": "dingcorp01",
            "client_id": sandbox.KEY,
            "client_secret": sandbox.SECRET,
            "mode": "stream",
            "card_template_id": "gendan-card.schema",
            "api_url": company.base,
            "oapi_url": company.base,
            "allowed_hosts": ("127.0.0.1",),
        }
        app = DingtalkApp(**(given | settings))
        http = Http(session)
        client = DingtalkClient(
            app, http, tokens=memory, files=memory, counter=memory, clock=company.clock
        )
        stream = Stream(app, http, inbox.accept, company.clock)
        bed = Bed(company, app, http, client, stream, inbox, asyncio.create_task(stream.run()))
        if wait:
            await until(lambda: len(bed.connections) == app.connections)
        try:
            yield bed
        finally:
            await bed.stop()


async def until(is_so: Callable[[], bool], *, within_s: float = 600.0) -> None:
    """Wait for it in virtual time."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - a look costs nothing in virtual time
            await asyncio.sleep(0.2)


@virtually
async def test_a_message_is_stored_answered_and_worked_on() -> None:
    async with open_bed() as bed:
        await bed.say("今天拜访了三家")
        (message,) = bed.heard()
        assert (message.kind, message.text, message.origin) == (Kind.TEXT, "今天拜访了三家", WANG)
        assert bed.inbox.envelopes[0].channel == "dingtalk:sales:robot"
        assert [(one["url"], one["status"], one["tries"]) for one in bed.attempts] == [
            ("stream", 200, 1)
        ]
        assert bed.inbox.worked_on == [bed.inbox.envelopes[0].delivery_id]


@virtually
async def test_nothing_is_answered_before_it_is_on_disk() -> None:
    """Storing takes two seconds here; the platform waits that long."""
    async with open_bed() as bed:
        stored = asyncio.Event()
        bed.inbox.before = stored.wait
        await bed.company.emulator.say("0147001", None, "你好")
        await asyncio.sleep(2)
        assert bed.attempts[0]["status"] is None
        stored.set()
        await bed.company.drained()
        assert (bed.attempts[0]["status"], bed.attempts[0]["tries"]) == (200, 1)


@virtually
async def test_a_group_names_only_opaque_ids_and_is_understood() -> None:
    async with open_bed() as bed:
        await bed.say("@跟单 待办 @周主管", sandbox.GROUP)
        (message,) = bed.heard()
        assert (message.text, message.origin, message.in_group) == ("待办 @周主管", GROUP, True)


@virtually
async def test_a_card_is_pressed_over_stream_without_any_public_address() -> None:
    async with open_bed() as bed:
        await bed.client.introduce("")
        await bed.client.send(WANG, CARD, dedupe_key="k")
        card = bed.company.world.said[-1]
        assert card.card is not None
        seen = await bed.company.emulator.press(card, "0147001", "ok", {"customer": "18"})
        assert seen["buttons"] == card.card["buttons"]
        (message,) = bed.heard()
        assert message.action is not None
        assert (message.action.card_id, message.action.action) == ("draft-1", "ok")
        assert (message.action.values, message.origin) == ({"customer": "18"}, WANG)
        assert "dingtalk:v1.0/card/callbacks/register" not in bed.company.world.counters


@virtually
async def test_a_press_that_cannot_be_stored_fails_before_the_persons_eyes() -> None:
    """And does not act later, since they are told to press again."""
    async with open_bed() as bed:
        await bed.client.send(WANG, CARD, dedupe_key="k")
        bed.inbox.failures = [Unavailable("disk full")]
        with pytest.raises(ConnectionError, match="操作失败"):
            await bed.company.emulator.press(bed.company.world.said[-1], "0147001", "ok", {})
        await asyncio.sleep(120)
        assert bed.inbox.envelopes == []


@virtually
async def test_directory_changes_come_as_events() -> None:
    async with open_bed() as bed:
        bed.company.emulator.change_member("0147001", name="王五")
        await bed.company.drained()
        (message,) = bed.heard()
        assert message.kind == Kind.DIRECTORY_CHANGE
        assert message.change == DirectoryChange(user_ids=("0147001",))
        assert bed.inbox.envelopes[0].channel == "dingtalk:sales:events"


@virtually
async def test_an_event_that_cannot_be_stored_is_asked_for_later() -> None:
    async with open_bed() as bed:
        bed.inbox.failures = [Unavailable("disk full")]
        bed.company.emulator.change_member("0147001", name="王五")
        await bed.company.drained()
        assert bed.attempts[0]["tries"] == 2
        assert len(bed.inbox.envelopes) == 1


@virtually
async def test_a_message_is_stored_as_soon_as_the_database_takes_it() -> None:
    """Over Stream nobody promises to send it again."""
    async with open_bed() as bed:
        bed.company.emulator.inbound.pauses_s = ()
        bed.inbox.failures = [Unavailable("disk full")] * 4
        await bed.say("别丢了我")
        assert bed.inbox.envelopes == []
        await until(lambda: bed.texts() == ["别丢了我"], within_s=30)


@virtually
async def test_a_flood_is_read_no_faster_than_it_is_stored() -> None:
    async with open_bed(connections=1) as bed:
        stored, storing = asyncio.Event(), 0

        async def slowly() -> None:
            nonlocal storing
            storing += 1
            await stored.wait()

        bed.inbox.before = slowly
        bed.company.emulator.inbound.times = AT_ONCE + 44
        await bed.company.emulator.say("0147001", None, "你好")
        await asyncio.sleep(1)
        assert storing == AT_ONCE
        stored.set()
        await bed.company.drained()
        assert len(bed.attempts) == storing == AT_ONCE + 44
        assert {(one["status"], one["tries"]) for one in bed.attempts} == {(200, 1)}


@virtually
async def test_a_message_pushed_three_times_acts_once() -> None:
    async with open_bed() as bed:
        bed.company.emulator.inbound.times = 3
        await bed.say("你好")
        assert [one["status"] for one in bed.attempts] == [200, 200, 200]
        assert len(bed.inbox.worked_on) == 1


@virtually
async def test_a_message_whose_answer_was_lost_comes_again_and_acts_once() -> None:
    async with open_bed() as bed:
        bed.fault("callback", after=True)
        await bed.say("你好")
        assert bed.attempts[0]["tries"] == 2
        assert len(bed.inbox.worked_on) == 1


@virtually
async def test_the_same_message_by_http_and_over_stream_has_one_id() -> None:
    """As happens while an application is being switched over."""
    async with open_bed() as bed:
        await bed.say("你好")
        (over_stream,) = bed.inbox.envelopes
        body = json.loads(over_stream.body)
        assert over_stream.delivery_id == body["msgId"]
        assert (over_stream.conversation, over_stream.door) == (WANG.key, "robot")


@virtually
async def test_what_is_meant_for_another_company_is_not_stored() -> None:
    async with open_bed(corp_id="dingother") as bed:
        await bed.say("你好")
        bed.company.emulator.change_member("0147001", name="王五")
        await bed.company.drained()
        assert bed.inbox.envelopes == []


@virtually
async def test_two_connections_share_the_pushes() -> None:
    async with open_bed() as bed:
        assert len(bed.connections) == 2
        for number in range(20):
            await bed.say(f"第{number}条")
        assert bed.texts() == [f"第{number}条" for number in range(20)]


@virtually
async def test_a_connection_that_is_to_end_is_replaced_before_it_does() -> None:
    """Nothing is lost meanwhile, though there is only one."""
    async with open_bed(connections=1) as bed:
        await asyncio.sleep(300)
        (old,) = bed.connections
        bed.company.emulator.stream.disconnect(old, "connection is expired")
        await until(lambda: len(bed.connections) == 1, within_s=1)
        assert not old.ws.closed
        await bed.say("还在吗")
        assert bed.texts() == ["还在吗"]
        await until(lambda: old.ws.closed, within_s=15)
        assert bed.openings == 2


@virtually
async def test_the_answer_goes_over_the_connection_that_asked() -> None:
    """It is leaving while the message is being stored, and another one is there."""
    async with open_bed(connections=1) as bed:
        await asyncio.sleep(100)
        stored = asyncio.Event()
        bed.inbox.before = stored.wait
        await bed.company.emulator.say("0147001", None, "你好")
        await asyncio.sleep(0.1)
        bed.company.emulator.stream.disconnect(bed.connections[0], "forced")
        await until(lambda: len(bed.connections) == 1, within_s=1)
        stored.set()
        await bed.company.drained()
        assert (bed.attempts[0]["status"], bed.attempts[0]["tries"]) == (200, 1)
        assert [one.bad_acks for one in bed.connections] == [0]


@virtually
async def test_expiring_connections_take_no_more_openings_than_they_must() -> None:
    async with open_bed() as bed:
        bed.company.emulator.stream.life_s = 1800.0
        await asyncio.sleep(3 * 3600)
        await until(lambda: len(bed.connections) == 2)  # one may just be taking another's place
        assert 2 * 5 <= bed.openings <= 2 * 7


@virtually
async def test_a_connection_that_has_gone_silent_is_replaced() -> None:
    """Its socket still answers pings, as zombies do."""
    async with open_bed(connections=1) as bed:
        await asyncio.sleep(100)
        (zombie,) = bed.connections
        zombie.is_silent = True
        await until(lambda: zombie not in bed.connections, within_s=130)
        await until(lambda: len(bed.connections) == 1, within_s=10)
        await bed.say("又活了")
        assert bed.texts() == ["又活了"]


@virtually
async def test_a_cut_connection_is_replaced() -> None:
    async with open_bed(connections=1) as bed:
        bed.fault("stream", drop=True)
        bed.company.emulator.inbound.pauses_s = (20.0,)
        await bed.say("断了再来")
        assert bed.texts() == ["断了再来"]
        assert bed.openings == 2


@pytest.mark.parametrize(
    ("api", "what"),
    [
        ("v1.0/gateway/connections/open", {"status": 503}),
        ("v1.0/gateway/connections/open", {"drop": True}),
        ("stream/connect", {"status": 401}),
        ("stream/connect", {"status": 503}),
    ],
)
@virtually
async def test_an_hour_of_failures_brings_no_storm(api: str, what: dict[str, Any]) -> None:
    """Then it is there again within the longest pause."""
    async with open_bed(wait=False) as bed:
        bed.fault(api, times=1_000_000, **what)
        await asyncio.sleep(3600)
        assert 60 <= bed.openings <= 240
        assert bed.stream.down_since is not None
        assert bed.stream.trouble
        assert bed.stream.refusal == ""
        bed.company.world.faults.clear()
        await until(lambda: len(bed.connections) == 2, within_s=70)
        assert bed.stream.trouble == ""


@virtually
async def test_connections_that_break_at_once_bring_no_storm_either() -> None:
    async with open_bed(wait=False) as bed:
        bed.company.emulator.stream.first_ping_s = 0.2
        bed.company.emulator.stream.life_s = 1.0
        bed.company.emulator.stream.linger_s = 0.1
        await asyncio.sleep(3600)
        assert bed.openings <= 240


@virtually
async def test_a_fight_with_a_second_bot_over_the_places_is_fought_slowly() -> None:
    """The platform has room for two, a stranger with our credentials takes them."""
    async with open_bed() as bed:
        bed.company.emulator.stream.most = 2
        before = bed.openings
        stranger = Stream(bed.app, bed.http, bed.inbox.accept, bed.company.clock)
        running = asyncio.create_task(stranger.run())
        await asyncio.sleep(1200)
        stranger.stop()
        await running
        assert 4 <= bed.openings - before <= 2 * 80


@virtually
async def test_refused_credentials_are_asked_about_seldom_and_told() -> None:
    async with open_bed(wait=False, client_secret="reset") as bed:
        await asyncio.sleep(3600)
        assert 5 <= bed.openings <= 12
        assert "authFailed" in bed.stream.refusal
        assert bed.stream.trouble == bed.stream.refusal
        assert bed.stream.down_since == bed.company.clock.now()
        bed.company.world.app("dingtalk").app_secret = "reset"
        await until(lambda: len(bed.connections) == 2, within_s=700)
        assert (bed.stream.refusal, bed.stream.down_since) == ("", None)


@virtually
async def test_stopping_takes_what_has_arrived_and_closes_cleanly() -> None:
    async with open_bed() as bed:
        stored = asyncio.Event()
        bed.inbox.before = stored.wait
        await bed.company.emulator.say("0147001", None, "最后一句")
        await asyncio.sleep(0.1)
        sockets = [one.ws for one in bed.connections]
        bed.stream.stop()
        await asyncio.sleep(1)
        stored.set()
        await bed.running
        await bed.company.drained()
        assert len(bed.inbox.worked_on) == 1
        assert (bed.attempts[0]["status"], bed.attempts[0]["tries"]) == (200, 1)
        await until(lambda: bed.company.emulator.stream.connections == [], within_s=5)
        assert [ws.close_code for ws in sockets] == [1000, 1000]


@virtually
async def test_stopping_while_nothing_can_be_reached_takes_no_time() -> None:
    async with open_bed(wait=False) as bed:
        bed.fault("v1.0/gateway/connections/open", delay=30.0, times=10)
        await asyncio.sleep(1)
        started = asyncio.get_running_loop().time()
        await bed.stop()
        assert asyncio.get_running_loop().time() - started < 1


@virtually
async def test_neither_ticket_nor_secret_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with open_bed() as bed:
            bed.fault("stream/connect", status=401)
            bed.fault("v1.0/gateway/connections/open", errcode="authFailed", status=401)
            bed.company.emulator.stream.cut(bed.connections[0])
            await until(lambda: bed.openings >= 4)
    ours = [record for record in caplog.records if record.name.startswith("connectors.")]
    told = "".join(str(vars(record)) for record in ours)
    assert "gateway/connections/open" in told
    assert "ticket=" not in told
    assert sandbox.SECRET not in told


@virtually
async def test_an_endpoint_that_is_not_dingtalks_is_not_called() -> None:
    async with open_bed(wait=False, allowed_hosts=("dingtalk.com",)) as bed:
        bed.company.emulator.stream.origin = "http://localhost:1"
        await asyncio.sleep(30)
        assert "localhost" in bed.stream.refusal
        assert "dingtalk:stream/connect" not in bed.company.world.counters


@virtually
async def test_the_doctor_asks_for_a_ticket_and_opens_nothing() -> None:
    async with open_bed(connections=1) as bed:
        there = bed.connections
        await bed.client.check_stream()
        assert bed.connections == there
        bed.company.world.app("dingtalk").app_secret = "reset"
        with pytest.raises(AuthFailed):
            await bed.client.check_stream()
