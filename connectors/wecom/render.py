"""Content to the bodies of message/send, and what does not fit into further parts.

Sources: developer.work.weixin.qq.com/document/path/90236 (messages, cards), 94888 (updates).
Texts are limited in bytes and cut without a word; cards in characters, cut on screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain import markup
from bot.messages import Button, Card, CardUpdate, Content, Field, Markdown, Option, Text

UNCHOSEN = "-"
"""Option id of "please choose": a drop-down submits its first option when left alone, and
nobody should have chosen what they never looked at."""

_TEXT_BYTES = 2048
_FACTS = 6
_FACT_NAME_CHARS = 5
_FACT_VALUE_CHARS = 26
_BUTTONS = 6
_LABEL_CHARS = 10
_OPTIONS = 10
_STYLES = {"primary": 1, "default": 2, "danger": 3}


@dataclass(frozen=True, slots=True)
class Room:
    """What a message holds: a text in bytes, a card's title and body in characters."""

    text_bytes: int = _TEXT_BYTES
    title_chars: int = 36
    body_chars: int = 160


APPLICATION = Room()


def split(content: Content, room: Room = APPLICATION) -> Sequence[Content]:
    """Parts that arrive whole: texts cut at line ends, a card followed by what it lacks."""
    if isinstance(content, Text):
        plain = markup.tagless(content.text)
        return [Text(part) for part in split_text(plain, room.text_bytes)]
    if isinstance(content, Markdown):
        shown = markup.harmless(content.text, content.ours)
        return [replace(content, text=part) for part in split_text(shown, room.text_bytes)]
    if isinstance(content, Card):
        card, rest = fit(content, room)
        return [card, *_following(content, rest, room)]
    if isinstance(content, CardUpdate):
        card, rest = fit(content.card, room)
        # A closed card has nothing new to say: what does not fit was told when it was open.
        told = card.closed or content.only_in_place
        following = [] if told else _following(content.card, rest, room)
        return [replace(content, card=card), *following]
    return [content]


def split_text(text: str, most_bytes: int = _TEXT_BYTES) -> Iterator[str]:
    """Pieces of at most `most_bytes` in UTF-8, cut at a line end in the second half of the
    piece where there is one, and never inside a character."""
    rest = text.encode()
    while len(rest) > most_bytes:
        cut = rest.rfind(b"\n", most_bytes // 2, most_bytes + 1)
        if cut < 0:
            cut = most_bytes
            while rest[cut] & 0xC0 == 0x80:
                cut -= 1
        if piece := rest[:cut].decode().strip("\n"):
            yield piece
        rest = rest[cut:].lstrip(b"\n")
    if rest or not text:
        yield rest.decode()


def text_body(content: Text) -> dict[str, Any]:
    """A text of WeCom's knows `<a href>`, and a group robot's `<@userid>`."""
    return {"msgtype": "text", "text": {"content": markup.tagless(content.text)}}


def markdown_body(content: Markdown) -> dict[str, Any]:
    """Nothing in it is a link, a colour or a mention but what is ours."""
    shown = markup.harmless(content.text, content.ours)
    return {"msgtype": "markdown", "markdown": {"content": shown}}


def card_body(card: Card, *, link: str) -> dict[str, Any]:
    """link: where a card without buttons leads; the platform wants every card to do something."""
    return {"msgtype": "template_card", "template_card": render_card(card, link=link)}


def render_card(card: Card, *, link: str) -> dict[str, Any]:
    """A template_card that can be sent. What `split` would move on is cut here."""
    card, _ = fit(card)
    if card.closed or not card.buttons:
        return {
            "card_type": "text_notice",
            **face(card, note=card.closed),
            "card_action": {"type": 1, "url": link},
        }
    return {
        "card_type": "button_interaction",
        **face(card),
        "task_id": task_id(card),
        **selection(card),
        "button_list": [button_of(button) for button in card.buttons],
    }


def render_replacement(card: Card) -> dict[str, Any]:
    """The template_card of update_template_card; it must keep a button in every state, and
    `replace_text` greys it out."""
    card, _ = fit(card)
    rendered = {"card_type": "button_interaction", **face(card), "task_id": task_id(card)}
    if card.buttons and not card.closed:
        buttons = [button_of(button) for button in card.buttons]
        return {**rendered, **selection(card), "button_list": buttons}
    note = _cut(card.closed or "已更新", _LABEL_CHARS)
    closed = Button(action="closed", label=note)
    return {**rendered, "button_list": [button_of(closed)], "replace_text": note}


def card_as_markdown(card: Card, answers: Sequence[str] = ()) -> Markdown:
    """For receivers without cards (groups, group robots): the same words in Markdown.
    answers: how to say what cannot be pressed."""
    lines = [
        f"**{card.title}**",
        *card.lines,
        *(f"> {name}：{value}" for name, value in card.facts),
    ]
    note = f'<font color="comment">{markup.words(card.closed)}</font>' if card.closed else ""
    text = "\n".join([*lines, *([note] if note else []), *answers])
    return Markdown(card.title, text, (note,))


def task_id(card: Card) -> str:
    """Ours on the wire: the revision tells a press on an older picture of the card."""
    return f"{card.card_id}@{card.revision}"


def face(card: Card, note: str = "") -> dict[str, Any]:
    title = {"title": card.title, **({"desc": note} if note else {})}
    face: dict[str, Any] = {"main_title": title}
    if card.lines:
        face["sub_title_text"] = "\n".join(card.lines)
    if card.facts:
        face["horizontal_content_list"] = [
            {"keyname": name, "value": value} for name, value in card.facts
        ]
    return face


def selection(card: Card) -> dict[str, Any]:
    """The one drop-down a card may have beside its buttons."""
    if not card.fields:
        return {}
    (chosen,) = card.fields
    options = [{"id": option.id, "text": option.label} for option in chosen.options]
    ids = [option.id for option in chosen.options]
    selected = chosen.value if chosen.value in ids else UNCHOSEN
    if selected == UNCHOSEN:
        options.insert(0, {"id": UNCHOSEN, "text": "请选择"})
    return {
        "button_selection": {
            "question_key": chosen.key,
            "title": chosen.label,
            "option_list": options,
            "selected_id": selected,
        }
    }


def button_of(button: Button) -> dict[str, Any]:
    return {"text": button.label, "style": _STYLES.get(button.style, 2), "key": button.action}


def fit(card: Card, room: Room = APPLICATION) -> tuple[Card, list[str]]:
    """The card as far as it fits, and lines that say the rest. Fitting twice changes nothing."""
    facts, fact_lines = _fit_facts(card)
    fields, field_lines = _fit_fields(card)
    lines, rest = _fit_lines([*card.lines, *fact_lines], room.body_chars)
    buttons = tuple(
        replace(button, label=_cut(button.label, _LABEL_CHARS))
        for button in card.buttons[:_BUTTONS]
    )
    if hidden := [button.label for button in card.buttons[_BUTTONS:]]:
        field_lines.append(f"还可以直接回复：{'、'.join(hidden)}")
    title = _cut(card.title, room.title_chars)
    if title != card.title:
        rest.insert(0, card.title)
    fitted = replace(card, title=title, lines=lines, facts=facts, fields=fields, buttons=buttons)
    return fitted, rest + field_lines


def _fit_facts(card: Card) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """Facts too long for the table, or too many, become lines of the body."""
    facts: list[tuple[str, str]] = []
    lines: list[str] = []
    for name, value in card.facts:
        fits = len(name) <= _FACT_NAME_CHARS and len(value) <= _FACT_VALUE_CHARS and name
        if fits and len(facts) < _FACTS:
            facts.append((name, value))
        else:
            lines.append(f"{name}：{value}" if name else value)
    return tuple(facts), lines


def _fit_lines(lines: Sequence[str], room: int) -> tuple[tuple[str, ...], list[str]]:
    """Whole lines while they fit; from the first that does not, all follow in a text."""
    for count, line in enumerate(lines):
        room -= len(line) + (1 if count else 0)
        if room < 0:
            return tuple(lines[:count]), list(lines[count:])
    return tuple(lines), []


def _fit_fields(card: Card) -> tuple[tuple[Field, ...], list[str]]:
    """The first drop-down; other inputs are filled by answering in chat."""
    selects = [item for item in card.fields if item.kind == "select" and item.options]
    if not selects or card.closed:
        return (), []
    first, room = selects[0], _OPTIONS
    if first.value not in {option.id for option in first.options}:
        room -= 1
    if len(first.options) <= room:
        return (first,), []
    kept = _keep_options(first, room)
    hidden = [option.label for option in first.options if option not in kept]
    line = f"{first.label}还可以直接回复：{'、'.join(hidden)}"
    return (replace(first, options=kept),), [line]


def _keep_options(chosen: Field, room: int) -> tuple[Option, ...]:
    """The first options, the selected one among them."""
    kept = chosen.options[:room]
    if any(option.id == chosen.value for option in kept):
        return kept
    selected = tuple(option for option in chosen.options if option.id == chosen.value)
    return kept[: room - len(selected)] + selected


def _following(card: Card, rest: Sequence[str], room: Room) -> list[Content]:
    if not rest:
        return []
    told = "\n".join((f"{_cut(card.title, room.title_chars)}（续）", *rest))
    return [Text(part) for part in split_text(told, room.text_bytes)]


def _cut(text: str, most_chars: int) -> str:
    return text if len(text) <= most_chars else f"{text[: most_chars - 1]}…"
