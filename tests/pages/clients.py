"""The emulated platforms beside the small company's website, as their clients show its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp

from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.http import Http
from connectors.sandbox.dingtalk import DingtalkEmulator
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.world import App, Hooks, Member, World
from connectors.tokens import OwnTokens
from connectors.web import server
from connectors.wecom.client import WecomClient
from connectors.wecom.settings import WecomApp
from storage.database import Database
from tests.connectors.dingtalk.dingtalk_bed import Memory
from tests.connectors.wecom.wecom_bed import Files
from tests.pages.website import Browser, ChatClock, Website, serving

WECOM = "Mozilla/5.0 (iPhone) MicroMessenger/7.0.1 wxwork/4.1.30 MailPlugin_Electron WeMail"
DINGTALK = "Mozilla/5.0 (Linux) AliApp(DingTalk/7.6.0) com.alibaba.android.rimet Channel/1"
AGENT = {"wecom": WECOM, "dingtalk": DINGTALK}


@dataclass
class Clients:
    """One company on both platforms. world: their side of it."""

    world: World
    wecom: WecomEmulator
    dingtalk: DingtalkEmulator
    website: Website = field(init=False)

    def browser(self, platform: str, user_id: str, **client: str) -> Browser:
        """That person's client, showing pages. client: what it knows, as `log_in` takes it."""
        if platform == "wecom":
            key = self.wecom.webviews.log_in(user_id, **client)
        else:
            key = self.dingtalk.webviews.log_in(user_id)
        browser = self.website.browser()
        browser.http.headers["User-Agent"] = AGENT[platform]
        browser.http.cookie_jar.update_cookies({f"sandbox-{platform}-client": key})
        return browser


@asynccontextmanager
async def company(database: Database, folder: Path) -> AsyncIterator[Clients]:
    """Everybody of tests/handlers is a member on WeCom; 张伟 ("zhang-d") on DingTalk too."""
    bound = server.bind("127.0.0.1", 0)
    url = server.base_url(bound)
    now: list[ChatClock] = []

    def clock() -> datetime:
        return now[0].now()

    world = World(Hooks(clock))
    world.apps += [
        App("wecom", "sales", "app", corp_id="wwcorp", agent_id="1000002", app_secret="s"),
        App("dingtalk", "sales", "robot", corp_id="dingcorp", agent_id="900001",
            app_key="dingkey", app_secret="s"),
    ]  # fmt: skip
    clients = Clients(
        world, WecomEmulator(world, f"{url}/sandbox/wecom"), DingtalkEmulator(world, url)
    )
    async with aiohttp.ClientSession() as session:

        def webviews(time: ChatClock) -> list[object]:
            now.append(time)
            memory = Memory()
            wecom = WecomClient(_wecom(url), Http(session), OwnTokens(), Files(), time)
            dingtalk = DingtalkClient(
                _dingtalk(url), Http(session),
                tokens=memory, files=memory, counter=memory, clock=time,
            )  # fmt: skip
            return [wecom.webview, dingtalk.webview]

        routes = [*clients.wecom.routes(), *clients.dingtalk.routes()]
        async with serving(
            database, folder, public_url=url, bound=bound, webviews=webviews, also=routes
        ) as website:
            clients.website = website
            for key, person in website.chat.people.items():
                world.members.append(Member(key, person.name, "wecom", ["rep"], "1"))
            yield clients
        await clients.wecom.stop()
        await clients.dingtalk.stop()


def _wecom(url: str) -> WecomApp:
    base = f"{url}/sandbox/wecom"
    return WecomApp(
        name="sales", corp_id="wwcorp", agent_id=1000002, secret="s", token="t", aes_key="k",
        base_url=base, open_url=base, jssdk_url=f"{base}/js/wecom-jssdk.js", pages=True,
    )  # fmt: skip


def _dingtalk(url: str) -> DingtalkApp:
    base = f"{url}/sandbox/dingtalk"
    return DingtalkApp(
        name="sales", corp_id="dingcorp", client_id="dingkey", client_secret="s",
        agent_id=900001, api_url=base, oapi_url=base, jsapi_url=f"{base}/js/dingtalk.open.js",
        pages=True,
    )  # fmt: skip
