"""Every parser of what comes from outside, fed with broken and crossed pieces of good input.

    python -m benchmarks.fuzz                      # 10 million inputs, on all cores
    python -m benchmarks.fuzz --inputs 100000 --target wecom-message --seed 7

A parser may refuse, with the errors that it names; anything else is printed with its input, and
ends the run with 1. The same seed gives the same inputs. --progress names a file that tells, after
each round of all targets, how many inputs each has had; --keep a folder for whole finds.
`benchmarks/fuzzing` has the parsers."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.fuzzing.mutating import mutated
from benchmarks.fuzzing.targets import TARGETS, corpus

LIMIT_S = 5.0  # of processor time for one input
ROUND = 10  # inputs of a target with share 1

Job = tuple[str, int, int]
"""Target, seed, inputs."""


class TooLong(BaseException):
    """One input kept the parser for longer than LIMIT_S. No parser may catch it."""


def run(name: str, seed: int, inputs: int) -> Iterator[tuple[bytes, BaseException]]:
    """The inputs that a parser fell over, with what it raised."""
    target, dice = TARGETS[name], random.Random(f"{name}:{seed}")
    good = corpus(name)
    for _ in range(inputs):
        data = mutated(good, dice, target.form)
        error = trouble(name, data)
        if error is not None:
            yield data, error


def trouble(name: str, data: bytes) -> BaseException | None:
    """What one input does to a parser that is no refusal."""

    def ring(*_: object) -> None:
        raise TooLong

    target = TARGETS[name]
    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        target.parse(data)
    except target.refusals:
        return None
    except (Exception, TooLong) as error:  # noqa: BLE001 - whatever it is, it is a find
        return error
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return None


Find = tuple[str, bytes]
"""What was raised, and over which input."""


def _batch(job: Job) -> tuple[str, int, list[Find]]:
    logging.disable()  # doors tell of each delivery that they refuse
    name, seed, inputs = job
    found = [
        (f"{type(error).__name__}: {error!s:.200}", data) for data, error in run(name, seed, inputs)
    ]
    return name, inputs, found


def jobs(names: Sequence[str], inputs: int, seed: int) -> Iterator[Job]:
    """Rounds of all targets, each with its share, until there were so many inputs."""
    left, number = inputs, 0
    while left > 0:
        for name in names:
            count = min(left, ROUND * TARGETS[name].share)
            if count:
                yield name, seed * 1_000_000 + number, count
                left -= count
        number += 1


class _Tally:
    def __init__(self, names: Sequence[str], progress: Path | None, keep: Path | None) -> None:
        self._tried = dict.fromkeys(names, 0)
        self._broken = 0
        self._progress = progress
        self._keep = keep
        self._began = time.perf_counter()

    @property
    def broken(self) -> int:
        return self._broken

    def take(self, name: str, inputs: int, found: Sequence[Find]) -> None:
        self._tried[name] += inputs
        for said, data in found:
            self._broken += 1
            print(f"{name}: {said} <- {data!r:.300}", flush=True)
            if self._keep is not None:
                (self._keep / f"{name}-{self._broken}").write_bytes(data)
        if self._progress is not None and name == list(self._tried)[-1]:
            self._progress.write_text(self.words() + "\n", "utf-8")

    def words(self) -> str:
        took = time.perf_counter() - self._began
        lines = [f"{name:20} {inputs:>12,} inputs" for name, inputs in self._tried.items()]
        total = f"{sum(self._tried.values()):,} inputs in {took:.0f} s, {self._broken} fell over"
        return "\n".join([*lines, total])


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--inputs", type=int, default=10_000_000)
    asked.add_argument("--target", choices=sorted(TARGETS), action="append")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked.add_argument("--progress", type=Path)
    asked.add_argument("--keep", type=Path)
    given = asked.parse_args(arguments)
    names = given.target or sorted(TARGETS)
    tally = _Tally(names, given.progress, given.keep)
    work = jobs(names, given.inputs, given.seed)
    if given.processes == 1:
        for job in work:
            tally.take(*_batch(job))
    else:
        with multiprocessing.Pool(given.processes) as pool:
            for done in pool.imap_unordered(_batch, work):
                tally.take(*done)
    print(tally.words())
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
