"""The chat page before a scripted bot: the real control API, emulators that answer by rote.

What the page does is tested here without the bot; the stories run it with the real one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from connectors.sandbox import app
from connectors.sandbox.demo import populate
from connectors.sandbox.world import Hooks, Said, World
from tests.browsers import launched, watched

FRIDAY = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)  # 15:00 in China
CARD: dict[str, Any] = {
    "title": "跟进电话 · 杭州恒锐机电有限公司",
    "body": "还缺：下次联系。约了什么时候再联系？",
    "facts": [["客户", "杭州恒锐机电有限公司"], ["时长", "25分钟"], ["异议", "价格高"]],
    "fields": [
        {
            "key": "next_contact",
            "label": "下次联系",
            "kind": "select",
            "options": [{"id": "2026-03-11", "label": "3月11日(周三)"}],
            "value": "",
        },
        {"key": "contact", "label": "见面对象", "kind": "text", "value": ""},
        {"key": "on", "label": "日期", "kind": "date", "value": ""},
    ],
    "buttons": [
        {"action": "confirm", "label": "确认", "style": "primary"},
        {"action": "cancel", "label": "取消", "style": "danger"},
    ],
}


@dataclass
class Bed:
    """What the scripted bot keeps, and what a test may look at."""

    now: datetime = FRIDAY
    world: World = field(init=False)
    url: str = ""
    pressed: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    deals: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(
            Hooks(lambda: self.now, self.jump, self.quiesce, self.customers, self.stream)
        )
        populate(self.world, bot_url="http://127.0.0.1:1")

    async def jump(self, moment: datetime) -> datetime:
        """After five days the supervisor hears of it."""
        if moment - self.now > timedelta(days=5):
            await self.show("wecom", None, "limin", "markdown", "**红灯** 恒锐机电", sender="bot")
        self.now = moment
        return moment

    async def quiesce(self, _timeout_s: float) -> bool:
        return True

    async def customers(self) -> list[dict[str, Any]]:
        return [
            {"id": 1, "name": "宁波甬江轴承有限公司", "owner": "张伟"},
            {"id": 2, "name": "杭州恒锐机电有限公司", "owner": "张伟"},
            {"id": 3, "name": "东莞松湖电子有限公司", "owner": "吴磊"},
        ]

    async def stream(self, customer: int) -> dict[str, Any]:
        known = {one["id"]: one for one in await self.customers()}[customer]
        mine = customer == 2
        return {
            "customer": {**known, "industry": "电机"},
            "opportunities": self.deals if mine else [],
            "activities": self.activities[::-1] if mine else [],
        }

    async def show(
        self, platform: str, chat: str | None, to: str | None, kind: str, text: str, **more: Any
    ) -> Said:
        """Put a message into the world; from the bot unless `sender` names a person."""
        sender = more.pop("sender", "bot")
        self.now += timedelta(seconds=1)
        number = f"{platform}-{self.world.next_id()}"
        who = "bot:sales" if sender == "bot" else sender
        said = Said(number, platform, chat, who, to, kind, text, self.now, **more)
        return await self.world.add(said)


@dataclass
class Parrot:
    """One platform that answers every sentence with a card, and closes what is pressed."""

    bed: Bed
    platform: str

    def routes(self) -> list[web.RouteDef]:
        return []

    async def say(self, sender: str, chat: str | None, text: str) -> Said:
        to = None if chat else sender
        if text == "出错":
            raise ValueError("平台现在不收消息")
        said = await self.bed.show(self.platform, chat, to, "text", text, sender=sender)
        if text.startswith("原样"):
            await self.bed.show(self.platform, chat, to, "markdown", text.removeprefix("原样"))
        else:
            await self.bed.show(self.platform, chat, to, "card", CARD["title"], card=dict(CARD))
        return said

    async def say_file(
        self, sender: str, chat: str | None, kind: str, name: str, data: bytes
    ) -> Said:
        key = str(self.bed.world.next_id())
        media_type = {"image": "image/png", "voice": "audio/wav"}.get(kind, "application/pdf")
        self.bed.world.files[key] = (data, name, media_type)
        file = {
            "name": name,
            "size": len(data),
            "url": f"/sandbox/api/files/{key}",
            "media_type": media_type,
        }
        to = None if chat else sender
        return await self.bed.show(self.platform, chat, to, kind, "", sender=sender, file=file)

    async def press(
        self, said: Said, sender: str, action: str, values: dict[str, str]
    ) -> dict[str, Any]:
        self.bed.pressed.append((sender, action, values))
        said.card = {**CARD, "fields": [], "buttons": [], "closed": "已记录 · 有效跟进"}
        said.updated_at = self.bed.now
        entry = {
            "id": len(self.bed.activities) + 1,
            "at": self.bed.now.isoformat(),
            "title": "跟进电话",
            "text": "嫌价格高",
            "actor": "张伟",
            "valid": True,
            "reason": "",
            "late": False,
            "files": [],
        }
        self.bed.activities.append(entry)
        return said.card

    async def enter(self, user_id: str, chat: str | None = None) -> None:
        self.bed.entered.append(user_id)

    async def menu_click(self, user_id: str, key: str) -> None:
        await self.bed.show(self.platform, None, user_id, "text", f"菜单 {key}")

    def menu(self) -> dict[str, Any]:
        return {"button": [{"type": "click", "name": "我的待办", "key": "todo"}]}

    async def stop(self) -> None:
        return

    def busy(self) -> bool:
        return False


@asynccontextmanager
async def serving(bed: Bed, *middlewares: Any) -> AsyncIterator[str]:
    """The bed's world over HTTP; gives its base URL."""
    web_app = web.Application(middlewares=middlewares)
    platforms = ("wecom", "dingtalk")
    web_app.add_routes(app.routes(bed.world, {name: Parrot(bed, name) for name in platforms}))
    server = TestServer(web_app)
    await server.start_server()
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@asynccontextmanager
async def browsing(
    url: str, *, width: int = 1440, height: int = 900, **more: Any
) -> AsyncIterator[Page]:
    """The chat page in a real Chromium. A script error or a refused resource fails the test.
    more: of the browser's context."""
    size = {"width": width, "height": height}
    async with (
        launched() as browser,
        watched(browser, viewport=size, timezone_id="Europe/Paris", **more) as page,
    ):
        await page.goto(f"{url}/sandbox")
        await page.locator("#link-state[data-state=online]").wait_for()
        yield page
