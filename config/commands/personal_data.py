"""`gendan export-…` and `gendan erase-…`: the data of a customer, of one of its people, or of one
of ours, out and gone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.clock import WallClock
from config.settings import load_settings
from config.wiring.stores import database_url, kept_files
from handlers.customers import personal_data
from handlers.customers.personal_data import Asked

File = Annotated[Path, typer.Argument(metavar="FILE", help="写到哪个文件")]
Customer = Annotated[int, typer.Argument(metavar="ID", help="客户编号")]
Contact = Annotated[
    str, typer.Argument(metavar="WHO", help="联系人的全名、手机号、邮箱或平台上的编号")
]
Person = Annotated[
    str, typer.Argument(metavar="WHO", help="员工的编号、全名、手机号，或 wecom:账号")
]


def export_customer(customer: Customer, file: File) -> None:
    """导出一家客户的全部数据：.zip 带上文件原件，其他后缀只写 JSON。"""
    _export(personal_data.of_customer(customer), file)


def erase_customer(customer: Customer) -> None:
    """删除一家客户的个人信息，并打印删除证明（JSON）；合同、回款和提成依据保留，不含个人信息。"""
    _erase(personal_data.of_customer(customer))


def export_contact(customer: Customer, who: Contact, file: File) -> None:
    """导出客户的一位联系人的全部数据：.zip 带上文件原件，其他后缀只写 JSON。"""
    _export(personal_data.of_contact(customer, who), file)


def erase_contact(customer: Customer, who: Contact) -> None:
    """删除客户的一位联系人，并打印删除证明（JSON）；客户和商机不动。"""
    _erase(personal_data.of_contact(customer, who))


def export_person(who: Person, file: File) -> None:
    """导出一位员工的全部数据，在职的也行：.zip 带上文件原件，其他后缀只写 JSON。"""
    _export(personal_data.of_person(who), file)


def erase_person(who: Person) -> None:
    """删除一位已离职员工的个人信息，并打印删除证明（JSON）；工资和合同的依据保留，姓名换成代号。"""
    _erase(personal_data.of_person(who))


def _export(asked: Asked, file: Path) -> None:
    settings = load_settings()
    url, files = database_url(settings), kept_files(settings)
    asyncio.run(personal_data.export(url, files, asked, file, at=WallClock().now()))


def _erase(asked: Asked) -> None:
    settings = load_settings()
    url, files = database_url(settings), kept_files(settings)
    typer.echo(asyncio.run(personal_data.erase(url, files, asked, at=WallClock().now())))
