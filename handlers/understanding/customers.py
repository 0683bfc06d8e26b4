"""Which customers a message names: full names, short names, aliases, misheard and mistyped."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from handlers.understanding.described import descriptions, trade_of
from handlers.understanding.forms import Forms, Hit, Shared, without_overlaps
from handlers.understanding.names import (
    LEGAL_FORM_AHEAD,
    NameParts,
    districts,
    everyday_words,
    is_a_word,
    place_at,
    places,
    take_apart,
)
from handlers.understanding.normal import normalise
from handlers.understanding.sounds import sound_of

FULL_NAME, SHORT_NAME, ALIAS = "full", "short", "alias"
FUZZY, SOUND, DESCRIBED = "fuzzy", "pinyin", "described"
SURE = 0.85
"""Below this a match is a guess that the person must confirm."""

_MOST_CANDIDATES = 5
_SHORTEST_FUZZY = 4
_LONGEST_FUZZY = 8
_LONGEST_SOUND = 12
_NEAR_ENOUGH = 70.0
_GRAMMAR = frozenset(
    "的了在是要都也就没不有我你他她它说打这那给跟和去来到很会能可还又再被把让"
    "一二三四五六七八九十两几个天点分号月周年"
)
"""Two syllables with one of these are everyday talk, not a short name misheard."""


_NAME_AHEAD = re.compile(r"(?:^|[\s,。;!?:给跟和找与])$")
_NAME_BEHIND = re.compile(
    r"$|[\s,。;!?:]|那边|这边|那单|call|打|聊|谈|通|说|的?[\u4e00-\u9fff](?:总|工|姐|哥)"
)
"""What stands around a name that is an everyday word too."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One customer that may be meant. score: 0..1. reason: one of the above."""

    name: str
    key: int | None
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Mention:
    """text[start:end] == words names one of `candidates`, best first."""

    start: int
    end: int
    words: str
    candidates: tuple[Candidate, ...]

    @property
    def sure(self) -> Candidate | None:
        """The one candidate that stands clear of the others, if there is one."""
        best, *others = self.candidates
        return None if others and others[0].score > best.score - 0.05 else best


@dataclass(slots=True)
class _Entry:
    name: str
    key: int | None = None
    aliases: tuple[str, ...] = ()

    @property
    def parts(self) -> NameParts:
        """Taken apart anew when asked for: few of many customers ever are."""
        return _parts_of(self.name)


@lru_cache(maxsize=4_096)
def _parts_of(name: str) -> NameParts:
    return take_apart(normalise(name))


class CustomerIndex:
    """All customers' names, searched in a message. Additions and removals act at once."""

    def __init__(self) -> None:
        self._entries: list[_Entry | None] = []
        self._numbers: dict[str, int] = {}
        self._written = Forms()
        self._spoken = Forms()
        self._near = Shared()
        self._trades = Shared()

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, name: str) -> bool:
        return name in self._numbers

    def add(self, name: str, aliases: Iterable[str] = (), key: int | None = None) -> None:
        """Make `name` findable; again, with further aliases or another key, is fine."""
        number = self._numbers.get(name)
        if number is None:
            number = self._enter(name)
        entry = self._entry(number)
        entry.key = key if key is not None else entry.key
        for alias in aliases:
            form = normalise(alias).strip()
            if len(form) > 1 and form not in entry.aliases:
                entry.aliases += (form,)
                self._written.add([form], number)

    def remove(self, name: str) -> None:
        """Forget a name (merged or erased customers); unknown names are no error."""
        number = self._numbers.pop(name, None)
        if number is None:
            return
        entry = self._entry(number)
        self._entries[number] = None
        for form in {*_written_forms(entry.name, entry.parts), *entry.aliases}:
            self._written.remove(form, number)
        for form in _spoken_forms(entry.parts):
            self._spoken.remove(form, number)
        for form in _near_forms(entry.parts.core):
            self._near.remove(form, number)
        self._trades.remove(trade_of(entry.parts.core), number)

    def find(self, text: str, visible: Callable[[str], bool] | None = None) -> list[Mention]:
        """The customers named in `text`, in its order. `visible` hides names from this reader."""
        low = normalise(text)
        hits = without_overlaps([hit for hit in self._written.find(low) if _fits(low, hit)])
        taken = [mention for hit in hits if (mention := self._exact(low, hit, visible))]
        if len(taken) > 1:
            taken = [one for one in taken if not _is_a_trade(one)] or taken
        taken += self._guesses(_blank(low, hits), taken, visible)
        return sorted(taken, key=lambda mention: mention.start)

    def _enter(self, name: str) -> int:
        number = len(self._entries)
        parts = take_apart(normalise(name))
        self._entries.append(_Entry(name))
        self._numbers[name] = number
        self._written.add(_written_forms(name, parts), number)
        self._spoken.add(_spoken_forms(parts), number)
        self._near.add(_near_forms(parts.core), number)
        if trade := trade_of(parts.core):
            self._trades.add([trade], number)
        return number

    def _entry(self, number: int) -> _Entry:
        entry = self._entries[number]
        assert entry is not None
        return entry

    def _seen(self, ids: Iterable[int], visible: Callable[[str], bool] | None) -> Iterator[_Entry]:
        for number in ids:
            entry = self._entry(number)
            if visible is None or visible(entry.name):
                yield entry

    def _exact(self, text: str, hit: Hit, visible: Callable[[str], bool] | None) -> Mention | None:
        words = text[hit.start : hit.end]
        seen = list(self._seen(hit.ids, visible))
        if not seen:
            return None
        seen = [entry for entry in seen if _may_be_named(text, hit, words, entry)]
        if not seen:
            return None
        start, place = _place_before(text, hit.start)
        ending = LEGAL_FORM_AHEAD.match(text, hit.end)
        end = ending.end() if ending else hit.end
        if place and any(place in _places_of(entry) for entry in seen):
            seen = [entry for entry in seen if place in _places_of(entry)]
        elif place and all(entry.parts.place and words not in entry.aliases for entry in seen):
            return None  # 苏州恒锐 is not 杭州恒锐机电
        else:
            start = hit.start
        behind = text[hit.end : hit.end + 10]
        slips = {entry.name: slip for entry in seen if (slip := _slip(entry, words, behind))}
        if slips and end == hit.end:
            length = max(len(slip) for slip in slips.values())
            ranked = [
                Candidate(entry.name, entry.key, 0.8, SOUND)
                for entry in seen
                if entry.name in slips
            ]
            return _mention(text, start, end + length, ranked)
        seen = _narrowed(seen, words, behind)
        ranked = [
            Candidate(entry.name, entry.key, *_weigh(entry, words, text[start:end]))
            for entry in seen
        ]
        return _mention(text, start, end, ranked)

    def _guesses(
        self, text: str, taken: list[Mention], visible: Callable[[str], bool] | None
    ) -> list[Mention]:
        """What sounds or looks like a customer where none was named exactly."""
        spare = _blank(text, taken)
        found = [
            mention
            for hit in without_overlaps(list(self._spoken.find(sound_of(spare))))
            if (hit.end - hit.start > 2 or not taken)
            and (mention := self._misheard(spare, hit, visible))
        ]
        if taken or found:
            return found
        return self._described(spare, visible) or self._mistyped(spare, visible)

    def _misheard(
        self, text: str, hit: Hit, visible: Callable[[str], bool] | None
    ) -> Mention | None:
        words = text[hit.start : hit.end]
        if len(words) == 2 and (words in everyday_words() or is_a_word(words)):
            return None
        if len(words) == 2 and _GRAMMAR.intersection(words):
            return None
        seen = list(self._seen(hit.ids, visible))
        if len(words) == 2 and len(seen) > 2:
            return None
        score = 0.8 if len(words) > 2 else 0.65
        ranked = [Candidate(entry.name, entry.key, score, SOUND) for entry in seen]
        return _mention(text, hit.start, hit.end, ranked) if ranked else None

    def _mistyped(self, text: str, visible: Callable[[str], bool] | None) -> list[Mention]:
        """Names with one character wrong, missing, added or swapped."""
        best: dict[str, Mention] = {}
        for start, end, number in _near_windows(text, self._near):
            for entry in self._seen((number,), visible):
                likeness = fuzz.ratio(text[start:end], entry.parts.core)
                if likeness < _NEAR_ENOUGH:
                    continue
                found = Candidate(entry.name, entry.key, round(likeness / 100 * 0.8, 3), FUZZY)
                known = best.get(entry.name)
                if known is None or known.candidates[0].score < found.score:
                    best[entry.name] = _mention(text, start, end, [found])
        kept: list[Mention] = []
        for mention in sorted(best.values(), key=lambda one: -one.candidates[0].score):
            if all(mention.end <= other.start or mention.start >= other.end for other in kept):
                kept.append(mention)
        return kept

    def _described(self, text: str, visible: Callable[[str], bool] | None) -> list[Mention]:
        """The first company that the text names only by its trade, place or both."""
        for said in descriptions(text):
            fits = [
                entry
                for entry in self._seen(self._trades.get(said.trade), visible)
                if not said.place or said.place in _places_of(entry)
            ]
            if 0 < len(fits) <= _MOST_CANDIDATES:
                ranked = [Candidate(entry.name, entry.key, 0.7, DESCRIBED) for entry in fits]
                return [_mention(text, said.start, said.end, ranked)]
        return []


@contextmanager
def many() -> Iterator[None]:
    """Around the adding of thousands: nothing of it becomes garbage, so the collector, which
    would look through all that is there again and again, rests."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _written_forms(name: str, parts: NameParts) -> set[str]:
    """The ways a name is written: whole, without its place, and its first characters.

    A legal form behind is not needed: it is recognised after the name in the text.
    """
    core = parts.core
    forms = _beginnings(core)
    if inner := parts.inner:
        forms |= _beginnings(inner)
    forms = forms - everyday_words()  # unlike -=, looks at the few forms, not at every word
    if parts.town and parts.town in places():
        forms.discard(parts.town)
    forms.add(parts.bare)
    if not name.startswith(parts.bare):
        forms.add(normalise(name))
    return forms


def _beginnings(core: str) -> set[str]:
    return {core[:length] for length in range(2, len(core) + 1)}


def _spoken_forms(parts: NameParts) -> set[str]:
    sound = sound_of(parts.core[:_LONGEST_SOUND])
    forms = {sound[:2], sound}
    if parts.inner:
        inner = sound[len(parts.town) :]
        forms |= {inner[:2], inner}
    return forms


def _near_forms(core: str) -> set[str]:
    """The core with one character left out of its first half.

    A slip in the second half leaves the short name intact, which is found as such.
    """
    if not _SHORTEST_FUZZY <= len(core) <= _LONGEST_FUZZY:
        return set()
    return _one_left_out(core)


def _one_left_out(text: str) -> set[str]:
    return {text[:index] + text[index + 1 :] for index in range((len(text) + 1) // 2)}


def _near_windows(text: str, near: Shared) -> Iterator[tuple[int, int, int]]:
    """Windows of the text that share a shortened form with a name: (start, end, entry)."""
    for stretch_start, stretch in _stretches(text):
        for length in range(_SHORTEST_FUZZY - 1, min(_LONGEST_FUZZY + 1, len(stretch)) + 1):
            for start in range(len(stretch) - length + 1):
                window = stretch[start : start + length]
                for form in (window, *_one_left_out(window)):
                    for number in near.get(form)[:_MOST_CANDIDATES]:
                        yield stretch_start + start, stretch_start + start + length, number


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """Unbroken runs of Chinese characters."""
    start = None
    for index, character in enumerate(f"{text} "):
        if "一" <= character <= "鿿":
            start = index if start is None else start
        elif start is not None:
            yield start, text[start:index]
            start = None


def _fits(text: str, hit: Hit) -> bool:
    """Latin aliases must stand as words of their own."""
    before, after = text[hit.start - 1 : hit.start], text[hit.end : hit.end + 1]
    first, last = text[hit.start], text[hit.end - 1]
    return not (
        (first.isascii() and before.isascii() and before.isalnum())
        or (last.isascii() and last.isalnum() and after.isascii() and after.isalnum())
    )


def _place_before(text: str, start: int) -> tuple[int, str]:
    for length in (5, 4, 3, 2):
        found = place_at(text, start - length) if start >= length else ""
        if len(found) == length:
            return start - length, found.rstrip("市省")
    return start, ""


def _may_be_named(text: str, hit: Hit, words: str, entry: _Entry) -> bool:
    """南山康复医院 is not 无锡惠山康复医院, for which 康复医院 may stand, and 康复 only where
    a name stands (跟康复聊过)."""
    if words not in entry.parts.inner or entry.parts.core.startswith(words):
        return True
    before = text[max(0, hit.start - 2) : hit.start]
    if before != entry.parts.town and before in districts():
        return False
    if words == entry.parts.inner or not is_a_word(words):
        return True
    return bool(_NAME_AHEAD.search(before) and _NAME_BEHIND.match(text, hit.end))


def _is_a_trade(mention: Mention) -> bool:
    """体检中心 beside another company's name is hardly that of 成都青羊体检中心."""
    return all(one.reason == DESCRIBED for one in mention.candidates)


def _places_of(entry: _Entry) -> tuple[str, str]:
    return entry.parts.place, entry.parts.town


def _slip(entry: _Entry, words: str, behind: str) -> str:
    """黄岩磨具: the short name is right, and what follows is the rest of the name, misspelt."""
    if not entry.parts.core.startswith(words):
        return ""
    rest = entry.parts.core[len(words) :]
    said = behind[: len(rest)]
    if not rest or len(said) < len(rest) or said in everyday_words():
        return ""
    if sound_of(said) == sound_of(rest):
        return said
    alike = sum(one == other for one, other in zip(said, rest, strict=True))
    likely = len(rest) > 1 and alike >= len(rest) / 2 and not is_a_word(said)
    return said if likely else ""


def _narrowed(seen: list[_Entry], words: str, behind: str) -> list[_Entry]:
    """浑南那个机器人厂: what follows may tell the candidates of a short name apart."""
    if len(seen) < 2 or any(entry.parts.core == words for entry in seen):
        exact = [entry for entry in seen if entry.parts.core == words]
        return exact or seen
    told = [entry for entry in seen if (rest := entry.parts.core[len(words) :]) and rest in behind]
    return told or seen


def _weigh(entry: _Entry, words: str, whole: str) -> tuple[float, str]:
    if whole in (normalise(entry.name), entry.parts.bare) or words in (
        normalise(entry.name),
        entry.parts.bare,
        entry.parts.core,
    ):
        return 1.0, FULL_NAME
    if words in entry.aliases:
        return 1.0, ALIAS
    of_inner = words in entry.parts.inner and not entry.parts.core.startswith(words)
    if of_inner and whole == words and _says_a_trade(words):
        return 0.8, DESCRIBED
    return (0.95 if len(words) > 2 or whole != words else 0.9), SHORT_NAME


def _says_a_trade(words: str) -> bool:
    """体检中心, 火锅底料: nothing but general words."""
    half = len(words) // 2
    return is_a_word(words) or (is_a_word(words[:half]) and is_a_word(words[half:]))


def _mention(text: str, start: int, end: int, ranked: list[Candidate]) -> Mention:
    ranked.sort(key=lambda one: (-one.score, one.name))
    return Mention(start, end, text[start:end], tuple(ranked[:_MOST_CANDIDATES]))


def _blank(text: str, spans: Sequence[Mention | Hit]) -> str:
    for mention in spans:
        text = text[: mention.start] + " " * (mention.end - mention.start) + text[mention.end :]
    return text
