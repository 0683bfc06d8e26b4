"""Card -> the variables of our card template. Pure (protocol notes 4.1).

Every value is a string of at most 1 KB. The template in docs/dingtalk-setup.md shows `form`
and `btns`, which are in the console's own protocols for its form and button components
(https://open.dingtalk.com/document/development/form-variables); `fields`, `buttons` and
`facts` say the same in plain words, for templates with components of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.domain import markup
from bot.errors import Rejected
from bot.messages import Button, Card, Field
from connectors.dingtalk.markdown import split_text

VALUE_BYTES = 1024
BODIES = ("body", "body2", "body3", "body4")

# A form is submitted as a whole: these hidden fields say which button that is, and on
# which revision.
FORM_ACTION = "_action"
FORM_REVISION = "revision"

_MORE = "……"
_BREAK = "  \n"  # inside one Markdown variable
_COLORS = {"primary": "blue", "danger": "red"}
_TYPES = {"select": "SELECT", "date": "DATE", "text": "TEXT"}


def card_param_map(card: Card) -> dict[str, str]:
    """The variables of one card.

    A closed card keeps its text and loses its fields and buttons. Text that does not fit
    ends in an ellipsis; `split` has let it follow as a message. Raises Rejected when the
    buttons alone are too much.
    """
    shown, rest = lay_out(card)
    bodies = _bodies(shown.lines)
    if rest:
        bodies[-1] = clip(bodies[-1], VALUE_BYTES - len(_MORE.encode())) + _MORE
    bodies += [""] * (len(BODIES) - len(bodies))
    facts = _BREAK.join(f"**{name}**：{value}" for name, value in shown.facts)
    return {
        "title": clip(card.title, VALUE_BYTES),
        **dict(zip(BODIES, bodies, strict=True)),
        "facts": _json(shown.facts),
        "facts_text": facts,
        "closed": clip(card.closed, VALUE_BYTES),
        "revision": str(card.revision),
        **_controls(replace(card, fields=(), buttons=()) if card.closed else card),
    }


def lay_out(card: Card) -> tuple[Card, list[str]]:
    """The card as the template can show it, and the lines left over.

    Facts that their variable has no room for become lines; a line that no variable has
    room for is broken. Both are shown as Markdown, and nothing of it is a link or a mention.
    """
    card = _harmless(card)
    facts = card.facts
    # `facts_text` writes a few bytes more for each fact than the JSON does.
    while _size(facts) + 8 * len(facts) > VALUE_BYTES:
        facts = facts[:-1]
    told = [f"{name}：{value}" for name, value in card.facts[len(facts) :]]
    pieces = [part for line in (*card.lines, *told) for part in split_text(line, VALUE_BYTES)]
    fitting = len(pieces)
    while len(_bodies(pieces[:fitting])) > len(BODIES):
        fitting -= 1
    return replace(card, lines=tuple(pieces[:fitting]), facts=facts), pieces[fitting:]


def _harmless(card: Card) -> Card:
    lines = tuple(map(markup.harmless, card.lines))
    facts = tuple((markup.harmless(name), markup.harmless(value)) for name, value in card.facts)
    return replace(card, lines=lines, facts=facts)


def clip(text: str, limit_bytes: int) -> str:
    """The longest beginning of `text` that fits, ending between two characters."""
    return text.encode()[:limit_bytes].decode("utf-8", "ignore")


def _bodies(lines: Sequence[str]) -> list[str]:
    """The lines joined into as few texts of one variable each as they need."""
    bodies: list[str] = []
    for line in lines:
        joined = f"{bodies[-1]}{_BREAK}{line}" if bodies else line
        if bodies and len(joined.encode()) <= VALUE_BYTES:
            bodies[-1] = joined
        else:
            bodies.append(line)
    return bodies


def _controls(card: Card) -> dict[str, str]:
    """What can be filled in and pressed.

    With fields, the first primary button submits them as the form's own; the values come
    back with that button only.
    """
    submit = _submit_button(card)
    fields = _fitting(card.fields, card.revision, submit)
    others = [button for button in card.buttons if button is not submit]
    first, second = _in_two([_console_button(button, card.revision) for button in others], card)
    plain = [{"action": b.action, "label": b.label, "style": b.style} for b in card.buttons]
    if _size(plain) > VALUE_BYTES:
        raise _too_many_buttons(card)
    return {
        "fields": _json([_plain_field(field) for field in fields]),
        "buttons": _json(plain),
        "has_form": "true" if submit else "false",
        "form": _json(_form(fields, card.revision, submit)),
        "form_button": submit.label if submit else "",
        "btns": _json(first),
        "btns2": _json(second),
    }


def _submit_button(card: Card) -> Button | None:
    if not card.fields or not card.buttons:
        return None
    primary = (button for button in card.buttons if button.style == "primary")
    return next(primary, card.buttons[0])


def _fitting(fields: Sequence[Field], revision: int, submit: Button | None) -> list[Field]:
    """Options at the end of the longest list go first, then whole fields: both can be
    answered in chat as well."""
    kept = [replace(field, value=clip(field.value, VALUE_BYTES // 4)) for field in fields]
    while kept and not _fields_fit(kept, revision, submit):
        longest = max(range(len(kept)), key=lambda at: len(kept[at].options))
        if kept[longest].options:
            kept[longest] = replace(kept[longest], options=kept[longest].options[:-1])
        else:
            kept.pop()
    return kept


def _fields_fit(fields: Sequence[Field], revision: int, submit: Button | None) -> bool:
    plain = [_plain_field(field) for field in fields]
    return max(_size(plain), _size(_form(fields, revision, submit))) <= VALUE_BYTES


def _plain_field(field: Field) -> dict[str, Any]:
    return {
        "key": field.key,
        "label": field.label,
        "kind": field.kind,
        "options": [{"id": option.id, "label": option.label} for option in field.options],
        "value": field.value,
    }


def _form(fields: Sequence[Field], revision: int, submit: Button | None) -> dict[str, Any]:
    if submit is None:
        return {"fields": []}
    hidden = {FORM_ACTION: submit.action, FORM_REVISION: str(revision)}
    rows: list[dict[str, Any]] = [
        {"name": name, "type": "TEXT", "hidden": True, "defaultValue": value}
        for name, value in hidden.items()
    ]
    return {"fields": [*rows, *(_form_field(field) for field in fields)]}


def _form_field(field: Field) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": field.key,
        "label": field.label,
        "type": _TYPES.get(field.kind, "TEXT"),
    }
    if field.options:
        row["options"] = [{"value": option.id, "text": option.label} for option in field.options]
    ids = [option.id for option in field.options]
    if field.value in ids:
        row["defaultValue"] = {"index": ids.index(field.value), "value": field.value}
    elif field.value and not ids:
        row["defaultValue"] = field.value
    return row


def _console_button(button: Button, revision: int) -> dict[str, Any]:
    """One entry of a button group that takes its buttons from a variable."""
    pressed = {"actionId": button.action, "params": {"revision": str(revision)}}
    return {
        "text": button.label,
        "color": _COLORS.get(button.style, "gray"),
        "status": "normal",
        "event": {"type": "sendCardRequest", "params": pressed},
    }


def _in_two(rows: list[dict[str, Any]], card: Card) -> tuple[list[Any], list[Any]]:
    """As many as one variable holds, and the rest in a second one."""
    first = rows
    while _size(first) > VALUE_BYTES:
        first = first[:-1]
    second = rows[len(first) :]
    if _size(second) > VALUE_BYTES:
        raise _too_many_buttons(card)
    return first, second


def _too_many_buttons(card: Card) -> Rejected:
    return Rejected(f"the buttons of card {card.card_id} need more than {VALUE_BYTES} bytes")


def _size(value: Any) -> int:
    return len(_json(value).encode())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
