"""Receipts out of files that were dropped into a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import Rejected, Unavailable
from connectors.erp.csv_folder import CsvFolder

NOW = datetime(2026, 1, 28, tzinfo=UTC)
HEAD = "number,line,contract,amount,currency,received_on,payer\n"


async def test_every_csv_file_is_read_and_nothing_else(tmp_path: Path) -> None:
    first = f"\ufeff{HEAD}SK1,1,HT-1,105000.00,CNY,2026-01-28,恒锐机电\n"
    (tmp_path / "a.csv").write_text(first, encoding="utf-8")
    (tmp_path / "b.csv").write_text(f"{HEAD}SK2,1,HT-1,-5000,CNY,2026-01-29,\n")
    (tmp_path / "c.csv.part").write_text("half a fi")
    found = await CsvFolder("books", tmp_path).receipts(NOW)
    assert [(one.number, one.amount_fen) for one in found] == [
        ("SK1", 10_500_000),
        ("SK2", -500_000),
    ]


async def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f"{HEAD}SK1,1,HT-1,1,CNY,2026-01-28,\nSK2,1,,x,CNY,2026-01-28,\n"
    )
    with pytest.raises(Rejected, match=r"a\.csv: line 2: amount"):
        await CsvFolder("books", tmp_path).receipts(NOW)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"", b"number,amount\n1,2\n"])
async def test_what_is_no_such_table_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(Rejected, match=r"a\.csv"):
        await CsvFolder("books", tmp_path).check()


async def test_a_folder_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no folder"):
        await CsvFolder("books", tmp_path / "gone").check()


async def test_customers_and_orders_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    folder = CsvFolder("books", tmp_path)
    assert (await folder.orders(NOW)).rows == ()
    for name in ("customers", "orders"):
        (tmp_path / name).mkdir()
    (tmp_path / "customers" / "a.csv").write_text(
        "code,name,phone\nK1,恒锐机电,\n,没有编码,\n", encoding="utf-8"
    )
    head = "number,customer,customer_name,amount,line_amount,currency,ordered_on,status\n"
    row = "D1,K1,恒锐机电,300,{},CNY,2026-01-28,closed\n"
    rows = row.format(100) + row.format(200)
    (tmp_path / "orders" / "a.csv").write_text(head + rows, encoding="utf-8")
    told = await folder.customers(NOW)
    assert [one.code for one in told.rows] == ["K1"]
    assert "code and name" in told.unread[0].reason
    [order] = (await folder.orders(NOW)).rows
    assert (order.amount_fen, order.lines_fen, order.line_count) == (30_000, 30_000, 2)
