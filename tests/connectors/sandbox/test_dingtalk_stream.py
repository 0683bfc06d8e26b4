"""The emulated Stream gateway is as strict as it is documented."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from connectors.sandbox.dingtalk_stream import CARDS, ROBOT
from connectors.sandbox.world import Fault
from tests.connectors.sandbox.dingtalk_bed import KEY, SECRET, Bed, open_bed
from tests.virtual_time import virtually

OPEN = "v1.0/gateway/connections/open"
EVERYTHING = [
    {"type": "EVENT", "topic": "*"},
    {"type": "CALLBACK", "topic": ROBOT},
    {"type": "CALLBACK", "topic": CARDS},
]


async def ask(bed: Bed, *, accept: str = "application/json", **changes: Any) -> tuple[int, Any]:
    body = {"clientId": KEY, "clientSecret": SECRET, "subscriptions": EVERYTHING, **changes}
    headers = {"Accept": accept}
    async with bed.http.post(f"{bed.base}/{OPEN}", json=body, headers=headers) as answer:
        is_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if is_json else await answer.text()


async def connect(bed: Bed, **changes: Any) -> aiohttp.ClientWebSocketResponse:
    bed.world.app("dingtalk").mode = "stream"
    _, told = await ask(bed, **changes)
    return await bed.http.ws_connect(told["endpoint"], params={"ticket": told["ticket"]})


async def frame(ws: aiohttp.ClientWebSocketResponse, *, within_s: float = 100) -> dict[str, Any]:
    """The next frame that is no ping; pings are answered."""
    while True:
        found: dict[str, Any] = await ws.receive_json(timeout=within_s)
        if found["headers"]["topic"] != "ping":
            return found
        await answer(ws, found, found["data"])


async def answer(
    ws: aiohttp.ClientWebSocketResponse, to: dict[str, Any], data: str, code: int = 200
) -> None:
    headers = {"contentType": "application/json", "messageId": to["headers"]["messageId"]}
    await ws.send_json({"code": code, "message": "OK", "headers": headers, "data": data})


async def refusal(bed: Bed, told: dict[str, str]) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await bed.http.ws_connect(told["endpoint"], params={"ticket": told["ticket"]})
    return caught.value.status


@virtually
async def test_a_ticket_opens_one_connection_and_only_for_ninety_seconds() -> None:
    async with open_bed() as bed:
        _, told = await ask(bed)
        ws = await bed.http.ws_connect(told["endpoint"], params={"ticket": told["ticket"]})
        assert await refusal(bed, told) == 401
        _, late = await ask(bed)
        await asyncio.sleep(91)
        assert await refusal(bed, late) == 401
        assert await refusal(bed, {**late, "ticket": "made-up"}) == 401
        await ws.close()


@virtually
async def test_wrong_credentials_and_wrong_subscriptions_get_no_ticket() -> None:
    async with open_bed() as bed:
        status, told = await ask(bed, clientSecret="wrong")
        assert (status, told["code"], told["message"]) == (401, "authFailed", "鉴权失败")
        for wrong in ([], None, [{"type": "EVENT", "topic": "user_add_org"}], ["*"]):
            assert (await ask(bed, subscriptions=wrong))[0] == 400


@virtually
async def test_without_accept_the_answer_is_xml() -> None:
    async with open_bed() as bed:
        status, told = await ask(bed, accept="*/*")
        assert status == 200
        assert told.startswith("<")


@virtually
async def test_a_message_is_a_frame_with_json_in_a_string() -> None:
    async with open_bed() as bed:
        ws = await connect(bed)
        said = await bed.emulator.say("0147001", None, "你好")
        got = await frame(ws)
        assert (got["type"], got["headers"]["topic"]) == ("CALLBACK", ROBOT)
        assert isinstance(got["headers"]["time"], str)
        assert json.loads(got["data"])["msgId"] == said.wire["msgId"]
        await answer(ws, got, '{"response":null}')
        await bed.drained()
        assert bed.world.attempts[0]["tries"] == 1
        assert bed.door.posts == []
        await ws.close()


@virtually
async def test_only_what_is_subscribed_comes() -> None:
    async with open_bed() as bed:
        ws = await connect(bed, subscriptions=EVERYTHING[:1])
        await bed.emulator.say("0147001", None, "没人听")
        bed.emulator.change_member("0147001", name="王五")
        got = await frame(ws)
        assert (got["type"], got["headers"]["eventType"]) == ("EVENT", "user_modify_org")
        assert json.loads(got["data"])["userId"] == ["0147001"]
        await answer(ws, got, '{"status":"SUCCESS"}')
        await bed.drained()
        assert bed.world.counters["dingtalk:dropped:robot"] == 1
        await ws.close()


@pytest.mark.parametrize("data", ['{"status":"LATER"}', None])
@virtually
async def test_an_event_answered_later_or_not_at_all_comes_again(data: str | None) -> None:
    async with open_bed() as bed:
        ws = await connect(bed)
        bed.emulator.change_member("0147001", name="王五")
        first = await frame(ws)
        if data is not None:
            await answer(ws, first, data)
        again = await frame(ws)
        assert again["headers"]["eventId"] == first["headers"]["eventId"]
        assert again["headers"]["messageId"] != first["headers"]["messageId"]
        await answer(ws, again, '{"status":"SUCCESS"}')
        await bed.drained()
        await ws.close()


@virtually
async def test_a_message_without_an_answer_comes_again_with_the_same_id() -> None:
    async with open_bed() as bed:
        ws = await connect(bed)
        await bed.emulator.say("0147001", None, "你好")
        first, again = await frame(ws), await frame(ws)
        assert json.loads(first["data"])["msgId"] == json.loads(again["data"])["msgId"]
        await answer(ws, again, '{"response":null}', code=500)  # its result is ignored
        await bed.drained()
        await ws.close()


@virtually
async def test_pings_that_nobody_echoes_end_a_connection() -> None:
    async with open_bed() as bed:
        ws = await connect(bed)
        topics = []
        while "disconnect" not in topics:
            got = await ws.receive_json(timeout=100)
            topics.append(got["headers"]["topic"])
        assert topics == ["ping", "ping", "disconnect"]
        assert json.loads(got["data"]) == {"reason": "persistent connection is timeout"}


@virtually
async def test_after_goodbye_nothing_is_pushed_for_ten_seconds_then_it_closes() -> None:
    async with open_bed() as bed:
        bed.emulator.stream.life_s = 5.0
        ws = await connect(bed)
        got = await frame(ws)
        assert json.loads(got["data"]) == {"reason": "connection is expired"}
        begun = asyncio.get_running_loop().time()
        await bed.emulator.say("0147001", None, "说给空气")
        await bed.drained()
        assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
        assert 9.5 <= asyncio.get_running_loop().time() - begun <= 11
        assert bed.world.counters["dingtalk:dropped:robot"] == 1


@virtually
async def test_too_many_connections_cost_the_oldest_its_place() -> None:
    async with open_bed() as bed:
        bed.emulator.stream.most = 2
        first, second, third = [await connect(bed) for _ in range(3)]
        assert (await frame(first))["headers"]["topic"] == "disconnect"
        left = [one for one in bed.emulator.stream.connections if not one.is_leaving]
        assert len(left) == 2
        for ws in (first, second, third):
            await ws.close()


@virtually
async def test_an_answer_on_another_connection_is_none() -> None:
    async with open_bed() as bed:
        one, other = await connect(bed), await connect(bed)
        bed.emulator.inbound.pauses_s = ()
        await bed.emulator.say("0147001", None, "你好")
        got = None
        for ws, wrong in ((one, other), (other, one)):
            try:
                got = await frame(ws, within_s=2)
            except TimeoutError:
                continue
            await answer(wrong, got, '{"response":null}')
            break
        assert got is not None
        await bed.drained()
        assert bed.world.counters["dingtalk:dropped:robot"] == 1
        await one.close()
        await other.close()


@virtually
async def test_a_fault_makes_the_platform_say_goodbye_and_push_elsewhere() -> None:
    async with open_bed() as bed:
        one, other = await connect(bed), await connect(bed)
        bed.world.faults.append(Fault("dingtalk", "stream", errcode="disconnect"))
        await bed.emulator.say("0147001", None, "你好")
        topics = {(await frame(ws))["headers"]["topic"] for ws in (one, other)}
        assert topics == {"disconnect", ROBOT}
        bed.emulator.inbound.pauses_s = ()
        await one.close()
        await other.close()
        await bed.drained()


@virtually
async def test_answers_that_are_none_are_counted() -> None:
    async with open_bed() as bed:
        ws = await connect(bed)
        for wrong in ("{", "[]", '{"code":200}', '{"code":200,"headers":{},"data":"{}"}'):
            await ws.send_str(wrong)
        await asyncio.sleep(0.1)
        assert bed.emulator.stream.connections[0].bad_acks == 4
        await ws.close()
