"""What we say -> DingTalk's message formats. Pure (protocol notes 3.3 and 3.5).

Nothing is cut: what is longer than a limit goes on in a further message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain import markup
from bot.messages import Card, CardUpdate, Content, FileContent, Markdown, Text
from connectors.dingtalk.card_data import lay_out
from connectors.dingtalk.markdown import hard_breaks, split_text

# msgParam may have 15 000 bytes; a title and the braces need some of them.
MESSAGE_BYTES = 14_000


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
        param = json.dumps(self.param, ensure_ascii=False, separators=(",", ":"))
        return {"msgKey": self.msg_key, "msgParam": param}


def split(content: Content, *, with_cards: bool) -> Sequence[Content]:
    """Parts none of which DingTalk would refuse for its length.

    with_cards: whether there is a card template; without one a card is a message.
    """
    match content:
        case Text(text=text):
            return [Text(part) for part in split_text(text, MESSAGE_BYTES)]
        case Markdown():
            shown = markup.harmless(content.text, content.ours)
            return [replace(content, text=part) for part in split_text(shown, MESSAGE_BYTES)]
        case Card() if with_cards:
            return _split_card(content)
        case Card():
            return split(as_markdown(content), with_cards=False)
        case CardUpdate() | FileContent():
            return [content]


def robot_message(content: Text | Markdown) -> RobotMessage:
    """Nothing in it is a link or a mention but what is ours."""
    if isinstance(content, Text):
        return RobotMessage("sampleText", {"content": content.text})
    text = hard_breaks(markup.harmless(content.text, content.ours))
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


def _split_card(card: Card) -> Sequence[Content]:
    """The card with as much of its text as it can show, the rest as messages."""
    shown, rest = lay_out(card)
    if not rest:
        return [card]
    more = split_text("\n".join(rest), MESSAGE_BYTES)
    return [shown, *(Markdown(card.title, part) for part in more)]
