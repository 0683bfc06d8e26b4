"""Hostile words in every format that the platforms take from us: cards lead where the program
leads them, and words that are shown as Markdown do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bot.domain import markup
from bot.messages import (
    Address,
    Button,
    Card,
    Content,
    Field,
    Markdown,
    Option,
    Platform,
    Text,
    content_from_json,
    content_to_json,
)
from connectors.dingtalk import render as dingtalk
from connectors.dingtalk.card_data import BODIES, card_param_map
from connectors.wecom import aibot_cards, aibot_render
from connectors.wecom import render as wecom

HOME = "https://bot.example.com"
ATTACK = (
    '[退款](http://evil.example)<a href="http://evil.example">领</a><font color="warning">急</font>'
    "<@all><think>`码`![图](//evil.example)"
)
CARD = Card(
    card_id="draft-1",
    title=ATTACK,
    lines=(ATTACK, "好"),
    facts=((ATTACK, ATTACK), ("客户", ATTACK[:26])),
    fields=(Field("stage", ATTACK, options=(Option("s1", ATTACK),)),),
    buttons=(Button("ok", ATTACK),),
)
CLOSED = Card(card_id="draft-1", title=ATTACK, lines=(ATTACK,), closed=ATTACK)
OUR_GREY = re.compile(r'<font color="comment">([^<]*)</font>$')
ACTS = re.compile(r"\]\s*[(:]|<[A-Za-z/!?@]|`|://")
GROUP = Address(Platform.WECOM, "helper", chat_id="wr1")


def leaves(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a body, with its key."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, key)
    elif isinstance(value, str):
        yield key, value


@pytest.mark.parametrize("card", [CARD, CLOSED])
def test_wecom_cards_lead_nowhere_but_home(card: Card) -> None:
    bodies = [wecom.render_card(card, link=HOME), aibot_cards.render_card(card, link=HOME)]
    bodies.append(wecom.render_replacement(card))
    for key, text in leaves(bodies):
        assert "url" not in key or text == HOME
        assert key not in ("appid", "pagepath", "media_id", "userid")


@pytest.mark.parametrize("card", [CARD, CLOSED])
def test_dingtalk_cards_show_words(card: Card) -> None:
    values = card_param_map(card)
    for name in (*BODIES, "facts_text"):
        assert not ACTS.search(values[name]), name
    assert "退款" in values["body"]
    assert all(not re.search("url", key, re.IGNORECASE) for key, _ in leaves(values))


@pytest.mark.parametrize("card", [CARD, CLOSED])
def test_a_card_that_is_shown_as_markdown_shows_words(card: Card) -> None:
    in_group = aibot_render.for_chat(GROUP, card)
    assert not isinstance(in_group, Card)
    texts = [
        wecom.markdown_body(wecom.card_as_markdown(card))["markdown"]["content"],
        aibot_render.words_of(in_group).replace("http://", ""),  # a closed one comes as text
        dingtalk.robot_message(dingtalk.as_markdown(card)).param["text"],
    ]
    for text in texts:
        assert "退款" in text
        assert not ACTS.search(OUR_GREY.sub(r"\1", text))


@pytest.mark.parametrize("content", [Text(ATTACK * 40), Markdown("题", f"{ATTACK}\n" * 40)])
def test_long_words_stay_within_the_limits_when_they_are_made_harmless(content: Content) -> None:
    for part in wecom.split(content):
        body = wecom.text_body(part) if isinstance(part, Text) else wecom.markdown_body(part)
        (_, kind), (_, text) = leaves(body)
        assert len(text.encode()) <= 2048
        assert not re.search(r"<[A-Za-z/@]" if kind == "text" else ACTS, text)
    for part in dingtalk.split(content, with_cards=True):
        message = dingtalk.robot_message(part)
        assert len(message.for_api()["msgParam"].encode()) <= 15_000


def test_a_plain_text_has_no_tags_where_wecom_knows_some() -> None:
    for body in (wecom.text_body(Text(ATTACK)), aibot_render.welcome(Text(ATTACK), link=HOME)):
        assert not re.search(r"<[A-Za-z/@]", body["text"]["content"])
    assert not ACTS.search(aibot_render.words_of(Text(ATTACK)).replace("http://", ""))


def test_our_link_arrives_as_one_on_both_platforms() -> None:
    link = markup.link(f"打开{ATTACK}", f"{HOME}/in/abc")
    made = content_from_json(content_to_json(Markdown("网页", f"{link}\n{ATTACK}", (link,))))
    assert isinstance(made, Markdown)
    for text in (
        wecom.markdown_body(made)["markdown"]["content"],
        aibot_render.words_of(made),
        dingtalk.robot_message(made).param["text"],
    ):
        assert link in text
        assert not ACTS.search(text.replace(link, ""))


def test_a_message_queued_before_links_were_named_can_still_be_read() -> None:
    assert content_from_json('{"type": "markdown", "title": "题", "text": "字"}') == Markdown(
        "题", "字"
    )
