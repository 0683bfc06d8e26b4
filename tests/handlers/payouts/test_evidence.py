"""The evidence pack of a month, as a file in the chat, holds by itself."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from bot.messages import FileContent
from handlers.payouts.evidence import EvidencePacks
from handlers.payouts.verifying import verify
from handlers.receivables.receivable_entries import enter_contract
from storage.database import Database
from storage.files import FileFolder
from tests.handlers.payouts.payout_company import FLAT, ON_RECEIPTS, PayoutCompany


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> PayoutCompany:
    company = await PayoutCompany.open(database)
    company.files = FileFolder(tmp_path / "files")
    company.chat.preparations = [EvidencePacks(company.files, read=database.read)]
    return company


async def packs(company: PayoutCompany, who: str) -> list[bytes]:
    return [
        await company.files.get(one.content.sha256)
        for one in company.chat.said
        if one.to.user_id == who and isinstance(one.content, FileContent)
    ]


async def test_it_is_what_was_computed_when_the_month_was_locked(company: PayoutCompany) -> None:
    await company.publish(ON_RECEIPTS)
    await company.signed()
    await company.tell("SK1", 40_000)
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    await company.publish({**ON_RECEIPTS, "version": 2, "rate_bp": 500, "supersedes": 1})
    await company.tell("SK2", 10_000)
    told = await company.press("zhang", "证据包", "paystub-")
    assert "奖金证据包_张伟_2026-01.zip，合计 1,200.00元" in told
    (pack,) = await packs(company, "zhang")
    verdict = verify(pack)
    assert not verdict.findings
    assert verdict.total_fen == 120_000
    assert verdict.head[:16] in told


async def test_packs_follow_one_another_in_one_chain(company: PayoutCompany) -> None:
    await company.publish(FLAT)
    await company.signed()
    await company.tell("SK1", 100_000)
    await company.chat.say("zhang", "奖金")
    await company.press("zhang", "证据包", "paystub-")
    await company.chat.say("he", "奖金 张伟")
    await company.press("he", "证据包", "paystub-")
    (first,), (second,) = await packs(company, "zhang"), await packs(company, "he")
    assert not verify(second).findings
    assert verify(first).head.encode() in manifest_of(second)


async def test_a_changed_pack_does_not_hold(company: PayoutCompany) -> None:
    await company.publish(FLAT)
    await company.signed()
    await company.tell("SK1", 100_000)
    await company.chat.say("zhang", "奖金")
    await company.press("zhang", "证据包", "paystub-")
    (pack,) = await packs(company, "zhang")
    at = len(pack) // 2
    assert verify(pack[:at] + bytes([pack[at] ^ 1]) + pack[at + 1 :]).findings


async def test_nobody_gets_somebody_elses(company: PayoutCompany) -> None:
    await company.publish(FLAT)
    await company.signed()
    await company.tell("SK1", 100_000)
    await company.chat.say("zhang", "奖金")
    card = company.card("zhang", "paystub-")
    assert "只有本人" in await company.chat.press("chen", card, "pack")
    assert await packs(company, "chen") == []


async def test_a_month_that_others_add_up_to_holds_too(company: PayoutCompany) -> None:
    tiers = [{"from_fen": 0, "rate_bp": 100}, {"from_fen": 10_000_000, "rate_bp": 200}]
    rule = {key: value for key, value in FLAT.items() if key not in ("rate_bp", "when")}
    await company.publish({**rule, "mode": "marginal", "scope": "rep_month", "tiers": tiers})
    await company.signed("HT-2026-001", "6万")
    await company.signed("HT-2026-002", "6万")
    await company.chat.say("he", "奖金拆分 HT-2026-002 张伟50 陈静50")
    await company.chat.say("chen", "奖金")
    await company.press("chen", "证据包", "paystub-")
    (pack,) = await packs(company, "chen")
    verdict = verify(pack)
    assert (verdict.findings, verdict.total_fen) == ((), 40_000)


def manifest_of(pack: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return archive.read("manifest.json")


async def test_it_shows_who_worked_on_the_customer(company: PayoutCompany) -> None:
    await company.publish(ON_RECEIPTS)
    await company.signed()
    await company.tell("SK1", 40_000)
    await company.chat.say("zhang", "奖金")
    await company.press("zhang", "证据包", "paystub-")
    (pack,) = await packs(company, "zhang")
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        page = archive.read("readable.html").decode()
    assert "张伟：签单人、原销售，首次电话 1次" in page
    assert "到账 40,000.00元" in page
    assert not verify(pack).findings


async def test_what_a_machine_read_on_the_contract_is_in_it(company: PayoutCompany) -> None:
    await company.publish(ON_RECEIPTS)
    chat = company.chat
    async with chat.database.begin() as tx:
        account = await tx.accounts.find_by_name("恒锐机电")
        assert account is not None
        stored = await company.files.put(b"%PDF-1.4 scan", name="恒锐合同.pdf")
        await tx.files.record(stored, chat.now)
    await company.signed()
    async with chat.database.begin() as tx:
        contract = await tx.contracts.find("HT-2026-018")
        assert contract is not None
        await enter_contract(
            tx, contract, chat.now, by=chat.people["zhang"].id, source="paper",
            sha256=stored.sha256, read={"fields": [["金额", "10万元"]], "lowest_bp": 9_300},
        )  # fmt: skip
    await company.tell("SK1", 40_000)
    await chat.say("zhang", "奖金")
    await company.press("zhang", "证据包", "paystub-")
    (pack,) = await packs(company, "zhang")
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        page = archive.read("readable.html").decode()
        assert archive.read(f"attachments/{stored.sha256}") == b"%PDF-1.4 scan"
    assert "恒锐合同.pdf" in page
    assert "金额：10万元" in page
    assert "不单独作为计算依据" in page
    assert not verify(pack).findings
