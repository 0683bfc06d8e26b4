"""Tokens, scopes, limits and faults before every call of the emulated DingTalk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from connectors.sandbox.dingtalk_errors import BAN
from connectors.sandbox.world import Fault
from tests.connectors.sandbox.dingtalk_bed import KEY, SECRET, Bed, open_bed

SEND = "v1.0/robot/oToMessages/batchSend"
USER = "topapi/v2/user/get"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


def fault(api: str, **how: object) -> Fault:
    return Fault("dingtalk", api, **how)


async def test_one_token_serves_both_hosts(bed: Bed) -> None:
    token = await bed.token()
    assert (await bed.old(USER, {"userid": "0147001"}, token=token))["errcode"] == 0
    status, _ = await bed.new("POST", "v1.0/card/callbacks/register", {}, token=token)
    assert status == 400  # past the token, into the checks of the call itself


async def test_old_gettoken_hands_out_the_same_token_as_the_new_call(bed: Bed) -> None:
    url = f"{bed.base}/gettoken"
    async with bed.http.get(url, params={"appkey": KEY, "appsecret": SECRET}) as answer:
        body = await answer.json()
    assert (body["errcode"], body["expires_in"]) == (0, 7200)
    assert body["access_token"] == await bed.token()
    async with bed.http.get(url, params={"appkey": KEY, "appsecret": "wrong"}) as answer:
        assert (await answer.json())["errcode"] == 40089


async def test_wrong_secret_is_refused_in_the_new_style(bed: Bed) -> None:
    path = "v1.0/oauth2/accessToken"
    status, body = await bed.new("POST", path, {"appKey": KEY, "appSecret": "x"}, token="")
    assert (status, body["code"]) == (400, "invalidClientIdOrSecret")


async def test_token_of_the_corp_form(bed: Bed) -> None:
    body = {"client_id": KEY, "client_secret": SECRET, "grant_type": "client_credentials"}
    status, answer = await bed.new("POST", "v1.0/oauth2/dingcorp01/token", body, token="")
    assert (status, answer["access_token"]) == (200, await bed.token())
    status, answer = await bed.new("POST", "v1.0/oauth2/dingother/token", body, token="")
    assert (status, answer["code"]) == (401, "unauthorized.client")


async def test_token_in_the_wrong_place_does_not_count(bed: Bed) -> None:
    token = await bed.token()
    status, body = await bed.new("POST", SEND, {}, token="", query={"access_token": token})
    assert (status, body["code"]) == (400, "InvalidAuthentication")
    headers = {"x-acs-dingtalk-access-token": token}
    async with bed.http.post(f"{bed.base}/{USER}", json={}, headers=headers) as answer:
        assert (await answer.json())["errcode"] == 41001


async def test_unknown_token_is_40014_and_invalid_authentication(bed: Bed) -> None:
    assert (await bed.old(USER, {}, token="nonsense"))["errcode"] == 40014
    status, body = await bed.new("POST", SEND, {}, token="nonsense")
    assert (status, body["code"]) == (400, "InvalidAuthentication")
    bed.emulator.gate.wrap_88 = True
    wrapped = await bed.old(USER, {}, token="nonsense")
    assert (wrapped["errcode"], wrapped["sub_code"]) == (88, "40014")


async def test_token_expires_by_the_worlds_clock_and_asking_extends_it(bed: Bed) -> None:
    token = await bed.token()
    bed.clock.pass_by(minutes=90)
    assert await bed.token() == token
    bed.clock.pass_by(minutes=90)
    assert (await bed.old(USER, {"userid": "0147001"}, token=token))["errcode"] == 0
    bed.clock.pass_by(minutes=31)
    assert (await bed.old(USER, {}, token=token))["errcode"] == 42001
    assert await bed.token() != token


async def test_revoked_token_is_unknown(bed: Bed) -> None:
    token = await bed.token()
    bed.emulator.gate.revoke_tokens()
    assert (await bed.old(USER, {}, token=token))["errcode"] == 40014


async def test_missing_scope_is_named(bed: Bed) -> None:
    bed.emulator.gate.granted -= {"qyapi_robot_sendmsg", "qyapi_get_member"}
    status, body = await bed.send("sampleText", {"content": "x"}, ["0147001"])
    assert status == 403
    assert body["code"] == "Forbidden.AccessDenied.AccessTokenPermissionDenied"
    assert body["accessdenieddetail"]["requiredScopes"] == ["qyapi_robot_sendmsg"]
    assert (await bed.old(USER, {"userid": "0147001"}))["errcode"] == 60011


async def test_calls_beyond_the_rate_of_a_second_are_refused(bed: Bed) -> None:
    bed.emulator.gate.qps = 2
    answers = [await bed.old(USER, {"userid": "0147001"}) for _ in range(3)]
    assert [answer["errcode"] for answer in answers] == [0, 0, 90018]
    bed.clock.pass_by(seconds=1)
    assert (await bed.old(USER, {"userid": "0147001"}))["errcode"] == 0


async def test_month_quota_counts_robot_calls_but_no_directory(bed: Bed) -> None:
    bed.emulator.gate.month_quota = 1
    for _ in range(3):
        assert (await bed.old(USER, {"userid": "0147001"}))["errcode"] == 0
    assert (await bed.send("sampleText", {"content": "x"}, ["0147001"]))[0] == 200
    status, body = await bed.send("sampleText", {"content": "x"}, ["0147001"])
    assert (status, body["code"]) == (403, "Forbidden.AccessDenied.ApiCountLimitForOrg")
    assert bed.emulator.gate.month_calls() == 1
    bed.clock.pass_by(days=31)
    assert (await bed.send("sampleText", {"content": "x"}, ["0147001"]))[0] == 200


async def test_fault_by_last_segment_is_used_up(bed: Bed) -> None:
    code = "Forbidden.AccessDenied.QpsLimitForApi"
    bed.world.faults.append(fault("batchSend", errcode=code, times=2))
    answers = [await bed.send("sampleText", {"content": "x"}, ["0147001"]) for _ in range(3)]
    assert [(status, body.get("code")) for status, body in answers] == [
        (403, code),
        (403, code),
        (200, None),
    ]
    assert len(bed.world.said) == 1


async def test_fault_on_the_old_api_answers_in_its_style(bed: Bed) -> None:
    bed.world.faults.append(fault(USER, errcode=90002))
    assert (await bed.old(USER, {"userid": "0147001"}))["errcode"] == 90002


@pytest.mark.parametrize(("api", "kind"), [(USER, "text/html"), (SEND, "application/json")])
async def test_bare_status_is_a_page_on_the_old_host_and_a_word_on_the_new(
    bed: Bed, api: str, kind: str
) -> None:
    bed.world.faults.append(fault("*", status=504))
    async with bed.http.post(f"{bed.base}/{api}") as answer:
        assert (answer.status, answer.content_type) == (504, kind)


async def test_banned_address_gets_the_ban_notice(bed: Bed) -> None:
    bed.world.faults.append(fault(SEND, errcode=BAN))
    status, body = await bed.new("POST", SEND, {})
    assert (status, body["status"], body["punish"]) == (200, 1111, "deny")


async def test_dropped_connection_before_acting(bed: Bed) -> None:
    token = await bed.token()
    bed.world.faults.append(fault(SEND, drop=True))
    with pytest.raises(aiohttp.ClientError):
        await bed.new("POST", SEND, {}, token=token)
    assert bed.world.said == []


async def test_dropped_connection_after_acting_leaves_the_message_sent(bed: Bed) -> None:
    bed.world.faults.append(fault(SEND, drop=True, after=True))
    with pytest.raises(aiohttp.ClientError):
        await bed.send("sampleText", {"content": "到了"}, ["0147001"])
    assert [said.text for said in bed.world.said] == ["到了"]


async def test_error_after_acting_leaves_the_message_sent(bed: Bed) -> None:
    bed.world.faults.append(fault(SEND, status=504, after=True, delay=0.01))
    status, _ = await bed.send("sampleText", {"content": "到了"}, ["0147001"])
    assert (status, [said.text for said in bed.world.said]) == (504, ["到了"])


async def test_unknown_paths_and_broken_json_are_refused_in_each_style(bed: Bed) -> None:
    assert (await bed.new("POST", "v1.0/no/such", {}))[1]["code"] == "InvalidAction.NotFound"
    assert (await bed.old("topapi/no/such", {}))["errcode"] == 22
    token = {"access_token": await bed.token()}
    async with bed.http.post(f"{bed.base}/{USER}", params=token, data=b"[1") as answer:
        assert (await answer.json())["errcode"] == 40035


async def test_old_api_takes_forms_and_may_answer_in_strings(bed: Bed) -> None:
    bed.emulator.gate.strings = True
    params = {"access_token": await bed.token()}
    url = f"{bed.base}/topapi/v2/user/list"
    form = {"dept_id": "21", "cursor": "0", "size": "1"}
    async with bed.http.post(url, params=params, data=form) as answer:
        body = await answer.json()
    assert (body["errcode"], body["result"]["has_more"]) == ("0", "true")
    assert body["result"]["list"][0]["dept_id_list"] == ["21"]
