"""Reading the control API's requests strictly: a wrong type is told, never guessed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

UPLOAD_LIMIT = 30 << 20  # bytes
_FORM_FIELD_LIMIT = 1 << 16
_CHINA = timezone(timedelta(hours=8))


class BadRequest(ValueError):
    """The request cannot be understood."""


class NotThere(Exception):
    """What it names does not exist."""


class Fields:
    """A JSON object, or the text parts of a form."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    @classmethod
    async def read(cls, request: web.Request) -> Fields:
        try:
            values = json.loads(await request.read())
        except ValueError as error:
            raise BadRequest("the body must be JSON") from error
        if not isinstance(values, dict):
            raise BadRequest("the body must be a JSON object")
        return cls(values)

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise BadRequest(f"{name} must be a string that is not empty")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self.has(name) else None

    def texts(self, name: str) -> dict[str, str]:
        """An object of strings; {} when missing."""
        value = self._values.get(name) or {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise BadRequest(f"{name} must be an object of strings")
        return value

    def list_of_texts(self, name: str) -> list[str]:
        value = self._values.get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise BadRequest(f"{name} must be a list of strings")
        return value

    def object(self, name: str) -> dict[str, Any]:
        """{} when missing."""
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            raise BadRequest(f"{name} must be an object")
        return value

    def flag(self, name: str) -> bool:
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise BadRequest(f"{name} must be true or false")
        return value

    def optional_number(self, name: str, *, least: int, most: int) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadRequest(f"{name} must be a whole number from {least} to {most}")
        return value

    def seconds(self, name: str, *, most: float) -> float:
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRequest(f"{name} must be a number of seconds")
        return _in_range(name, float(value), most)

    def code(self, name: str) -> int | str | None:
        """A platform's error code: a number or a word."""
        value = self._values.get(name)
        if value is None or (isinstance(value, int | str) and not isinstance(value, bool)):
            return value
        raise BadRequest(f"{name} must be a number or a string")


async def read_upload(request: web.Request) -> tuple[Fields, str, bytes]:
    """The form's text fields, and name and bytes of its part "file"."""
    texts: dict[str, str] = {}
    upload: tuple[str, bytes] | None = None
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise BadRequest("the form must have plain, named parts")
        if part.name == "file":
            upload = unquote(part.filename or "file"), await _read_part(part, UPLOAD_LIMIT)
        else:
            texts[part.name] = (await _read_part(part, _FORM_FIELD_LIMIT)).decode()
    if upload is None:
        raise BadRequest("the form has no file")
    return Fields({name: value for name, value in texts.items() if value}), *upload


async def _read_part(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(1 << 16):
        data += chunk
        if len(data) > limit:
            raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=len(data))
    return bytes(data)


def read_moment(text: str) -> datetime:
    """An ISO time; without an offset it is China's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"not an ISO time: {text}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=_CHINA)


def seconds_in(query: Mapping[str, str], name: str, *, default: float, most: float) -> float:
    if not query.get(name):
        return default
    try:
        value = float(query[name])
    except ValueError as error:
        raise BadRequest(f"{name} must be a number of seconds") from error
    return _in_range(name, value, most)


def _in_range(name: str, value: float, most: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= most):
        raise BadRequest(f"{name} must be from 0 to {most:.0f} seconds")
    return value
