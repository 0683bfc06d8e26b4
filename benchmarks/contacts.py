"""A large company's whole directory and all its external contacts, read from the emulated WeCom.

The emulator is a process of its own and refuses what the platform refuses: more than 10,000 calls
of an API in a minute, more than five lists at a time, pages of more than 100 contacts. Told are
the first reading, into an empty database, and the second, in which nothing has changed. PEOPLE and
CONTACTS make it smaller.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import aiohttp
from aiohttp import web
from prometheus_client import REGISTRY

from benchmarks.databases import KINDS, fresh
from benchmarks.people import office_for
from bot.clock import WallClock
from connectors.http import Http
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.wecom_contactbook import Bond, Outsider
from connectors.sandbox.world import App, Dept, Hooks, Member, World
from connectors.wecom.client import WecomClient
from connectors.wecom.settings import WecomApp
from handlers.contact_keeping import ContactKeeper
from storage.database import Database
from storage.external_reads import EVERYTHING, Reading
from storage.tokens import SharedTokens
from tests.connectors.wecom.wecom_bed import Files

PEOPLE = int(os.environ.get("PEOPLE", "50000"))
CONTACTS = int(os.environ.get("CONTACTS", "500000"))
A_DEPARTMENT = 100
LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)
CORP, SECRET = "wwbench", "bench-secret"


class Indexed(World):
    """Finds members at once; the sandbox's few are looked through, which for 500 departments of
    50,000 people would take the emulator longer than we do."""

    def __init__(self, hooks: Hooks) -> None:
        super().__init__(hooks)
        self.by_id: dict[str, Member] = {}
        self.by_department: dict[str, list[Member]] = defaultdict(list)

    def add_member(self, member: Member) -> None:
        self.members.append(member)
        self.by_id[member.user_id] = member
        self.by_department[member.department].append(member)

    def members_of(self, platform: str, department: str) -> list[Member]:
        return self.by_department[department]

    def member(self, platform: str, user_id: str) -> Member | None:
        return self.by_id.get(user_id.lower())


async def main() -> None:
    ours, theirs = multiprocessing.Pipe()
    platform = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    platform.start()
    try:
        port = await asyncio.to_thread(ours.recv)
        print(f"   {PEOPLE:,} people, {CONTACTS:,} external contacts")
        for kind in KINDS:
            async with fresh(kind) as database:
                await _measure(kind, database, port)
    finally:
        platform.terminate()


async def _measure(kind: str, database: Database, port: int) -> None:
    clock = WallClock()
    app = WecomApp(
        "sales", CORP, 1000002, SECRET, "token", "x" * 43,
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
        for what in ("contacts, first", "contacts, again"):
            async with _timed(kind, what):
                await keeper.catch_up()
            at = clock.now()
            async with database.begin() as tx:
                await tx.external_reads.ask([Reading("wecom", "sales", EVERYTHING, "", "", at, at)])
    async with database.read() as tx:
        members = await tx.external_contacts.members("wecom")
        last = await tx.external_contacts.follows_of("wecom", f"wm{CONTACTS - 1}")
    assert len(members) == min(PEOPLE, CONTACTS)
    assert len(last) == 1


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


def _serve(parent: Connection) -> None:
    asyncio.run(_emulate(parent))


async def _emulate(parent: Connection) -> None:
    world = Indexed(Hooks(WallClock().now))
    world.apps.append(App("wecom", "sales", "app", corp_id=CORP, app_secret=SECRET, agent_id="1"))
    world.depts.append(Dept("1", "集团", "wecom", ""))
    for number in range(PEOPLE):
        department = str(2 + number // A_DEPARTMENT)
        if number % A_DEPARTMENT == 0:
            world.depts.append(Dept(department, f"{department}部", "wecom", "1"))
        member = Member(f"user{number}", f"销售{number}", "wecom", ["rep"], department)
        world.add_member(member)
    emulator = WecomEmulator(world)
    book = emulator.state.contacts
    for number in range(CONTACTS):
        key, user_id = f"wm{number}", f"user{number % PEOPLE}"
        book.outsiders[key] = Outsider(key, f"客户{number}")
        company = f"杭州{number % 50_000:05d}机电有限公司"
        mobile = f"139{number:08d}"
        book.bind(Bond(user_id, key, LONG_AGO, company=company, mobiles=[mobile]))
    app = web.Application()
    app.add_routes(emulator.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    parent.send(runner.addresses[0][1])
    await asyncio.Event().wait()
