"""What the message says is attached or uploaded here, as codes."""

from __future__ import annotations

import re

from handlers.understanding.lexicon import heard, lists
from handlers.understanding.spans import Found, longest_first

_STOP = re.compile(r"[,。;!?\n]")
_REACH = 12
_FILE_WORD = re.compile(r"pdf|扫描件|文件|附件")
_SENT = re.compile(r"发|传|交")
_SAID_AFTER = re.compile(
    r"\s*(?:我|已经?|都|也|刚|全|一起|一并)*(?:上传|传(?!真)|附上|贴|挂(?=这|上|在|群)|在附件|见附件|发(?:群|这)|upload)"
)
_ALL_OF_THEM = re.compile(
    r"(?:[两三四几]|[2-9])(?:样|份|个|张)(?:东西|文件|附件|材料)?(?:我|都|也|全|一起|已经?)+(?:上?传|贴|附|放|挂|扔)"
)
_ORDER_NUMBER = re.compile(r"(?<![a-z])po(?:号|-?\d)")
_COPY = re.compile(r"扫描件|原件|复印件|电子版|双章版|文件|附件")
_GENERAL = "other"


def find_attachments(text: str) -> list[Found[str]]:
    """One find per code. What was sent to the customer, or comes later, is not attached."""
    nouns = _nouns(text)
    both = _ALL_OF_THEM.search(text)
    claimed: dict[str, Found[str]] = {}
    for noun in nouns:
        if noun.value not in claimed and (
            _is_here(text, noun, nouns) or (both and noun.end <= both.start())
        ):
            claimed[noun.value] = noun
    if len(claimed) > 1:
        claimed.pop(_GENERAL, None)
    return sorted(claimed.values(), key=lambda one: one.start)


def _nouns(text: str) -> list[Found[str]]:
    found = [
        Found(match.start(), match.end(), code)
        for code, match in heard("lexicon", "attachments", text)
    ]
    return _with_copies_named(text, longest_first(found))


def _with_copies_named(text: str, nouns: list[Found[str]]) -> list[Found[str]]:
    """合同盖章了，扫描件已传: a copy is a copy of what was named before."""
    named: list[Found[str]] = []
    for noun in nouns:
        known = [one for one in named if one.value != _GENERAL]
        if known and _COPY.fullmatch(text, noun.start, noun.end):
            named.append(noun._replace(value=known[-1].value))
        elif _COPY.fullmatch(text, noun.start, noun.end) and _ORDER_NUMBER.search(
            text, 0, noun.start
        ):
            named.append(noun._replace(value="po"))
        else:
            named.append(noun)
    return named


def _is_here(text: str, noun: Found[str], nouns: list[Found[str]]) -> bool:
    start, end = _clause(text, noun)
    words = lists("lexicon", "attached")
    if _FILE_WORD.search(text[noun.start : noun.end]) and _SENT.search(text[noun.end : end]):
        return not words["later"].search(text[start : noun.start])
    for said in words["here"].finditer(text, start, end):
        nearer = any(
            noun.end <= other.start < said.start() and other.value != _GENERAL for other in nouns
        ) and not _is_list(text[noun.end : said.start()])
        if (
            not nearer
            and abs(said.start() - noun.end) <= _REACH
            and not words["later"].search(text[start : said.start()])
        ):
            return True
    return False


def _is_list(between: str) -> bool:
    return bool(re.match(r"\s*(?:、|和|跟|及|与|还有|,)", between))


def _clause(text: str, noun: Found[str]) -> tuple[int, int]:
    start = max((match.end() for match in _STOP.finditer(text, 0, noun.start)), default=0)
    stop = _STOP.search(text, noun.end)
    if stop and _SAID_AFTER.match(text, stop.end()):
        stop = _STOP.search(text, stop.end())
    return start, stop.start() if stop else len(text)
