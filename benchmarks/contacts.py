"""A large company's whole directory and all its external contacts, read from the emulated WeCom.

The emulator is a process of its own and refuses what the platform refuses: more than 10,000 calls
of an API in a minute, more than five lists at a time, pages of more than 100 contacts. Told are
the first reading, into an empty database, the second, in which nothing has changed, and what then
changes while the whole bot runs on that database: from the member's change in the client until it
is stored, one after the other and many at once. PEOPLE and CONTACTS make it smaller.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from statistics import median

import aiohttp
from prometheus_client import REGISTRY

from benchmarks.contact_company import AES_KEY, CORP, SECRET, TOKEN, Change, Hear, Rename, serve
from benchmarks.databases import KINDS, fresh
from benchmarks.people import office_for
from bot.clock import WallClock
from config.settings import Settings
from config.wiring.building import build
from config.wiring.doors import doors
from config.wiring.running import running
from connectors.http import Http
from connectors.web import server
from connectors.wecom.client import WecomClient
from connectors.wecom.settings import WecomApp
from handlers.contacts.contact_keeping import ContactKeeper
from storage.database import Database
from storage.external_reads import EVERYTHING, Reading
from storage.tokens import SharedTokens
from tests.connectors.wecom.wecom_bed import Files

PEOPLE = int(os.environ.get("PEOPLE", "50000"))
CONTACTS = int(os.environ.get("CONTACTS", "500000"))
ONES, BURST = 50, 200
SEED = 20261126


async def main() -> None:
    ours, theirs = multiprocessing.Pipe()
    platform = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs, PEOPLE, CONTACTS)
    )
    platform.start()
    try:
        port = await asyncio.to_thread(ours.recv)
        print(f"   {PEOPLE:,} people, {CONTACTS:,} external contacts")
        for kind in KINDS:
            async with fresh(kind) as database:
                await _read_all(kind, database, port)
                await _follow_changes(kind, database, port, ours)
    finally:
        platform.terminate()


async def _read_all(kind: str, database: Database, port: int) -> None:
    clock = WallClock()
    app = WecomApp(
        "sales", CORP, 1000002, SECRET, TOKEN, AES_KEY,
        base_url=f"http://127.0.0.1:{port}/sandbox/wecom", contacts=True,
    )  # fmt: skip
    async with aiohttp.ClientSession() as session:
        client = WecomClient(app, Http(session), SharedTokens(database), Files(), clock)
        assert client.contacts is not None
        office = await office_for(database)
        keeper = ContactKeeper(office, [client.contacts], begin=database.begin, clock=clock)
        async with _timed(kind, "directory"):
            directory = await client.read_directory()
            async with database.begin() as tx:
                await tx.people.save_directory(
                    directory, roles_by_title=office.policy.roles.roles_of, at=clock.now()
                )
        async with _timed(kind, "contacts, first"):
            await keeper.catch_up()
        await _ask_for_all(database)
        async with _timed(kind, "contacts, again"):
            await keeper.catch_up()
    async with database.read() as tx:
        members = await tx.external_contacts.members("wecom")
        last = await tx.external_contacts.follows_of("wecom", f"wm{CONTACTS - 1}")
    assert len(members) == min(PEOPLE, CONTACTS)
    assert len(last) == 1


async def _follow_changes(kind: str, database: Database, port: int, platform: Connection) -> None:
    base = f"http://127.0.0.1:{port}/sandbox/wecom"
    app = {
        "corp_id": CORP, "agent_id": 1000002, "secret": SECRET, "token": TOKEN,
        "aes_key": AES_KEY, "base_url": base, "contacts": True,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as files:
        settings = Settings.model_validate({"wecom": {"sales": app}, "storage": {"files": files}})
        async with aiohttp.ClientSession() as session:
            bot = build(settings, clock=WallClock(), database=database, session=session)
            await bot.load_memory()
            await bot.upkeep.settle_in()
            bound = server.bind("127.0.0.1", 0)
            async with server.listening(doors(bot), bound), running(bot):
                platform.send(Hear(f"{server.base_url(bound)}/wecom/sales"))
                told = await _time_changes(database, platform, at_once=1, times=ONES)
                print(f"   {kind}: changed: {told}")
                took = [await _rename(database, platform, PEOPLE - 1 - turn) for turn in range(10)]
                print(
                    f"   {kind}: a member renamed: stored after p50 {median(took):.2f} s,"
                    f" longest of {len(took)} {max(took):.2f} s"
                )
                told = await _time_changes(database, platform, at_once=BURST, times=5)
                print(f"   {kind}: {BURST} changed at once: {told}")
                await _ask_for_all(database)
                bot.office.contacts_due.ring()
                told = await _time_changes(database, platform, at_once=1, times=ONES)
                print(f"   {kind}: changed while all are read: {told}")


async def _time_changes(
    database: Database, platform: Connection, *, at_once: int, times: int
) -> str:
    took = []
    for turn in range(times):
        chosen = random.Random(SEED + turn).sample(range(CONTACTS), at_once)
        took.append(await _change(database, platform, chosen))
    return f"stored after p50 {median(took):.2f} s, longest of {times} {max(took):.2f} s"


async def _ask_for_all(database: Database) -> None:
    at = WallClock().now()
    async with database.begin() as tx:
        await tx.external_reads.ask([Reading("wecom", "sales", EVERYTHING, "", "", at, at)])


async def _change(database: Database, platform: Connection, contacts: Sequence[int]) -> float:
    """Seconds until the last of them is stored."""
    company = f"宁波{uuid.uuid4().hex[:8]}贸易有限公司"
    started = time.perf_counter()
    for number in contacts:
        platform.send(Change(number, company))
    for number in contacts:
        while not await _is_stored(database, number, company):  # noqa: ASYNC110 - what is measured
            await asyncio.sleep(0.01)
    return time.perf_counter() - started


async def _rename(database: Database, platform: Connection, member: int) -> float:
    name, started = f"改名{uuid.uuid4().hex[:6]}", time.perf_counter()
    platform.send(Rename(member, name))
    while True:
        async with database.read() as tx:
            person = await tx.people.find_by_identity("wecom", f"user{member}")
        if person is not None and person.name == name:
            return time.perf_counter() - started
        await asyncio.sleep(0.01)


async def _is_stored(database: Database, contact: int, company: str) -> bool:
    async with database.read() as tx:
        follows = await tx.external_contacts.follows_of("wecom", f"wm{contact}")
    return [one.company for one in follows] == [company]


@asynccontextmanager
async def _timed(kind: str, what: str) -> AsyncIterator[None]:
    """Also how many calls it took, and how many of them were refused."""
    calls, refusals = _calls(), _refusals()
    started, worked = time.perf_counter(), time.process_time()
    yield
    took_s, work_s = time.perf_counter() - started, time.process_time() - worked
    made = _calls() - calls
    print(
        f"   {kind}: {what}: {took_s:.1f} s ({work_s:.1f} s of our processor), {made:,.0f} calls"
        f" ({made / took_s * 60:,.0f} a minute), {_refusals() - refusals:.0f} refused"
    )


def _calls() -> float:
    return _sum("gendan_platform_calls_total")


def _refusals() -> float:
    return _sum("gendan_wecom_refusals_total")


def _sum(name: str) -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == name
    )
