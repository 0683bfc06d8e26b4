"""What DingTalk delivers to the bot: each delivery a task of its own, tried again, on record."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from .world import World


@dataclass(frozen=True, slots=True)
class Push:
    """One try of a delivery by HTTP: signatures are made anew for each."""

    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


Carry = Callable[[], Awaitable[tuple[int, bytes]]]
"""One try: status and body of the answer. Raises ClientError, ConnectionError or TimeoutError
when there is none."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What to deliver and when it counts as taken.

    kind: "robot", "event" or "card"; key: names the delivery within its kind. to: an address,
    for the record. pauses_s: real seconds before each further try, so their number is the
    number of retries. turn: first tries of the same turn go out one after the other; a later
    one may overtake the retries of an earlier one.
    """

    kind: str
    key: str
    to: str
    carry: Carry
    pauses_s: tuple[float, ...]
    is_taken: Callable[[int, bytes], bool]
    turn: str


@dataclass(slots=True)
class Calls:
    """Owns the HTTP session towards the bot and every delivery under way.

    A Fault of the api "callback" disturbs this way, see World.fault.
    """

    world: World
    _session: aiohttp.ClientSession | None = None
    _is_stopped: bool = False
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _turns: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Nothing any more after `stop`: its session would stay open."""
        if self._is_stopped:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def busy(self) -> bool:
        return bool(self._tasks)

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        self._is_stopped = True
        try:
            await self.drain()
        finally:
            if self._session is not None:
                await self._session.close()

    async def deliver(self, delivery: Delivery) -> bytes | None:
        """The body of the answer that took it; None when every try failed."""
        record: dict[str, Any] = {
            "platform": "dingtalk",
            "url": delivery.to,
            "about": f"{delivery.kind} {delivery.key}",
            "status": None,
            "tries": 0,
            "at": self.world.now(),
            "error": "",
        }
        self.world.attempts.append(record)
        async with self._turns[delivery.turn]:
            body = await self._attempt(delivery, record)
        for pause_s in delivery.pauses_s:
            if body is None:
                await asyncio.sleep(pause_s)
                body = await self._attempt(delivery, record)
        if body is None:
            self.world.count(f"dingtalk:dropped:{delivery.kind}")
        return body

    async def _attempt(self, delivery: Delivery, record: dict[str, Any]) -> bytes | None:
        record["tries"] += 1
        fault = self.world.fault("dingtalk", "callback")
        if fault is not None:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.drop:
            record["error"] = "lost on the way"
            return None
        try:
            status, body = await delivery.carry()
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            record["error"] = str(error) or type(error).__name__
            return None
        record["status"] = status
        if fault is not None and fault.after:
            record["error"] = "answer lost on the way"
            return None
        is_taken = delivery.is_taken(status, body)
        record["error"] = "" if is_taken else "not the answer that was wanted"
        return body if is_taken else None

    def posting(self, url: str, make: Callable[[], Push], *, limit_s: float) -> Carry:
        """By HTTP. limit_s: how long the platform waits for the answer."""

        async def post() -> tuple[int, bytes]:
            if self._session is None:
                self._session = aiohttp.ClientSession()
            push = make()
            async with self._session.post(
                url,
                params=push.query,
                headers={"Content-Type": "application/json; charset=utf-8", **push.headers},
                data=push.body,
                timeout=aiohttp.ClientTimeout(total=limit_s),
                allow_redirects=False,
            ) as answer:
                return answer.status, await answer.read()

        return post
