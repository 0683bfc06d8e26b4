"""`gendan export-customer` and `gendan erase-customer`: one customer's data, out and gone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.clock import WallClock
from config.settings import load_settings
from config.wiring.stores import database_url, kept_files
from handlers.customers import personal_data


def export_customer(
    customer: Annotated[int, typer.Argument(metavar="ID", help="客户编号")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="写到哪个文件")],
) -> None:
    """导出一家客户的全部数据：.zip 带上文件原件，其他后缀只写 JSON。"""
    settings = load_settings()
    url, files = database_url(settings), kept_files(settings)
    asyncio.run(personal_data.export(url, files, customer, file, at=WallClock().now()))


def erase_customer(
    customer: Annotated[int, typer.Argument(metavar="ID", help="客户编号")],
) -> None:
    """删除一家客户的个人信息，并打印删除证明（JSON）；合同、回款和提成依据保留，不含个人信息。"""
    settings = load_settings()
    url, files = database_url(settings), kept_files(settings)
    typer.echo(asyncio.run(personal_data.erase(url, files, customer, at=WallClock().now())))
