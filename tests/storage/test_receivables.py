"""Contracts, receipts and reviews as they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bot.domain.receivables import Contract, ContractTerms, Outcome, Receipt
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, after, customer, member

TERMS = ContractTerms("HT-1", 35_000_000, date(2026, 1, 20), prepayment_fen=10_000)
LINE = Receipt("SK1", "1", "HT-1", 10_000, "CNY", date(2026, 1, 28), "恒锐机电")


async def contract(tx: UnitOfWork, number: str = "HT-1", *, minutes: float = 0) -> Contract:
    found = await tx.accounts.find_by_name("恒锐机电")
    account = found or await customer(tx, await member(tx, "zhang3"))
    added = await tx.contracts.add(
        replace(TERMS, number=number),
        account_id=account.id,
        recorded_by=None,
        at=AT,
        check_at=after(minutes),
    )
    assert added is not None
    return added


async def test_a_contract_comes_back_as_it_was_told_and_its_number_only_once(
    database: Database,
) -> None:
    async with database.begin() as tx:
        ours = await contract(tx)
        again = await tx.contracts.add(
            TERMS, account_id=ours.account_id, recorded_by=None, at=AT, check_at=None
        )
        assert again is None
        assert await tx.contracts.find("HT-1") == ours
        assert ours.terms == TERMS


async def test_only_what_is_due_is_looked_at(database: Database) -> None:
    async with database.begin() as tx:
        due, later = await contract(tx, "HT-1"), await contract(tx, "HT-2", minutes=5)
        assert await tx.contracts.to_check(AT) == [due]
        await tx.contracts.look_again(due.id, None)
        assert await tx.contracts.to_check(AT) == []
        assert await tx.contracts.next_check_at() == after(5)
        assert await tx.contracts.to_check(after(5)) == [later]


async def test_a_line_counts_once_and_as_it_was_told_last(database: Database) -> None:
    async with database.begin() as tx:
        ours = await contract(tx)
        await tx.erp.put("books", [(LINE, ours.id), (LINE, ours.id)], at=AT)
        await tx.erp.put("books", [(replace(LINE, amount_fen=7_000), ours.id)], at=AT)
        await tx.erp.put("other", [(LINE, ours.id)], at=AT)
        assert await tx.contracts.received([ours.id]) == {ours.id: 17_000}


async def test_whom_finance_matched_a_line_to_stays_when_it_is_told_again(
    database: Database,
) -> None:
    stray = replace(LINE, contract_number="HT-9")
    async with database.begin() as tx:
        ours = await contract(tx)
        await tx.erp.put("books", [(stray, None)], at=AT)
        [open_line], total = await tx.erp.unmatched(limit=5)
        assert total == 1
        assert await tx.erp.match(open_line.id, ours.id) is not None
        assert await tx.erp.match(open_line.id, ours.id) is None
        await tx.erp.put("books", [(replace(stray, amount_fen=9_000), None)], at=AT)
        assert await tx.contracts.received([ours.id]) == {ours.id: 9_000}
        assert await tx.erp.unmatched(limit=5) == ([], 0)


async def test_a_bookmark_never_moves_back(database: Database) -> None:
    async with database.begin() as tx:
        await tx.erp.move_bookmark("books", after(5))
        await tx.erp.move_bookmark("books", after(1))
        assert await tx.erp.known_until() == {"books": after(5)}


async def test_a_review_is_opened_once_and_again_only_after_its_end(database: Database) -> None:
    async with database.begin() as tx:
        ours = await contract(tx)
        deadline = AT + timedelta(days=2)

        async def open_it() -> int | None:
            review = await tx.clause_reviews.open(
                ours.id, reviewers=[1], items=["核对"], at=AT, deadline_at=deadline
            )
            return review.round if review else None

        assert [await open_it(), await open_it()] == [1, None]
        review = await tx.clause_reviews.of_contract(ours.id)
        assert review is not None
        ticked = await tx.clause_reviews.tick(review, 0, "周律")
        assert ticked.checklist[0].done_by == "周律"
        closing = [
            await tx.clause_reviews.close(review.id, outcome, note="", decided_by=None, at=AT)
            for outcome in (Outcome.AMEND, Outcome.STOP_DELIVERY)
        ]
        assert [one and one.outcome for one in closing] == [Outcome.AMEND, None]
        assert await tx.clause_reviews.to_remind(deadline) == []
        assert await open_it() == 2
        assert await tx.clause_reviews.next_remind_at() == deadline
        [reminded] = await tx.clause_reviews.to_remind(deadline)
        assert reminded.checklist[0].done_by == ""
        assert await tx.clause_reviews.to_remind(deadline) == []
