"""Several bots on one PostgreSQL, each a process of its own, beside both emulated platforms.

Every rep says a sentence and confirms it, again and again, each word to another process, as a
balancer in front would have it; a word is sent until one of them took it, as the platform would.
`faults` compares what was accepted with what the database and the platform hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
from sqlalchemy import make_url

from bot.clock import WallClock
from bot.domain.sharing import Division
from bot.errors import BotError
from bot.tasks import cancel_all
from config.settings import Settings
from config.wiring.building import build
from connectors.queue.access import Access
from connectors.queue.session import session
from connectors.sandbox.app import Platforms
from connectors.sandbox.wecom_crypto import Seal
from connectors.sandbox.world import Hooks, Member
from connectors.web import server
from storage import admin
from storage.database import Database

ROOT = Path(__file__).resolve().parents[1]
FIRST = 8_000_000_000
PAUSE_S = 0.5  # between a speaker's words; nobody is faster
MOST_WAITING = 60
PLACES = "常州苏州无锡杭州宁波温州佛山东莞中山惠州厦门泉州青岛烟台济南合肥芜湖武汉长沙成都"
GOODS = "齿轮轴承阀门水泵风机电缆模具刀具弹簧密封压铸锻件铝材铜管油缸气缸链条电机磨床焊机"
"""Each customer's name is of two words that no other has."""
START_S, DRAIN_S = 90.0, 90.0


@dataclass(slots=True)
class Node:
    """A process, and the log that it writes."""

    process: asyncio.subprocess.Process
    port: int


@dataclass(slots=True)
class Accepted:
    """Numbers of the words that were answered 200, in the order of each speaker."""

    sentences: set[int] = field(default_factory=set)
    confirmations: set[int] = field(default_factory=set)
    refused: int = 0


class Several:
    """`nodes`: index -> a running process; `kill` and `start` them at will. queue: the stream
    before the inbox, if there is one."""

    def __init__(
        self, url: str, folder: Path, platforms: Platforms, queue: Access | None = None
    ) -> None:
        self.url = url
        self.platforms = platforms
        self.queue = queue
        self.nodes: dict[int, Node] = {}
        self.accepted = Accepted()
        self._folder = folder
        self._numbers = itertools.count(FIRST)
        self._turns = itertools.count()
        self._app = platforms.world.app("wecom")
        self._seal = Seal(self._app.token, self._app.aes_key, self._app.corp_id)
        self._may_speak = asyncio.Event()
        self.reps: list[tuple[str, str]] = []

    def configuration(self) -> dict[str, object]:
        """Without the archive, whose workers would be further processes."""
        written = self.platforms.configuration(self._folder / "files")
        written["storage"]["url"] = self.url
        for app in written["wecom"].values():
            app.pop("archive", None)
        if self.queue is not None:
            written["queue"] = {"url": self.queue.url, "stream": self.queue.stream}
        return written

    async def fill(self) -> None:
        """Twenty reps, each with a customer, as a first start would find them."""
        await admin.upgrade(self.url)
        names = {
            f"rep{n}": f"{PLACES[2 * n : 2 * n + 2]}{GOODS[2 * n : 2 * n + 2]}有限公司"
            for n in range(len(GOODS) // 2)
        }
        self.platforms.world.members += [
            Member(user_id, f"员工{user_id}", "wecom", ["rep"], "3") for user_id in names
        ]
        settings = Settings.model_validate(self.configuration())
        async with aiohttp.ClientSession() as session:
            database = await Database.open(self.url)
            try:
                bot = build(settings, clock=WallClock(), database=database, session=session)
                await bot.upkeep.settle_in()
                async with database.begin() as tx:
                    for user_id, name in names.items():
                        person = await tx.people.find_by_identity("wecom", user_id)
                        assert person is not None
                        await tx.accounts.add(name=name, owner_id=person.id, at=bot.clock.now())
                self.reps = list(names.items())
            finally:
                await database.close()

    async def start(self, index: int, *, tree: Path = ROOT) -> None:
        """Returns once it answers. tree: where the program lies, for another version of it."""
        file = self._folder / "gendan.json"
        file.write_text(json.dumps(self.configuration(), default=str), "utf-8")
        with contextlib.closing(server.bind("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with (self._folder / f"node{index}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "benchmarks.serve_one", str(file), str(port),
                cwd=tree, stdout=log, stderr=log,
            )  # fmt: skip
        self.nodes[index] = Node(process, port)
        async with asyncio.timeout(START_S), aiohttp.ClientSession() as session:
            while True:
                assert process.returncode is None, f"node {index} ended; see its log"
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{port}/healthz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)

    async def kill(self, index: int) -> None:
        """As a machine dies, as far as a process can."""
        node = self.nodes.pop(index)
        node.process.kill()
        await node.process.wait()

    async def end(self, index: int) -> None:
        """As a balancer and an operator do it: nothing is sent there any more, then SIGTERM."""
        node = self.nodes.pop(index)
        node.process.send_signal(signal.SIGTERM)
        assert await node.process.wait() == 0

    async def stop(self) -> None:
        for node in self.nodes.values():
            node.process.send_signal(signal.SIGTERM)
        for node in self.nodes.values():
            await node.process.wait()
        self.nodes.clear()

    @contextlib.asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """All reps speak meanwhile, and wait a little where many have no answer yet."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            speaking = [asyncio.create_task(self._speak(session, *rep)) for rep in self.reps]
            speaking.append(asyncio.create_task(self._listen()))
            try:
                yield
            finally:
                await cancel_all(speaking)

    async def _speak(self, session: aiohttp.ClientSession, user: str, customer: str) -> None:
        sentence = f"刚和{customer}通了25分钟电话，嫌价格高，下周三再联系"
        while True:
            await self._say(session, user, sentence, self.accepted.sentences)
            await self._say(session, user, "确认", self.accepted.confirmations)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(BotError, OSError, asyncpg.PostgresError):  # being restarted
                if await self._waiting() < MOST_WAITING:
                    self._may_speak.set()
                else:
                    self._may_speak.clear()
            await asyncio.sleep(0.3)

    async def _waiting(self) -> int:
        """In the stream, or in the inbox and not handled."""
        in_stream = 0
        if self.queue is not None:
            async with session(self.queue, self.queue.url) as opened:
                in_stream = (await opened.state()).messages
        rows = await self.ask("SELECT count(*) FROM inbox WHERE state = 'new'")
        return in_stream + int(rows[0][0])

    async def _say(
        self, session: aiohttp.ClientSession, user: str, text: str, accepted: set[int]
    ) -> None:
        await self._may_speak.wait()
        number, created = next(self._numbers), int(time.time())
        while not await self.post(session, user, text, number, created):
            self.accepted.refused += 1
            await asyncio.sleep(0.1)
        accepted.add(number)
        await asyncio.sleep(PAUSE_S)

    async def post(
        self, session: aiohttp.ClientSession, user: str, text: str, number: int, created: int = 0
    ) -> bool:
        """Whether the next process took it. created: when it was said, in seconds."""
        nodes = list(self.nodes.values())
        if not nodes:
            return False
        node = nodes[next(self._turns) % len(nodes)]
        now = str(int(time.time()))
        inner = (
            f"<xml><ToUserName>{self._app.corp_id}</ToUserName><FromUserName>{user}"
            f"</FromUserName><CreateTime>{created}</CreateTime><MsgType>text</MsgType>"
            f"<Content>{text}</Content><MsgId>{number}</MsgId><AgentID>{self._app.agent_id}"
            "</AgentID></xml>"
        )
        sealed = self._seal.encrypt(inner.encode())
        query = {"msg_signature": self._seal.sign(now, "n", sealed), "timestamp": now, "nonce": "n"}
        door = f"http://127.0.0.1:{node.port}/wecom/{self._app.name}"
        body = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(door, params=query, data=body) as answer:
                return answer.status == 200
        return False

    async def holders(self) -> dict[str, str]:
        """Lease -> node, of those whose time runs."""
        return dict(
            await self.ask("SELECT name, node FROM leases WHERE ends_at > clock_timestamp()")
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of all leases, with the robot and the application that speaks for it at home."""
        return Division(senders=frozenset({("dingtalk", "sales")})).names

    async def node_of(self, index: int) -> str:
        """Under which name that process holds leases; "" while it holds none."""
        pid = self.nodes[index].process.pid
        found = {node for node in (await self.holders()).values() if f"-{pid}-" in node}
        return next(iter(found), "")

    async def index_of(self, name: str) -> int:
        """Which process holds it."""
        node = (await self.holders())[name]
        return next(i for i, one in self.nodes.items() if f"-{one.process.pid}-" in node)

    async def taken_over_s(self, node: str, *, names: int) -> float:
        """Seconds until others have all that `node` had; called at its death."""
        begun = time.perf_counter()
        while True:
            holders = await self.holders()
            if len(holders) >= names and node not in holders.values():
                return time.perf_counter() - begun
            await asyncio.sleep(0.05)

    async def accepts(self, *, more: int) -> None:
        """Until so many more words were taken."""
        wanted = self._count() + more
        async with asyncio.timeout(DRAIN_S):
            while self._count() < wanted:  # noqa: ASYNC110 - a number has no event
                await asyncio.sleep(0.05)

    def _count(self) -> int:
        return len(self.accepted.sentences) + len(self.accepted.confirmations)

    async def figure(self, name: str) -> float:
        """The sum of a metric over all processes and labels."""
        total = 0.0
        async with aiohttp.ClientSession() as session:
            for node in self.nodes.values():
                async with session.get(f"http://127.0.0.1:{node.port}/metrics") as answer:
                    lines = (await answer.text()).splitlines()
                total += sum(float(line.split()[-1]) for line in lines if line.startswith(name))
        return total

    async def drained(self) -> None:
        """Until nothing waits in the inbox. Answers leave at the pace that platforms allow."""
        async with asyncio.timeout(DRAIN_S):
            while await self._waiting():  # noqa: ASYNC110 - a row has no event
                await asyncio.sleep(0.2)

    @property
    def told(self) -> int:
        """What the platforms have shown anybody from the bot."""
        return sum(said.sender.startswith("bot:") for said in self.platforms.world.said)

    async def ask(self, query: str) -> list[asyncpg.Record]:
        plain = make_url(self.url).set(drivername="postgresql")
        conn = await asyncpg.connect(plain.render_as_string(hide_password=False), timeout=5)
        try:
            rows: list[asyncpg.Record] = await conn.fetch(query)
        finally:
            await conn.close()
        return rows

    async def faults(self) -> dict[str, int]:
        """What must not have happened, and how often it did; once all have stopped, so that what
        was sent is noted."""
        inbox = await self.ask("SELECT delivery_id, state FROM inbox WHERE delivery_id LIKE '80%'")
        states = [(int(row[0].split(":")[0]), row[1]) for row in inbox]
        replies = await self.ask("SELECT dedupe_key, address, state FROM outbox ORDER BY id")
        drafts = await self.ask("SELECT source_id, activity_id FROM drafts")
        entries = await self.ask("SELECT source_id FROM activities WHERE source_id LIKE 'draft:%'")
        activities = [row[0] for row in entries]
        accepted = self.accepted.sentences | self.accepted.confirmations
        answered = {number for row in replies if (number := number_in(row[0]))}
        sent = (
            await self.ask(
                "SELECT count(*) FROM outbox WHERE state = 'sent' "
                "AND content::json->>'type' <> 'card_update'"
            )
        )[0][0]
        return {
            "dropped by a platform's limit": sum(
                count for name, count in self.platforms.world.counters.items() if "dropped" in name
            ),
            "sent twice": max(0, self.told - sent),
            "lost": len(accepted - {number for number, _ in states}),
            "unhandled": sum(state != "done" for _, state in states),
            "handled twice": len(states) - len({number for number, _ in states}),
            "unanswered": len(accepted - answered),
            "out of order": _inversions([(row[1], number_in(row[0])) for row in replies]),
            "sentences without a draft of their own": len(
                self.accepted.sentences ^ ({number_in(row[0]) for row in drafts} & accepted)
            ),
            "activities twice": len(activities) - len(set(activities)),
            "confirmed, and no activity": sum(row[1] is not None for row in drafts)
            - len(activities),
            # One more than we know of may have been taken without our hearing of it.
            "confirmations that found nothing": max(
                0, len(self.accepted.confirmations) - len(activities)
            ),
        }


def _inversions(answers: list[tuple[str, int]]) -> int:
    """Answers queued before one to an earlier word of the same speaker."""
    last: Counter[str] = Counter()
    found = 0
    for address, number in answers:
        found += 0 < number < last[address]
        last[address] = max(last[address], number)
    return found


def number_in(key: str) -> int:
    """The number of the word in "wecom:sales:app:8000000001:user:second:…", else 0."""
    parts = key.split(":")
    return int(parts[3]) if len(parts) > 3 and parts[3].startswith("80") else 0


@contextlib.asynccontextmanager
async def several(
    url: str, folder: Path, *, nodes: int, queue: Access | None = None
) -> AsyncIterator[Several]:
    """So many processes on an empty PostgreSQL database, after the demo company was entered; with
    the platforms' long connections, of which each may be open once. queue: before the inbox."""
    bound = server.bind("127.0.0.1", 0)
    clock = WallClock()
    platforms = Platforms(
        Hooks(clock.now),
        server.base_url(bound),
        dingtalk_mode="stream",
        aibot_mode="websocket",
    )
    async with server.listening(platforms.routes(), bound):
        company = Several(url, folder, platforms, queue)
        await company.fill()
        try:
            await asyncio.gather(*(company.start(index) for index in range(nodes)))
            yield company
        finally:
            await company.stop()
            await platforms.stop()
