"""A payee who left and was erased: what they were paid stays, proves itself, and goes on."""

from __future__ import annotations

from pathlib import Path

from bot.domain.people import Directory
from bot.messages import FileContent
from handlers.payouts.evidence import EvidencePacks
from handlers.payouts.verifying import verify
from storage.database import Database
from storage.files import FileFolder
from tests.handlers.payouts.payout_company import ON_RECEIPTS, PayoutCompany
from tests.storage.samples import everybody_is_a_rep


async def test_their_lines_stay_and_a_later_receipt_is_theirs(
    database: Database, tmp_path: Path
) -> None:
    company = await PayoutCompany.open(database)
    company.files = FileFolder(tmp_path / "files")
    company.chat.preparations = [EvidencePacks(company.files, read=database.read)]
    await company.publish(ON_RECEIPTS)
    await company.signed()
    await company.tell("SK1", 40_000)
    await company.chat.say("he", "奖金 张伟")
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    before = await company.lines()
    await _erase(company)
    assert await company.lines() == before
    await company.tell("SK2", 10_000)
    assert await company.amounts() == [
        ("zhang", "commission", 120_000),
        ("zhang", "commission", 30_000),
    ]
    await company.press("he", "证据包", "paystub-")
    (pack,) = [
        await company.files.get(one.content.sha256)
        for one in company.chat.said
        if one.to.user_id == "he" and isinstance(one.content, FileContent)
    ]
    verdict = verify(pack)
    assert (verdict.findings, verdict.total_fen) == ((), 150_000)


async def _erase(company: PayoutCompany) -> None:
    person = company.chat.people["zhang"].id
    gone = Directory("wecom", whole=False, left_user_ids=("zhang",))
    async with company.chat.database.begin() as tx:
        heir = company.chat.people["chen"].id
        for account in await tx.accounts.list_of_owner(person):
            await tx.accounts.transfer(account.id, heir, company.chat.now)
        await tx.people.save_directory(gone, roles_by_title=everybody_is_a_rep, at=company.chat.now)
        traces = await tx.personal_data.trace_person(str(person))
        await tx.personal_data.erase(traces, company.chat.now)
