"""Stream mode: the gateway gives tickets, a ticket opens a connection, pushes go over any of
them (protocol notes section 2)."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .dingtalk_errors import NewError, PageError, from_fault, invalid
from .dingtalk_gate import PREFIX, Body, Gate
from .dingtalk_socket import Ack, Connection
from .world import Fault, World

ROBOT = "/v1.0/im/bot/messages/get"
CARDS = "/v1.0/card/instances/callback"

_TOPICS = frozenset({("EVENT", "*"), ("CALLBACK", ROBOT), ("CALLBACK", CARDS)})
_XML = "<OpenConnectionResponse/>"


@dataclass(frozen=True, slots=True)
class _Ticket:
    subscriptions: frozenset[tuple[str, str]]
    good_until: float


@dataclass(slots=True)
class Stream:
    """Knobs, in seconds of the event loop: ticket_life_s; first_ping_s and ping_s; life_s of a
    connection; linger_s, how long it stays open after `disconnect`. most: connections of one
    application, beyond which the oldest is told to go (how many DingTalk allows is not
    documented). chance: picks the connection of each push.

    A Fault of the api "stream" disturbs the next push, see World.fault: drop cuts the
    connection that it was to go over; the errcode "disconnect" makes the platform say goodbye
    on it, and the push takes another one; the errcode "silent" makes it a zombie. One of
    "stream/connect" is the answer to a handshake.
    """

    world: World
    gate: Gate
    origin: str = ""
    ticket_life_s: float = 90.0
    first_ping_s: float = 0.8
    ping_s: float = 30.0
    life_s: float = 3600.0
    linger_s: float = 10.0
    most: int = 16
    chance: random.Random = field(default_factory=random.Random)
    connections: list[Connection] = field(default_factory=list)
    _tickets: dict[str, _Ticket] = field(default_factory=dict)
    _transports: dict[Connection, asyncio.Transport | None] = field(default_factory=dict)
    _farewells: set[asyncio.Task[None]] = field(default_factory=set)

    def routes(self) -> list[web.RouteDef]:
        path = "v1.0/gateway/connections/open"
        return [
            self.gate.new_raw("POST", path, self._open, token=False),
            web.get(f"{PREFIX}/connect", self._connect),
        ]

    def pushing(
        self, kind: str, topic: str, body: Body, *, limit_s: float, more: Body | None = None
    ) -> Callable[[], Awaitable[Ack]]:
        """One try of a push: code and data of the answer. more: headers of its frame."""

        async def push() -> Ack:
            connection = self._any(kind, topic)
            fault = self.world.fault("dingtalk", "stream") if connection else None
            if connection is not None and fault is not None:
                await self._disturb(connection, fault)
                connection = self._any(kind, topic) if connection.is_leaving else connection
            if connection is None:
                raise ConnectionError("nobody listens")
            return await connection.push(kind, topic, body, limit_s=limit_s, more=more)

        return push

    def disconnect(self, connection: Connection, reason: str) -> None:
        """Say goodbye on it, and close it after a while."""
        if connection.is_leaving:
            return
        connection.is_leaving = True
        task = asyncio.get_running_loop().create_task(connection.say_goodbye(reason))
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    def cut(self, connection: Connection) -> None:
        connection.cut(self._transports.get(connection))

    def revoke_tickets(self) -> None:
        """Let every ticket that was not used yet be unknown from now on."""
        self._tickets.clear()

    async def stop(self) -> None:
        for task in self._farewells:
            task.cancel()
        for connection in list(self.connections):
            await connection.ws.close()

    def _any(self, kind: str, topic: str) -> Connection | None:
        """One at random of those that want it; the others hear nothing of it."""
        wanting = [
            connection
            for connection in self.connections
            if (kind, topic) in connection.subscriptions and not connection.is_leaving
        ]
        return self.chance.choice(wanting) if wanting else None

    async def _disturb(self, connection: Connection, fault: Fault) -> None:
        await asyncio.sleep(fault.delay)
        if fault.drop:
            self.cut(connection)
            raise ConnectionResetError("cut")
        if fault.errcode == "disconnect":
            self.disconnect(connection, "forced")
        elif fault.errcode == "silent":
            connection.is_silent = True

    async def _open(self, request: web.Request) -> Body:
        """Without Accept the answer is XML, which a client of today cannot read."""
        arguments = await self.gate.arguments(request)
        app = self.gate.app()
        given = arguments.get("clientId"), arguments.get("clientSecret")
        if given != (app.app_key, app.app_secret):
            raise NewError(401, "authFailed", "鉴权失败")
        subscriptions = _subscriptions(arguments.get("subscriptions"))
        if "application/json" not in request.headers.get("Accept", ""):
            raise PageError(web.Response(text=_XML, content_type="text/xml"))
        ticket = secrets.token_hex(16)
        good_until = asyncio.get_running_loop().time() + self.ticket_life_s
        self._tickets[ticket] = _Ticket(subscriptions, good_until)
        endpoint = f"{self.origin.replace('http', 'ws', 1)}{PREFIX}/connect"
        return {"endpoint": endpoint, "ticket": ticket}

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        """A ticket is good once, whatever becomes of it."""
        self.world.count("dingtalk:stream/connect")
        loop = asyncio.get_running_loop()
        ticket = self._tickets.pop(request.query.get("ticket", ""), None)
        if (refusal := _refusal(self.world.fault("dingtalk", "stream/connect"))) is not None:
            return refusal
        if ticket is None or ticket.good_until <= loop.time():
            return web.Response(status=401)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        connection = Connection(
            ws,
            ticket.subscriptions,
            self.gate.app().app_key,
            self.world.now,
            loop.time(),
            self.linger_s,
        )
        self.connections.append(connection)
        self._transports[connection] = request.transport
        self._evict()
        keeping = asyncio.create_task(self._keep(connection))
        try:
            await connection.read()
        finally:
            keeping.cancel()
            self.connections.remove(connection)
            del self._transports[connection]
        return ws

    async def _keep(self, connection: Connection) -> None:
        why = await connection.keep(
            first_ping_s=self.first_ping_s, ping_s=self.ping_s, life_s=self.life_s
        )
        self.disconnect(connection, why)

    def _evict(self) -> None:
        there = [one for one in self.connections if not one.is_leaving]
        for oldest in there[: -self.most]:
            self.world.count("dingtalk:stream/evicted")
            self.disconnect(oldest, "too many connections")


def _subscriptions(given: Any) -> frozenset[tuple[str, str]]:
    """Raises NewError: of events one can have all or none."""
    listed = given if isinstance(given, list) else []
    told = [(one.get("type"), one.get("topic")) for one in listed if isinstance(one, dict)]
    found = frozenset(topic for topic in _TOPICS if topic in told)
    if not found or len(found) != len(listed):
        raise invalid("invalidParameter.subscriptions")
    return found


def _refusal(fault: Fault | None) -> web.Response | None:
    error = from_fault(fault, new=True) if fault is not None else None
    return error.response() if error is not None else None
