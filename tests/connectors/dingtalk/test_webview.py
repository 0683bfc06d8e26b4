"""Signing in and signing pages, against the emulated DingTalk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from bot.errors import AuthFailed, Rejected, TransientError
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.webview import Webview, sign
from connectors.http import Http
from connectors.sandbox.world import Fault
from tests.connectors.dingtalk.dingtalk_bed import Memory
from tests.connectors.sandbox import dingtalk_bed as sandbox

HOST = "crm.example.com"
PAGE = f"https://{HOST}/customers/5?kind=call&word=%E9%AB%98"
AGENT = "900000001"


@dataclass
class Bed:
    platform: sandbox.Bed
    client: DingtalkClient
    app: DingtalkApp
    memory: Memory
    http: aiohttp.ClientSession

    @property
    def webview(self) -> Webview:
        assert self.client.webview is not None
        return self.client.webview

    async def ask(
        self, who: str, name: str, *, page: str = PAGE, desktop: bool = False, **args: Any
    ) -> dict[str, Any]:
        """What the script asks its client, after dd.config on the page."""
        key = self.platform.emulator.webviews.log_in(who, desktop=desktop)
        facts = self.webview.facts()
        functions = [*facts["functions"], "openChatByUserId"]
        config = {"corpId": facts["corpId"], "agentId": facts["agentId"],
                  "jsApiList": functions, **await self.webview.signatures(PAGE)}  # fmt: skip
        told = await self.plainly(key, "config", config, page)
        return told or await self.plainly(key, name, args, page)

    async def plainly(
        self, key: str, name: str, args: dict[str, Any], page: str = PAGE
    ) -> dict[str, Any]:
        url = f"{self.platform.base}/client/{name}"
        cookies = {"Cookie": f"sandbox-dingtalk-client={key}"}
        sent = {"args": args, "url": f"{page}#top"}
        async with self.http.post(url, json=sent, headers=cookies) as answer:
            told: dict[str, Any] = await answer.json()
            return told

    async def code(self, who: str, page: str = PAGE) -> dict[str, Any]:
        facts = self.webview.facts()
        key = self.platform.emulator.webviews.log_in(who)
        ids = {"corpId": facts["corpId"], "clientId": facts["clientId"]}
        return await self.plainly(key, "requestAuthCode", ids, page)


@pytest.fixture(params=["sha256", "sha1"])
async def bed(request: pytest.FixtureRequest) -> AsyncIterator[Bed]:
    async with sandbox.open_bed() as platform, aiohttp.ClientSession() as session:
        platform.emulator.webviews.home = HOST
        platform.emulator.webviews.digests = (request.param,)
        platform.world.app("dingtalk").agent_id = AGENT
        app = DingtalkApp(
            name="sales", corp_id="dingcorp01", client_id=sandbox.KEY,
            client_secret=sandbox.SECRET, agent_id=int(AGENT), api_url=platform.base,
            oapi_url=platform.base, pages=True, jsapi_digest=request.param,
        )  # fmt: skip
        memory = Memory()
        client = DingtalkClient(
            app, Http(session), tokens=memory, files=memory, counter=memory, clock=platform.clock
        )
        yield Bed(platform, client, app, memory, session)


async def test_a_member_is_named_by_a_code_once_and_for_five_minutes(bed: Bed) -> None:
    code = (await bed.code("0147001"))["code"]
    caller = await bed.webview.who(code)
    assert caller is not None
    assert (caller.platform, caller.user_id) == ("dingtalk", "0147001")
    assert await bed.webview.who(code) is None
    late = (await bed.code("0147001"))["code"]
    bed.platform.clock.pass_by(minutes=5)
    assert await bed.webview.who(late) is None


async def test_codes_are_given_to_pages_of_our_address_alone(bed: Bed) -> None:
    assert "errorCode" in await bed.code("0147001", "https://elsewhere.example/")


async def test_a_platform_that_is_away_or_refuses_is_no_bad_code(bed: Bed) -> None:
    world, code = bed.platform.world, (await bed.code("0147001"))["code"]
    world.faults.append(Fault("dingtalk", "getuserinfo", errcode=-1))
    with pytest.raises(TransientError):
        await bed.webview.who(code)
    world.faults.append(Fault("dingtalk", "getuserinfo", errcode=60020))
    with pytest.raises(AuthFailed):
        await bed.webview.who(code)


def test_the_signature_is_that_of_the_protocol_notes() -> None:
    given = ("TICKET", "NONCE", 1700000000000, "https://crm.example.com/app?a=1")
    assert sign(*given, digest="sha1") == "c505bd75ca002a8953ea8f6ac4ab7ebba0ddceab"
    assert sign(*given, digest="sha256") == (
        "b57f2a10462cafb8ac8fed566e51679db0fd07fe543e74169873a1a2e43d368f"
    )


async def test_the_client_accepts_the_signature_and_opens_the_group(bed: Bed) -> None:
    name, group = "openChatByConversationId", {"openConversationId": sandbox.GROUP}
    assert await bed.ask("0147001", name, **group) == {}
    assert await bed.ask("0147001", name, desktop=True, **group) == {}
    unknown = await bed.ask("0147001", name, openConversationId="cidOther==")
    assert unknown["errorMessage"] == "会话不存在"


async def test_a_desktop_opens_no_chat_with_one_person(bed: Bed) -> None:
    assert await bed.ask("0147001", "openChatByUserId", userId="0147001") == {}
    told = await bed.ask("0147001", "openChatByUserId", desktop=True, userId="0147001")
    assert "errorCode" in told


async def test_a_signature_is_good_for_its_page_and_digest_alone(bed: Bed) -> None:
    other = await bed.ask("0147001", "openChatByConversationId", page=f"https://{HOST}/")
    assert other["errorMessage"] == "签名校验失败"
    digest = "sha1" if bed.app.jsapi_digest == "sha256" else "sha256"
    bed.client = DingtalkClient(
        replace(bed.app, jsapi_digest=digest), Http(bed.http), tokens=bed.memory,
        files=bed.memory, counter=bed.memory, clock=bed.platform.clock,
    )  # fmt: skip
    told = await bed.ask("0147001", "openChatByConversationId")
    assert told["errorMessage"] == "签名校验失败"


async def test_tickets_are_kept_shared_and_renewed_and_cost_nothing(bed: Bed) -> None:
    counters = bed.platform.world.counters
    for _ in range(5):
        await bed.webview.signatures(PAGE)
    assert counters["dingtalk:v1.0/oauth2/jsapiTickets"] == 1
    assert await bed.memory.load_token("dingtalk:sales:jsapi_ticket") is not None
    bed.platform.clock.pass_by(minutes=116)
    told = await bed.ask("0147001", "openChatByConversationId", openConversationId=sandbox.GROUP)
    assert told == {}
    assert counters["dingtalk:v1.0/oauth2/jsapiTickets"] == 2
    assert (await bed.client.quota()).used == 0


async def test_without_an_agent_id_the_doctor_says_so(bed: Bed) -> None:
    await bed.webview.check()
    bed.client = DingtalkClient(
        replace(bed.app, agent_id=0), Http(bed.http), tokens=bed.memory,
        files=bed.memory, counter=bed.memory, clock=bed.platform.clock,
    )  # fmt: skip
    with pytest.raises(Rejected, match="agent_id"):
        await bed.webview.check()


async def test_a_ticket_is_extended_for_a_day_at_most(bed: Bed) -> None:
    emulated = bed.platform.emulator.webviews
    await bed.webview.signatures(PAGE)
    first = emulated.ticket
    for _ in range(23):
        bed.platform.clock.pass_by(minutes=60)
        assert emulated._ticket_now()[0] == first
    bed.platform.clock.pass_by(minutes=61)
    assert emulated._ticket_now()[0] != first


async def test_nobody_who_is_no_member_is_named(bed: Bed) -> None:
    key = bed.platform.emulator.webviews.issue("stranger")
    assert await bed.webview.who(key) is None
