"""What goes out, with the numbers of persons masked in all that people read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.masking import masked
from bot.messages.outgoing import Card, CardUpdate, Content, FileContent, Markdown, Text


def masked_content(content: Content) -> Content:
    """What a form is filled in with stays as it is: it comes back, and is kept. So do our own
    links, which open a call or a chat."""
    match content:
        case Text():
            return Text(masked(content.text))
        case Markdown():
            text = _besides(content.ours, content.text)
            return replace(content, title=masked(content.title), text=text)
        case Card():
            return _card(content)
        case CardUpdate():
            return replace(content, card=_card(content.card))
        case FileContent():
            return replace(content, name=masked(content.name))


def _card(card: Card) -> Card:
    return replace(
        card,
        title=masked(card.title),
        lines=tuple(map(masked, card.lines)),
        facts=tuple((name, masked(value)) for name, value in card.facts),
        closed=masked(card.closed),
    )


def _besides(ours: Sequence[str], text: str) -> str:
    if not ours:
        return masked(text)
    passages = "|".join(re.escape(one) for one in sorted(ours, key=len, reverse=True) if one)
    parts = re.split(f"({passages})", text) if passages else [text]
    return "".join(part if place % 2 else masked(part) for place, part in enumerate(parts))
