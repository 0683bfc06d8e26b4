"""Two receipts of one contract at the same moment: neither is computed without the other."""

from __future__ import annotations

import asyncio

from sqlalchemy import insert

from handlers.payouts import following
from storage.database import Database
from storage.tables import erp_receipts
from tests.handlers.payouts.payout_company import ON_RECEIPTS, PayoutCompany


async def test_two_receipts_at_one_moment_both_count(database: Database) -> None:
    company = await PayoutCompany.open(database)
    await company.publish(ON_RECEIPTS)
    await company.signed()
    now, day = company.chat.now, company.chat.office.calendar.day_of(company.chat.now)

    async def come_in(number: int) -> None:
        async with database.begin() as tx:
            contract = await tx.contracts.find("HT-2026-018")
            assert contract is not None
            row = {
                "system": "books", "number": f"SK{number}", "line": "1", "amount_fen": 1_000_000,
                "contract_number": "HT-2026-018", "contract_id": contract.id, "currency": "CNY",
                "received_on": day, "payer": "", "first_told_at": now,
            }  # fmt: skip
            await tx.erp._conn.execute(insert(erp_receipts), row)
            await asyncio.sleep(0)
            await following.follow(tx, company.chat.office, [contract.id], now)

    async with asyncio.timeout(60):
        await asyncio.gather(*(come_in(n) for n in range(6)))
    assert await company.amounts() == [("zhang", "commission", 180_000)]
