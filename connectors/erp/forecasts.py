"""How a forecast line comes to stand in an ERP once, and as we want it, whichever ERP.

First it is looked for by our key, so what was written by a call whose answer was lost is found
and not written again. Last it is read back, because an ERP may round, default or ignore.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.domain.erp_forecasts import ForecastFacts, Step, changed_facts, next_step
from bot.errors import Rejected, TransientError, Unavailable
from bot.messages import ForecastLine, Receipt
from bot.ports import CONFLICT


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as it stands in the ERP. id, number: the ERP's own. status: of the document, as the
    ERP calls it."""

    id: str
    number: str
    key: str
    facts: ForecastFacts
    status: str


class Ledger(Protocol):
    """Where one ERP keeps the lines. Every method raises BotError."""

    @property
    def name(self) -> str: ...

    @property
    def keeps(self) -> frozenset[str]:
        """The facts it has a field for."""
        ...

    async def find(self, key: str) -> Sequence[Entry]: ...

    async def all(self) -> Sequence[Entry]:
        """Every line with a key of ours."""
        ...

    async def create(self, key: str, facts: ForecastFacts) -> None: ...

    async def change(self, entry: Entry, facts: ForecastFacts) -> None: ...

    async def settle(self, entry: Entry) -> None:
        """Submit it, or whatever has to follow saving, where that is not done yet."""
        ...


class ForecastWriter:
    """Writes and reads our lines of forecast in one ERP; a `bot.ports.ErpForecasts`. One line at a
    time: an ERP has no lock for a key of ours."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._turn = asyncio.Lock()
        self._failures = 0

    @property
    def name(self) -> str:
        return self._ledger.name

    async def write(self, line: ForecastLine) -> Receipt:
        """See the port. Who waited for a turn while the ERP went away is not made to find that
        out by another time limit."""
        before = self._failures
        async with self._turn:
            if self._failures != before:
                raise Unavailable(f"{self.name}: away, as another line has found")
            try:
                return await self._write(line)
            except TransientError:
                self._failures += 1
                raise

    async def _write(self, line: ForecastLine) -> Receipt:
        entry = await self._one(line.key)
        held = None if entry is None else entry.facts
        wanted = self.kept(line.facts)
        step = next_step(
            wanted,
            held,
            ours={self.kept(facts) for facts in line.ours},
            stood=line.stood,
            overwrite=line.overwrite,
        )
        if step is Step.CONFLICT:
            raise Rejected(f"{CONFLICT}: {_in_words(held, wanted)}")
        if step is Step.CREATE:
            await self._ledger.create(line.key, line.facts)
        elif step is Step.CHANGE and entry is not None:
            await self._ledger.change(entry, line.facts)
        if step is not Step.NOTHING:
            entry = await self._one(line.key)
            self._compare(line.key, wanted, entry)
        if entry is None:
            return Receipt()
        await self._ledger.settle(entry)
        return Receipt(handle=entry.number)

    async def held(self) -> Mapping[str, ForecastFacts]:
        """See the port."""
        return {entry.key: self.kept(entry.facts) for entry in await self._ledger.all()}

    def kept(self, facts: ForecastFacts) -> ForecastFacts:
        """See the port."""
        keeps = self._ledger.keeps
        return replace(
            facts,
            level=facts.level if "level" in keeps else "",
            evidence=facts.evidence if "evidence" in keeps else "",
            opportunity=facts.opportunity if "opportunity" in keeps else "",
        )

    async def _one(self, key: str) -> Entry | None:
        found = await self._ledger.find(key)
        if len(found) > 1:
            numbers = ", ".join(entry.number for entry in found)
            raise Rejected(f"{self.name}: {key} stands there {len(found)} times: {numbers}")
        return replace(found[0], facts=self.kept(found[0].facts)) if found else None

    def _compare(self, key: str, wanted: ForecastFacts, entry: Entry | None) -> None:
        if entry is None:
            raise Rejected(f"{self.name}: {key} was taken, and is not there")
        if entry.facts != wanted:
            differs = _in_words(entry.facts, wanted)
            raise Rejected(f"{self.name}: {key} was taken, and reads back as {differs}")


def _in_words(held: ForecastFacts | None, wanted: ForecastFacts) -> str:
    """amount_fen=100; level=x: as held, where it differs. "removed" where nothing is held."""
    if held is None:
        return "removed"
    return "; ".join(f"{name}={value}" for name, value in changed_facts(held, wanted).items())
