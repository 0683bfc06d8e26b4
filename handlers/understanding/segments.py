"""One message about several customers, cut into one stretch for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from handlers.understanding.customers import Mention
from handlers.understanding.spans import CORRECTION

_CLAUSE_START = re.compile(r"[,。;!?\n:]|\s")
_JOINED = re.compile(r"^\s*(?:[、,和跟与及/&+]|还有|以及|\s){1,3}\s*$")
# 了 stands once, for itself: 催了? beside it would read each 催了 in two ways, and a message of
# seventy characters in 2^30.
_LEAD = re.compile(
    r"(?:(?:然后|接着|又|再|还|另外|还有|后来|之后|刚|刚才|今天|昨天|上午|下午|中午|晚上"
    r"|早上|也|去|到|给|跟|和|找|约|拜访|打给|打电话给|联系|见|催|问|陪|把|是|了|的|对|,|\s)+)$"
)
_BESIDE = re.compile(
    r"(?:参考|介绍|像|类似|同行业的?|隔壁|学|对标|跟着|拿|以|用的?是?|比)(?:了|着|的是)?$"
)
_BESIDE_AFTER = re.compile(
    r"^\s*(?:的案例|介绍|推荐|转介绍|那个案例|的模板|也在用|在用|也用|老板介绍)"
)
_NOT_THIS = re.compile(
    r"(?:不是|而不是|并非|(?:别|不要|不用|不该|不能)(?:给我|把它)?(?:再)?(?:记|写|算|录|挂)(?:成|到|在|为|作)?(?:了)?)$"
)
_SHARED = re.compile(
    r"(?:^|[,。;\s])(?P<shared>(?:他们|两家|三家|这两家|这几家|几家|两个|三个|全部?|双方"
    r"|两边)?都[^,。;!?\n]{1,20})$"
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a message that is about the same customers. text: as long as its stretch of the
    message. start: where the stretch begins.

    mentions: those it is about; several when one stretch speaks of them together.
    named: every customer named in it, those only referred to included.
    shared: words of another stretch that hold for this one too (都嫌贵).
    """

    text: str
    start: int
    mentions: tuple[Mention, ...]
    named: tuple[Mention, ...] = ()
    shared: str = ""


def cut(text: str, mentions: Sequence[Mention]) -> list[Segment]:
    """Stretches in the order of the text; one for the whole message when at most one is named."""
    meant = meant_in(text, mentions)
    groups = _groups(text, meant)
    if len(groups) < 2:
        return [Segment(text, 0, tuple(groups[0]) if groups else (), tuple(mentions))]
    starts = [0]
    starts += [_start_of(text, group[0], before[-1]) for before, group in pairwise(groups)]
    ends = [*starts[1:], len(text)]
    shared = _SHARED.search(text[starts[-1] :])
    return [
        Segment(
            text[start:end],
            start,
            tuple(group),
            tuple(one for one in mentions if start <= one.start and one.end <= end),
            shared["shared"] if shared and group is not groups[-1] else "",
        )
        for start, end, group in zip(starts, ends, groups, strict=True)
    ]


def meant_in(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Without names taken back (不是松北，是旅顺) or only referred to (参考松北的案例)."""
    kept: list[Mention] = []
    for mention in mentions:
        before, after = text[max(0, mention.start - 6) : mention.start], text[mention.end :]
        if _NOT_THIS.search(before):
            continue
        if len(mentions) > 1 and (_BESIDE.search(before) or _BESIDE_AFTER.search(after)):
            continue
        if kept and _is_correction(text, kept[-1], mention):
            kept.pop()
        kept.append(mention)
    return kept


def _is_correction(text: str, earlier: Mention, later: Mention) -> bool:
    between = text[earlier.end : later.start]
    marker = CORRECTION.search(between)
    return bool(marker and len(between) - marker.start() < 10 and len(between) < 14)


def _groups(text: str, mentions: Sequence[Mention]) -> list[list[Mention]]:
    """Mentions joined by 和 or 、 belong together; the same customer again opens nothing new."""
    groups: list[list[Mention]] = []
    for mention in mentions:
        again = bool(groups) and any(_same(mention, one) for one in groups[-1])
        if groups and not again and _JOINED.match(text[groups[-1][-1].end : mention.start]):
            groups[-1].append(mention)
        elif groups and len(groups[-1]) == 1 and _same(mention, groups[-1][0]):
            continue
        else:
            groups.append([mention])
    return _without_heading(groups)


def _without_heading(groups: list[list[Mention]]) -> list[list[Mention]]:
    """跑了莲都和吴兴两家，莲都…，吴兴…: the list in front only announces what follows."""
    heading, *others = groups or [[]]
    alone = [group[0] for group in others if len(group) == 1]
    if len(heading) > 1 and all(any(_same(one, later) for later in alone) for one in heading):
        return others
    return groups


def _same(one: Mention, other: Mention) -> bool:
    names = {candidate.name for candidate in one.candidates}
    return bool(names & {candidate.name for candidate in other.candidates})


def _start_of(text: str, mention: Mention, previous: Mention) -> int:
    """The beginning of the clause that names the customer, or of the words that lead to it."""
    stops = [match.end() for match in _CLAUSE_START.finditer(text, previous.end, mention.start)]
    if stops and mention.start - stops[-1] <= 12:
        return stops[-1]
    lead = _LEAD.search(text[previous.end : mention.start])
    return mention.start - len(lead[0]) if lead else mention.start
