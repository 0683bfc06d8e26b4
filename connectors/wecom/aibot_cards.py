"""Cards of an intelligent robot.

Source: developer.work.weixin.qq.com/document/path/101032. An update must carry the task_id of
the card that was pressed, so the revision, which tells a press on an older picture, stands in
the keys of the buttons. A button cannot be greyed: a card that is closed becomes a notice.
"""

from __future__ import annotations

import re
from typing import Any

from bot.messages import Card
from connectors.wecom.render import UNCHOSEN, Room, button_of, face, fit, selection

__all__ = ["ROOM", "UNCHOSEN", "read_key", "read_task_id", "render_card", "task_id"]

ROOM = Room(text_bytes=20_480, title_chars=26, body_chars=112)

_TASK_ID = re.compile(r"([0-9A-Za-z_-]{1,64})@[1-9][0-9]{0,8}")
_KEY = re.compile(r"([1-9][0-9]{0,8}):(.+)", re.DOTALL)


def task_id(card: Card) -> str:
    """Unique for the robot: a card sent anew has risen in revision."""
    return f"{card.card_id}@{card.revision}"


def read_task_id(text: str) -> str | None:
    """Our card's id; None when it is no card of ours."""
    ours = _TASK_ID.fullmatch(text)
    return ours[1] if ours else None


def read_key(text: str) -> tuple[int, str] | None:
    """Revision and action of a button."""
    known = _KEY.fullmatch(text)
    return (int(known[1]), known[2]) if known else None


def render_card(card: Card, *, link: str, under: str = "") -> dict[str, Any]:
    """The template_card. link: where a card without buttons leads. under: the task_id of the
    card that it takes the place of."""
    card, _ = fit(card, ROOM)
    named = {"task_id": under or task_id(card)}
    if card.closed or not card.buttons:
        action = {"card_action": {"type": 1, "url": link}}
        return {"card_type": "text_notice", **face(card, note=card.closed), **named, **action}
    buttons = [
        {**button_of(button), "key": f"{card.revision}:{button.action}"} for button in card.buttons
    ]
    return {
        "card_type": "button_interaction",
        **face(card),
        **named,
        **selection(card),
        "button_list": buttons,
    }
