"""Payouts: a month of 100,000 deals under 20 rules, one receipt, one evidence pack; then the same
from the database (payouts_in_bot.py)."""

from __future__ import annotations

import gc
import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, TypeVar

from benchmarks.payouts_in_bot import in_bot
from bot.domain.payouts.checking import check_rules
from bot.domain.payouts.computing import compute
from bot.domain.payouts.reading_facts import read_facts
from bot.domain.payouts.reading_rules import read_rules
from bot.domain.payouts.versions import RuleBook
from handlers.payouts import as_json
from handlers.payouts.packs import Attachment, write_pack
from handlers.payouts.verifying import verify

T = TypeVar("T")

DEALS = 100_000
REPS = 2_000
ROUNDS = 20
GATE = [{"field": "paid_ratio_bp", "op": ">=", "value": 9_500}]
TIERS = [
    {"from_fen": 0, "rate_bp": 200},
    {"from_fen": 10_000_000, "rate_bp": 300},
    {"from_fen": 50_000_000, "rate_bp": 500},
]


def twenty_rules() -> list[dict[str, Any]]:
    """Every mode, scope and clause: tiers by product line in two exclusive groups, a month's
    tiers, collaboration, penalties, a new version, bonuses, caps."""

    def rule(name: str, mode: str, **more: Any) -> dict[str, Any]:
        plain = {"id": name, "version": 1, "effective_from": "2026-01-01", "mode": mode}
        return {**plain, "base": "contract_fen", **more}

    def line(n: int) -> list[dict[str, Any]]:
        return [{"field": "product_line", "op": "==", "value": f"P{n}"}, *GATE]

    collab = {
        "when": "kind==upsell and closer!=original_seller",
        "share_bp": 3_000,
        "to": "lead_provider",
    }
    fine = {"per_complaint_fen": 20_000}
    grouped = [
        rule(f"line{n}", "marginal" if n % 2 else "whole", tiers=TIERS, when=line(n),
             stack="exclusive", group=f"g{n % 2}", priority=n, penalty=fine)
        for n in range(10)
    ]  # fmt: skip
    return [
        *grouped,
        rule("upsell", "flat", rate_bp=500, collab=collab,
             when=[{"field": "kind", "op": "==", "value": "upsell"}]),
        rule("month", "marginal", base="paid_fen", scope="rep_month", tiers=TIERS, fund_bp=2_000),
        rule("big", "fixed", amount_fen=100_000,
             when=[{"field": "contract_fen", "op": ">=", "value": 80_000_000}, *GATE]),
        rule("renewal", "flat", rate_bp=100,
             when=[{"field": "kind", "op": "==", "value": "renewal"}], effective_to="2026-03-16"),
        {**rule("renewal", "flat", rate_bp=150,
                when=[{"field": "kind", "op": "==", "value": "renewal"}],
                effective_from="2026-03-16"), "version": 2},
        rule("quick", "fixed", amount_fen=20_000, when=[*GATE]),
        rule("north", "flat", rate_bp=50,
             when=[{"field": "region", "op": "in", "value": ["north", "east"]}, *GATE]),
        rule("attendance", "fixed", amount_fen=5_000,
             when=[{"field": "attendance_days", "op": ">=", "value": 20}, *GATE]),
        rule("small-cap", "cap", cap_fen=800_000,
             when=[{"field": "contract_fen", "op": "<", "value": 10_000_000}]),
        rule("cap", "cap", cap_fen=5_000_000),
    ]  # fmt: skip


def a_month(deals: int) -> dict[str, Any]:
    """deals signed in March 2026 by one rep for each fifty: nine in ten are paid, one in thirty
    gives something back, one in a hundred complains; one run at the end of March, one of April."""
    dice = random.Random(7)
    body: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    reps = max(1, deals * REPS // DEALS)
    for n in range(deals):
        rep, fen = f"rep{n % reps}", dice.randrange(100_000, 90_000_000)
        day, hour = dice.randrange(1, 32), dice.randrange(24)
        one: dict[str, Any] = {
            "id": f"D{n}",
            "kind": dice.choice(("new", "upsell", "renewal")),
            "contract_fen": fen,
            "signed_at": f"2026-03-{day:02d}T{hour:02d}:00:00+08:00",
            "closer": rep,
            "original_seller": f"rep{(n + n % 3) % reps}",
            "lead_provider": f"rep{(n + 7) % reps}",
            "product_line": f"P{n % 10}",
            "region": dice.choice(("north", "east", "south", "west")),
            "attendance_days": dice.randrange(15, 23),
        }
        if n % 10 == 0:
            helper = {"person": f"rep{(n + 1) % reps}", "weight": 3_000}
            one["split"] = [{"person": rep, "weight": 7_000}, helper]
        body.append(one)
        at = f"2026-{3 + n % 2:02d}-{dice.randrange(1, 29):02d}T12:00:00+08:00"
        if n % 10:
            events.append({"type": "payment", "deal": f"D{n}", "fen": fen, "at": at})
        if n % 30 == 1:
            later = "2026-04-29T12:00:00+08:00"
            events.append({"type": "refund", "deal": f"D{n}", "fen": fen // 3, "at": later})
        if n % 100 == 3:
            events.append({"type": "complaint", "deal": f"D{n}", "upheld": True, "at": at})
    runs = ("2026-03-31T18:00:00+08:00", "2026-04-30T18:00:00+08:00")
    events += [{"type": "payout_run", "at": at} for at in runs]
    return {"deals": body, "events": events}


def timed(what: Callable[[], T]) -> tuple[float, T]:
    started = time.process_time()
    answer = what()
    return time.process_time() - started, answer


def monthly_run() -> None:
    """As the command does it: without looking for cycles among millions of records."""
    gc.disable()
    document = a_month(DEALS)
    rules = read_rules(twenty_rules())
    check_rules(rules)
    reading, facts = timed(lambda: read_facts(document))
    computing, result = timed(lambda: compute(RuleBook(rules), facts))
    writing, size = timed(
        lambda: sum(len(text) for text in as_json.printed(as_json.result_to_json(result)))
    )
    gc.enable()
    lines, size_mb = len(result.lines), size / 1e6
    print(f"   {DEALS:,} deals, 20 rules: {lines:,} lines, {len(facts.payments):,} payments")
    print(f"   read {reading:.1f} s, compute {computing:.1f} s", end="")
    print(f", written as JSON {writing:.1f} s ({size_mb:.0f} MB)")


def one_receipt() -> None:
    """The month of the deal's closer, computed anew with one payment more."""
    document = a_month(DEALS * 50 // REPS // 10)
    rules = RuleBook(read_rules(twenty_rules()))
    mine = [deal for deal in document["deals"] if deal["closer"] == "rep0"]
    ids = {deal["id"] for deal in mine}
    events = [each for each in document["events"] if each.get("deal", mine[0]["id"]) in ids]
    receipt = {
        "type": "payment",
        "deal": mine[0]["id"],
        "fen": 1_000,
        "at": "2026-04-20T10:00:00+08:00",
    }
    facts = {"deals": mine, "events": [*events, receipt]}
    times = [timed(lambda: compute(rules, read_facts(facts)))[0] for _ in range(ROUNDS)]
    print(
        f"   one receipt, {len(mine)} deals of the rep's month: "
        f"{statistics.median(times) * 1000:.1f} ms, worst {max(times) * 1000:.1f} ms"
    )


def one_pack() -> None:
    """The pack of one rep out of a team's month, with 5 MB of attachments."""
    document = json.loads(json.dumps(a_month(5_000)))
    pages = [
        Attachment(f"合同第{n}页.jpg", "image/jpeg", random.Random(n).randbytes(1_000_000))
        for n in range(5)
    ]
    writing, pack = timed(lambda: write_pack(twenty_rules(), document, "rep0", attachments=pages))
    checking, verdict = timed(lambda: verify(pack.content))
    assert not verdict.findings
    print(
        f"   pack of one rep out of 5,000 deals ({len(pack.content) / 1e6:.1f} MB): "
        f"export {writing:.2f} s, verify {checking:.2f} s"
    )


async def main() -> None:
    monthly_run()
    one_receipt()
    one_pack()
    await in_bot()
