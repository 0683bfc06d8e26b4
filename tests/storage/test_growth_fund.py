"""The growth fund's book on both databases: posted once, spent once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bot.domain.payouts.growth import Book, Kind, Mode, Overdrawn, Posting, Quarter, held, saved
from storage.database import Database
from storage.growth_fund import Consent, Item
from tests.handlers.chat_company import Chat

AT = datetime(2026, 4, 2, 2, tzinfo=UTC)


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def _save(chat: Chat, fen: int) -> int | None:
    posting = saved(Quarter(fen, 0), mode=Mode.MATCH, share_bp=10_000)
    assert posting is not None
    async with chat.database.begin() as tx:
        number: int | None = await tx.growth_fund.post(
            "2026Q1:1", chat.people["zhang"].id, posting, why="测试", at=AT, quarter="2026Q1"
        )
    return number


async def test_the_same_quarter_is_posted_once(chat: Chat) -> None:
    assert await _save(chat, 100) is not None
    assert await _save(chat, 100) is None
    async with chat.database.read() as tx:
        balances = await tx.growth_fund.balances(chat.people["zhang"].id)
    assert balances == {Book.EMPLOYER: -100, Book.MATCH: 100}


async def test_two_who_spend_at_once_cannot_overdraw(chat: Chat) -> None:
    await _save(chat, 100)

    async def spend(key: str) -> bool:
        async with chat.database.begin() as tx:
            await tx.growth_fund.take_turn()
            balances = await tx.growth_fund.balances(chat.people["zhang"].id)
            await asyncio.sleep(0)
            try:
                posting = held(balances, 60)
            except Overdrawn:
                return False
            await tx.growth_fund.post(key, chat.people["zhang"].id, posting, why="测试", at=AT)
            return True

    assert sorted(await asyncio.gather(spend("a"), spend("b"))) == [False, True]


async def test_a_posting_that_does_not_come_to_zero_is_none() -> None:
    with pytest.raises(ValueError, match="zero"):
        Posting(Kind.SAVED, {Book.OWN: 1})


async def test_a_newer_consent_takes_the_place_of_the_older(chat: Chat) -> None:
    person = chat.people["zhang"].id
    async with chat.database.begin() as tx:
        for share in (1000, 2000):
            await tx.growth_fund.give_consent(person, Consent(share, f"{share}", AT))
        assert (await tx.growth_fund.consents())[person].share_bp == 2000
        await tx.growth_fund.end_consent(person, AT)
        assert await tx.growth_fund.consent_of(person) is None


async def test_the_same_name_again_is_a_new_price(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        for price in (100, 200):
            item = Item(0, "course", "谈判课", price, "")
            await tx.growth_fund.put_item(item, by=chat.people["zhao"].id, at=AT)
        assert [one.price_fen for one in await tx.growth_fund.items()] == [200]
        assert await tx.growth_fund.end_item("谈判课", AT)
        assert not await tx.growth_fund.end_item("谈判课", AT)
