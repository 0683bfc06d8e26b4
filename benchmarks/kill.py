"""`kill -9` at 30 random moments under load: nothing accepted is lost, nothing acts twice.

The sandbox runs as people run it; the load goes to its doors as the platform would call.
Every rep says a sentence and confirms it, again and again; a word is sent until it was
taken, as the platform would. At the end the database must hold each accepted message once
and handled, one draft for each sentence, one activity for each confirmation, in the order
in which they were said, and a reply to each. KILLS in the environment makes it shorter.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from connectors.sandbox.wecom_crypto import Seal

KILLS = int(os.environ.get("KILLS", "30"))
SEED = 20261123


class Company:
    """What the sandbox tells of itself."""

    def __init__(self, world: dict[str, list[dict[str, str]]]) -> None:
        self.app = next(app for app in world["apps"] if app["platform"] == "wecom")
        self.seal = Seal(self.app["token"], self.app["aes_key"], self.app["corp_id"])
        owners = {one["owner"]: one["name"] for one in world["customers"]}
        self.reps = [
            (person["user_id"], owners[person["name"]])
            for person in world["people"]
            if person["platform"] == "wecom" and person["name"] in owners
        ]

    async def post(
        self, session: aiohttp.ClientSession, user: str, text: str, number: int, created: int
    ) -> bool:
        """True when the door answered 200: from then on the message must not be lost.

        created: when it was said, in seconds, the same for every try; the signature is new.
        """
        now = str(int(time.time()))
        inner = (
            f"<xml><ToUserName>{self.app['corp_id']}</ToUserName><FromUserName>{user}"
            f"</FromUserName><CreateTime>{created}</CreateTime><MsgType>text</MsgType>"
            f"<Content>{text}</Content><MsgId>{number}</MsgId><AgentID>{self.app['agent_id']}"
            "</AgentID></xml>"
        )
        sealed = self.seal.encrypt(inner.encode())
        query = {"msg_signature": self.seal.sign(now, "n", sealed), "timestamp": now, "nonce": "n"}
        body = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(self.app["callback_url"], params=query, data=body) as answer:
                return answer.status == 200
        return False


async def start(data: Path, port: int) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "run_bot.py", "sandbox", "--port", str(port), "--data", str(data),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(90):
        await process.stdout.readline()
    return process


class Load:
    """All reps at once. `sentences` and `confirmations` are the numbers that were accepted."""

    def __init__(self, company: Company) -> None:
        self.sentences: set[int] = set()
        self.confirmations: set[int] = set()
        self._company = company
        self._numbers = itertools.count(8_000_000_000)

    async def run(self) -> None:
        """Until cancelled, over all restarts."""
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await asyncio.gather(*(self._speak(session, *rep) for rep in self._company.reps))

    async def _speak(self, session: aiohttp.ClientSession, user: str, customer: str) -> None:
        sentence = f"刚和{customer}通了25分钟电话，嫌价格高，下周三再联系"
        while True:
            await self._say(session, user, sentence, self.sentences)
            await self._say(session, user, "确认", self.confirmations)

    async def _say(
        self, session: aiohttp.ClientSession, user: str, text: str, accepted: set[int]
    ) -> None:
        number, created = next(self._numbers), int(time.time())
        while not await self._company.post(session, user, text, number, created):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        accepted.add(number)


async def main() -> None:
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
        data, port = Path(folder), 18080
        process = await start(data, port)
        base = f"http://127.0.0.1:{port}/sandbox/api"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{base}/world") as answer:
                company = Company(await answer.json())
            load = Load(company)
            speaking = asyncio.create_task(load.run())
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.05, 1.5))
                process.send_signal(signal.SIGKILL)
                await process.wait()
                process = await start(data, port)
            await asyncio.sleep(1)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            async with session.get(f"{base}/quiesce", params={"timeout": "60"}) as answer:
                assert (await answer.json())["quiet"]
        process.send_signal(signal.SIGTERM)
        await process.wait()
        check(data / "gendan.db", load)


def check(file: Path, load: Load) -> None:
    """Compare what was accepted with what the database holds."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        inbox = db.execute(  # the sandbox's mailboxes and robots have others
            "SELECT delivery_id, state FROM inbox"
            " WHERE channel LIKE 'wecom:%' AND delivery_id LIKE '80%'"
        )
        states = [(int(delivery_id.split(":")[0]), state) for delivery_id, state in inbox]
        keys = [key for (key,) in db.execute("SELECT dedupe_key FROM outbox")]
        drafts = db.execute("SELECT source_id, activity_id FROM drafts").fetchall()
        entries = db.execute("SELECT source_id FROM activities WHERE source_id LIKE 'draft:%'")
        activities = [source_id for (source_id,) in entries]
    accepted = load.sentences | load.confirmations
    answered = {number for key in keys if (number := _number_in(key))}
    faults = {
        "lost": len(accepted - {number for number, _ in states}),
        "unhandled": sum(state != "done" for _, state in states),
        "handled twice": len(states) - len({number for number, _ in states}),
        "unanswered": len(accepted - answered),
        "sentences without a draft of their own": len(
            load.sentences ^ ({_number_in(source_id) for source_id, _ in drafts} & accepted)
        ),
        "activities twice": len(activities) - len(set(activities)),
        "confirmed, and no activity": sum(one is not None for _, one in drafts) - len(activities),
        # One more than we know of may have been taken without our hearing of it.
        "confirmations that found nothing": max(0, len(load.confirmations) - len(activities)),
    }
    print(
        f"   {KILLS} kills, {len(accepted)} messages accepted, {len(activities)} activities; "
        + ", ".join(f"{name}: {count}" for name, count in faults.items())
    )
    assert not any(faults.values())


def _number_in(key: str) -> int:
    """The number of the message in "wecom:sales:app:8000000001:user:second:…", else 0."""
    parts = key.split(":")
    return int(parts[3]) if len(parts) > 3 and parts[3].startswith("80") else 0
