"""The emulated WeCom of a large company, in a process of its own.

Over the pipe it first tells its port. Then it takes `Hear` once, and `Change` and `Rename` any
number of times.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from aiohttp import web

from bot.clock import WallClock
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.wecom_contactbook import Bond, Outsider
from connectors.sandbox.world import App, Dept, Hooks, Member, World

CORP, SECRET = "wwbench", "bench-secret"
TOKEN, AES_KEY = "benchtoken", "0123456789abcdefghijABCDEFGHIJ0123456789abc"
LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)
A_DEPARTMENT = 100


@dataclass(frozen=True, slots=True)
class Hear:
    """Events of the application go to this address from now on."""

    callback_url: str


@dataclass(frozen=True, slots=True)
class Change:
    """The member who has this contact notes another company of it."""

    contact: int
    company: str


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


@dataclass(frozen=True, slots=True)
class Rename:
    """An administrator renames the member with this number."""

    member: int
    name: str


def serve(parent: Connection, people: int, contacts: int) -> None:
    """Until it is terminated."""
    asyncio.run(_emulate(parent, people, contacts))


async def _emulate(parent: Connection, people: int, contacts: int) -> None:
    world = Indexed(Hooks(WallClock().now))
    app = App("wecom", "sales", "app", corp_id=CORP, app_secret=SECRET, agent_id="1000002")
    app.token, app.aes_key = TOKEN, AES_KEY
    world.apps.append(app)
    _hire(world, people)
    emulator = WecomEmulator(world)
    _acquaint(emulator, people, contacts)
    serving = web.Application()
    serving.add_routes(emulator.routes())
    runner = web.AppRunner(serving, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await asyncio.to_thread(parent.send, runner.addresses[0][1])
    while True:
        match await asyncio.to_thread(parent.recv):
            case Hear(callback_url):
                app.callback_url = callback_url
            case Change(contact, company):
                member = f"user{contact % people}"
                emulator.customers.edit(member, f"wm{contact}", company=company)
            case Rename(number, name):
                emulator.change_member(f"user{number}", name=name)


def _hire(world: Indexed, people: int) -> None:
    world.depts.append(Dept("1", "集团", "wecom", ""))
    for number in range(people):
        department = str(2 + number // A_DEPARTMENT)
        if number % A_DEPARTMENT == 0:
            world.depts.append(Dept(department, f"{department}部", "wecom", "1"))
        member = Member(f"user{number}", f"销售{number}", "wecom", ["rep"], department)
        world.add_member(member)


def _acquaint(emulator: WecomEmulator, people: int, contacts: int) -> None:
    book = emulator.state.contacts
    for number in range(contacts):
        key, user_id = f"wm{number}", f"user{number % people}"
        book.outsiders[key] = Outsider(key, f"客户{number}")
        company = f"杭州{number % 50_000:05d}机电有限公司"
        mobile = f"139{number:08d}"
        book.bind(Bond(user_id, key, LONG_AGO, company=company, mobiles=[mobile]))
