"""What `benchmarks.soak` measures each day, and what must hold in the end, as somebody outside
sees it: the platforms' own books beside the database's."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import gc
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.soak_noise import Noise
from benchmarks.soak_world import Month
from handlers.deals import rebuilding
from storage import beside
from storage.files import FileFolder

OURS = ("bot.", "handlers.", "connectors.", "storage.", "speech.", "config.")
NOT_OURS = "connectors.sandbox"
CONTAINERS = (dict, list, set, tuple)
DERIVED = ("lead_spans", "opportunities", "stage_events")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Megabytes, and numbers of things. kept: what our objects hold, by class and attribute."""

    rss: float
    fds: int
    tasks: int
    threads: int
    database: float
    wal: float
    files: int
    customers: int
    waiting: int
    unsent: int
    dead: int
    kept: Counter[str]

    def line(self) -> str:
        return (
            f"{self.rss:.0f} MB, {self.fds} fds, {self.tasks} tasks, {self.threads} threads; "
            f"db {self.database:.0f} MB, wal {self.wal:.1f} MB, {self.files} files, "
            f"{self.customers} customers; {self.waiting} waiting, {self.unsent} unsent, "
            f"{self.dead} dead"
        )


def _megabytes(file: Path) -> float:
    return file.stat().st_size / 1e6 if file.exists() else 0.0


def measure(month: Month, *, closely: bool) -> Sizes:
    """closely: what our objects hold too, for which every object of the process is looked at."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    file = month.folder / "gendan.db"
    with reading(month) as db:
        waiting, unsent, dead, customers = (
            db.execute(query).fetchone()[0]
            for query in (
                "SELECT count(*) FROM inbox WHERE state = 'new'",
                "SELECT count(*) FROM outbox WHERE state = 'queued'",
                "SELECT (SELECT count(*) FROM outbox WHERE state = 'dead')"
                " + (SELECT count(*) FROM inbox WHERE state = 'dead')",
                "SELECT count(*) FROM accounts",
            )
        )
    return Sizes(
        rss=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        fds=len(os.listdir("/proc/self/fd")),
        tasks=len(asyncio.all_tasks()),
        threads=threading.active_count(),
        database=_megabytes(file),
        wal=_megabytes(file.with_name("gendan.db-wal")),
        files=sum(1 for one in (month.folder / "files").rglob("*") if one.is_file()),
        customers=customers,
        waiting=waiting,
        unsent=unsent,
        dead=dead,
        kept=kept() if closely else Counter(),
    )


def kept() -> Counter[str]:
    """How much stands in every container that an object of ours has, in every cache of a
    function of ours, and how many objects of each class of ours there are."""
    found: Counter[str] = Counter()
    for one in gc.get_objects():
        kind = type(one)
        if isinstance(one, functools._lru_cache_wrapper):
            if _is_ours(one.__module__):
                found[f"cache {one.__module__}.{one.__qualname__}"] += one.cache_info().currsize
        elif _is_ours(kind.__module__):
            name = f"{kind.__module__}.{kind.__qualname__}"
            found[name] += 1
            for attribute, value in _attributes(one):
                if isinstance(value, CONTAINERS) or hasattr(value, "popleft"):
                    found[f"{name}.{attribute}"] += len(value)
    return found


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.startswith(OURS) and NOT_OURS not in module


def _attributes(one: object) -> Iterator[tuple[str, Any]]:
    yield from getattr(one, "__dict__", {}).items()
    for kind in type(one).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            with contextlib.suppress(AttributeError):
                yield name, getattr(one, name)


def grown(before: Sizes, after: Sizes) -> list[str]:
    """What our objects hold more of, the most first."""
    more = after.kept - before.kept
    return [f"{name}: {before.kept[name]} -> {after.kept[name]}" for name, _ in more.most_common()]


@contextlib.contextmanager
def reading(month: Month) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(month.folder / "gendan.db")) as db:
        yield db


def unlike(month: Month, noise: Noise) -> dict[str, int]:
    """Where the platforms' books and ours do not tell the same, and how often."""
    with reading(month) as db:
        inbox = db.execute("SELECT channel, delivery_id, state FROM inbox").fetchall()
        outbox = db.execute("SELECT dedupe_key, address, state FROM outbox ORDER BY id").fetchall()
        acted = db.execute("SELECT source_id, count(*) FROM activities GROUP BY 1").fetchall()
        confirmed = db.execute("SELECT activity_id FROM drafts WHERE activity_id > 0").fetchall()
    states = [(_number(one), state) for channel, one, state in inbox]
    numbers = Counter(one for one, _ in states)
    taken = taken_by_bot(month)
    answers = [(row[1], _number_in(row[0])) for row in outbox]
    answered = {number for _, number in answers}
    return {
        "lost": len([one for one in taken if not numbers[one]]),
        "kept twice": sum(count > 1 for count in numbers.values()),
        "unhandled": sum(state == "new" for _, state in states),
        "unanswered": len([one for one in taken if one not in answered]),
        "out of order": _inversions(month, answers),
        "activities twice": sum(count > 1 for _, count in acted),
        "drafts of one activity": len(confirmed) - len(set(confirmed)),
        **shown(month, noise),
    }


def taken_by_bot(month: Month) -> list[str]:
    """What was said and the platforms saw taken, in that order."""
    from_ding = [
        one["about"].removeprefix("robot ")
        for one in month.world.attempts
        if one["about"].startswith("robot ") and not one["error"]
    ]
    said = month.words.said
    return [one for one in (*map(str, month.wecom.taken), *from_ding) if one in said]


def shown(month: Month, noise: Noise) -> dict[str, int]:
    """Messages that people see more often than we sent them, or less often. What was given up
    after a try may be there, and so a card of WeCom's that was sent anew instead of changed."""
    with reading(month) as db:
        rows = db.execute(_SENT).fetchall()
    sent = Counter({(platform, whom): count for platform, whom, count, _ in rows})
    maybe = Counter({(platform, whom): count for platform, whom, _, count in rows})
    more = month.world.told - sent - maybe
    repeated = sum(count for (platform, _), count in more.items() if platform == "dingtalk")
    return {
        "shown twice on WeCom": more.total() - repeated,
        "shown twice on DingTalk without a lost answer": max(0, repeated - noise.acted_anyway),
        "sent and never shown": (sent - month.world.told).total(),
        "dropped by a limit": month.world.counters.get("wecom:dropped", 0),
    }


_SENT = """
    SELECT platform, coalesce(chat_id, user_id),
           sum(kind NOT IN ('card_update', 'forecast_line') AND state = 'sent'),
           sum(state <> 'sent' AND attempts > 0
               OR kind = 'card_update' AND platform = 'wecom' AND handle <> '')
    FROM (SELECT *, json_extract(content, '$.type') AS kind FROM outbox) GROUP BY 1, 2
"""


def _number(delivery_id: str) -> str:
    """WeCom's numbers, or the whole id."""
    head = delivery_id.split(":", maxsplit=1)[0]
    return head if head.isdecimal() else delivery_id


def _number_in(key: str) -> str:
    """Which message an answer is to: "wecom:sales:app:<number>:user:…"."""
    parts = key.split(":")
    return parts[3] if len(parts) > 3 else ""


def _inversions(month: Month, answers: list[tuple[str, str]]) -> int:
    """Answers queued before one to an earlier word of the same speaker, where the platform had
    brought both in order."""
    at_once = {
        one["about"].removeprefix("robot ") for one in month.world.attempts if one["tries"] == 1
    }
    came = {
        one: place
        for place, one in enumerate(taken_by_bot(month))
        if one.isdecimal() or one in at_once
    }
    last: dict[tuple[str, str], tuple[int, int]] = {}
    found = 0
    for _, number in answers:
        if number not in came or number not in month.words.said:
            continue
        speaker, place = month.words.said[number]
        before, brought = last.get(speaker, (0, -1))
        if place < before and came[number] < brought:
            found += 1
        last[speaker] = max((before, brought), (place, came[number]))
    return found


async def verified(month: Month) -> list[str]:
    """What `gendan db verify` finds, files and audit chain included."""
    with _real_time():
        return await beside.verify(month.url, kept=FileFolder(month.folder / "files"))


async def rebuilt_otherwise(month: Month) -> list[str]:
    """Derived tables that are not the same when they are worked out anew from what happened."""
    before = _contents(month)
    office = month.bot.office
    await rebuilding.rebuild(
        month.bot.database.begin, office.libraries, office.calendar, month.clock.now()
    )
    after = _contents(month)
    return [name for name in DERIVED if before[name] != after[name]]


def _contents(month: Month) -> dict[str, list[Any]]:
    with reading(month) as db:
        found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in DERIVED}  # noqa: S608
    # A row that is written anew has another number.
    return {name: sorted(str(row[1:]) for row in rows) for name, rows in found.items()}


@contextlib.contextmanager
def _real_time() -> Iterator[None]:
    """Meanwhile somebody else's threads work."""
    loop: Any = asyncio.get_running_loop()
    loop.working += 1
    try:
        yield
    finally:
        loop.working -= 1
