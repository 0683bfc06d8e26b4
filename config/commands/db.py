"""`gendan db …`: the database upgraded, backed up, restored, moved, verified."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.clock import WallClock
from config.library import read_upload
from config.rules import load_rules
from config.settings import load_settings
from config.wiring.stores import database_url, kept_files
from handlers.deals import rebuilding
from handlers.libraries.libraries import LibraryShelf
from storage import admin, beside, move, restoring, sealing

app = typer.Typer(help="数据库：升级、备份、恢复、校验、搬家、重算")

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="备份文件")]
KeyFile = Annotated[Path | None, typer.Option(help="存着密钥的文件（加密的备份）")]


@app.command()
def upgrade() -> None:
    """把数据库升级到当前版本。"""
    asyncio.run(admin.upgrade(database_url(load_settings())))


@app.command()
def backup(file: BackupFile, key_file: KeyFile = None) -> None:
    """在线备份到文件；给了密钥文件就加密。"""
    key = sealing.read_key(key_file) if key_file else ""
    asyncio.run(admin.backup(database_url(load_settings()), file, key=key))


@app.command()
def restore(file: BackupFile, key_file: KeyFile = None) -> None:
    """把备份恢复到还不存在（PostgreSQL：还是空的）的数据库，再升级、校验；从不覆盖。"""
    url = database_url(load_settings())
    key = sealing.read_key(key_file) if key_file else ""
    rows = asyncio.run(restoring.restore(url, file, key=key))
    asyncio.run(admin.upgrade(url))
    typer.echo(f"恢复了 {rows} 行；文件放回以后请再运行 gendan db verify")
    _tell(asyncio.run(beside.verify(url)))


@app.command("rebuild-figures")
def rebuild_figures() -> None:
    """从阶段事件重算漏斗、停留和转化；机器人运行时也可以。"""
    settings = load_settings()
    rules = load_rules(settings)
    libraries = LibraryShelf(rules.libraries, rules.policy.actions_library)

    async def run() -> int:
        async with beside.opened(database_url(settings)) as database:
            async with database.read() as tx:
                await libraries.load(tx, read_upload)
            now = WallClock().now()
            return await rebuilding.rebuild(database.begin, libraries, rules.calendar, now)

    typer.echo(f"重算完成：{asyncio.run(run())} 条阶段事件")


@app.command("move")
def move_over(
    source: Annotated[str, typer.Option("--from", help="搬出的数据库，sqlite:///文件")],
    target: Annotated[
        str, typer.Option("--to", help="搬进的数据库，要是空的，postgresql://用户:密码@主机/库")
    ],
) -> None:
    """把数据从 SQLite 搬到 PostgreSQL，逐表比对行数和审计链；中断了再运行一次就接着搬。"""
    moved = asyncio.run(move.move(source, target))
    typer.echo(
        f"搬完了：{moved.tables} 张表 {moved.rows} 行，审计链 {moved.entries} 条，两边一致。"
        "把 storage.url 改成新的地址就可以启动了。"
    )


def _read_head(told: str) -> tuple[int, str]:
    """Raises BadParameter."""
    match = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", told.strip().lower())
    if match is None:
        raise typer.BadParameter("要写成 条数:64位校验值，照抄群里每天那条")
    return int(match[1]), match[2]


@app.command()
def verify(
    head: Annotated[
        str, typer.Option(metavar="条数:校验值", help="以前记下的审计链校验值，一起核对")
    ] = "",
) -> None:
    """校验完整性和审计链；有问题时退出码为 1。"""
    noted = _read_head(head) if head else None
    settings = load_settings()
    url = database_url(settings)
    _tell(asyncio.run(beside.verify(url, kept=kept_files(settings), head=noted)))


def _tell(findings: Sequence[str]) -> None:
    """What is wrong with the database; exit code 1 if anything is."""
    for finding in findings:
        typer.echo(finding)
    if findings:
        raise typer.Exit(1)
    typer.echo("没有发现问题")
