"""`gendan serve`, and what plain `gendan` does."""

from __future__ import annotations

import asyncio

import typer

from config import logs
from config.commands.sandbox import sandbox
from config.settings import load_configured, load_settings
from config.wiring.serving import serve_for_ever, traced


def start(context: typer.Context) -> None:
    """没有命令时：配置了平台就启动服务，否则启动沙盒。"""
    if context.invoked_subcommand is None:
        if load_settings().configured:
            serve()
        else:
            sandbox()


def serve() -> None:
    """启动机器人，连接已配置的平台。"""
    settings = load_configured()
    logs.set_up(settings.log_level)
    with traced(settings):
        asyncio.run(serve_for_ever(settings))
