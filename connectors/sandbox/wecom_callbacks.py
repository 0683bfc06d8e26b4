"""Calling the bot back: sealed, signed, within the platform's limits, again when needed.

Source: developer.work.weixin.qq.com/document/path/90238 and 90930.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any, TypeVar

import aiohttp

from .wecom_crypto import CryptoError, Seal
from .wecom_xml import read_xml, to_xml
from .world import App, World

_T = TypeVar("_T")


class Callbacks:
    """Posts to App.callback_url.

    answer_within_s: then the platform hangs up. retries: how often it tries again after a
    connection failure, a late answer or a status other than 200; retry_after_s between
    them (the platform's own spacing is not documented).
    """

    def __init__(self, world: World) -> None:
        self.answer_within_s = 5.0
        self.verify_within_s = 1.0
        self.retries = 3
        self.retry_after_s = 0.2
        self._world = world
        self._session: aiohttp.ClientSession | None = None
        self._is_stopped = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Run it beside the caller; `stop` waits for it. Cancelled after `stop`, as its session
        would stay open."""
        task = asyncio.create_task(work)
        if self._is_stopped:
            task.cancel()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def busy(self) -> bool:
        return bool(self._tasks)

    async def settle(self) -> None:
        """Wait for what is under way, at most for one full round of attempts."""
        limit_s = (self.retries + 1) * (self.answer_within_s + self.retry_after_s)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=limit_s)

    async def stop(self) -> None:
        self._is_stopped = True
        await self.settle()
        under_way = [*self._tasks]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def deliver(self, app: App, inner: bytes, *, member: str, about: str) -> bytes | None:
        """Post one message; answers what the bot replied inside the answer (b"" for nothing),
        None when no attempt was answered.

        First attempts for one member go out in order; a later message may overtake the
        retries of an earlier one. Each attempt has its own nonce, timestamp and random
        bytes around the same inner message.
        """
        record = self._record(app, about)
        if not app.callback_url:
            record["error"] = "no callback URL"
            return None
        async with self._turns[member]:
            reply = await self._attempt(app, inner, record)
        while reply is None and record["tries"] <= self.retries:
            await asyncio.sleep(self.retry_after_s)
            reply = await self._attempt(app, inner, record)
        return reply

    async def verify(self, app: App) -> bool:
        """The check made when an administrator saves the callback URL."""
        challenge = secrets.token_hex(10).encode()
        query, sealed = sealed_for(self._world, app, challenge)
        record = self._record(app, "verify")
        record["tries"] = 1
        try:
            status, body = await self.call(
                "GET", app.callback_url, {**query, "echostr": sealed},
                timeout_s=self.verify_within_s,
            )  # fmt: skip
        except (aiohttp.ClientError, TimeoutError) as error:
            record["error"] = f"openapi回调地址请求不通过: {_reason(error)}"
            return False
        record["status"] = status
        if status != 200 or body != challenge:
            record["error"] = "openapi回调地址请求不通过: the challenge did not come back"
            return False
        return True

    def _record(self, app: App, about: str) -> dict[str, Any]:
        record = {
            "platform": "wecom", "url": app.callback_url, "about": about, "status": None,
            "tries": 0, "at": self._world.now(), "error": "",
        }  # fmt: skip
        self._world.attempts.append(record)
        return record

    async def _attempt(self, app: App, inner: bytes, record: dict[str, Any]) -> bytes | None:
        record["tries"] += 1
        fault = self._world.fault("wecom", "callback")
        if fault is not None:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.drop:
            record["error"] = "lost on the way"
            return None
        query, sealed = sealed_for(self._world, app, inner)
        body = to_xml({"ToUserName": app.corp_id, "AgentID": app.agent_id, "Encrypt": sealed})
        try:
            status, answer = await self.call(
                "POST", app.callback_url, query, body=body, timeout_s=self.answer_within_s
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            record["error"] = _reason(error)
            return None
        record["status"] = status
        if status != 200 or (fault is not None and fault.after):
            return None
        return self._reply(app, answer, record)

    async def call(
        self,
        method: str,
        url: str,
        query: dict[str, str],
        *,
        timeout_s: float,
        body: bytes = b"",
        content_type: str = "text/xml",
    ) -> tuple[int, bytes]:
        """Status and body of the bot's answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.request(
            method,
            url,
            params=query,
            data=body or None,
            headers={"Content-Type": content_type} if body else None,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            allow_redirects=False,
        ) as response:
            return response.status, await response.read()

    @staticmethod
    def _reply(app: App, answer: bytes, record: dict[str, Any]) -> bytes:
        """What the passive reply holds; one that cannot be opened is noted and ignored."""
        if answer.strip() in (b"", b"success"):
            return b""
        try:
            outer = read_xml(answer)
            return _seal(app).open(
                signature=outer.findtext("MsgSignature", ""),
                timestamp=outer.findtext("TimeStamp", ""),
                nonce=outer.findtext("Nonce", ""),
                encrypted=outer.findtext("Encrypt", ""),
            )
        except (ValueError, CryptoError) as error:
            record["error"] = f"reply not understood: {error}"
            return b""


def _seal(app: App) -> Seal:
    """A robot's messages name no receiver."""
    receiver = "" if app.kind == "aibot" else app.corp_id
    return Seal(token=app.token, aes_key=app.aes_key, receive_id=receiver)


def sealed_for(world: World, app: App, message: bytes) -> tuple[dict[str, str], str]:
    """The query of a callback, and the sealed message."""
    seal = _seal(app)
    timestamp = str(int(world.now().timestamp()))
    nonce = str(secrets.randbelow(10**10))
    sealed = seal.encrypt(message)
    signature = seal.sign(timestamp, nonce, sealed)
    return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}, sealed


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
