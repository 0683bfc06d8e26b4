"""Card templates, card data, and how a card looks to one person.

A template is what the developer console publishes; its variables are strings, structured
ones hold JSON (protocol notes 4.1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .dingtalk_errors import NewError, invalid

_MAX_KEY_BYTES = 100
_MAX_VALUE_BYTES = 1024
_BODIES = ("body", "body2", "body3", "body4")

Variables = dict[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """A card template of the developer console."""

    template_id: str
    is_published: bool = True


TEMPLATES = (Template("gendan-card.schema"), Template("gendan-draft.schema", is_published=False))


@dataclass(slots=True)
class Card:
    """One instance: public variables and, per user id, private ones that win over them."""

    out_track_id: str
    callback_type: str
    route_key: str
    public: Variables
    private: dict[str, Variables] = field(default_factory=dict)
    waiting: int = 0  # presses not yet answered; an update from outside may now be lost

    def seen_by(self, user_id: str | None) -> dict[str, Any]:
        return neutral({**self.public, **self.private.get(user_id or "", {})})

    def change_public(self, variables: Variables, *, by_key: bool) -> None:
        self.public = {**self.public, **variables} if by_key else variables

    def change_private(self, user_id: str, variables: Variables, *, by_key: bool) -> None:
        before = self.private.get(user_id, {}) if by_key else {}
        self.private[user_id] = {**before, **variables}


def variables_of(data: Any, where: str) -> Variables:
    """A cardParamMap, checked. Raises NewError.

    The platform renders broken JSON as nothing; refusing it here finds the mistake.
    """
    values = data.get("cardParamMap") if isinstance(data, dict) else None
    if not isinstance(values, dict):
        raise invalid("param.invalid", f"{where}.cardParamMap 须为对象")
    for key, value in values.items():
        if not isinstance(value, str):
            raise invalid("param.invalid", f"{where}.{key} 的值须为字符串")
        if len(key.encode()) > _MAX_KEY_BYTES or len(value.encode()) > _MAX_VALUE_BYTES:
            raise invalid("param.invalid", f"{where}.{key} 超过长度限制")
    try:
        neutral(values)
    except ValueError as error:
        raise invalid("param.invalid", f"{where}: {error}") from None
    return values


def find_template(templates: dict[str, Template], template_id: Any) -> Template:
    """Raises NewError when there is none, or it is not published."""
    if not template_id:
        raise invalid("param.cardTemplateIdEmpty")
    template = templates.get(template_id)
    if template is None:
        raise invalid("param.templateNotExist")
    if not template.is_published:
        raise NewError(400, "param.templateUnpublished")
    return template


def neutral(variables: Variables) -> dict[str, Any]:
    """The card in the shape the sandbox shows for both platforms.

    Raises ValueError when a structured variable is not what the template expects.
    """
    closed = variables.get("closed", "")
    card: dict[str, Any] = {
        "title": variables.get("title", ""),
        "body": "\n".join(variables[name] for name in _BODIES if variables.get(name)),
        "facts": _rows(variables, "facts", list),
        "buttons": [] if closed else _rows(variables, "buttons", dict),
    }
    fields = _rows(variables, "fields", dict)
    if fields and not closed:
        card["fields"] = fields
    if closed:
        card["closed"] = closed
    return card


def _rows(variables: Variables, name: str, kind: type) -> list[Any]:
    text = variables.get(name, "")
    if not text:
        return []
    try:
        rows = json.loads(text)
    except ValueError:
        raise ValueError(f"{name} 不是 JSON") from None
    if not isinstance(rows, list) or not all(isinstance(row, kind) for row in rows):
        raise ValueError(f"{name} 须为数组")
    return rows
