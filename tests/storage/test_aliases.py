"""Learnt names, and words heard in groups."""

from __future__ import annotations

from bot.domain.aliases import LearntAlias, LearntState
from storage.database import Database
from storage.group_words import Heard
from tests.storage.samples import AT, after, customer, member


async def test_a_name_is_kept_once_for_each_person_and_customer(database: Database) -> None:
    async with database.begin() as tx:
        zhang, li = await member(tx, "zhang3"), await member(tx, "li4", "李四")
        account = await customer(tx, zhang)
        mine = LearntAlias("恒锐", account.id, zhang.id)
        theirs = LearntAlias("恒锐", account.id, li.id)
        for learnt in (mine, theirs, mine):
            await tx.aliases.put(learnt, activity_id=7, at=AT)
        assert await tx.aliases.of("恒锐") == [mine, theirs]
        assert await tx.aliases.of("恒锐机电") == []


async def test_what_a_record_taught_is_undone_with_it_and_nothing_else(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        account = await customer(tx, zhang)
        for alias, activity_id in (("恒锐", 7), ("锐锐", 8)):
            learnt = LearntAlias(alias, account.id, zhang.id)
            await tx.aliases.put(learnt, activity_id=activity_id, at=AT)
        undone = LearntAlias("恒锐", account.id, zhang.id, LearntState.UNDONE)
        assert list(await tx.aliases.undo(7)) == [undone]
        assert list(await tx.aliases.undo(7)) == []
        assert await tx.aliases.of("恒锐") == [undone]
        assert (await tx.aliases.of("锐锐"))[0].state is LearntState.HELD


async def test_a_denial_takes_the_place_of_the_name_and_a_new_choice_that_of_the_denial(
    database: Database,
) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        account = await customer(tx, zhang)
        for state in (LearntState.HELD, LearntState.DENIED, LearntState.HELD):
            learnt = LearntAlias("恒锐", account.id, zhang.id, state)
            await tx.aliases.put(learnt, activity_id=None, at=AT)
            assert await tx.aliases.of("恒锐") == [learnt]


async def test_an_alias_that_is_removed_leaves_the_others(database: Database) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        for alias in ("恒锐", "锐锐"):
            await tx.accounts.add_alias(account.id, alias)
        assert (await tx.accounts.remove_alias(account.id, "恒锐")).aliases == ("锐锐",)
        assert (await tx.accounts.remove_alias(account.id, "恒锐")).aliases == ("锐锐",)


async def test_the_words_of_a_group_come_newest_first_and_go_after_a_week(
    database: Database,
) -> None:
    week = 7 * 24 * 60
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        said = [Heard(zhang.id, f"d{n}", f"第{n}句", after(n)) for n in (0, 1, 2, week + 1)]
        for heard in said[:3]:
            await tx.group_words.add("g", heard)
        await tx.group_words.add("g", said[0])
        await tx.group_words.mark_recorded("d1")
        found = await tx.group_words.not_recorded("g", since=AT, before=after(9), limit=5)
        assert found == [said[2], said[0]]
        assert await tx.group_words.not_recorded("h", since=AT, before=after(9), limit=5) == []
        await tx.group_words.add("g", said[3])
        found = await tx.group_words.not_recorded("g", since=AT, before=after(week + 9), limit=5)
        assert found == [said[3], said[2]]


async def test_a_failed_attempt_leaves_what_was_written_before_it(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        try:
            async with tx.attempt():
                await customer(tx, zhang, "不要的")
                raise ValueError
        except ValueError:
            pass
        async with tx.attempt():
            await customer(tx, zhang, "要的")
        assert [one.name for one in await tx.accounts.list_all()] == ["要的"]
