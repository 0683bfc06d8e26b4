"""Free words about lost deals, grouped: what the reasons on the list do not say.

Words by jieba, weights by TF-IDF, groups by average linkage on the cosine: a few hundred short
notes, in numpy, without a random start, so that the same notes make the same groups. Where a
group lies near one of the week before, it keeps that one's label.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from handlers.refusals.masking import COMPANY, CUSTOMER, NUMBER, PERSON
from handlers.understanding.names import load_jieba

MOST_NOTES = 400
SMALLEST = 3
ALIKE = 0.2  # mean cosine within a group; found on notes of one or two clauses
SAME_GROUP = 0.4  # cosine of this week's centre and an earlier one
KEPT_WORDS = 30
LONGEST_LABEL = 6

_STOP = frozenset(
    re.findall(
        r"\S+",
        """
        丢单 丢了 没了 输了 黄了 结果 单子 项目 选 选了 定了 拿 拿走 原因 主要 这次 客户 他们 我们
        你们 对方 因为 所以 但是 就是 这个 那个 这家 那家 一个 还是 已经 最后 后来 现在 觉得 感觉
        说是 说 没有 可以 自己 比较 非常
        """,
    )
)
"""Words of which a note says nothing by itself; those of one character are left out anyway."""

_MASKS = re.compile(f"{CUSTOMER}|{PERSON}|{COMPANY}|{NUMBER}")
_WORD = re.compile(r"[\u4e00-\u9fffA-Za-z]{2,}")
_CLAUSE = re.compile(r"[，。；！？,.;!?\s、]+")

Weights = Mapping[str, float]
Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Group:
    """Notes that say alike. members: places in the list given, the most typical first.
    words: its centre, word -> weight, of length 1."""

    label: str
    words: dict[str, float]
    members: tuple[int, ...]


def group(notes: Sequence[str], earlier: Sequence[Group] = ()) -> list[Group]:
    """The groups of at least three notes, the largest first. notes: masked; at most MOST_NOTES
    are read. earlier: those of the last time, whose labels go on where they fit."""
    words = [_words(note) for note in notes[:MOST_NOTES]]
    vocabulary = sorted({word for one in words for word in one})
    if not vocabulary:
        return []
    vectors = _vectors(words, vocabulary)
    found = []
    for members in _link(vectors @ vectors.T):
        centre = _unit(vectors[members].mean(axis=0))
        order = sorted(members, key=lambda n: (-float(vectors[n] @ centre), n))
        weights = _heaviest(centre, vocabulary)
        label = _label([notes[n] for n in order], weights)
        found.append(Group(label, weights, tuple(order)))
    found.sort(key=lambda one: (-len(one.members), one.members))
    return _with_earlier_labels(found, earlier)


def nearest_code(words: Weights, notes_by_code: Mapping[str, Sequence[str]]) -> str | None:
    """The reason on the list whose notes speak most like the group; None if none does."""
    best, best_code = SAME_GROUP, None
    for code, notes in sorted(notes_by_code.items()):
        counts = Counter(word for note in notes for word in _words(note))
        likeness = _cosine(words, {word: math.sqrt(n) for word, n in counts.items()})
        if likeness > best:
            best, best_code = likeness, code
    return best_code


def _words(note: str) -> list[str]:
    load_jieba()
    import jieba

    cut = jieba.lcut_for_search(_MASKS.sub(" ", note))
    return [word for word in cut if _WORD.fullmatch(word) and word not in _STOP]


def _vectors(words: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> Vectors:
    place = {word: number for number, word in enumerate(vocabulary)}
    table = np.zeros((len(words), len(vocabulary)))
    for row, one in enumerate(words):
        for word in one:
            table[row, place[word]] = 1
    seen_in = table.sum(axis=0)
    weighted = table * (np.log((1 + len(words)) / (1 + seen_in)) + 1)
    lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
    unit: Vectors = weighted / np.where(lengths > 0, lengths, 1)
    return unit


def _link(likeness: Vectors) -> list[list[int]]:
    """Average linkage: the two groups most alike become one, while they are alike enough."""
    sums = likeness.copy()
    np.fill_diagonal(sums, -np.inf)
    sizes = np.ones(len(sums))
    members = [[number] for number in range(len(sums))]
    mean = sums.copy()
    while len(members) > 1:
        one, other = divmod(int(mean.argmax()), len(mean))
        if mean[one, other] < ALIKE:
            break
        sums[one] += sums[other]
        sums[:, one] = sums[one]
        sums[one, one] = -np.inf
        sizes[one] += sizes[other]
        sums[other] = sums[:, other] = mean[other] = mean[:, other] = -np.inf
        mean[one] = sums[one] / (sizes * sizes[one])
        mean[:, one] = mean[one]
        members[one], members[other] = members[one] + members[other], []
    return [sorted(one) for one in members if len(one) >= SMALLEST]


def _unit(vector: Vectors) -> Vectors:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def _heaviest(centre: Vectors, vocabulary: Sequence[str]) -> dict[str, float]:
    order = np.argsort(-centre, kind="stable")[:KEPT_WORDS]
    return {vocabulary[n]: round(float(centre[n]), 4) for n in order if centre[n] > 0}


def _label(notes: Sequence[str], weights: Weights) -> str:
    """The shortest stretch of one clause that holds the two heaviest words, in the rep's own
    order; else the heaviest word: what a person would call it."""
    heaviest = max(weights.values())
    leading = [word for word, weight in weights.items() if weight > 0.9 * heaviest]
    first = max((word for word in leading if leading[0] in word), key=len)
    beside = [word for word, weight in weights.items() if weight > 0.5 * heaviest]
    for other in (word for word in beside if word not in first and first not in word):
        stretches = [
            stretch
            for note in notes
            for clause in _CLAUSE.split(_MASKS.sub("，", note))
            if (stretch := _stretch(clause, first, other))
        ]
        if stretches:
            return min(stretches, key=lambda words: (len(words), words))
    return first


def _stretch(clause: str, one: str, other: str) -> str:
    start, end = clause.find(one), clause.find(other)
    if start < 0 or end < 0:
        return ""
    words = clause[min(start, end) : max(start + len(one), end + len(other))]
    return words if len(words) <= LONGEST_LABEL else ""


def _with_earlier_labels(found: Sequence[Group], earlier: Sequence[Group]) -> list[Group]:
    """The closest pairs first; an earlier label is carried on once."""
    pairs = sorted(
        (-_cosine(new.words, old.words), n, o)
        for n, new in enumerate(found)
        for o, old in enumerate(earlier)
    )
    labels: dict[int, str] = {}
    taken: set[int] = set()
    for negative, n, o in pairs:
        if -negative >= SAME_GROUP and n not in labels and o not in taken:
            labels[n] = earlier[o].label
            taken.add(o)
    return [Group(labels.get(n, one.label), one.words, one.members) for n, one in enumerate(found)]


def _cosine(one: Weights, other: Weights) -> float:
    dot = sum(weight * other[word] for word, weight in one.items() if word in other)
    lengths = math.hypot(*one.values()) * math.hypot(*other.values())
    return dot / lengths if lengths else 0.0
