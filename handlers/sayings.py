"""Everyday questions that stand for a typed command: «哪些单子快黄了» is «我的灯»."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

LONGEST = 32
"""Characters: what is longer tells a story, or asks something of its own."""

_BEFORE = (
    r"(?:(?:你好|您好|请|麻烦|劳驾|帮我|帮忙|给我|我想|想|问一?下|顺便|那|那个|你?说说|话说|请问|查一?下|看看|看一?下)"
    r"[，, ]*)*"
)
_BEHIND = r"(?:一下|下|看看|呗|吧|啊|呀|呢|吗|嘛|么|哦|哈|了|的|来着|[?？!！。，,~～…\s])*"


def command_for(text: str) -> str | None:
    """The command that somebody could have typed instead."""
    text = text.strip()
    if len(text) > LONGEST:
        return None
    for command, saying in _sayings():
        match = saying.fullmatch(text)
        if match is not None:
            return command.format(**match.groupdict())
    return None


@cache
def _sayings() -> list[tuple[str, re.Pattern[str]]]:
    """A command may use what its sayings name: «奖金 {who}»."""
    table: dict[str, list[str]] = tomllib.loads(
        files("handlers").joinpath("sayings.toml").read_text("utf-8")
    )
    return [
        (command, re.compile(f"{_BEFORE}(?:{saying}){_BEHIND}"))
        for command, sayings in table.items()
        for saying in sayings
    ]
