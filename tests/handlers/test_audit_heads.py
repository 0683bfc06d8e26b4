"""Each day the audit chain's head goes to the group that an administrator named."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import create_async_engine

from bot.messages import OutboundMessage
from storage import admin
from storage.database import Database
from storage.engines import to_url
from storage.tables import audit
from tests.handlers.chat_company import Chat, words
from tests.handlers.light_company import at

BIND, UNBIND = "审计推送到本群", "审计不再推送到本群"
FRIDAY, SATURDAY = at("2026-01-30 09:05"), at("2026-01-31 09:05")


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def tick(chat: Chat, moment: datetime) -> list[OutboundMessage]:
    [job] = [one for one in chat.handlers.jobs() if one.name == "audit heads"]
    async with chat.database.begin() as tx:
        return list(await job.run(tx, moment))


def noted(told: OutboundMessage) -> tuple[int, str]:
    """What somebody copies out of the group."""
    found = re.search(r"([0-9]+):([0-9a-f]{64})$", words(told.content), re.MULTILINE)
    assert found is not None
    return int(found[1]), found[2]


async def test_a_group_hears_once_a_day_also_at_weekends(chat: Chat) -> None:
    assert "09:05" in await chat.say("zhao", BIND, group="g1")
    await chat.say("zhao", BIND, group="g1")  # said twice is bound once
    assert await tick(chat, at("2026-01-30 09:04")) == []
    [told] = await tick(chat, FRIDAY)
    assert told.to.key == "wecom:sales:g:g1"
    assert "2026年1月30日" in words(told.content)
    async with chat.database.read() as tx:
        assert noted(told) == await tx.audit.head()
    assert await tick(chat, at("2026-01-30 09:06")) == []
    assert await tick(chat, at("2026-01-30 18:00")) == []
    [next_day] = await tick(chat, SATURDAY)
    assert next_day.dedupe_key != told.dedupe_key


async def test_where_no_group_was_named_nothing_is_posted(chat: Chat) -> None:
    assert await tick(chat, FRIDAY) == []
    await chat.say("zhao", BIND, group="g1")
    assert "不再发到本群" in await chat.say("zhao", UNBIND, group="g1")
    assert "本来就不" in await chat.say("zhao", UNBIND, group="g1")
    assert await tick(chat, SATURDAY) == []


@pytest.mark.parametrize("who", ["zhang", "li", "wang"])
async def test_only_an_administrator_names_one_and_in_the_group(chat: Chat, who: str) -> None:
    assert "管理员" in await chat.say(who, BIND, group="g1")
    assert "群里" in await chat.say("zhao", BIND)
    assert await tick(chat, FRIDAY) == []
    await chat.say("zhao", BIND, group="g1")
    assert "管理员" in await chat.say(who, UNBIND, group="g1")
    assert len(await tick(chat, SATURDAY)) == 1


async def test_a_chain_without_its_end_is_found_by_what_was_posted(
    chat: Chat, database_url: str
) -> None:
    await chat.say("zhao", BIND, group="g1")
    await chat.say("zhao", BIND, group="g2")
    told, _ = await tick(chat, FRIDAY)
    await chat.say("zhao", UNBIND, group="g2")
    head = noted(told)
    assert await admin.verify(database_url, head=head) == []
    engine = create_async_engine(to_url(database_url))
    async with engine.begin() as conn:
        await conn.execute(delete(audit).where(audit.c.seq >= head[0]))
    await engine.dispose()
    assert await admin.verify(database_url) == []
    [finding] = await admin.verify(database_url, head=head)
    assert f"第 {head[0]} 条" in finding
