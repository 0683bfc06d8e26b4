"""`gendan sandbox`: the bot beside emulated platforms."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from config import logs
from config.settings import load_engines
from config.wiring import sandbox as running
from connectors.web import server

DingtalkMode = Literal["http", "stream"]
AibotMode = Literal["http", "websocket"]


def sandbox(
    *,
    host: Annotated[str, typer.Option(help="监听地址")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="监听端口，0 为任意空闲端口")] = 8080,
    data: Annotated[Path | None, typer.Option(help="数据目录；不给则每次全新")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="不带演示客户")] = False,
    policy: Annotated[Path | None, typer.Option(help="试用自己的 policy.toml")] = None,
    dingtalk_mode: Annotated[DingtalkMode, typer.Option(help="钉钉怎么把消息送来")] = "http",
    aibot_mode: Annotated[AibotMode, typer.Option(help="智能机器人怎么把消息送来")] = "http",
) -> None:
    """启动沙盒：两个平台都是模拟的，打开网页就能试。"""
    logs.set_up("WARNING", human=sys.stderr.isatty())

    async def until_stopped(folder: Path) -> None:
        async with running.sandbox(
            host, port, folder, empty=empty, policy=policy, engines=load_engines(),
            dingtalk_mode=dingtalk_mode, aibot_mode=aibot_mode,
        ) as base_url:  # fmt: skip
            typer.echo(f"跟单沙盒已启动：{base_url}/sandbox （Ctrl+C 结束）")
            await server.until_stopped()

    with contextlib.ExitStack() as fresh:
        folder = data or Path(fresh.enter_context(tempfile.TemporaryDirectory(prefix="gendan-")))
        asyncio.run(until_stopped(folder))
