"""`gendan setup`: the configuration, asked for question by question."""

from __future__ import annotations

import asyncio
import sys

import typer

from config import logs
from config import setup as setting_up
from config.commands.doctor import examine
from config.settings import Settings, config_path
from config.wiring.stores import database_url
from storage import admin


def set_up() -> None:
    """一问一答地写好配置，然后检查。"""
    logs.set_up("ERROR", human=sys.stderr.isatty())

    def check(settings: Settings) -> int:
        asyncio.run(admin.upgrade(database_url(settings)))
        return asyncio.run(examine(settings))

    raise typer.Exit(setting_up.run(config_path(), ask=_ask, say=typer.echo, check=check))


def _ask(question: str, *, secret: bool = False, default: str | None = None) -> str:
    shown = bool(default)
    return str(typer.prompt(question, default=default, hide_input=secret, show_default=shown))
