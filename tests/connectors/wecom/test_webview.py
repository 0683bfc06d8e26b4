"""Signing in and signing pages, against the emulated WeCom."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import aiohttp
import pytest

from bot.domain.sign_in import Caller
from bot.errors import AuthFailed, TransientError
from connectors.http import Http
from connectors.sandbox.wecom_contactbook import Outsider
from connectors.sandbox.world import Fault
from connectors.wecom.client import WecomClient
from connectors.wecom.settings import WecomApp
from connectors.wecom.webview import Webview, sign
from tests.connectors.sandbox import wecom_bed as sandbox
from tests.connectors.wecom.wecom_bed import Files, Tokens

HOST = "crm.example.com"
PAGE = f"https://{HOST}/customers/5?kind=call&word=%E9%AB%98"
BACK = f"https://{HOST}/in/wecom/sales"


@dataclass
class Bed:
    platform: sandbox.Bed
    webview: Webview
    tokens: Tokens
    root: str

    async def authorize(self, url: str, who: str = "zhang3") -> tuple[int, str]:
        """Where the browser is sent, as that person's client asks."""
        key = self.platform.emulator.webviews.log_in(who) if who else ""
        cookies = {"Cookie": f"sandbox-wecom-client={key}"}
        async with self.platform.http.get(url, headers=cookies, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", await answer.text())

    async def code(self, who: str) -> str:
        url = self.webview.sign_in_url(BACK, "a" * 64)
        assert url is not None
        status, location = await self.authorize(url, who)
        assert status == 302, location
        return parse_qs(urlsplit(location).query)["code"][0]

    async def ask(self, who: str, function: str, **body: Any) -> dict[str, Any]:
        """What the script asks its client, from a page that is registered there."""
        key = self.platform.emulator.webviews.log_in(
            who, entry=body.pop("entry", "normal"), external=body.pop("external", "")
        )
        page = body.pop("page", PAGE)
        told: dict[str, Any] = {}
        for name, signed in (await self.webview.signatures(PAGE)).items():
            told = await self._post(key, name, page, self.registration(signed))
            if not told["errMsg"].endswith(":ok"):
                return told
        return await self._post(key, function, page, {"args": body})

    def registration(self, signed: dict[str, Any]) -> dict[str, Any]:
        facts = self.webview.facts()
        return {"corpId": facts["corpId"], "agentId": facts["agentId"],
                "jsApiList": facts["functions"], **signed}  # fmt: skip

    async def _post(self, key: str, name: str, page: str, body: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.root}/client/{name}"
        cookies = {"Cookie": f"sandbox-wecom-client={key}"}
        sent = {**body, "url": f"{page}#top"}
        async with self.platform.http.post(url, json=sent, headers=cookies) as answer:
            told: dict[str, Any] = await answer.json()
            return told


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with contextlib.AsyncExitStack() as stack:
        platform = await stack.enter_async_context(sandbox.open_bed())
        platform.emulator.webviews.trusted_domain = HOST
        root = platform.base.removesuffix("/cgi-bin")
        app = WecomApp(
            name="sales", corp_id=sandbox.CORP, agent_id=sandbox.AGENT, secret=sandbox.SECRET,
            token=sandbox.TOKEN, aes_key=sandbox.AES_KEY, base_url=root, open_url=root, pages=True,
        )  # fmt: skip
        session = await stack.enter_async_context(aiohttp.ClientSession())
        tokens = Tokens()
        client = WecomClient(app, Http(session), tokens, Files(), platform.clock)
        assert client.webview is not None
        yield Bed(platform, client.webview, tokens, root)


async def test_a_member_is_named_by_a_code_once(bed: Bed) -> None:
    code = await bed.code("Li4")
    assert await bed.webview.who(code) == Caller("wecom", "li4")
    assert await bed.webview.who(code) is None


async def test_a_code_lives_for_five_minutes(bed: Bed) -> None:
    code = await bed.code("zhang3")
    bed.platform.clock.pass_by(minutes=5)
    assert await bed.webview.who(code) is None


async def test_who_is_no_member_has_no_user_id(bed: Bed) -> None:
    customers = bed.platform.emulator.customers
    customers.add("zhang3", Outsider("wmKnown", "王总"), quietly=True)
    assert await bed.webview.who(await bed.code("wmKnown")) == Caller("wecom", "", "wmKnown")
    assert await bed.webview.who(await bed.code("wmOther")) == Caller("wecom", "", "oOther")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"redirect_uri": "https://elsewhere.example/in"}, "50001"),
        ({"appid": "wwother"}, "40013"),
        ({"scope": "snsapi_all"}, "scope"),
        ({"state": "a-b"}, "state"),
        ({"response_type": "token"}, "response_type"),
    ],
)
async def test_what_the_platform_would_refuse_is_refused(
    bed: Bed, wrong: dict[str, str], told: str
) -> None:
    url = bed.webview.sign_in_url(BACK, "a" * 64)
    assert url is not None
    asked = {key: one[0] for key, one in parse_qs(urlsplit(url).query).items()} | wrong
    wrong_url = urlunsplit(urlsplit(url)._replace(query=urlencode(asked), fragment=""))
    status, words = await bed.authorize(wrong_url, "zhang3")
    assert status == 400
    assert told in words


async def test_outside_the_client_nobody_is_signed_in(bed: Bed) -> None:
    url = bed.webview.sign_in_url(BACK, "a" * 64)
    assert url is not None
    assert (await bed.authorize(url, ""))[0] == 400


async def test_the_older_call_words_it_otherwise(bed: Bed) -> None:
    told = await bed.platform.get("user/getuserinfo", code=await bed.code("zhang3"))
    assert told["UserId"] == "zhang3"


async def test_a_platform_that_is_away_or_refuses_is_no_bad_code(bed: Bed) -> None:
    world, code = bed.platform.world, await bed.code("zhang3")
    world.faults.append(Fault("wecom", "auth/getuserinfo", errcode=-1))
    with pytest.raises(TransientError):
        await bed.webview.who(code)
    world.faults.append(Fault("wecom", "auth/getuserinfo", errcode=60020))
    with pytest.raises(AuthFailed):
        await bed.webview.who(code)


def test_the_signature_is_that_of_the_published_samples() -> None:
    official = sign(
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg",
        "Wm3WZYTPz0wzccnW",
        1414587457,
        "http://mp.weixin.qq.com?params=value",
    )
    assert official == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"
    ours = sign("T1", "N1", 1700000000, "https://crm.example.com/h5?x=1")
    assert ours == "635332e9f1eb0d684fb9f4d2b3898048cefd6f43"


async def test_the_client_accepts_the_signatures_of_the_page(bed: Bed) -> None:
    told = await bed.ask("zhang3", "getContext")
    assert told["entry"] == "normal"


async def test_a_signature_is_good_for_its_page_alone(bed: Bed) -> None:
    told = await bed.ask("zhang3", "getContext", page=f"https://{HOST}/customers/6")
    assert told["errMsg"] == "config:fail invalid signature 40093"
    told = await bed.ask("zhang3", "getContext", page="https://elsewhere.example/")
    assert "80001" in told["errMsg"]


async def test_the_side_bar_is_told_who_is_talked_to_there_alone(bed: Bed) -> None:
    bed.platform.emulator.customers.add("zhang3", Outsider("wmWang", "王总"), quietly=True)
    beside = {"entry": "single_chat_tools", "external": "wmWang"}
    assert (await bed.ask("zhang3", "getCurExternalContact", **beside))["userId"] == "wmWang"
    assert "without context" in (await bed.ask("li4", "getCurExternalContact", **beside))["errMsg"]
    assert "without context" in (await bed.ask("zhang3", "getCurExternalContact"))["errMsg"]


async def test_tickets_are_kept_shared_and_renewed_in_time(bed: Bed) -> None:
    counters = bed.platform.world.counters
    for _ in range(5):
        await bed.webview.signatures(PAGE)
    assert counters["wecom:get_jsapi_ticket"] == counters["wecom:ticket/get"] == 1
    assert await bed.tokens.load_token("wecom:sales:jsapi_ticket") is not None
    bed.platform.clock.pass_by(minutes=116)
    assert (await bed.ask("zhang3", "getContext"))["errMsg"] == "getContext:ok"
    assert counters["wecom:get_jsapi_ticket"] == 2


async def test_nobody_may_ask_for_tickets_all_the_time(bed: Bed) -> None:
    for _ in range(100):
        assert (await bed.platform.get("ticket/get", type="agent_config"))["errcode"] == 0
    assert (await bed.platform.get("ticket/get", type="agent_config"))["errcode"] == 45009
    assert (await bed.platform.get("ticket/get", type="other"))["errcode"] == 40058
