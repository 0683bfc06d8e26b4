"""Per-slot accuracy and F1, whole records, wrong writes and speed of the reader.

python -m benchmarks.understanding.measure FILE [--errors] [--speed]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from bot.domain.activities import Record
from bot.domain.policy import DraftPolicy
from config.policy import load_calendar
from handlers.understanding.as_json import to_json
from handlers.understanding.customers import CustomerIndex, many
from handlers.understanding.names import places
from handlers.understanding.reader import Reader

SLOTS = (
    "intent",
    "customer",
    "duration_min",
    "objections",
    "next_contact",
    "amount_fen",
    "attachments_claimed",
    "intent_level",
)
WRITTEN = ("customer", "amount_fen", "next_contact")
OPTIONAL = (
    "connected",
    "customer_received",
    "vague_intent",
    "level_refused",
    "ambiguous",
    "customer_mention",
    "needs_confirm",
    "not_valid_reason",
    "query_topic",
    "correct_slot",
    "until",
    "promise_date",
    "ref",
    "amount_approx",
)
EMPTY: tuple[object, ...] = (None, [], "")
LOADS, ROUNDS = 3, 7
"""How often names are loaded and all messages read for the medians of --speed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--errors", action="store_true", help="print every record that differs")
    parser.add_argument("--speed", action="store_true", help="also time 100,000 names")
    options = parser.parse_args()
    cases = [json.loads(line) for line in options.file.read_text("utf-8").splitlines() if line]
    started = time.process_time()
    reader = Reader(load_calendar())
    tables = time.process_time() - started
    report(cases, [answer(reader, case) for case in cases], errors=options.errors)
    if options.speed:
        print(f"word tables, words, sounds, opinions in {tables:.2f} s")
        measure_speed(reader, [case["text"] for case in cases])


def answer(reader: Reader, case: dict[str, Any]) -> dict[str, Any]:
    customers = CustomerIndex()
    for name in case["known_customers"]:
        customers.add(name)
    now = datetime.fromisoformat(case["now"])
    records = reader.read(case["text"], now=now, customers=customers)
    given: dict[str, Any] = {**to_json(records)}
    for mine, record in zip([given, *given.get("also", [])], records, strict=True):
        mine["asked"] = is_asked(record)
    return given


def is_asked(record: Record) -> bool:
    """Whether the policy asks about the record, being unsure of what it would write."""
    floor = DraftPolicy().min_confidence
    written = ("intent", *(slot for slot in WRITTEN if getattr(record, slot) is not None))
    return any(record.confidence.get(slot, 0.0) < floor for slot in written)


def report(cases: list[dict[str, Any]], answers: list[dict[str, Any]], *, errors: bool) -> None:
    counts: Counter[str] = Counter()
    confusions: Counter[str] = Counter()
    for case, got in zip(cases, answers, strict=True):
        wanted = [case["gold"], *case["gold"].get("also", [])]
        given = [got, *got.get("also", [])]
        whole = len(wanted) == len(given)
        for index, gold in enumerate(wanted):
            mine = given[index] if index < len(given) else {}
            whole &= score(gold, mine, counts, confusions)
        counts["messages"] += 1
        counts["whole"] += whole
        if errors and (not whole or optional_differences(wanted, given)):
            show(case, wanted, given, whole=whole)
    summary(counts, confusions)


def score(
    gold: dict[str, Any], mine: dict[str, Any], counts: Counter[str], confusions: Counter[str]
) -> bool:
    counts["records"] += 1
    right = True
    for slot in SLOTS:
        wanted, given = gold.get(slot), mine.get(slot)
        if slot in ("objections", "attachments_claimed"):
            same = set(wanted or []) == set(given or [])
            counts[f"{slot}.tp"] += len(set(wanted or []) & set(given or []))
            counts[f"{slot}.fp"] += len(set(given or []) - set(wanted or []))
            counts[f"{slot}.fn"] += len(set(wanted or []) - set(given or []))
            missed = set(wanted or []) - set(given or [])
            added = set(given or []) - set(wanted or [])
            confusions.update(f"{code} missed" for code in missed)
            confusions.update(f"{code} too much" for code in added)
        else:
            accepted = {wanted, *gold.get("intent_alt", [])} if slot == "intent" else {wanted}
            same = given in accepted
            counts[f"{slot}.tp"] += same and wanted is not None
            counts[f"{slot}.fp"] += not same and given is not None
            counts[f"{slot}.fn"] += not same and wanted is not None
        counts[f"{slot}.right"] += same
        if slot == "intent" and not same:
            confusions[f"{wanted} -> {given}"] += 1
        right &= same
    counts["wrong"] += is_wrong_write(gold, mine)
    counts["asked"] += bool(mine.get("asked"))
    counts["wrong.sure"] += not mine.get("asked") and is_wrong_write(gold, mine)
    for slot in OPTIONAL:
        counts["optional"] += 1
        counts["optional.right"] += (gold.get(slot) or None) == (mine.get(slot) or None)
    return right


def is_wrong_write(gold: dict[str, Any], mine: dict[str, Any]) -> bool:
    """A customer, amount or date that was not said, and that no question would stop."""
    if mine.get("needs_confirm") or mine.get("intent") in ("query", "chitchat", "confirm"):
        return False
    return any(mine.get(slot) is not None and mine[slot] != gold.get(slot) for slot in WRITTEN)


def optional_differences(wanted: list[dict[str, Any]], given: list[dict[str, Any]]) -> bool:
    return any(
        (gold.get(slot) or None) != (mine.get(slot) or None)
        for gold, mine in zip(wanted, given, strict=False)
        for slot in OPTIONAL
    )


def show(
    case: dict[str, Any], wanted: list[dict[str, Any]], given: list[dict[str, Any]], *, whole: bool
) -> None:
    print(f"{'' if whole else '✗ '}{case['id']} {case['text']}  [{case['now'][:16]}]")
    for index in range(max(len(wanted), len(given))):
        gold = wanted[index] if index < len(wanted) else {}
        mine = given[index] if index < len(given) else {}
        for slot in (*SLOTS, *OPTIONAL):
            one, other = gold.get(slot), mine.get(slot)
            if (one if one not in EMPTY else None) != (other if other not in EMPTY else None):
                print(f"    [{index}] {slot}: wanted {one!r}, got {other!r}")


def summary(counts: Counter[str], confusions: Counter[str]) -> None:
    print(f"{counts['messages']} messages, {counts['records']} records")
    for slot in SLOTS:
        tp, fp, fn = (counts[f"{slot}.{kind}"] for kind in ("tp", "fp", "fn"))
        f1 = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0
        accuracy = counts[f"{slot}.right"] / counts["records"]
        print(f"{slot:22} accuracy {accuracy:.3f}   F1 {f1:.3f}")
    print(f"{'optional keys':22} accuracy {counts['optional.right'] / counts['optional']:.3f}")
    print(f"{'whole message':22} {counts['whole'] / counts['messages']:.3f}")
    print(f"{'wrong writes':22} {counts['wrong'] / counts['records']:.3f}")
    print(f"{'records asked about':22} {counts['asked'] / counts['records']:.3f}")
    print(f"{'wrong and not asked':22} {counts['wrong.sure'] / counts['records']:.3f}")
    for pair, count in confusions.most_common():
        print(f"    {count} x {pair}")


def measure_speed(reader: Reader, texts: list[str]) -> None:
    """The figures promised for 100,000 customers, in seconds of one core; medians of rounds."""
    names = _made_up_names()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    customers, first = _indexed(names)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    loads = [first] + [_indexed(names)[1] for _ in range(LOADS - 1)]
    print(f"{len(customers):,} names in {_median(loads, '.2f')} s, {more:.0f} MB more")
    started = time.process_time()
    customers.add("南京新来阀业有限公司")
    print(f"one more in {(time.process_time() - started) * 1000:.2f} ms")
    now = datetime.fromisoformat("2026-06-10T15:00:00+08:00")
    messages = [f"{name}{text}" for name, text in zip(sorted(names), texts * 20, strict=False)]
    speeds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for message in messages:
            reader.read(message, now=now, customers=customers)
        speeds.append(len(messages) / (time.process_time() - started))
    print(f"{_median(speeds, ',.0f')} messages/s")


def _made_up_names() -> set[str]:
    chance = random.Random(1)
    somewhere = sorted(places())
    signs = (
        "恒锐栖霞阀丹徒缆广陵泵武进灯海门纺鹭岛冷柜晋江鞋材马尾船龙罐央电力秦都陶瓷陈仓床"
        "皋兰管松北锅炉净月传感浑南器旅顺舶"
    )
    return {
        chance.choice(somewhere)
        + "".join(chance.choices(signs, k=chance.choice((4, 4, 5, 6))))
        + chance.choice(("", "有限公司", "股份有限公司"))
        for _ in range(104_000)
    }


def _indexed(names: set[str]) -> tuple[CustomerIndex, float]:
    """All names, and the seconds that took."""
    started = time.process_time()
    customers = CustomerIndex()
    with many():
        for name in names:
            customers.add(name)
    return customers, time.process_time() - started


def _median(figures: list[float], form: str) -> str:
    """With the least and the greatest."""
    least, greatest = min(figures), max(figures)
    return f"{median(figures):{form}} ({least:{form}} to {greatest:{form}})"


if __name__ == "__main__":
    main()
