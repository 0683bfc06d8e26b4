"""What goes out as one line of JSON, in which it waits to be sent."""

from __future__ import annotations

import dataclasses
import functools
import json
import typing
from datetime import date

from bot.messages.outgoing import Card, CardUpdate, FileContent, ForecastLine, Load, Markdown, Text

_CONTENT: dict[str, type] = {
    "text": Text, "markdown": Markdown, "card": Card, "card_update": CardUpdate,
    "file": FileContent, "forecast": ForecastLine,
}  # fmt: skip


def content_to_json(content: Load) -> str:
    """One line of JSON that `content_from_json` reads back to an equal value."""
    name = next(name for name, cls in _CONTENT.items() if isinstance(content, cls))
    return json.dumps({"type": name, **_fields(content)}, default=_plain, ensure_ascii=False)


def _fields(value: typing.Any) -> dict[str, object]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else _fields(value)


def content_from_json(text: str) -> Load:
    raw = json.loads(text)
    return typing.cast(Load, _build(_CONTENT[raw.pop("type")], raw))


_hints = functools.cache(typing.get_type_hints)


def _build(annotation: object, value: object) -> object:
    """Rebuild frozen dataclasses, tuples and days from what JSON made of them."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        hints = _hints(annotation)
        given = typing.cast(dict[str, object], value)
        return annotation(**{name: _build(hints[name], item) for name, item in given.items()})
    if annotation is date:
        return date.fromisoformat(typing.cast(str, value))
    if typing.get_origin(annotation) is tuple:
        args = typing.get_args(annotation)
        items = typing.cast(list[object], value)
        if args[-1] is Ellipsis:
            return tuple(_build(args[0], item) for item in items)
        return tuple(_build(arg, item) for arg, item in zip(args, items, strict=True))
    return value
