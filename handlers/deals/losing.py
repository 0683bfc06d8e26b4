"""A lost deal and its reason: asked once, kept with all that were said, and a to-do until then."""

from __future__ import annotations

import re

from bot.domain import losses
from bot.domain.activities import OBJECTIONS, Activity, Draft, Intent, Record
from bot.domain.library import SlotSpec
from handlers.conversation.draft_card import DraftView
from handlers.conversation.judging import LOOK_BACK
from handlers.desk import Desk
from handlers.texts import dialog

SPEC = SlotSpec(losses.REASON, dialog.LOSS_REASON, dialog.LOSS_QUESTION)
REASON = "reason-"  # how the actions of its buttons begin
MOST_BUTTONS = 4
LONGEST_NOTE = 200
_NO_WORDS = re.compile(r"\W*其[他它](?:的|原因)?\W*")
"""The name of the code, which tells nothing of its own."""

_UNCLEAR = re.compile(r"不清楚|不知道|不晓得|说不清|没说(?:原因)?$|没问到|问不出")
_TOPICS_OF_ITS_OWN = ("next_contact", "duration_min", "amount_fen")


def lacks_reason(draft: Draft) -> bool:
    return draft.unit == Intent.LOG_LOSS and losses.REASON not in draft.slots


async def without_reason(desk: Desk) -> list[Activity]:
    """The speaker's lost deals that still want a reason, newest first."""
    since = desk.at - LOOK_BACK
    return await desk.tx.activities.without_slot(
        desk.rep.id, intent=str(Intent.LOG_LOSS), slot=losses.REASON, since=since
    )


def choices(view: DraftView) -> list[tuple[str, str]]:
    """Buttons for the question, once it is asked: what was said, else the usual reasons."""
    if not view.missing or view.missing[0].key != losses.REASON:
        return []
    codes = losses.offered(view.draft.slots, MOST_BUTTONS)
    return [(f"{REASON}{code}", OBJECTIONS[code]) for code in codes]


def pressed(draft: Draft, action: str) -> dict[str, object]:
    """The slots of a pressed reason."""
    code = action.removeprefix(REASON)
    return losses.chosen(draft.slots, code if code in OBJECTIONS else losses.OTHER)


def read(desk: Desk, draft: Draft, text: str, record: Record) -> dict[str, object] | None:
    """The slots of an answer in words: one reason, several (asked again), or the rep's own
    words for what no code says. None: it is no answer."""
    if record.intent not in (Intent.CHITCHAT, Intent.LOG_LOSS, Intent.LOG_CALL, Intent.CORRECT):
        return None
    reader, now = desk.office.reader, desk.message.sent_at.astimezone(desk.office.zone)
    codes = reader.read_answer(text, "objections", now=now)
    if isinstance(codes, tuple) and len(codes) == 1:
        chosen = losses.chosen(draft.slots, codes[0])
        own_words = codes[0] == losses.OTHER and not _NO_WORDS.fullmatch(text)
        return {**chosen, losses.NOTE: text[:LONGEST_NOTE]} if own_words else chosen
    if isinstance(codes, tuple) and codes:
        said = draft.slots.get("objections")
        earlier = said if isinstance(said, list) else []
        return {"objections": list(dict.fromkeys([*earlier, *codes]))}
    if _UNCLEAR.search(text) or _is_a_reason(desk, text, record):
        return {**losses.chosen(draft.slots, losses.OTHER), losses.NOTE: text[:LONGEST_NOTE]}
    return None


def _is_a_reason(desk: Desk, text: str, record: Record) -> bool:
    """Words of the rep's own: no customer, greeting, question, nor what fits elsewhere."""
    now = desk.message.sent_at.astimezone(desk.office.zone)
    talk = record.customer or record.ambiguous or record.words.get("intent")
    if talk or len(text) < 2 or text.endswith(("?", "？", "吗")):
        return False
    return all(
        desk.office.reader.read_answer(text, key, now=now) is None for key in _TOPICS_OF_ITS_OWN
    )
