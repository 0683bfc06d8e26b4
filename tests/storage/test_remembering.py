"""What a transaction has read it knows, until it writes there or takes a lock."""

from __future__ import annotations

import pytest

from bot.domain.people import Person
from bot.messages import StoredFile
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, ZHANG, activity, after, customer, draft, member, sale


async def test_a_customer_found_by_name_shows_what_was_changed_since(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        assert await tx.accounts.find_by_name("恒锐机电") == account
        named = await tx.accounts.add_alias(account.id, "恒锐")
        assert await tx.accounts.find_by_name("恒锐机电") == named
        assert await tx.accounts.get(account.id) == named


async def test_a_name_that_was_unknown_is_found_once_it_exists(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        assert await tx.accounts.find_by_name("恒锐机电") is None
        account = await customer(tx, zhang)
        assert await tx.accounts.find_by_name("恒锐机电") == account


async def test_a_person_who_goes_on_leave_is_on_leave(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        await tx.people.get(zhang.id)
        await tx.people.set_leave(zhang.id, after(60), None)
        assert (await tx.people.get(zhang.id)).on_leave(AT)


async def test_a_stream_read_from_later_on_is_read_again_from_earlier(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        deal = await sale(tx, account)
        for source_id, minutes in (("early", -60), ("late", 60)):
            entry = activity(account, source_id, opportunity_id=deal.id, occurred_at=after(minutes))
            await tx.activities.add(entry)

        async def since(minutes: float) -> list[str]:
            found = await tx.activities.list_of_opportunity(deal.id, since=after(minutes))
            return [one.source_id for one in found]

        assert [await since(0), await since(-90), await since(0)] == [
            ["late"], ["early", "late"], ["late"],
        ]  # fmt: skip
        await tx.activities.add(activity(account, "now", opportunity_id=deal.id, occurred_at=AT))
        assert await since(-90) == ["early", "now", "late"]


async def test_what_was_undone_is_not_remembered(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))

        async def name_it_in_vain() -> None:
            async with tx.attempt():
                await tx.accounts.add_alias(account.id, "恒锐")
                assert (await tx.accounts.get(account.id)).aliases == ("恒锐",)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await name_it_in_vain()
        assert (await tx.accounts.get(account.id)).aliases == ()


@pytest.mark.parametrize("has_draft", [True, False])
@pytest.mark.parametrize("has_file", [True, False])
async def test_a_speaker_comes_with_what_waits_for_them(
    database: Database, has_draft: bool, has_file: bool
) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        kept = [await tx.drafts.add(draft(zhang, "s1"))] if has_draft else []
        if has_file:
            await _loose_file(tx, zhang)
        await tx.dialogs.put(ZHANG.key, zhang.id, {"awaits": "a word"}, AT)
    async with database.begin() as tx:
        assert await tx.speakers.find("wecom", "zhang3", conversation=ZHANG.key) == zhang
        assert await tx.dialogs.get(ZHANG.key, zhang.id) == {"awaits": "a word"}
        assert await tx.drafts.open_of(ZHANG.key, zhang.id) == kept
        assert len(await tx.drafts.loose_of(ZHANG.key, zhang.id)) == int(has_file)


async def test_what_comes_to_wait_for_a_speaker_is_seen(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
    async with database.begin() as tx:
        await tx.speakers.find("wecom", "zhang3", conversation=ZHANG.key)
        kept = await tx.drafts.add(draft(zhang, "s1"))
        await _loose_file(tx, zhang)
        await tx.dialogs.put(ZHANG.key, zhang.id, {"awaits": "a word"}, AT)
        assert await tx.drafts.open_of(ZHANG.key, zhang.id) == [kept]
        assert len(await tx.drafts.loose_of(ZHANG.key, zhang.id)) == 1
        assert await tx.dialogs.get(ZHANG.key, zhang.id) == {"awaits": "a word"}


async def test_a_stranger_is_no_speaker(database: Database) -> None:
    async with database.begin() as tx:
        assert await tx.speakers.find("wecom", "nobody", conversation=ZHANG.key) is None


@pytest.mark.postgres
async def test_who_had_to_wait_for_a_lock_sees_what_was_done_meanwhile(postgres_url: str) -> None:
    database = await Database.open(postgres_url)
    try:
        async with database.begin() as tx:
            zhang = await member(tx, "zhang3")
            account = await customer(tx, zhang)
            kept = await tx.drafts.add(draft(zhang, "s1"))
        async with database.begin() as tx:
            assert (await tx.accounts.get(account.id)).aliases == ()
            async with database.begin() as other:
                await other.accounts.add_alias(account.id, "恒锐")
            await tx.drafts.get_for_update(kept.id)
            assert (await tx.accounts.get(account.id)).aliases == ("恒锐",)
    finally:
        await database.close()


async def _loose_file(tx: UnitOfWork, person: Person) -> None:
    file = StoredFile("a" * 64, 5, "application/pdf", "方案.pdf")
    await tx.files.record(file, at=AT)
    await tx.drafts.add_loose(ZHANG.key, person.id, file.sha256, "m1:0", AT)
