"""What a platform tells only when asked, and files that go there: each goes wrong once, or twice,
and is there afterwards, once."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from itertools import count

from bot.messages import Address, FileContent, OutboundMessage, Platform
from connectors.sandbox.wecom_contactbook import Outsider
from connectors.sandbox.world import CheckIn
from tests.faults.bench import Bench, customer_of
from tests.faults.proxy import Fault
from tests.scenarios.driver import Speaker

_NUMBERS = count(1)
WANG = "wmDemoHengruiWang0000000000000001"
MEMBERS = {"wecom": "madong", "dingtalk": "hejie88"}


async def sends_a_file(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """A push with a picture arrives, once."""
    bot, now = bench.sandbox.bot, bench.sandbox.bot.clock.now()
    name = f"热力图-{fault.name}.pdf"
    stored = await bot.outside.files.put(f"%PDF-1.4 {next(_NUMBERS)}".encode(), name=name)
    to = Address(Platform(speaker.platform), "sales", user_id=speaker.user_id)
    push = OutboundMessage(
        f"picture:{speaker.platform}:{fault.name}", to, FileContent("file", stored.sha256, name)
    )
    await speaker.look()
    bench.proxy.arm("media/upload", fault, 2)
    async with bot.database.begin() as tx:
        await tx.delivery.queue([push], at=now)
    bot.outbox.wake()
    await bench.settle()
    arrived = [one["file"]["name"] for one in await speaker.look() if one["file"]]
    assert arrived == [name]


async def learns_of_a_member(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """Somebody is renamed in the console."""
    platform = speaker.platform
    name = f"周小{next(_NUMBERS)}"
    bench.proxy.arm("user/get", fault, 1)
    member = MEMBERS[platform]
    await bench.sandbox.post("member", platform=platform, user_id=member, name=name)
    await bench.settle()
    async with bench.sandbox.bot.database.read() as tx:
        person = await tx.people.find_by_identity(platform, member)
    assert person is not None
    assert person.name == name


async def learns_of_a_contact(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """A rep has a new contact outside: of WeCom an event tells, of DingTalk the night."""
    platforms, platform = bench.sandbox.platforms, speaker.platform
    name = f"客户联系人{next(_NUMBERS)}"
    if platform == "wecom":
        bench.proxy.arm("externalcontact/get", fault, 2)
        external_id = f"wm{hashlib.sha256(name.encode()).hexdigest()[:30]}"
        platforms.wecom.customers.add(speaker.user_id, Outsider(external_id, name))
    else:
        bench.proxy.arm("extcontact/list", fault, 2)
        external_id = platforms.dingtalk.contacts.add(speaker.user_id, name)
    await bench.settle(20 if platform == "wecom" else 25 * 60)
    await _caught_up(bench)
    async with bench.sandbox.bot.database.read() as tx:
        known = await tx.external_contacts.known(platform, [external_id])
    assert known[external_id].name == name


async def learns_of_an_approval(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """A discount is applied for: it stands in the customer's stream."""
    customer = await customer_of(bench.sandbox, speaker)
    reason = f"年底冲量{next(_NUMBERS)}"
    form = [("Text", "客户名称", customer["name"]), ("Textarea", "理由", reason)]
    bench.proxy.arm("getapprovaldetail", fault, 2)
    bills = bench.sandbox.platforms.wecom.bills
    bills.submit(speaker.user_id, "tpl-discount", "折扣申请", form, ["zhaoqian"])
    await bench.settle()
    await _caught_up(bench)
    told = await bench.sandbox.get("stream", customer=str(customer["id"]))
    assert sum(reason in one["text"] for one in told["activities"]) == 1


async def learns_where_somebody_was(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """Somebody signs in at a customer's; the night reads it."""
    sandbox = bench.sandbox
    place = f"客户厂区{next(_NUMBERS)}号门"
    at = sandbox.bot.clock.now()
    sandbox.platforms.world.check_ins.append(
        CheckIn("wecom", speaker.user_id, "outside", at, place, place=place)
    )
    bench.proxy.arm("getcheckindata", fault, 2)
    await bench.settle(25 * 60)
    await _caught_up(bench)
    day = at.astimezone(sandbox.bot.office.zone).date()
    around = day - timedelta(days=1), day + timedelta(days=1)
    async with sandbox.bot.database.read() as tx:
        person = await tx.people.find_by_identity("wecom", speaker.user_id)
        assert person is not None
        facts = await tx.attendance.of_people([person.id], *around)
    assert [one.check_in.place for one in facts if one.check_in.place == place] == [place]


async def reads_the_archive(bench: Bench, speaker: Speaker, fault: Fault) -> None:
    """What a customer writes to a rep stands in the stream, once."""
    said = f"价格再谈谈吧{next(_NUMBERS)}"
    bench.proxy.arm("archive/chatdata", fault, 1)
    customer = await _archived_customer(bench)
    await bench.sandbox.post("archive", **{"from": WANG, "to": ["zhangwei"], "text": said})
    told: list[str] = []
    async with asyncio.timeout(60):  # it looks again after some seconds
        while not told:
            await asyncio.sleep(0.1)
            await bench.sandbox.quiesce()
            stream = await bench.sandbox.get("stream", customer=str(customer))
            told = [one["text"] for one in stream["activities"] if said in one["text"]]
    assert len(told) == 1


async def _archived_customer(bench: Bench) -> int:
    customers = (await bench.sandbox.get("world"))["customers"]
    return next(int(one["id"]) for one in customers if "恒锐机电" in one["name"])


async def _caught_up(bench: Bench) -> None:
    """What the loops do that wait by the machine's clock, which a test does not."""
    bot = bench.sandbox.bot
    for _ in range(3):
        await bot.contacts.catch_up()
        await bot.attendance.catch_up()
        await bench.sandbox.post("clock", advance=60)
