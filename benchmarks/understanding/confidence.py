"""How often a slot is right that was read with a certain confidence.

python -m benchmarks.understanding.confidence FILE
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.domain.activities import Record
from config.policy import load_calendar
from handlers.understanding.as_json import to_json
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.reader import Reader

BANDS = (0.0, 0.7, 0.8, 0.9, 1.01)


def main() -> None:
    reader = Reader(load_calendar())
    right: Counter[tuple[str, float]] = Counter()
    all_read: Counter[tuple[str, float]] = Counter()
    for line in Path(sys.argv[1]).read_text("utf-8").splitlines():
        case = json.loads(line)
        customers = CustomerIndex()
        for name in case["known_customers"]:
            customers.add(name)
        now = datetime.fromisoformat(case["now"])
        records = reader.read(case["text"], now=now, customers=customers)
        gold = [case["gold"], *case["gold"].get("also", [])]
        for record, wanted in zip(records, gold, strict=False):
            count(record, wanted, right, all_read)
    for slot in sorted({slot for slot, _ in all_read}):
        bands = [
            f"{low:.1f}-: {right[slot, low]}/{all_read[slot, low]}"
            for low in BANDS[:-1]
            if all_read[slot, low]
        ]
        print(f"{slot:14}", *bands, sep="  ")


def count(
    record: Record,
    wanted: dict[str, Any],
    right: Counter[tuple[str, float]],
    all_read: Counter[tuple[str, float]],
) -> None:
    """Only what a draft would store: a customer that is asked about is not read."""
    given = to_json([record])
    for slot, sure in record.confidence.items():
        if slot not in given or given[slot] is None:
            continue
        low = max(band for band in BANDS if band <= sure)
        all_read[slot, low] += 1
        meant = {wanted.get(slot), *wanted.get("intent_alt", ())} if slot == "intent" else None
        right[slot, low] += given[slot] in (meant or {wanted.get(slot)})


if __name__ == "__main__":
    main()
