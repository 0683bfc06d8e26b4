"""Tokens, order of checks, refusals and faults before every call of the emulated WeCom."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from connectors.sandbox.world import Fault
from tests.connectors.sandbox.wecom_bed import AGENT, CORP, SECRET, Bed, open_bed

SEND = "message/send"
HELLO = {"touser": "zhang3", "msgtype": "text", "agentid": AGENT, "text": {"content": "你好"}}


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def test_gettoken_answers_the_same_token_while_it_is_valid(bed: Bed) -> None:
    first = await bed.token()
    bed.clock.pass_by(seconds=7000)
    answer = await bed.get("gettoken", token="", corpid=CORP, corpsecret=SECRET)
    assert (answer["access_token"], answer["expires_in"]) == (first, 200)
    bed.clock.pass_by(seconds=200)
    assert await bed.token() != first


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 41004),
        ({"corpsecret": SECRET}, 41002),
        ({"corpid": "wwnobody", "corpsecret": SECRET}, 40013),
        ({"corpid": CORP, "corpsecret": "wrong"}, 40001),
    ],
)
async def test_gettoken_refuses(bed: Bed, query: dict[str, str], code: int) -> None:
    assert (await bed.get("gettoken", token="", **query))["errcode"] == code


async def test_expired_revoked_and_made_up_tokens_have_different_codes(bed: Bed) -> None:
    token = await bed.token()
    bed.clock.pass_by(hours=2)
    assert (await bed.post(SEND, HELLO, token=token))["errcode"] == 42001
    fresh = await bed.token()
    bed.emulator.state.revoke_tokens()
    assert (await bed.post(SEND, HELLO, token=fresh))["errcode"] == 40014
    assert (await bed.post(SEND, HELLO, token="made-up"))["errcode"] == 40014
    assert (await bed.post(SEND, HELLO, token=""))["errcode"] == 41001
    assert (await bed.post(SEND, HELLO))["errcode"] == 0


async def test_token_address_and_permission_hide_a_wrong_body_in_that_order(bed: Bed) -> None:
    state = bed.emulator.state
    assert (await bed.post(SEND, [], token="made-up"))["errcode"] == 40014
    state.trusted_ips = {"203.0.113.7"}
    assert (await bed.post(SEND, []))["errcode"] == 60020
    state.trusted_ips, state.refused = None, {"message/"}
    assert (await bed.post(SEND, []))["errcode"] == 48002
    state.refused = set()
    assert (await bed.post(SEND, []))["errcode"] == 47001


async def test_errmsg_has_hint_address_and_link(bed: Bed) -> None:
    bed.emulator.state.trusted_ips = set()
    message = (await bed.post(SEND, HELLO))["errmsg"]
    assert message.startswith("not allow to access from your ip, hint: [")
    assert "from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com" in message
    assert message.endswith("?e=60020")


async def test_unknown_path_is_an_empty_404(bed: Bed) -> None:
    for path in ("message/sent", "", "../nothing"):
        async with bed.http.get(f"{bed.base}/{path}") as answer:
            assert (answer.status, await answer.read()) == (404, b"")


async def test_wrong_method_is_told(bed: Bed) -> None:
    assert (await bed.get(SEND))["errcode"] == 43002
    assert (await bed.post("user/get", {}))["errcode"] == 43001


async def test_a_corporation_may_call_one_api_so_often_a_minute(bed: Bed) -> None:
    bed.emulator.state.calls_per_minute = 2
    codes = [(await bed.get("getcallbackip"))["errcode"] for _ in range(3)]
    assert codes == [0, 0, 45009]
    bed.clock.pass_by(minutes=1)
    assert (await bed.get("getcallbackip"))["ip_list"] == ["127.0.0.1"]


async def test_fault_answers_its_code_as_often_as_told(bed: Bed) -> None:
    bed.world.faults.append(Fault("wecom", SEND, errcode=-1, times=2))
    codes = [(await bed.post(SEND, HELLO))["errcode"] for _ in range(3)]
    assert codes == [-1, -1, 0]
    assert bed.world.counters[f"wecom:{SEND}"] == 3


async def test_fault_may_be_a_gateway_error_or_a_closed_connection(bed: Bed) -> None:
    token = await bed.token()
    url = f"{bed.base}/getcallbackip?access_token={token}"
    bed.world.faults += [Fault("wecom", "*", status=502), Fault("wecom", "*", drop=True)]
    async with bed.http.get(url) as answer:
        assert (answer.status, await answer.read()) == (502, b"")
    with pytest.raises(aiohttp.ClientError):
        await bed.http.post(f"{bed.base}/{SEND}?access_token={token}", json=HELLO)
    async with bed.http.get(url) as answer:
        assert answer.status == 200


async def test_fault_after_the_act_leaves_the_caller_in_doubt(bed: Bed) -> None:
    """The duplicate check makes the second try safe."""
    bed.world.faults.append(Fault("wecom", SEND, errcode=-1, after=True))
    body = {**HELLO, "enable_duplicate_check": 1}
    assert (await bed.post(SEND, body))["errcode"] == -1
    assert (await bed.post(SEND, body))["errcode"] == 0
    assert [said.text for said in bed.shown_to("zhang3")] == ["你好"]


async def test_fault_that_only_delays_still_acts(bed: Bed) -> None:
    bed.world.faults.append(Fault("wecom", SEND, delay=0.01))
    assert (await bed.post(SEND, HELLO))["errcode"] == 0
    assert len(bed.shown_to("zhang3")) == 1
