"""Drafts survive, do not mix, and expire; files wait until somebody says for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.activities import DraftState
from bot.errors import NotFound
from bot.messages import StoredFile
from storage.database import Database
from tests.storage.samples import AT, LI, ZHANG, after, customer, draft, member


async def test_a_draft_is_kept_as_a_whole(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        account = await customer(tx, zhang)
        added = await tx.drafts.add(draft(zhang, "s1", touched_at=None))
        assert added == draft(zhang, "s1", id=added.id)
        changed = replace(
            added,
            state=DraftState.CONFIRMED,
            account_id=account.id,
            slots={"duration_min": 25, "next_contact": "2026-02-04"},
            file_hashes=("a" * 64,),
            candidates=(3, 1),
            awaiting="files",
            revision=4,
            card_no=2,
            touched_at=after(1),
        )
        await tx.drafts.save(changed)
        assert await tx.drafts.get_for_update(added.id) == changed
        with pytest.raises(NotFound):
            await tx.drafts.get_for_update(added.id + 1)


async def test_the_same_sentence_makes_one_draft(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        first = await tx.drafts.add(draft(zhang, "s1"))
        assert await tx.drafts.add(draft(zhang, "s1", text="delivered again")) == first


async def test_open_drafts_do_not_mix_and_the_latest_touched_comes_first(
    database: Database,
) -> None:
    async with database.begin() as tx:
        zhang, li = await member(tx, "zhang3", "张三"), await member(tx, "li4", "李四")
        await tx.drafts.add(draft(zhang, "old"))
        await tx.drafts.add(draft(zhang, "touched", touched_at=after(5)))
        await tx.drafts.add(draft(zhang, "done", state=DraftState.CANCELLED))
        await tx.drafts.add(draft(zhang, "elsewhere", conversation=LI.key, touched_at=after(1)))
        await tx.drafts.add(draft(li, "somebody else's"))
        here = await tx.drafts.open_of(ZHANG.key, zhang.id)
        everywhere = await tx.drafts.open_of_person(zhang.id)
    assert [one.source_id for one in here] == ["touched", "old"]
    assert [one.source_id for one in everywhere] == ["touched", "elsewhere", "old"]


async def test_only_open_drafts_expire(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        assert await tx.drafts.next_expiry_at() is None
        for source_id, minutes in (("b", 20), ("a", 10), ("c", 30)):
            await tx.drafts.add(draft(zhang, source_id, expires_at=after(minutes)))
        gone = draft(zhang, "gone", expires_at=after(1), state=DraftState.EXPIRED)
        await tx.drafts.add(gone)
        assert await tx.drafts.next_expiry_at() == after(10)
        due = await tx.drafts.due_to_expire(after(20), 10)
        assert [one.source_id for one in due] == ["a", "b"]
        assert len(await tx.drafts.due_to_expire(after(60), 1)) == 1


async def test_a_loose_file_waits_in_its_conversation_until_settled(database: Database) -> None:
    file = StoredFile("a" * 64, 5, "application/pdf", "方案.pdf")
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        await tx.files.record(file, at=AT)
        for source_id in ("m1:0", "m1:0", "m2:0"):
            await tx.drafts.add_loose(ZHANG.key, zhang.id, file.sha256, source_id, AT)
        first, second = await tx.drafts.loose_of(ZHANG.key, zhang.id)
        assert (first.sha256, first.name, first.media_type) == (
            file.sha256,
            "方案.pdf",
            "application/pdf",
        )
        assert await tx.drafts.loose_of(LI.key, zhang.id) == []
        await tx.drafts.settle_loose([first.id], AT)
        assert await tx.drafts.loose_of(ZHANG.key, zhang.id) == [second]
