"""«上面那个记一下»: the message of a chat that another one refers to.

A robot sees only what is said to it (and in DingTalk, what is replied to). So the quoted
message is meant, else the last one of the group that was said to the bot and not recorded.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.activities import Intent, Record
from handlers.conversation import reports
from handlers.desk import Desk
from handlers.texts import dialog
from storage.group_words import Heard

LOOK_BACK = timedelta(hours=24)
MOST_HEARD = 20
SHORTEST = 6  # characters; less tells nothing

_TO_THE_BOT = frozenset({Intent.CONFIRM, Intent.CANCEL, Intent.CORRECT, Intent.QUERY})

_KEEP = r"(?:记(?:一?下来?|上|录|着)?|录(?:一?下|入|上)|存(?:一?下|上))"
_WHICH = r"(?:上面|上边|前面|楼上|刚才|刚刚|上一?条|引用)"
_WHAT = r"(?:(?:说|讲|发|报)的|那个|那条|那段|这个|这条|这段|的)+"
_ASKS = re.compile(
    r"^(?:请|麻烦|帮我|帮忙|你|把|给我|也|再|,|，|\s)*"
    rf"(?P<verb>{_KEEP})?(?:一下)?(?P<which>{_WHICH})?(?:的)?"
    rf"(?P<who>我|本人|[\u4e00-\u9fff]{{2,4}}?)??(?P<what>{_WHAT})?(?:消息|话|内容|跟进|事)?"
    rf"(?:也|都|帮我|给我|,|，|\s)*(?P<verb2>{_KEEP})?(?:一下)?[吧啊哈了。!！]*$"
)
_FAMILIAR = re.compile(r"[老小][\u4e00-\u9fff]")


def asks(desk: Desk, text: str) -> re.Match[str] | None:
    """Whether the words ask to record another message, and whose (`who`)."""
    match = _ASKS.match(text)
    if match is None or not (match["verb"] or match["verb2"]):
        return None
    points_back = desk.message.in_group and (match["which"] or match["what"])
    return match if desk.message.quoted_text or points_back else None


async def meant(desk: Desk, asked: re.Match[str]) -> Desk | None:
    """The desk with the message that is meant in place of the one that asks for it; None after
    saying that there is none."""
    message = desk.message
    if message.quoted_text:
        said_at = message.quoted_at or message.sent_at
        return _with_words(desk, message.quoted_text, said_at=said_at)
    heard = await _heard(desk, asked["who"] or "")
    telling = [one for one in heard if _tells(desk, one)]
    if not heard:
        desk.say(dialog.NOTHING_ABOVE)
        return None
    one = (telling or heard)[0]
    await desk.tx.group_words.mark_recorded(one.source_id)
    speaker = (await desk.tx.people.get(one.person_id)).name
    words = one.text if one.person_id == desk.rep.id else f"{speaker}：{one.text}"
    return _with_words(desk, words, said_at=one.said_at)


async def _heard(desk: Desk, called: str) -> list[Heard]:
    """What was lately said in the group (by whom they call so) and not recorded, newest
    first; without mere words to the bot such as «确认»."""
    heard = await desk.tx.group_words.not_recorded(
        desk.conversation,
        since=desk.at - LOOK_BACK,
        before=desk.message.sent_at,
        limit=MOST_HEARD,
    )
    speakers = {one.person_id: await desk.tx.people.get(one.person_id) for one in heard}
    return [
        one
        for one in heard
        if _is(speakers[one.person_id].name, called, desk)
        and _record(desk, one).intent not in _TO_THE_BOT
        and len(one.text) >= SHORTEST
    ]


def _tells(desk: Desk, heard: Heard) -> bool:
    return _record(desk, heard).intent in reports.LOGS


def _record(desk: Desk, heard: Heard) -> Record:
    now = heard.said_at.astimezone(desk.office.zone)
    index = desk.office.customers.index
    return desk.office.reader.read(heard.text, now=now, customers=index)[0]


async def listen(desk: Desk, text: str) -> None:
    """Keep what was said in a group, for who refers to it."""
    if desk.message.in_group:
        heard = Heard(desk.rep.id, desk.incoming.source_id, text, desk.message.sent_at)
        await desk.tx.group_words.add(desk.conversation, heard)


def _with_words(desk: Desk, words: str, *, said_at: datetime) -> Desk:
    """The same answers and transaction; days are counted from when it was said."""
    message = replace(desk.message, text=words, sent_at=said_at, quoted_text="")
    return replace(desk, incoming=replace(desk.incoming, message=message, files=()))


def _is(speaker: str, called: str, desk: Desk) -> bool:
    """«老王» is a 王某某; «我» is who asks; no name is anybody."""
    if called in ("我", "本人"):
        return speaker == desk.rep.name
    if _FAMILIAR.fullmatch(called):
        return speaker.startswith(called[1])
    return called in speaker
