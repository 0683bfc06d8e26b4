"""What always holds for payouts, whatever the rules and the facts."""

from __future__ import annotations

import random
from collections import defaultdict
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.domain.payouts.lines import Result
from bot.domain.payouts.money import largest_remainder, rounded
from tests.domain.payouts.worked_cases import compute_documents, deal, rule

PEOPLE = ("A", "B", "C")
MONEY = st.integers(0, 200_000_000) | st.integers(2**53 - 2, 2**53 + 2)
RATE = st.integers(0, 10_000)


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, int]]:
    starts = sorted(draw(st.sets(st.integers(1, 100_000_000), max_size=3)))
    return [{"from_fen": start, "rate_bp": draw(RATE)} for start in (0, *starts)]


@st.composite
def one_rule(draw: st.DrawFn, n: int, base: str | None) -> dict[str, Any]:
    mode = draw(st.sampled_from(("flat", "marginal", "whole", "fixed", "cap")))
    keys: dict[str, Any] = {
        "flat": lambda: {"rate_bp": draw(RATE)},
        "marginal": lambda: {"tiers": draw(tiers())},
        "whole": lambda: {"tiers": draw(tiers())},
        "fixed": lambda: {"amount_fen": draw(st.integers(0, 1_000_000))},
        "cap": lambda: {"cap_fen": draw(st.integers(0, 5_000_000))},
    }[mode]()
    base = base or draw(st.sampled_from(("contract_fen", "paid_fen")))
    body = rule(id=f"R{n}", mode=mode, base=base, **keys)
    if mode != "cap" and draw(st.booleans()):
        body["scope"] = "rep_month"
    if draw(st.booleans()):
        body["when"] = [{"field": "paid_ratio_bp", "op": ">=", "value": draw(RATE)}]
    if draw(st.booleans()):
        body["penalty"] = {"per_complaint_fen": draw(st.integers(0, 500_000))}
    if draw(st.booleans()):
        when = "kind==upsell and closer!=original_seller"
        body["collab"] = {"when": when, "share_bp": draw(RATE), "to": "lead_provider"}
    if draw(st.booleans()):
        body |= {"stack": "exclusive", "group": "g", "priority": draw(st.integers(1, 3))}
    return body


@st.composite
def one_deal(draw: st.DrawFn, n: int, closer: str | None = None) -> dict[str, Any]:
    moment = f"2026-0{draw(st.integers(3, 4))}-{draw(st.integers(1, 28)):02d}T10:00:00+08:00"
    closer = closer or draw(st.sampled_from(PEOPLE[:2]))
    body = deal(
        id=f"D{n}",
        contract_fen=draw(MONEY),
        signed_at=moment,
        closer=closer,
        kind=draw(st.sampled_from(("new", "upsell"))),
        original_seller="B",
        lead_provider="C",
    )
    if draw(st.booleans()):
        weights = draw(st.lists(st.integers(0, 10), min_size=2, max_size=2).filter(any))
        body["split"] = [
            {"person": person, "weight": weight}
            for person, weight in zip((closer, "C"), weights, strict=True)
        ]
    return body


@st.composite
def situations(
    draw: st.DrawFn, base: str | None = None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rules, and deals with payments, refunds within them, complaints and runs."""
    rules = [draw(one_rule(n, base)) for n in range(draw(st.integers(1, 4)))]
    deals = [draw(one_deal(n)) for n in range(draw(st.integers(1, 4)))]
    events: list[dict[str, Any]] = []
    for body in deals:
        left = body["contract_fen"]
        for _ in range(draw(st.integers(0, 3))):
            fen = draw(st.integers(0, left))
            if fen:
                day = draw(st.integers(1, 28))
                at = f"2026-0{draw(st.integers(3, 6))}-{day:02d}T12:00:00+08:00"
                kind = draw(st.sampled_from(("payment", "payment", "refund")))
                events.append({"type": kind, "deal": body["id"], "fen": fen, "at": at})
                left -= fen
        if draw(st.booleans()):
            at = f"2026-05-{draw(st.integers(1, 28)):02d}T12:00:00+08:00"
            events.append({"type": "complaint", "deal": body["id"], "upheld": True, "at": at})
    runs = draw(st.sets(st.sampled_from(("03-31", "04-30", "05-31")), max_size=3))
    events += [{"type": "payout_run", "at": f"2026-{day}T18:00:00+08:00"} for day in sorted(runs)]
    policy = {
        "clawback": draw(st.sampled_from(("proportional", "reevaluate"))),
        "attribution": draw(st.sampled_from(("incremental", "proportional"))),
    }
    return rules, {"deals": deals, "events": events, "policy": policy}


def by_deal_and_person(result: Result) -> dict[tuple[str | None, str], int]:
    totals: dict[tuple[str | None, str], int] = defaultdict(int)
    for line in result.lines:
        totals[line.deal, line.person] += line.fen
    return {key: fen for key, fen in totals.items() if fen}


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**9))
def test_rounding_is_to_the_nearest_and_half_away_from_zero(number: int, unit: int) -> None:
    exact, whole = Fraction(number, unit), rounded(number, unit)
    assert abs(exact - whole) <= Fraction(1, 2)
    if abs(exact - whole) == Fraction(1, 2):
        assert abs(whole) > abs(exact)


@given(st.integers(-(10**18), 10**18), st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_a_split_loses_no_fen_and_nobody_is_a_fen_off(total: int, weights: list[int]) -> None:
    parts = largest_remainder(total, weights)

    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(situations())
def test_lines_sum_to_the_totals_and_none_is_zero(
    situation: tuple[list[dict[str, Any]], dict[str, Any]],
) -> None:
    result = compute_documents(*situation)

    assert sum(line.fen for line in result.lines) == sum(result.by_person.values())
    assert all(line.fen for line in result.lines)
    assert all(line.why.endswith("。") for line in result.lines)


@given(situations())
def test_computed_again_it_is_the_same(
    situation: tuple[list[dict[str, Any]], dict[str, Any]],
) -> None:
    assert compute_documents(*situation) == compute_documents(*situation)


@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_events_in_the_file_does_not_matter(
    situation: tuple[list[dict[str, Any]], dict[str, Any]], dice: random.Random
) -> None:
    rules, facts = situation
    shuffled = {**facts, "events": dice.sample(facts["events"], len(facts["events"]))}

    assert compute_documents(rules, shuffled).by_person == compute_documents(*situation).by_person


@given(situations(), st.randoms(use_true_random=False))
def test_the_hour_of_an_event_does_not_matter(
    situation: tuple[list[dict[str, Any]], dict[str, Any]], dice: random.Random
) -> None:
    """Only the run that it comes before does."""
    rules, facts = situation
    moved = [
        event
        if event["type"] == "payout_run"
        else {**event, "at": f"{event['at'][:11]}{dice.randrange(11, 18)}:30:00+08:00"}
        for event in facts["events"]
    ]

    before, after = (
        compute_documents(rules, facts),
        compute_documents(rules, {**facts, "events": moved}),
    )

    assert by_deal_and_person(after) == by_deal_and_person(before)


@settings(max_examples=200)
@given(situations(base="contract_fen"))
def test_a_refund_of_everything_returns_everything(
    situation: tuple[list[dict[str, Any]], dict[str, Any]],
) -> None:
    rules, facts = situation
    events = [event for event in facts["events"] if event["type"] != "refund"]
    for body in facts["deals"]:
        fen = body["contract_fen"]
        assume(fen)
        events.append(
            {"type": "refund", "deal": body["id"], "fen": fen, "at": "2026-07-01T12:00:00+08:00"}
        )

    result = compute_documents(rules, {**facts, "events": events})

    assert by_deal_and_person(result) == {}


@given(situations())
def test_a_refund_never_takes_more_than_was_earned(
    situation: tuple[list[dict[str, Any]], dict[str, Any]],
) -> None:
    rules, facts = situation
    facts = {**facts, "policy": {"clawback": "proportional"}}
    without = [event for event in facts["events"] if event["type"] != "refund"]

    total = sum(compute_documents(rules, facts).by_person.values())

    assert -len(facts["events"]) <= total
    assert total <= sum(
        compute_documents(rules, {**facts, "events": without}).by_person.values()
    ) + len(facts["events"])


@given(situations(), one_deal(99, closer="Z"))
def test_another_reps_deal_changes_nobody_elses_lines(
    situation: tuple[list[dict[str, Any]], dict[str, Any]], more: dict[str, Any]
) -> None:
    rules, facts = situation

    before = compute_documents(rules, facts)
    after = compute_documents(rules, {**facts, "deals": [*facts["deals"], more]})

    assert [line for line in after.lines if line.deal != "D99"] == list(before.lines)


@given(situations())
def test_runs_change_when_not_how_much(
    situation: tuple[list[dict[str, Any]], dict[str, Any]],
) -> None:
    """With reevaluation, everything is a function of the facts, so paying out in between
    changes no total. (Proportional clawback rounds line by line.)"""
    rules, facts = situation
    facts = {**facts, "policy": {**facts["policy"], "clawback": "reevaluate"}}
    without = [event for event in facts["events"] if event["type"] != "payout_run"]

    paid = compute_documents(rules, facts)

    assert by_deal_and_person(paid) == by_deal_and_person(
        compute_documents(rules, {**facts, "events": without})
    )


@given(situations(), st.integers(0, 10_000))
def test_a_new_version_ends_where_it_would_have_begun(
    situation: tuple[list[dict[str, Any]], dict[str, Any]], bp: int
) -> None:
    """Adjusted after the run, or in force from the start: the same money in the end."""
    _, facts = situation
    facts = {**facts, "policy": {**facts["policy"], "clawback": "reevaluate"}}
    old = rule(mode="flat", rate_bp=300)
    new = rule(mode="flat", rate_bp=bp)
    published = "2026-05-10T09:00:00+08:00"
    versions = [old, {**new, "version": 2, "supersedes": 1, "published_at": published}]

    adjusted = compute_documents(versions, facts)

    assert by_deal_and_person(adjusted) == by_deal_and_person(compute_documents([new], facts))


def test_what_a_refund_took_of_a_rule_is_given_back_when_the_rule_itself_goes() -> None:
    """A payment lets another rule of the group win: the first one's commission goes as a whole,
    and so does what was taken of it."""
    group = {"base": "contract_fen", "stack": "exclusive", "group": "g", "priority": 1}
    late = {**rule(mode="flat", rate_bp=0), **group, "id": "R0",
            "when": [{"field": "paid_ratio_bp", "op": ">=", "value": 9500}]}  # fmt: skip
    early = {**rule(mode="flat", rate_bp=5000), **group, "id": "R1"}
    when = "2026-03-{:02d}T12:00:00+08:00".format
    deal = {"id": "D0", "kind": "new", "closer": "A", "signed_at": when(1),
            "contract_fen": 20_000_000}  # fmt: skip
    events = [
        {"type": "payment", "deal": "D0", "fen": 12_000_000, "at": when(2)},
        {"type": "refund", "deal": "D0", "fen": 6_000_000, "at": when(3)},
        {"type": "payout_run", "at": "2026-03-31T18:00:00+08:00"},
        {"type": "payment", "deal": "D0", "fen": 8_000_000, "at": "2026-04-01T12:00:00+08:00"},
    ]
    policy = {"clawback": "reevaluate", "attribution": "incremental"}
    done = compute_documents([late, early], {"deals": [deal], "events": events, "policy": policy})
    assert by_deal_and_person(done) == {}
    assert sum(line.fen for line in done.lines if line.run is not None) == 7_000_000
