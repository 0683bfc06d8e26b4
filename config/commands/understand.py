"""`gendan understand`: what the bot reads in messages, without a bot."""

from __future__ import annotations

import io
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.clock import WallClock
from config.commands.moments import read_moment
from config.policy import ConfigError
from config.rules import load_rules
from config.settings import load_settings
from handlers.understanding import command as understanding


def understand(
    now: Annotated[
        datetime | None,
        typer.Option(parser=read_moment, metavar="ISO", help="当作说话时间，不给就是现在"),
    ] = None,
    customers: Annotated[Path | None, typer.Option(help="客户名单，一行一个")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="说明每一项来自哪些字")] = False,
) -> None:
    """读懂一批消息：标准输入一行一个 JSON，标准输出一行一个结果。"""
    calendar = load_rules(load_settings()).calendar
    names = _lines_of(customers) if customers else []
    at = now or WallClock().now().astimezone(calendar.zone)
    said = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    for line in understanding.run(said, at, names, calendar=calendar, explain=explain):
        sys.stdout.buffer.write(line.encode() + b"\n")
        sys.stdout.buffer.flush()


def _lines_of(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"{file}：不是 UTF-8 文字 (not UTF-8)") from None
