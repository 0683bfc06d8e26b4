"""Whole conversations: corrections, bare answers, several drafts at once, a change of mind.
They stand in dialogues.txt, with how to read them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from tests.handlers.chat_company import Chat

CUSTOMERS = ("杭州恒锐机电有限公司", "宁波甬江轴承有限公司", "嘉兴南湖铸造有限公司")


@dataclass
class Turn:
    said: str
    wanted: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)


@dataclass
class Dialogue:
    """stored: customer and slots of what stands in the end; None: not looked at."""

    name: str
    customers: list[str] = field(default_factory=lambda: list(CUSTOMERS))
    turns: list[Turn] = field(default_factory=list)
    stored: list[tuple[str, dict[str, Any]]] | None = None


def read_dialogues() -> list[Dialogue]:
    found: list[Dialogue] = []
    for line in Path(__file__).with_name("dialogues.txt").read_text("utf-8").splitlines():
        sign, _, rest = line.strip().partition(" ")
        if sign == "==":
            found.append(Dialogue(rest))
        elif sign == "with":
            found[-1].customers.append(rest)
        elif sign == ">":
            found[-1].turns.append(Turn(rest))
        elif sign == "+":
            found[-1].turns[-1].wanted.append(rest)
        elif sign == "-":
            found[-1].turns[-1].unwanted.append(rest)
        elif sign == "=":
            name, _, slots = rest.partition(" ")
            stored = [] if name == "nothing" else [(name, json.loads(slots or "{}"))]
            found[-1].stored = [*(found[-1].stored or []), *stored]
        else:
            assert not line or line.startswith("#"), line
    return found


@pytest.mark.parametrize("dialogue", read_dialogues(), ids=lambda one: one.name)
async def test_a_conversation_ends_as_the_rep_meant_it(
    dialogue: Dialogue, database: Database
) -> None:
    chat = await Chat(database).open()
    for name in dialogue.customers:
        await chat.customer(name)
    for turn in dialogue.turns:
        answer = await _say(chat, turn.said)
        heard = f"{turn.said} -> {answer}"
        assert all(words in answer for words in turn.wanted), heard
        assert not any(words in answer for words in turn.unwanted), heard
    if dialogue.stored is not None:
        assert await _stored(chat, dialogue.stored) == dialogue.stored


async def _say(chat: Chat, said: str) -> str:
    if said.startswith("▶"):
        return await chat.press("zhang", chat.card(), said[1:])
    if said.startswith("⏱"):
        await chat.later(hours=float(said[1:].removesuffix("h")))
        return ""
    return await chat.say("zhang", said)


async def _stored(
    chat: Chat, wanted: list[tuple[str, dict[str, Any]]]
) -> list[tuple[str, dict[str, Any]]]:
    """In the order of what is wanted, with the slots named there."""
    slots, order = dict(wanted), [name for name, _ in wanted]
    found = [
        (name, {key: entry.slots.get(key) for key in slots.get(name, {})})
        for name, entries in (await chat.living()).items()
        for entry in entries
    ]
    return sorted(found, key=lambda one: order.index(one[0]) if one[0] in order else len(order))
