"""How much a team needs, and what breaks first as it grows. Pure: numbers in, numbers out.

Every figure below was measured by a benchmark or is told by a platform, and says where; what is an
assumption about the team is an argument, what is one about the operation says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

_ROWS = "`benchmarks/row_sizes.py`"
_COSTS = "`benchmarks/end_to_end.py`"


@dataclass(frozen=True, slots=True)
class Table:
    """rows: for each message, or for each customer. Bytes of a row with its share of indexes, on
    PostgreSQL packed."""

    rows: float
    sqlite_bytes: int
    postgres_bytes: int


# `python -m benchmarks row_sizes`, 2026-11-26: sentences that reps say and confirm. Contacts are
# those whom a customer's first sentence names.
OF_A_MESSAGE: Mapping[str, Table] = {
    "inbox": Table(1.0, 492, 520),
    "outbox": Table(1.5, 814, 806),
    "drafts": Table(0.5, 649, 758),
    "activities": Table(0.5, 532, 614),
    "audit": Table(0.5, 436, 467),
    "cards": Table(0.5, 123, 143),
}
OF_A_CUSTOMER: Mapping[str, Table] = {
    "accounts": Table(1.0, 142, 204),
    "opportunities": Table(1.0, 247, 262),
    "contacts": Table(1.0, 53, 172),
}
ENVELOPE_BYTES = 297
SQLITE_MS, POSTGRES_MS, SERVER_MS = 2.17, 3.11, 2.58
"""Processor time of a message: of the bot on SQLite and on PostgreSQL, and of PostgreSQL itself.
`python -m benchmarks end_to_end`, docs/benchmarks.md."""
NAME_BYTES = 1072
"""Of a customer, in the memory of each process."""

SLACK = 1.4
"""PostgreSQL's pages beside packed ones: a fifth of the rows may be dead before vacuum comes
(autovacuum_vacuum_scale_factor), and pages of indexes are about two thirds full."""
CONNECTIONS = 41
"""Of each process, on a machine of eight cores or more: docs/scaling.md."""
SWEEP_S, FORECAST_S = 1.65, 33.4
"""On PostgreSQL, for 1,000,000 open deals: docs/benchmarks.md."""
MOST_IN_SQLITE = 100e9
"""Assumed: what one still copies and restores as one file."""
BUSY = 0.6
"""Assumed: the share of a core that may be used at the busiest moment, so that nobody waits."""


@dataclass(frozen=True, slots=True)
class Team:
    """messages_per_day: of each of them. customers: of all together. busiest_hour: its share of a
    day. burst: how much more its busiest seconds have. file_share: of messages with a file, of
    file_kb each."""

    people: int
    messages_per_day: float = 20.0
    customers: int = 0
    retention_days: int = 365
    busiest_hour: float = 0.25
    burst: float = 2.0
    file_share: float = 0.05
    file_kb: float = 60.0

    @property
    def per_hour(self) -> float:
        """Messages in the busiest hour."""
        return self.people * self.messages_per_day * self.busiest_hour

    @property
    def per_s(self) -> float:
        """In its busiest seconds."""
        return self.per_hour / 3600 * self.burst

    @property
    def kept(self) -> float:
        """Messages that are there at the same time."""
        return self.people * self.messages_per_day * self.retention_days


@dataclass(frozen=True, slots=True)
class Stored:
    table: str
    rows: int
    sqlite_bytes: int
    postgres_bytes: int


@dataclass(frozen=True, slots=True)
class Limit:
    """Where it is reached, in people of a team that is like the given one in everything else."""

    what: str
    people: int
    remedy: str
    source: str


@dataclass(frozen=True, slots=True)
class Plan:
    """bot_cores, database_cores: at the busiest moment, with room. processes: 1 means SQLite does.
    queue_bytes: what an hour's outage piles up. names_bytes: in the memory of each process."""

    team: Team
    messages_per_s: float
    stored: tuple[Stored, ...]
    sqlite_bytes: int
    postgres_bytes: int
    file_bytes: int
    queue_bytes: int
    bot_cores: float
    database_cores: float
    processes: int
    connections: int
    names_bytes: int
    limits: tuple[Limit, ...]

    @property
    def fits_sqlite(self) -> bool:
        return self.processes == 1

    @property
    def database_bytes(self) -> int:
        return self.sqlite_bytes if self.fits_sqlite else self.postgres_bytes

    def bytes_of(self, one: Stored) -> int:
        return one.sqlite_bytes if self.fits_sqlite else one.postgres_bytes

    @property
    def broken(self) -> tuple[Limit, ...]:
        """What such a team is beyond."""
        return tuple(one for one in self.limits if one.people < self.team.people)

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self) | {"broken": [one.what for one in self.broken]}


def plan(team: Team) -> Plan:
    """Raises ValueError for a team that cannot be."""
    _refuse(team)
    stored = tuple(_stored(team))
    bot_cores, server_cores = _cores(team.per_s, POSTGRES_MS), _cores(team.per_s, SERVER_MS)
    file_bytes = sum(one.sqlite_bytes for one in stored)
    fits_one = _cores(team.per_s, SQLITE_MS) <= 1 and file_bytes <= MOST_IN_SQLITE
    processes = 1 if fits_one else max(2, math.ceil(bot_cores))
    return Plan(
        team=team,
        messages_per_s=team.per_s,
        stored=stored,
        sqlite_bytes=file_bytes,
        postgres_bytes=sum(one.postgres_bytes for one in stored),
        file_bytes=round(team.kept * team.file_share * team.file_kb * 1024),
        queue_bytes=round(team.per_hour * ENVELOPE_BYTES),
        bot_cores=_cores(team.per_s, SQLITE_MS) if fits_one else bot_cores,
        database_cores=0.0 if fits_one else server_cores,
        processes=processes,
        connections=0 if fits_one else processes * CONNECTIONS,
        names_bytes=team.customers * NAME_BYTES,
        limits=limits(team),
    )


def limits(team: Team) -> tuple[Limit, ...]:
    """What breaks, the first first."""
    found = [
        Limit(what, _people(team, load, most), remedy, source)
        for what, load, most, remedy, source in _limits(team)
        if load > 0
    ]
    return tuple(sorted(found, key=lambda one: one.people))


def _refuse(team: Team) -> None:
    if team.people < 1 or team.retention_days < 1:
        raise ValueError("at least one person and one day")
    if team.customers < 0 or team.messages_per_day < 0 or team.file_kb < 0:
        raise ValueError("less than none")
    if not (0 <= team.file_share <= 1 and 1 / 24 <= team.busiest_hour <= 1 and team.burst >= 1):
        raise ValueError("shares are between 0 and 1; the busiest hour has at least its 24th")


def _stored(team: Team) -> Iterator[Stored]:
    for count, tables in ((team.kept, OF_A_MESSAGE), (team.customers, OF_A_CUSTOMER)):
        for name, one in tables.items():
            rows = count * one.rows
            yield Stored(
                name,
                round(rows),
                round(rows * one.sqlite_bytes),
                round(rows * one.postgres_bytes * SLACK),
            )


def _cores(per_s: float, ms: float) -> float:
    return per_s * ms / 1000 / BUSY


def _people(team: Team, load: float, most: float) -> int:
    """Every load grows with the people, so this is where it is `most`."""
    return math.floor(min(team.people * most / load, FAR))


_Load = tuple[str, float, float, str, str]
"""What, how much of it now, how much there may be, what is done then, who says so."""


def _limits(team: Team) -> Iterator[_Load]:
    yield from _of_databases(team)
    yield from _of_platforms(team)
    yield from _of_processes(team)


def _of_databases(team: Team) -> Iterator[_Load]:
    largest = max(one.rows * one.postgres_bytes for one in OF_A_MESSAGE.values())
    yield (
        "one process on SQLite", _cores(team.per_s, SQLITE_MS), 1,
        "PostgreSQL and a process for each core (docs/scaling.md)", _COSTS,
    )  # fmt: skip
    yield (
        "100 GB in one SQLite file", sum(one.sqlite_bytes for one in _stored(team)), MOST_IN_SQLITE,
        "PostgreSQL", f"{_ROWS}; assumed: backup and restore of one file take too long",
    )  # fmt: skip
    yield (
        "max_connections = 100", _cores(team.per_s, POSTGRES_MS) * CONNECTIONS, 97,
        f"raise it: {CONNECTIONS} for each process", "PostgreSQL's default; docs/scaling.md",
    )  # fmt: skip
    yield (
        "500 GB in one table", team.kept * largest * SLACK, 500e9,
        "partitions by month, of which old ones are dropped",
        f"{_ROWS}; assumed: more takes vacuum and restore too long",
    )  # fmt: skip
    yield (
        "one PostgreSQL of 64 cores", _cores(team.per_s, SERVER_MS), 64,
        "several installations, each for some of the companies or regions: no message needs two",
        f"{_COSTS}; assumed: the largest machine that one rents",
    )  # fmt: skip


def _of_platforms(team: Team) -> Iterator[_Load]:
    yield (
        "WeCom: 150,000 calls of an API an hour", team.per_hour * answers(), 150_000,
        "several companies of the platform, each with an application of its own; fewer answers",
        "WeCom's documentation, 90312",
    )  # fmt: skip
    yield (
        "DingTalk: 60 calls of an API a second", team.per_s * answers(), 60,
        "answers by session webhook, which cost no call; several companies",
        "DingTalk's billing model, with its largest package",
    )  # fmt: skip


def _of_processes(team: Team) -> Iterator[_Load]:
    deals = team.customers / 1_000_000
    yield (
        "32 partitions of conversations", _cores(team.per_s, POSTGRES_MS), 32,
        "more of them (bot/domain/sharing.py); more than 32 processes have nothing to do else",
        "docs/scaling.md",
    )  # fmt: skip
    yield (
        "the night's forecast in 90 s", deals * FORECAST_S, 90,
        "share out the home's jobs by team", "docs/benchmarks.md",
    )  # fmt: skip
    yield (
        "a round of lights in 30 s", deals * SWEEP_S, 30,
        "share out the home's jobs by team", "docs/benchmarks.md; 1 % of the deals are due at once",
    )  # fmt: skip
    yield (
        "1 GiB of customers' names in each process", team.customers * NAME_BYTES, 1024**3,
        "keep them in the database (an index of trigrams), or teams in installations of their own",
        _ROWS,
    )  # fmt: skip


def answers() -> float:
    """Messages out for each one in."""
    return OF_A_MESSAGE["outbox"].rows


FAR = 10**15
"""People. Nobody is so many."""
LADDER = (100, 1_000, 10_000, 1_000_000, 10_000_000)


def ladder(team: Team, steps: Sequence[int] = LADDER) -> list[Plan]:
    """The same team in other sizes, with as many customers for each of its people."""
    each = team.customers / team.people
    return [plan(replace(team, people=people, customers=round(people * each))) for people in steps]


def table(plans: Sequence[Plan]) -> str:
    """Markdown: a row for each."""
    head = (
        "people", "customers", "messages/s", "processes", "cores", "cores of PostgreSQL",
        "connections", "tables", "files", "an hour's queue", "limits reached",
    )  # fmt: skip
    return _markdown(head, map(_row, plans))


def table_of_limits(one: Plan) -> str:
    """Markdown: a row for each, the first first."""
    head = ("people", "what is reached", "what is done then", "by")
    return _markdown(
        head, ((f"{each.people:,}", each.what, each.remedy, each.source) for each in one.limits)
    )


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def _row(one: Plan) -> tuple[str, ...]:
    return (
        f"{one.team.people:,}", f"{one.team.customers:,}", f"{one.messages_per_s:,.1f}",
        f"{one.processes:,}", f"{one.bot_cores:,.1f}", f"{one.database_cores:,.1f}",
        f"{one.connections:,}", told_bytes(one.database_bytes), told_bytes(one.file_bytes),
        told_bytes(one.queue_bytes), f"{len(one.broken)} of {len(one.limits)}",
    )  # fmt: skip


def report(found: Plan) -> str:
    """For a terminal."""
    kind = "SQLite" if found.fits_sqlite else "PostgreSQL"
    lines = [
        f"{found.messages_per_s:,.1f} messages/s in the busiest seconds",
        f"{found.processes:,} process(es) on {kind}, {found.bot_cores:,.1f} cores;"
        f" PostgreSQL {found.database_cores:,.1f} cores, {found.connections:,} connections",
        f"{told_bytes(found.names_bytes)} of customers' names in each process",
        f"{told_bytes(found.queue_bytes)} of messages wait after an hour's outage",
        f"{told_bytes(found.file_bytes)} of files, {told_bytes(found.database_bytes)} in tables:",
    ]
    for one in sorted(found.stored, key=found.bytes_of, reverse=True):
        size = found.bytes_of(one)
        share = size / found.database_bytes if found.database_bytes else 0.0
        lines.append(f"  {one.table:14} {one.rows:>18,} rows {told_bytes(size):>10} {share:>4.0%}")
    lines.append("what is reached first, as such a team grows:")
    for limit in found.limits:
        mark = "!" if limit in found.broken else " "
        lines.append(f"{mark} {limit.people:>13,} people: {limit.what} -> {limit.remedy}")
    return "\n".join(lines)


def told_bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
