"""Where a process of a measurement may run: anywhere, on a core of its own, or on a slower one.

What shares a small machine with its client and its database cannot show by the clock whether two
of it do more than one. On machines of their own they could; such machines are what `slowed` stands
for: each process gets a share of a core, and all that is beside it has the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup/cpu")
"""Of Linux' control groups, version 1, where root may add some."""
PERIOD_US = 4_000
SHARE = 0.3
"""Of a core, for each of two processes that are compared with one."""
FIRST = 20 * 1024
"""Twenty times the weight of another process, so that it gets its share beside busy ones."""

Place = Callable[[int], AbstractContextManager[None]]
"""Keeps the process of this id there, and cleans up once that has ended."""


def anywhere(_pid: int) -> AbstractContextManager[None]:
    return nullcontext()


def pinned(core: int) -> Place:
    @contextmanager
    def there(pid: int) -> Iterator[None]:
        os.sched_setaffinity(pid, {core})
        yield

    return there


def can_slow() -> bool:
    return os.access(GROUPS / "cpu.cfs_quota_us", os.W_OK) and os.geteuid() == 0


def slowed(share: float) -> Place:
    """share: of one core's time, for all threads of the process together."""

    @contextmanager
    def there(pid: int) -> Iterator[None]:
        group = GROUPS / f"gendan_bench_{pid}"
        group.mkdir()
        try:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(round(share * PERIOD_US)))
            (group / "cpu.shares").write_text(str(FIRST))
            (group / "cgroup.procs").write_text(str(pid))
            yield
        finally:
            group.rmdir()

    return there


def two() -> tuple[str, list[Place]]:
    """Places for two processes that are compared with one of them, and what to call such a place:
    slow cores of their own; where there are none, the two cores that all else is on as well."""
    if can_slow():
        return f"with {SHARE:.0%} of a core", [slowed(SHARE)] * 2
    print("   cores cannot be slowed here, which takes root and control groups", flush=True)
    cores = sorted(os.sched_getaffinity(0))
    return "pinned", [pinned(cores[0]), pinned(cores[-1])]
