"""`kill -9` at 30 random moments under load: nothing accepted is lost, nothing acts twice.

The sandbox runs as people run it; the load goes to its doors as the platform would call.
Every rep says a sentence and confirms it, again and again. At the end the database must
hold one draft and one activity for each accepted pair, and each reply once.
"""

from __future__ import annotations

import asyncio
import contextlib
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

KILLS = 30
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

    async def post(self, session: aiohttp.ClientSession, user: str, text: str, number: int) -> bool:
        """True when the door answered 200: from then on the message must not be lost."""
        now = str(int(time.time()))
        inner = (
            f"<xml><ToUserName>{self.app['corp_id']}</ToUserName><FromUserName>{user}"
            f"</FromUserName><CreateTime>{now}</CreateTime><MsgType>text</MsgType>"
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


async def load(company: Company, counter: list[int], accepted: set[int]) -> None:
    """All reps at once, each in turn says and confirms; until the bot is gone."""

    async def speak(session: aiohttp.ClientSession, user: str, customer: str) -> None:
        while True:
            for text in (f"刚和{customer}通了25分钟电话，嫌价格高，下周三再联系", "确认"):
                counter[0] += 1
                number = counter[0]
                if not await company.post(session, user, text, number):
                    return
                accepted.add(number)

    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        await asyncio.gather(*(speak(session, *rep) for rep in company.reps))


async def main() -> None:
    chance = random.Random(SEED)
    counter, accepted = [8_000_000_000], set[int]()
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
        data, port = Path(folder), 18080
        process = await start(data, port)
        base = f"http://127.0.0.1:{port}/sandbox/api"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{base}/world") as answer:
                company = Company(await answer.json())
            for _ in range(KILLS):
                speaking = asyncio.create_task(load(company, counter, accepted))
                await asyncio.sleep(chance.uniform(0.05, 1.5))
                process.send_signal(signal.SIGKILL)
                await process.wait()
                await speaking
                process = await start(data, port)
            async with session.get(f"{base}/quiesce", params={"timeout": "60"}) as answer:
                assert (await answer.json())["quiet"]
        process.send_signal(signal.SIGTERM)
        await process.wait()
        check(data / "gendan.db", accepted)


def check(file: Path, accepted: set[int]) -> None:
    """Compare what was accepted with what the database holds."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        stored = [row[0] for row in db.execute("SELECT delivery_id FROM inbox WHERE state='done'")]
        numbers = [int(one.split(":")[0]) for one in stored if one[0] == "8"]
        lost = accepted - set(numbers)
        twice = len(numbers) - len(set(numbers))
        replies = [
            row[0]
            for row in db.execute("SELECT dedupe_key FROM outbox WHERE dedupe_key LIKE '%:0'")
        ]
        answered = {int(key.split(":")[3]) for key in replies if key.split(":")[3][:1] == "8"}
        drafts = db.execute("SELECT count(*), count(activity_id) FROM drafts").fetchone()
        entries = db.execute(
            "SELECT count(*), count(DISTINCT source_id) FROM activities "
            "WHERE source_id LIKE 'draft:%'"
        ).fetchone()
    unanswered = set(numbers) - answered
    print(
        f"   {KILLS} kills, {len(accepted)} accepted: lost {len(lost)}, handled twice {twice}, "
        f"unanswered {len(unanswered)}, drafts {drafts[0]}, confirmed {drafts[1]}, "
        f"activities {entries[0]} ({entries[1]} distinct)"
    )
    assert not lost, sorted(lost)[:5]
    assert twice == 0
    assert not unanswered, sorted(unanswered)[:5]
    assert drafts[1] == entries[0] == entries[1]
