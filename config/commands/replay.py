"""`gendan replay`: what came in, handled once more."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from bot.clock import WallClock
from config.commands.moments import read_moment
from config.policy import ConfigError
from config.settings import load_settings
from config.wiring.stores import database_url
from storage import beside


def replay(
    failed: Annotated[bool, typer.Option("--failed", help="所有失败的消息和没取到的附件")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=read_moment, metavar="ISO", help="这个时间起收到的，如 2026-11-03T08:00"
        ),
    ] = None,
    ids: Annotated[list[int] | None, typer.Option("--id", help="收件编号，可多次")] = None,
) -> None:
    """把收到过的消息重新处理一遍；运行中的机器人会在几秒内接手。"""
    if not failed and since is None and not ids:
        raise ConfigError("要重放哪些 (say what to replay): --failed、--since TIME 或 --id ID")

    url = database_url(load_settings())
    now = WallClock().now()
    done = asyncio.run(beside.replay(url, failed=failed, since=since, ids=ids or [], at=now))
    typer.echo(f"{done.count} 条已放回，等待重新处理或发送")
    if done.emptied:
        numbers = "、".join(map(str, done.emptied))
        typer.echo(f"{numbers} 的原文已经删除（过了保留天数，或按客户删除），不能重新处理")
