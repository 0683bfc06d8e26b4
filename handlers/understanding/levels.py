"""Intent levels: named, entailed by what the text reports, or refused."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.understanding.choices import Choices
from handlers.understanding.contacts import find_contacts
from handlers.understanding.lexicon import lists, says


@dataclass(frozen=True, slots=True)
class LevelSaid:
    """Which level of intent a text names. level: as named or entailed. refused: named while the
    text itself denies its conditions.

    vague: words such as 高意向 that name no level. named: the level was said, not entailed.
    """

    level: str | None = None
    refused: str | None = None
    vague: bool = False
    named: bool = False
    words: str = ""


def read_level(text: str) -> LevelSaid:
    vague = says("lexicon", "vague", "intent", text)
    entailed = _entailed(text)
    names = list(lists("intents", "levels")["named"].finditer(text))
    if not names:
        hedged = vague is not None and not _denied(text, vague.start())
        return LevelSaid(level=entailed, vague=hedged, words=vague[0] if vague else "")
    name = names[-1]
    level = f"L{name[1]}"
    going_down = says("intents", "levels", "down", text)
    lacking = says("intents", "levels", "lacking", text)
    unfounded = vague is not None and entailed is None
    if not going_down and (lacking or unfounded):
        return LevelSaid(refused=level, vague=bool(vague), named=True, words=name[0])
    return LevelSaid(level=level, vague=False, named=True, words=name[0])


def _entailed(text: str) -> str | None:
    said = lists("intents", "levels")
    if _holds(said["po_signed"], text):
        return "L1"
    if _holds(said["plan_confirmed"], text) and _holds(said["budget_approved"], text):
        return "L2"
    if _holds(said["need_clear"], text) and find_contacts(text):
        return "L3"
    return None


def _holds(words: Choices, text: str) -> bool:
    return any(not _denied(text, match.start()) for match in words.finditer(text))


def _denied(text: str, start: int) -> bool:
    return (
        text[max(0, start - 3) : start]
        .rstrip("有是很太算")
        .endswith(("没", "未", "不", "等", "还没", "无"))
    )
