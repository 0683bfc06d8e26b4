"""An ERP as CSV files that somebody drops into a folder: every one is read each time.

Receipts lie in the folder itself, customers and orders in its folders `customers` and `orders`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bot.domain.erp import ErpAnswer, ErpCustomer, ErpOrder
from bot.domain.receivables import Receipt
from bot.errors import Rejected, Unavailable
from connectors.erp.told import read_csv, read_customers_csv, read_orders_csv

MOST_BYTES = 16 * 1024 * 1024

Made = TypeVar("Made")


class CsvFolder:
    """`bot.ports.Erp`, `ErpCustomers` and `ErpOrders`."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder

    @property
    def name(self) -> str:
        return self._name

    async def receipts(self, since: datetime) -> Sequence[Receipt]:
        """All lines of all files, whenever they were written: each counts once anyway. Raises
        Unavailable without the folder, Rejected for a file that cannot be read."""
        read = await asyncio.to_thread(self._read, self._folder, read_csv)
        return [line for lines in read for line in lines]

    async def customers(self, since: datetime) -> ErpAnswer[ErpCustomer]:
        """As `receipts`, out of the folder `customers`; nothing where there is none."""
        return await self._told("customers", read_customers_csv)

    async def orders(self, since: datetime) -> ErpAnswer[ErpOrder]:
        """As `receipts`, out of the folder `orders`; nothing where there is none."""
        return await self._told("orders", read_orders_csv)

    async def check(self) -> None:
        """For the doctor. Raises BotError."""
        await asyncio.to_thread(self._read, self._folder, read_csv)

    async def _told(self, name: str, read: Callable[[str], ErpAnswer[Made]]) -> ErpAnswer[Made]:
        folder = self._folder / name
        if not await asyncio.to_thread(folder.is_dir):
            return ErpAnswer(())
        files = await asyncio.to_thread(self._read, folder, read)
        return ErpAnswer(
            tuple(row for told in files for row in told.rows),
            tuple(unread for told in files for unread in told.unread),
        )

    def _read(self, folder: Path, read: Callable[[str], Made]) -> list[Made]:
        if not folder.is_dir():
            raise Unavailable(f"erp:{self._name}: no folder {folder}")
        found: list[Made] = []
        for file in sorted(folder.glob("*.csv")):
            try:
                if file.stat().st_size > MOST_BYTES:
                    raise ValueError(f"larger than {MOST_BYTES} bytes")
                found.append(read(file.read_text(encoding="utf-8-sig")))
            except (OSError, ValueError) as error:
                raise Rejected(f"erp:{self._name}: {file.name}: {error}") from None
        return found
