"""The pages over HTTP, beside the small company of tests/handlers that talks to the bot."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.domain.activities import Activity
from bot.domain.opportunities import Account
from connectors.web import server
from connectors.web.admin import AdminPages
from connectors.web.assets import BUILD, Assets
from connectors.web.guard import Guard
from connectors.web.pages import Pages
from connectors.web.rendering import Renderer
from connectors.web.rules import RulePages
from handlers import Handlers
from handlers.desk import Office
from handlers.pages.admin.rooms import Machine
from handlers.pages.admin.site import AdminSite
from handlers.pages.rules.site import RuleSite
from handlers.pages.screen import Screens
from handlers.pages.site import Site
from storage.database import Database
from storage.files import FileFolder
from storage.kept_files import KeptFiles
from tests.handlers.chat_company import Chat

LINK = re.compile(r"\((?P<url>https?://[^)]+)\)")
FORM_KEY = re.compile(r'name="form_key" value="(?P<key>[^"]+)"')
HTML = {"Accept": "text/html"}


@dataclass
class ChatClock:
    chat: Chat

    def now(self) -> datetime:
        return self.chat.now


@dataclass
class Browser:
    """Cookies of one person, and nothing else."""

    url: str
    http: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.http.get(self.url + path, headers={**HTML, **headers}) as answer:
            return answer.status, await answer.text(errors="replace")

    async def status(self, path: str) -> int:
        return (await self.get(path))[0]

    async def post(self, path: str, origin: str = "", **fields: str) -> tuple[int, str]:
        headers = {**HTML, "Origin": origin or self.url}
        async with self.http.post(self.url + path, data=fields, headers=headers) as answer:
            return answer.status, await answer.text()

    async def form_key(self) -> str:
        found = FORM_KEY.search((await self.get("/customers"))[1])
        assert found is not None
        return found["key"]


@dataclass
class Website:
    """The company, its pages, and the browsers that were opened."""

    chat: Chat
    files: KeptFiles
    url: str = ""
    opened: list[aiohttp.ClientSession] = field(default_factory=list)

    def browser(self) -> Browser:
        """One in which nobody is signed in."""
        jar = aiohttp.CookieJar(unsafe=True)  # 127.0.0.1 is no name
        self.opened.append(aiohttp.ClientSession(cookie_jar=jar))
        return Browser(self.url, self.opened[-1])

    async def link(self, who: str, words: str = "网页") -> str:
        """The path of the link that the bot gives for these words."""
        found = LINK.search(await self.chat.say(who, words))
        assert found is not None, "the bot gave no link"
        return found["url"].removeprefix(self.chat.office.pages_url)

    async def sign_in(self, who: str, words: str = "网页") -> Browser:
        browser = self.browser()
        ticket = (await self.link(who, words)).removeprefix("/in/")
        status, _ = await browser.post("/in", ticket=ticket)
        assert status == 200, "the link opened nothing"
        return browser

    async def entry(
        self, account: Account, number: int, *, data: bytes = b"", name: str = "", **more: object
    ) -> Activity:
        """Put into the stream. data, name: of an attached file."""
        async with self.chat.database.begin() as tx:
            deal = (await tx.opportunities.of_account(account.id))[-1]
            hashes: tuple[str, ...] = ()
            if name:
                stored = await self.files.put(data, name=name)
                await tx.files.record(stored, self.chat.now)
                hashes = (stored.sha256,)
            values = {
                "unit": "followup_call",
                "title": "跟进电话",
                "text": f"第{number}次通话",
                "occurred_at": self.chat.now,
                "valid": True,
                **more,
            }
            added = await tx.activities.add(
                Activity(
                    id=0,
                    account_id=account.id,
                    opportunity_id=deal.id,
                    actor_id=account.owner_id,
                    recorded_at=self.chat.now,
                    source_id=f"entry:{account.id}:{number}",
                    file_hashes=hashes,
                    **values,  # type: ignore[arg-type]
                )
            )
        assert added is not None
        return added

    async def audited(self, action: str) -> list[tuple[str, str]]:
        """(actor, subject) of what was audited under that name."""
        async with self.chat.database.read() as tx:
            rows = await tx.audit._page(after=0)
        return [(row.actor, row.subject) for row in rows if row.action == action]


async def as_recorded(data: bytes, media_type: str) -> tuple[bytes, str]:
    return data, media_type


@asynccontextmanager
async def serving(
    database: Database,
    folder: Path,
    *,
    public_url: str = "",
    assets: Path = BUILD,
    bound: socket.socket | None = None,
    webviews: Callable[[ChatClock], Sequence[Any]] = lambda _: (),
    also: Sequence[web.RouteDef] = (),
    change: Callable[[Office], Office] = lambda office: office,
    machine: Machine | None = None,
    files: KeptFiles | None = None,
) -> AsyncIterator[Website]:
    """public_url: as the operator wrote it; without one, where the test reaches the pages.
    bound: where to listen. webviews: the clients in which people sign in. also: other routes.
    change: what the company has otherwise."""
    chat = await Chat(database).open()
    bound = bound or server.bind("127.0.0.1", 0)
    website = Website(chat, files or FileFolder(folder), server.base_url(bound))
    chat.office = change(replace(chat.office, pages_url=public_url or website.url))
    chat.handlers = Handlers(chat.office)
    clock = ChatClock(chat)
    site = Site(
        office=chat.office,
        read=database.read,
        begin=database.begin,
        clock=clock,
        files=website.files,
        play=as_recorded,
        screens=Screens(chat.office, database.read, clock.now, rest=0),
    )
    built = Assets.load(assets)
    guard = Guard(site, Renderer(built), public_url, webviews(clock))
    pages = Pages(site, guard, built)
    rules = RulePages(RuleSite(chat.office, database.read, database.begin, clock), guard, built)
    admin_site = AdminSite(chat.office, database.read, database.begin, clock, machine or Machine())
    parts = (pages, rules, AdminPages(admin_site, guard))
    around = {"middlewares": [guard.middleware()], "on_shutdown": [pages.stop, site.screens.stop]}
    routes = [*(route for one in parts for route in one.routes()), *also]
    async with server.listening(routes, bound, **around):  # type: ignore[arg-type]
        try:
            yield website
        finally:
            for session in website.opened:
                await session.close()
