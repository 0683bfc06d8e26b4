"""What is said to the bot about records and by colleagues, not what happened at a customer."""

from __future__ import annotations

import re

from bot.domain.activities import Intent
from handlers.understanding.lexicon import lists, patterns, says
from handlers.understanding.purposes import Purpose, Said, found

_OF_RECORDS = re.compile(r"申诉|条|笔|记录")
_ASKS = re.compile(r"\?|什么|啥|几|多少|吗|哪|谁|怎|咋|没有?$|如何|多久|何时|查")
_COUNTS = re.compile(r"了?(?:几|多少)[个家]?|哪[些几]|有没有")
"""«本周新增了几个客户» creates none."""
_WONDERS = re.compile(r"为什么|为啥|怎么|咋")
_HOW_IT_GOES = re.compile(r"^.{0,12}(?:咋样|怎么?样|[啥什]么?情况|[怎咋]么?回事)了?[?？。 ]*$")
_SHORT = 22
_BARE = 20
_BARE_SURE = 0.95


def about_the_talk(said: Said) -> Purpose | None:
    """What is said to the bot about records, not what happened at a customer."""
    for read in (_bare, _noise, _snooze, _cancel, _correct, _agreed, _appeal, _query, _create):
        purpose = read(said)
        if purpose:
            return purpose
    return None


def _bare(said: Said) -> Purpose | None:
    """Nothing but 确认, 撤销 or 谢谢."""
    text = said.text.strip()
    if not text or len(text) > _BARE or said.names_customer:
        return None
    whole = patterns("intents", "whole")
    for name, intent in (
        ("cancel", Intent.CANCEL),
        ("chitchat", Intent.CHITCHAT),  # first: «你好» holds «好»
        ("confirm", Intent.CONFIRM),
    ):
        rest = whole[name].sub("", text)
        if rest != text and not whole["fillers"].sub("", rest):
            return Purpose(intent, text, sure=_BARE_SURE)
    return None


def _noise(said: Said) -> Purpose | None:
    """中午吃啥, 谁有充电线: colleagues among themselves."""
    match = None if said.duration else says("intents", "noise", "words", said.text)
    return found(Intent.CHITCHAT, match)


def _agreed(said: Said) -> Purpose | None:
    """上面魏都那单金额对的，确认: a yes to a record that the text points at."""
    if len(said.text) > _SHORT or said.duration or said.ahead:
        return None
    if says("intents", "agreed", "reference", said.text) is None:
        return None
    return found(Intent.CONFIRM, says("intents", "agreed", "yes", said.text))


def _snooze(said: Said) -> Purpose | None:
    match = says("intents", "snooze", "words", said.text)
    if match and says("intents", "snooze", "not_snooze", said.text):
        return None
    if match and says("intents", "query", "question", said.text):
        return None
    return found(Intent.SNOOZE, match)


def _cancel(said: Said) -> Purpose | None:
    match = says("intents", "cancel", "words", said.text)
    if match is None or said.duration or says("intents", "topics", "help", said.text):
        return None
    if not _OF_RECORDS.search(match[0]) and says("intents", "cancel", "by_them", said.text):
        return None
    return found(Intent.CANCEL, match)


def _correct(said: Said) -> Purpose | None:
    if said.level_named and said.names_customer:
        return None
    if says("intents", "appeal", "money", said.text):
        return None
    opening = says("intents", "correct", "opening", said.text)
    is_form = said.text.count(":") > 1
    slot = None if is_form else says("intents", "correct", "slot", said.text)
    if opening or slot:
        outright = opening and not said.names_customer
        return found(Intent.CORRECT, opening or slot, sure=_BARE_SURE if outright else 0.9)
    match = says("intents", "correct", "reference", said.text)
    if match is None:
        return None
    happened = says("intents", "call", "explicit", said.told[: match.start()]) or says(
        "intents", "visit", "done", said.told[: match.start()]
    )
    about_record = "刚" in match[0] or "上" in match[0] or match[0].startswith(("把", "那条"))
    if about_record or (not happened and not (said.names_customer and said.duration)):
        tells = said.names_customer and match.start() > 12 and not about_record
        return None if tells else found(Intent.CORRECT, match)
    return None


def _appeal(said: Said) -> Purpose | None:
    match = says("intents", "appeal", "words", said.text)
    if match is None:
        return None
    status = says("intents", "topics", "appeal_status", said.text)
    asks = says("intents", "query", "question", said.text)
    if asks and _WONDERS.search(asks[0]) and "诉" not in match[0]:
        return Purpose(Intent.QUERY, asks[0], topic="bonus")
    if asks and status:
        return Purpose(Intent.QUERY, status[0], topic="appeal_status")
    if asks and says("intents", "topics", "help", said.text):
        return Purpose(Intent.QUERY, asks[0], topic="help")
    outright = says("intents", "appeal", "money", said.text)
    return found(Intent.APPEAL, match, sure=_BARE_SURE if outright else 0.9)


def _query(said: Said) -> Purpose | None:
    asked = says("intents", "query", "question", said.text)
    if asked is None or len(said.text) > 60 or (said.duration and "算" not in asked[0]):
        return None
    if says("intents", "query", "statement", said.text):
        return None
    if said.level_named and said.names_customer:
        return None
    if said.names_customer and says("intents", "query", "reported", said.text):
        return None
    if said.names_customer and said.ahead and not _ASKS.search(said.text):
        return None
    told = says("intents", "call", "explicit", said.told) or says(
        "intents", "visit", "done", said.told
    )
    if told and said.names_customer and "?" not in said.text and len(said.text) > _SHORT:
        return None
    sure = _BARE_SURE if _HOW_IT_GOES.search(said.text) else 0.9
    for topic, words in lists("intents", "topics").items():
        match = words.search(said.text)
        if match:
            return Purpose(Intent.QUERY, match[0], topic=topic, sure=sure)
    return None


def topic_of(said: Said) -> str | None:
    """What is asked about, if anything is asked."""
    return next(
        (name for name, words in lists("intents", "topics").items() if words.search(said.text)),
        None,
    )


def _create(said: Said) -> Purpose | None:
    if said.duration or _COUNTS.search(said.text):
        return None
    return found(Intent.CREATE_CUSTOMER, says("intents", "create", "words", said.text))
