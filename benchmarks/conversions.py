"""The conversion of 5,000,000 events of 500,000 customers over a year, from the file on."""

from __future__ import annotations

import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from handlers.deals import conversions

EVENTS = 5_000_000
CUSTOMERS = 500_000
STATUSES = ("lead", "opportunity", "won", "lost", "invalid")
FIRST = datetime.fromisoformat("2026-01-01T00:00:00+08:00")


def lines() -> Iterator[str]:
    """Events as JSON, one in a thousand a merge; one in ten comes late and out of order."""
    rng = random.Random(5)
    stands = ["lead"] * CUSTOMERS
    for number in range(EVENTS):
        late_s = rng.randrange(86_400) if rng.random() < 0.1 else 0
        at = FIRST + timedelta(seconds=number * 365 * 86_400 // EVENTS - late_s)
        who = rng.randrange(CUSTOMERS)
        event: dict[str, object] = {"id": f"e{number:07}", "at": at.isoformat(), "by": "zhang3"}
        if rng.random() < 0.001:
            event["merge"] = [f"c{who}", f"c{rng.randrange(CUSTOMERS)}"]
        else:
            to = rng.choice(STATUSES)
            event |= {"customer": f"c{who}", "from": stands[who], "to": to}
            event["required_filled"] = rng.choice((2, 3, 3, 3, 4))
            stands[who] = to if event["required_filled"] != 2 else stands[who]
        yield json.dumps(event)


def write(file: Path) -> None:
    initial = {f"c{number}": "lead" for number in range(CUSTOMERS)}
    with file.open("w") as out:
        out.write(f'{{"initial": {json.dumps(initial)}, "events": [')
        out.writelines(f"{',' if number else ''}\n{line}" for number, line in enumerate(lines()))
        out.write("]}")


async def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("GENDAN_BENCH_DIR")) as folder:
        file = Path(folder) / "events.json"
        write(file)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        answer = json.loads(conversions.run(file))
        spent, spent_cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    days, rejected = len(answer["days"]), len(answer["rejected"])
    print(f"   {EVENTS:,} events: {spent:.0f} s ({spent_cpu:.0f} s of processor time)")
    print(f"   at the most {peak_gib:.1f} GiB; {days} days, {rejected:,} events rejected")
