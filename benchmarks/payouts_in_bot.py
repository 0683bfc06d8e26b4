"""Bonuses from the database: a receipt that comes in, a change of rules replayed over a year, the
fact report on a customer with a long stream. Part of `python -m benchmarks payouts`."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from benchmarks import company
from benchmarks.databases import analyse, fresh
from benchmarks.office import whole_office
from benchmarks.timing import stopped
from bot.domain.payouts.rule_changes import State
from handlers.payouts import fact_report, following, simulating
from storage.database import Database
from storage.payout_disputes import Dispute
from storage.tables import (
    accounts,
    activities,
    contracts,
    erp_receipts,
    payout_deals,
    payout_rule_changes,
)
from storage.unit_of_work import UnitOfWork

CONTRACTS = int(os.environ.get("GENDAN_BENCH_CONTRACTS", "100000"))
CUSTOMERS = CONTRACTS // 10
ENTRIES = 20_000
ROUNDS = 20
NOW = datetime(2026, 11, 26, 2, tzinfo=UTC)
FIRST = date(2025, 12, 1)
DAYS = 360


def rules() -> list[dict[str, Any]]:
    """Twenty, of every mode; one adds up months."""
    gate = [{"field": "paid_ratio_bp", "op": ">=", "value": 9_500}]
    tiers = [
        {"from_fen": 0, "rate_bp": 200},
        {"from_fen": 10_000_000, "rate_bp": 300},
        {"from_fen": 50_000_000, "rate_bp": 500},
    ]

    def rule(name: str, mode: str, **more: Any) -> dict[str, Any]:
        plain = {"id": name, "version": 1, "effective_from": FIRST.isoformat(), "mode": mode}
        return {**plain, "base": "contract_fen", **more}

    lines = [
        rule(f"line{n}", "marginal" if n % 2 else "whole", tiers=tiers, stack="exclusive",
             when=[{"field": "industry", "op": "==", "value": f"P{n}"}, *gate],
             group=f"g{n % 2}", priority=n)
        for n in range(16)
    ]  # fmt: skip
    return [
        *lines,
        rule("month", "marginal", base="paid_fen", scope="rep_month", tiers=tiers),
        rule(
            "upsell", "flat", rate_bp=100, when=[{"field": "kind", "op": "==", "value": "upsell"}]
        ),
        rule("quick", "fixed", amount_fen=20_000, when=gate),
        rule("cap", "cap", cap_fen=5_000_000),
    ]


async def fill(database: Database) -> None:
    await company.hire(database)
    since = NOW - timedelta(days=400)
    named = (
        {**row, "industry": f"P{row['id'] % 16}"} for row in company.customers(CUSTOMERS, since)
    )
    await company.put(database, accounts, named)
    await company.put(database, contracts, _contracts())
    await company.put(database, payout_deals, _deals())
    await company.put(database, erp_receipts, _receipts())
    change = {
        "rules": rules(), "state": str(State.PUBLISHED), "author_id": company.DIRECTOR,
        "created_at": since, "published_by": company.DIRECTOR, "published_at": since,
    }  # fmt: skip
    await company.put(database, payout_rule_changes, iter([change]))
    await analyse(database)


async def one_receipt(database: Database) -> None:
    """The closer's month anew, from the tables to the ledger, in the transaction's own time."""
    times = []
    for n in range(ROUNDS + 1):
        contract_id = CONTRACTS - company.REPS * n
        async with database.begin() as tx:
            conn = tx.delivery._conn
            await conn.execute(insert(erp_receipts), _receipt(contract_id, line="2", fen=1_000))
            spent, _ = await stopped(following.follow(tx, OFFICE, [contract_id], NOW))
            times.append(spent)
    times = times[1:]
    print(
        f"   one receipt in the database, {CONTRACTS // company.REPS // 12} contracts of the"
        f" closer's month: {statistics.median(times) * 1000:.1f} ms,"
        f" worst {max(times) * 1000:.1f} ms"
    )


async def a_change_of_rules(database: Database) -> None:
    ids = ("month", "upsell", "quick")
    newer = [
        {**one, "version": 2, "effective_from": "2026-12-01", **_richer(one)}
        for one in rules()
        if one["id"] in ids
    ]
    async with database.begin() as tx:
        change = await tx.payout_rules.add(newer, author_id=company.DIRECTOR, at=NOW)
    async with database.read() as tx:
        reading, material = await stopped(_material(tx, change.id))
    computing, found = await stopped(simulating.run(material))
    print(
        f"   a change of 3 rules over {len(material.deals):,} contracts of twelve months:"
        f" read {reading:.1f} s, computed {computing:.1f} s,"
        f" {len(found.impact.changed)} of {len(found.impact.people)} people"
    )


async def a_fact_report(database: Database) -> None:
    async with database.begin() as tx:
        dispute = await _disputed(tx)
        spent, report = await stopped(fact_report.write(tx, OFFICE, dispute, NOW))
    print(f"   fact report beside {ENTRIES:,} entries: {spent:.2f} s, {len(report):,} characters")


async def in_bot() -> None:
    async with fresh("SQLite") as database:
        await fill(database)
        await one_receipt(database)
        await a_change_of_rules(database)
        await company.put(database, activities, _entries())
        await a_fact_report(database)


OFFICE = whole_office()


async def _material(tx: UnitOfWork, change_id: int) -> simulating.Material:
    return await simulating.read(tx, change_id, NOW, since=FIRST)


async def _disputed(tx: UnitOfWork) -> Dispute:
    """October locked, and a dispute about a line of customer 1's."""
    month = "2026-10"
    wanted = [n for n in range(1, CONTRACTS + 1, CUSTOMERS) if _signed(n) < date(2026, 11, 1)]
    await following.follow(tx, OFFICE, wanted, NOW)
    run = await tx.payout_ledger.propose(
        month, cutoff=NOW, total_fen=0, lines=0, by=company.DIRECTOR, at=NOW
    )
    await tx.payout_ledger.lock(run, by=company.DIRECTOR, at=NOW)
    found = [one for n in wanted for one in await tx.payout_ledger.of_contract(n)]
    line = next(one for one in found if one.run_id is not None)
    assert line.person_id is not None
    return await tx.payout_disputes.draft(
        line_id=line.id,
        contract_id=line.contract_id,
        person_id=line.person_id,
        appeal_of=None,
        at=NOW,
    )


def _richer(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: rule[name] * 2 for name in ("rate_bp", "amount_fen") if name in rule}


def _signed(number: int) -> date:
    return FIRST + timedelta(days=number * DAYS // (CONTRACTS + 1))


def _contracts() -> Iterator[dict[str, Any]]:
    return (
        {"id": n, "number": f"HT-{n:07}", "account_id": _customer(n), "post_paid": False,
         "amount_fen": 100_000 + n * 7_919 % 60_000_000, "signed_on": _signed(n),
         "recorded_at": NOW, "recorded_by": company.owner_of(n)}
        for n in range(1, CONTRACTS + 1)
    )  # fmt: skip


def _deals() -> Iterator[dict[str, Any]]:
    return (
        {"contract_id": n, "kind": "new" if n <= CUSTOMERS else "upsell",
         "closer_id": company.owner_of(n), "original_seller_id": company.owner_of(n)}
        for n in range(1, CONTRACTS + 1)
    )  # fmt: skip


def _receipts() -> Iterator[dict[str, Any]]:
    return (
        _receipt(n, line="1", fen=100_000 + n * 7_919 % 60_000_000) for n in range(1, CONTRACTS)
    )


def _receipt(number: int, *, line: str, fen: int) -> dict[str, Any]:
    return {
        "system": "books", "number": f"SK{number}", "line": line, "amount_fen": fen,
        "contract_number": f"HT-{number:07}", "contract_id": number, "currency": "CNY",
        "received_on": min(_signed(number) + timedelta(days=9), NOW.date()), "payer": "",
        "first_told_at": NOW - timedelta(days=1),
    }  # fmt: skip


def _customer(number: int) -> int:
    return (number - 1) % CUSTOMERS + 1


def _entries() -> Iterator[dict[str, Any]]:
    """Of customer 1, by ten people over a year."""
    return (
        {"account_id": 1, "actor_id": n % 10 + 1, "unit": "call", "title": "跟进电话",
         "text": "谈了价格和交期", "occurred_at": NOW - timedelta(minutes=26 * n),
         "recorded_at": NOW - timedelta(minutes=26 * n), "source_id": f"bench:{n}", "slots": {},
         "file_hashes": [], "valid": True, "invalid_reason": "", "grade": "E0", "late": False}
        for n in range(ENTRIES)
    )  # fmt: skip
