"""What we say -> DingTalk's formats. Pure (protocol notes 3.3, 3.5 and 4.1).

Nothing is cut: what is longer than a limit goes on in a further message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import Rejected
from bot.messages import Card, CardUpdate, Content, Field, FileContent, Markdown, Text
from connectors.dingtalk.markdown import hard_breaks, split_text

# msgParam may have 15 000 bytes; a title and the braces need some of them.
MESSAGE_BYTES = 14_000
VALUE_BYTES = 1024  # one card variable
BODIES = ("body", "body2", "body3", "body4")

_MORE = "……"
_BREAK = "  \n"  # inside one Markdown variable of a card


@dataclass(frozen=True, slots=True)
class RobotMessage:
    """One message in the words of both families: msgKey + msgParam, and the webhooks'."""

    msg_key: str
    param: Mapping[str, str]

    def for_webhook(self, dedupe_key: str) -> dict[str, Any]:
        """msgUuid lets DingTalk drop a repeat after an unanswered call."""
        if self.msg_key == "sampleText":
            return {"msgtype": "text", "msgUuid": dedupe_key, "text": dict(self.param)}
        return {"msgtype": "markdown", "msgUuid": dedupe_key, "markdown": dict(self.param)}

    def for_api(self) -> dict[str, str]:
        """msgParam is a string of JSON."""
        return {"msgKey": self.msg_key, "msgParam": _json(self.param)}


def split(content: Content, *, with_cards: bool) -> Sequence[Content]:
    """Parts none of which DingTalk would refuse for its length.

    with_cards: whether there is a card template; without one a card is a message.
    """
    match content:
        case Text(text=text):
            return [Text(part) for part in split_text(text, MESSAGE_BYTES)]
        case Markdown(title=title, text=text):
            return [Markdown(title, part) for part in split_text(text, MESSAGE_BYTES)]
        case Card() if with_cards:
            return _split_card(content)
        case Card():
            return split(as_markdown(content), with_cards=False)
        case CardUpdate() | FileContent():
            return [content]


def robot_message(content: Text | Markdown) -> RobotMessage:
    if isinstance(content, Text):
        return RobotMessage("sampleText", {"content": content.text})
    text = hard_breaks(content.text)
    return RobotMessage("sampleMarkdown", {"title": content.title or "消息", "text": text})


def as_markdown(card: Card) -> Markdown:
    """A card where cards cannot be shown: what its buttons would do is answered in chat."""
    facts = [f"- **{name}**：{value}" for name, value in card.facts]
    lines = [f"#### {card.title}", *card.lines, *facts]
    if card.closed:
        lines.append(f"> {card.closed}")
    elif card.buttons:
        lines.append("> 回复：" + " / ".join(button.label for button in card.buttons))
    return Markdown(card.title, "\n".join(lines))


def card_param_map(card: Card) -> dict[str, str]:
    """The variables of the template in docs/dingtalk-setup.md: strings of at most 1 KB each.

    A closed card keeps its text and loses its fields and buttons. Text that does not fit
    ends in an ellipsis; `split` has let it follow as a message. Raises Rejected when the
    buttons alone are too much.
    """
    shown, rest = _laid_out(card)
    bodies = _bodies(shown.lines)
    if rest:
        bodies[-1] = clip(bodies[-1], VALUE_BYTES - len(_MORE.encode())) + _MORE
    bodies += [""] * (len(BODIES) - len(bodies))
    return {
        "title": clip(card.title, VALUE_BYTES),
        **dict(zip(BODIES, bodies, strict=True)),
        "facts": _json(shown.facts),
        "fields": "[]" if card.closed else _fields(card.fields),
        "buttons": "[]" if card.closed else _buttons(card),
        "closed": clip(card.closed, VALUE_BYTES),
        "revision": str(card.revision),
    }


def clip(text: str, limit_bytes: int) -> str:
    """The longest beginning of `text` that fits, ending between two characters."""
    return text.encode()[:limit_bytes].decode("utf-8", "ignore")


def _split_card(card: Card) -> Sequence[Content]:
    """The card with as much of its text as it can show, the rest as messages."""
    shown, rest = _laid_out(card)
    if not rest:
        return [card]
    more = split_text("\n".join(rest), MESSAGE_BYTES)
    return [shown, *(Markdown(card.title, part) for part in more)]


def _laid_out(card: Card) -> tuple[Card, list[str]]:
    """The card as the template can show it, and the lines left over.

    Facts that their variable has no room for become lines; a line that no variable has
    room for is broken.
    """
    facts = card.facts
    while _size(facts) > VALUE_BYTES:
        facts = facts[:-1]
    told = [f"{name}：{value}" for name, value in card.facts[len(facts) :]]
    pieces = [part for line in (*card.lines, *told) for part in split_text(line, VALUE_BYTES)]
    fitting = len(pieces)
    while len(_bodies(pieces[:fitting])) > len(BODIES):
        fitting -= 1
    return replace(card, lines=tuple(pieces[:fitting]), facts=facts), pieces[fitting:]


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


def _fields(fields: Sequence[Field]) -> str:
    """Options at the end of the longest list go first, then whole fields: both can be
    answered in chat as well."""
    kept = [replace(field, value=clip(field.value, VALUE_BYTES // 4)) for field in fields]
    while kept and _size([_field(field) for field in kept]) > VALUE_BYTES:
        longest = max(range(len(kept)), key=lambda at: len(kept[at].options))
        if kept[longest].options:
            kept[longest] = replace(kept[longest], options=kept[longest].options[:-1])
        else:
            kept.pop()
    return _json([_field(field) for field in kept])


def _field(field: Field) -> dict[str, Any]:
    return {
        "key": field.key,
        "label": field.label,
        "kind": field.kind,
        "options": [{"id": option.id, "label": option.label} for option in field.options],
        "value": field.value,
    }


def _buttons(card: Card) -> str:
    rows = [
        {"action": button.action, "label": button.label, "style": button.style}
        for button in card.buttons
    ]
    if _size(rows) > VALUE_BYTES:
        raise Rejected(f"the buttons of card {card.card_id} need more than {VALUE_BYTES} bytes")
    return _json(rows)


def _size(value: Any) -> int:
    return len(_json(value).encode())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
