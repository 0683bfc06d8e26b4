"""`gendan conversions`: how many leads became opportunities, out of a file of events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from handlers.deals import conversions


def count_conversions(
    events: Annotated[Path, typer.Option(help="事件文件（JSON）")],
) -> None:
    """按天、按去重客户统计线索转商机的转化率。"""
    sys.stdout.buffer.write(conversions.run(events).encode() + b"\n")
