"""`gendan doctor`: everything that is configured, tried and told line by line."""

from __future__ import annotations

import asyncio
import sys

import typer

from bot.clock import WallClock
from config import doctor, logs
from config.settings import Settings, load_configured
from config.wiring.examining import examined


def run_doctor() -> None:
    """逐项检查配置、凭证、权限、回调、时钟和存储；有问题时退出码为 1。"""
    settings = load_configured()
    logs.set_up("ERROR", human=sys.stderr.isatty())
    raise typer.Exit(asyncio.run(examine(settings)))


async def examine(settings: Settings) -> int:
    """Every check of the doctor, told; its exit code."""
    results = await examined(settings, ours=WallClock())
    for line in doctor.lines(results):
        typer.echo(line)
    return doctor.exit_code(results)
