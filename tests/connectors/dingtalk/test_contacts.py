"""External contacts read from the emulated DingTalk, and kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bot.domain.external import ExternalContact, Follow
from bot.errors import AuthFailed
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.contacts import Contacts
from connectors.dingtalk.settings import DingtalkApp
from connectors.http import Http
from handlers.contacts.contact_keeping import ContactKeeper
from storage.database import Database
from tests.connectors.dingtalk.dingtalk_bed import Memory
from tests.connectors.sandbox import dingtalk_bed as sandbox
from tests.handlers.chat_company import Chat


@dataclass
class Bed:
    platform: sandbox.Bed
    contacts: Contacts
    memory: Memory


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    memory = Memory()
    async with sandbox.open_bed() as platform, aiohttp.ClientSession() as session:
        app = DingtalkApp(
            name="sales",
            corp_id="dingcorp01",
            client_id=sandbox.KEY,
            client_secret=sandbox.SECRET,
            api_url=platform.base,
            oapi_url=platform.base,
            contacts=True,
        )
        client = DingtalkClient(
            app, Http(session), tokens=memory, files=memory, counter=memory, clock=platform.clock
        )
        assert client.contacts is not None
        yield Bed(platform, client.contacts, memory)


async def test_an_entry_is_a_contact_of_who_keeps_it(bed: Bed) -> None:
    bed.platform.emulator.contacts.labels[1002] = "恒锐机电"
    key = bed.platform.emulator.contacts.add(
        "0147001", "王总", mobile="13800001111", state_code="86", company_name="恒锐机电",
        title="厂长", remark="老客户", label_ids=[1002, 9],
    )  # fmt: skip
    [news] = [part async for part in bed.contacts.everything()]
    assert news.contacts == (
        ExternalContact("dingtalk", key, "王总", "厂长", "恒锐机电", "13800001111"),
    )
    assert news.follows == (
        Follow("dingtalk", "0147001", key, description="老客户", tags=("恒锐机电",)),
    )
    assert news.is_last


async def test_many_come_by_pages_and_cost_no_quota(bed: Bed) -> None:
    for number in range(200):
        bed.platform.emulator.contacts.add("0147001", f"客户{number}")
    parts = [len(part.contacts) async for part in bed.contacts.everything()]
    assert parts == [100, 100, 0]
    assert not any(bed.memory.counts.values())


async def test_the_missing_scope_is_told(bed: Bed) -> None:
    bed.platform.emulator.gate.granted.discard("qyapi_ext_read")
    with pytest.raises(AuthFailed, match="qyapi_ext_read"):
        [part async for part in bed.contacts.everything()]


async def test_who_was_taken_out_of_the_book_is_gone_the_next_night(
    bed: Bed, database: Database
) -> None:
    chat = await Chat(database).open()
    book = bed.platform.emulator.contacts
    gone, stays = book.add("0147001", "王总"), book.add("0147002", "李工")
    clock = bed.platform.clock
    keeper = ContactKeeper(chat.office, [bed.contacts], begin=database.begin, clock=clock)
    await keeper.catch_up()
    del book.entries[gone]
    clock.pass_by(hours=24)
    await keeper.catch_up()
    async with database.read() as tx:
        assert await tx.external_contacts.members("dingtalk") == ["0147002"]
        assert await tx.external_contacts.follows_of("dingtalk", gone) == []
        assert len(await tx.external_contacts.follows_of("dingtalk", stays)) == 1
