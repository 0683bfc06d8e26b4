"""A sandbox in a process of its own, driven over the API that its page uses."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]


class Sandbox:
    """A running `run_bot.py sandbox`. `port` stays the same over `restart`."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.url = ""
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self, port: int = 0) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "run_bot.py",
            "sandbox",
            "--port",
            str(port),
            "--data",
            str(self.data),
            *self.options,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(180):
            while "http://" not in (line := (await self._process.stdout.readline()).decode()):
                assert line, "the sandbox ended before it was ready"
        self.url = line[line.index("http://") :].split("/sandbox")[0]
        self._session = aiohttp.ClientSession(self.url)

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self._process is not None
        if self._session is not None:
            await self._session.close()
        if self._process.returncode is None:
            self._process.send_signal(how)
        async with asyncio.timeout(30):
            await self._process.wait()

    async def get(self, path: str, **params: str) -> dict[str, Any]:
        async with self.http.get(f"/sandbox/api/{path}", params=params) as answer:
            assert answer.status == 200, await answer.text()
            told: dict[str, Any] = await answer.json()
            return told

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        async with self.http.post(f"/sandbox/api/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            told: dict[str, Any] = await answer.json()
            return told

    async def quiesce(self) -> None:
        answer = await self.get("quiesce", timeout="120")
        assert answer.get("quiet") is not False, "inbox or outbox did not drain"


class Speaker:
    """One person talking to the bot; sees what is new since the last look."""

    def __init__(self, sandbox: Sandbox, platform: str, user_id: str) -> None:
        self.sandbox = sandbox
        self.platform = platform
        self.user_id = user_id
        self._seen: set[str] = set()

    async def say(self, text: str, chat: str | None = None) -> list[dict[str, Any]]:
        """Say something; the bot's answers to it."""
        await self.look(chat)
        await self.sandbox.post(
            "say", **{"platform": self.platform, "from": self.user_id, "chat": chat, "text": text}
        )
        await self.sandbox.quiesce()
        return await self.look(chat)

    async def send_file(self, name: str, data: bytes, kind: str = "file") -> list[dict[str, Any]]:
        await self.look()
        form = aiohttp.FormData()
        for key, value in (("platform", self.platform), ("from", self.user_id), ("kind", kind)):
            form.add_field(key, value)
        form.add_field("file", data, filename=name)
        async with self.sandbox.http.post("/sandbox/api/say", data=form) as answer:
            assert answer.status == 200, await answer.text()
        await self.sandbox.quiesce()
        return await self.look()

    async def press(self, card: dict[str, Any], label: str, **values: str) -> list[dict[str, Any]]:
        """Press the button with that label; the pressed card as it stands then, and the bot's
        answers."""
        await self.look()
        buttons = card["card"]["buttons"]
        action = next(button["action"] for button in buttons if label in button["label"])
        await self.sandbox.post(
            "press",
            **{
                "message_id": card["message_id"],
                "from": self.user_id,
                "action": action,
                "values": values,
            },
        )
        await self.sandbox.quiesce()
        pressed = [m for m in await self.all() if m["message_id"] == card["message_id"]]
        return pressed + await self.look()

    async def all(self, chat: str | None = None) -> list[dict[str, Any]]:
        """Everything the bot said to this person (or in that chat), oldest first."""
        params = {"platform": self.platform, **({"chat": chat} if chat else {"to": self.user_id})}
        messages = (await self.sandbox.get("messages", **params))["messages"]
        return [message for message in messages if message["from"] != self.user_id]

    async def look(self, chat: str | None = None) -> list[dict[str, Any]]:
        """What is new."""
        fresh = [m for m in await self.all(chat) if m["message_id"] not in self._seen]
        self._seen.update(message["message_id"] for message in fresh)
        return fresh


def words(messages: list[dict[str, Any]]) -> str:
    """All that can be read in some messages, cards included."""
    parts = []
    for message in messages:
        parts.append(message.get("text") or "")
        card = message.get("card") or {}
        parts += [card.get("title", ""), card.get("body", ""), str(card.get("facts", ""))]
        parts += [button["label"] for button in card.get("buttons", [])]
    return "\n".join(parts)


def last_card(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The newest card with something to press."""
    return [m for m in messages if m["kind"] == "card" and m["card"]["buttons"]][-1]


def at(world: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(world["now"])
