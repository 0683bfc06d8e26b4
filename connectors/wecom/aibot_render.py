"""Content to what an intelligent robot may say.

Sources: developer.work.weixin.qq.com/document/path/101031 (passive replies), 101138 (the one
active reply), 101463 (long connection). All of its words are Markdown; cards go to people only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain import markup
from bot.messages import Address, Card, CardUpdate, Content, FileContent, Markdown, Text
from connectors.wecom import render
from connectors.wecom.aibot_cards import ROOM, render_card

Body = dict[str, Any]
Words = Text | Markdown | Card


def split(content: Content) -> Sequence[Content]:
    """Parts that arrive whole."""
    if isinstance(content, Text):
        content = Text(words_of(content))
    return render.split(content, ROOM)


def for_chat(to: Address, content: Words) -> Words:
    """As that chat can show it: a group shows no cards, so there a card is words, with what
    can be answered instead of pressed. One that is closed has been seen when it was open."""
    if to.chat_id is None or not isinstance(content, Card):
        return content
    if content.closed:
        return Text(f"{content.title}：{content.closed}")
    labels = " / ".join(button.label for button in content.buttons)
    return render.card_as_markdown(content, [f"@我 回复：{labels}"] if labels else [])


def without_update(content: Content) -> Words | FileContent:
    """A card that cannot be changed in place comes as a new one."""
    return content.card if isinstance(content, CardUpdate) else content


def words_of(content: Text | Markdown) -> str:
    """Markdown. What somebody typed is no link, and is not folded away as the robot's reasoning
    (<think>); a plain text may name addresses, as everywhere."""
    if isinstance(content, Text):
        return markup.harmless(content.text, addresses=True)
    return markup.harmless(content.text, content.ours)


def new_message(content: Words, *, link: str) -> Body:
    """The body of a message of its own."""
    if isinstance(content, Card):
        return {"msgtype": "template_card", "template_card": render_card(content, link=link)}
    return {"msgtype": "markdown", "markdown": {"content": words_of(content)}}


def passive_reply(content: Words, *, stream: str, link: str) -> Body:
    """The body of an answer inside the answer to a message. stream: names the answer."""
    if isinstance(content, Card):
        return new_message(content, link=link)
    return stream_body(stream, words_of(content), is_finished=True)


def stream_body(stream: str, text: str, *, is_finished: bool) -> Body:
    return {
        "msgtype": "stream",
        "stream": {"id": stream, "finish": is_finished, "content": text},
    }


def welcome(content: Words, *, link: str) -> Body:
    """The body of an answer to somebody who has opened the chat."""
    if isinstance(content, Card):
        return new_message(content, link=link)
    return {"msgtype": "text", "text": {"content": markup.tagless(content.text)}}


def card_update(update: CardUpdate, *, under: str, link: str) -> Body:
    """The body that changes the pressed card, whose task_id is `under`."""
    card = render_card(update.card, link=link, under=under)
    return {"response_type": "update_template_card", "template_card": card}
