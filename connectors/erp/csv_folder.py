"""Receipts as CSV files that somebody drops into a folder: every one is read each time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot.domain.receivables import Receipt
from bot.errors import Rejected, Unavailable
from connectors.erp.notices import read_csv

MOST_BYTES = 16 * 1024 * 1024


class CsvFolder:
    """`bot.ports.Erp`."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder

    @property
    def name(self) -> str:
        return self._name

    async def receipts(self, since: datetime) -> Sequence[Receipt]:
        """All lines of all files, whenever they were written: each counts once anyway. Raises
        Unavailable without the folder, Rejected for a file that cannot be read."""
        return await asyncio.to_thread(self._read)

    async def check(self) -> None:
        """For the doctor. Raises BotError."""
        await asyncio.to_thread(self._read)

    def _read(self) -> list[Receipt]:
        if not self._folder.is_dir():
            raise Unavailable(f"erp:{self._name}: no folder {self._folder}")
        found: list[Receipt] = []
        for file in sorted(self._folder.glob("*.csv")):
            try:
                if file.stat().st_size > MOST_BYTES:
                    raise ValueError(f"larger than {MOST_BYTES} bytes")
                found += read_csv(file.read_text(encoding="utf-8-sig"))
            except (OSError, ValueError) as error:
                raise Rejected(f"erp:{self._name}: {file.name}: {error}") from None
        return found
