"""What a message tells of, and what it only plans: "打了电话，下周一再去拜访" tells of a call."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CLAUSE_END = re.compile(r"[,。;!?\n]|(?<=[^\s])\s+(?=\S)")
_PLAN = re.compile(
    r"改天|回头|有空|晚点|晚些|稍后|待会|等会|过会|过[两几]天|赶明|下周(?![一二三四五六日天])"
    r"|下个?礼拜(?![一二三四五六日天])|下个月(?!\d)"
    r"|(?<![大预签])约(?=个?(?:电话|时间|线上|视频))|同意|答应|准备|打算|计划|要去|想去|下次|再(?=联系|打|约|聊|说|去|跟|谈|看|沟通|拜访|回访"
    r"|找|催|发|来|定|给|见|碰|报)"
    r"|(?<!客户)(?<!对方)(?<!他们)(?<!需)要(?=再?(?:去|跟|打(?!折|款)|回访|拜访|联系|催|盯))|必须(?=去|给|跟|打)"
    r"|需要(?=去|给|跟|打)|得(?=去|给|跟|打)|记得|别忘|提醒|(?<![签爽失赴履])约好|(?<![签爽失赴履预大])约(?=〓)|(?<![签爽失赴履])约了(?![几一二两三四五六七八九十\d]+(?:次|回|趟))|约定"
    r"|说好|定好|安排|等着?(?=去|给|约)|让我(?=们?(?:下|明|后|周|晚|再|过|回))|节后|到时候?"
)
_NOT_DONE = re.compile(
    r"(?:还没|没有|没|未|忘了?|忘记|没来得及|没顾上|来不及)(?:来得及|顾上|顾得上|时间"
    r"|空|去|能)?(?:给|跟|和|把|去)?[^,。;!?\s]{0,8}?(?:打电话|打(?!通|开)|联系(?!上|人)"
    r"|去(?!成)|拜访|回访|跟进|发|做好|写|出)"
)
_LONGEST_PLAN = 60


def tell_apart(text: str, future: Iterable[tuple[int, int]]) -> tuple[str, str]:
    """(told, planned): `text` twice, each with the other's stretches blank.

    future: spans of moments that lie ahead. A plan runs from its first sign to the end of
    its clause.
    """
    signs = list(future)
    signs += [match.span() for match in _PLAN.finditer(text)]
    signs += [match.span() for match in _NOT_DONE.finditer(text)]
    told, planned = text, " " * len(text)
    for start, sign_end in signs:
        end = _clause_end(text, start, sign_end)
        told = told[:start] + " " * (end - start) + told[end:]
        planned = planned[:start] + text[start:end] + planned[end:]
    return told, planned


def is_not_done(text: str) -> bool:
    """还没打, 忘了联系: the action did not happen."""
    return bool(_NOT_DONE.search(text))


def _clause_end(text: str, start: int, sign_end: int) -> int:
    """Where the plan that begins at `start` ends; a sign alone in its clause points ahead."""
    stop = _CLAUSE_END.search(text, sign_end)
    if stop and stop.end() < len(text) and not text[sign_end : stop.start()].strip("的前后左右 "):
        stop = _CLAUSE_END.search(text, stop.end())
    return min(stop.start() if stop else len(text), start + _LONGEST_PLAN)
