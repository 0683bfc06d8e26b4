"""Logs: one JSON line an event on standard error; secrets blanked, numbers of persons masked,
bodies only at DEBUG."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import stamina
import structlog
from structlog.typing import EventDict, Processor

from bot.domain.masking import masked

_BLANK = "***"

_SECRET_WORDS = (
    "secret", "token", "aes_key", "aeskey", "password", "passwd", "authorization", "cookie",
    "webhook", "signature", "echostr", "credential",
)  # fmt: skip

_BODY_NAMES = frozenset({"body", "text", "content", "transcript", "payload", "raw"})

# Platforms carry their secrets in the query of a URL, and databases theirs before the "@".
_QUERY = re.compile(r"""(\b[a-z][a-z0-9+.-]*://[^\s?'"<>]+\?)[^\s'"<>]+""", re.IGNORECASE)
_USER_INFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@", re.IGNORECASE)
# Errors of libraries quote parameters and JSON in running text.
_QUOTED = re.compile(
    r"""(\b\w*(?:secret|token|aes_?key|password|passwd)["']?\s*[=:]\s*["']?)[^\s&"',;)}]+""",
    re.IGNORECASE,
)

_NOISY = ("aiohttp.access", "asyncio", "jieba", "alembic", "aiosqlite", "apscheduler")


def set_up(level: str, *, human: bool = False, to: TextIO | None = None) -> None:
    """Configure the standard library's loggers, which every module uses.

    human: lines for a terminal instead of JSON. to: standard error if not given.
    """
    last: Processor = (
        structlog.dev.ConsoleRenderer()
        if human
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # The trace becomes text first, so that what it quotes is blanked too.
            structlog.processors.format_exc_info,
            _measure_bodies,
            _blank_secrets,
            last,
        ],
    )
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(formatter)
    # A call that is repeated is told by whoever gives up, or waits for the platform.
    stamina.instrumentation.set_on_retry_hooks(())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def _measure_bodies(_: Any, __: str, event: EventDict) -> EventDict:
    """What people wrote is theirs; above DEBUG only its size is told."""
    if event.get("level") == "debug":
        return event
    for name in _BODY_NAMES & event.keys():
        event[name] = f"{len(event[name])} long" if hasattr(event[name], "__len__") else _BLANK
    return event


def _blank_secrets(_: Any, __: str, event: EventDict) -> EventDict:
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    """Blank by name at any depth; texts lose queries and what looks like a secret."""
    if any(word in name.lower() for word in _SECRET_WORDS):
        return _BLANK
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {key: _clean(str(key), item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(name, item) for item in value]
        case bytes():
            return f"{len(value)} bytes"
        case _:
            return _clean_text(value if isinstance(value, str) else str(value))


def _clean_text(text: str) -> str:
    for pattern, kept in ((_QUERY, rf"\1{_BLANK}"), (_USER_INFO, rf"\1{_BLANK}@")):
        text = pattern.sub(kept, text)
    return masked(_QUOTED.sub(rf"\1{_BLANK}", text))
