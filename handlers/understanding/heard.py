"""What an engine heard -> what was meant: simplified characters, and names that it cannot
know put right by their sound. 横锐激电 becomes 恒锐机电 for the rep whose customer that is.

A name is put in only where one name alone fits; everything else stays as it was heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import opencc

from handlers.understanding.names import everyday_words, is_a_word, take_apart
from handlers.understanding.normal import normalise
from handlers.understanding.sounds import sound_of

_SURE_LENGTH = 3
"""So many syllables in a row that sound the same are no chance."""

_GRAMMAR = frozenset("的了在是要都也就没不有我你他她它说打这那给跟和去来到很会能可还又再被把让")


@dataclass(frozen=True, slots=True)
class _Fit:
    """text[start:end] sounds like `name`, in all but `wrong` syllables."""

    start: int
    end: int
    name: str
    wrong: int

    def overlaps(self, other: _Fit) -> bool:
        return self.start < other.end and other.start < self.end


def as_meant(transcript: str, *, customers: Iterable[str], products: Iterable[str] = ()) -> str:
    """The transcript with the names that it means. customers: full names, best only those of
    the speaker, for each further one makes chance hits likelier."""
    text: str = _simplifier().convert(transcript)
    low = normalise(text)
    sounds = sound_of(low)
    fits = [fit for name in customers for fit in _fits_of_customer(low, sounds, name)]
    for name in products:
        fits += _fits(low, sounds, name)
        fits += _near_fits(low, sounds, name)
    for fit in sorted(_unambiguous(fits), key=lambda one: -one.start):
        if low[fit.start : fit.end] != normalise(fit.name):
            text = text[: fit.start] + fit.name + text[fit.end :]
    return text


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _fits_of_customer(text: str, sounds: str, name: str) -> Iterator[_Fit]:
    """By the part of the name that tells it from others, or its beginning, which is what
    people say."""
    core = take_apart(normalise(name)).core
    for length in range(2, len(core) + 1):
        yield from _fits(text, sounds, core[:length])
    yield from _near_fits(text, sounds, core)


def _fits(text: str, sounds: str, name: str) -> Iterator[_Fit]:
    """Where `name` is heard: written otherwise, or as it is, which keeps others away."""
    form = normalise(name)
    sound = sound_of(form)
    start = sounds.find(sound) if len(form) > 1 else -1
    while start >= 0:
        end = start + len(form)
        words = text[start:end]
        if words == form or _may_be_a_name(words, form):
            yield _Fit(start, end, name, 0)
        start = sounds.find(sound, start + 1)


def _may_be_a_name(words: str, form: str) -> bool:
    """Two syllables must have the same tones too, and mean nothing by themselves."""
    if words in everyday_words() or is_a_word(words):
        return False
    if len(form) >= _SURE_LENGTH:
        return True
    return not _GRAMMAR.intersection(words) and _tones(words) == _tones(form)


def _near_fits(text: str, sounds: str, name: str) -> Iterator[_Fit]:
    """One syllable half wrong among at least four: 河瑞机电."""
    sound, length = sound_of(normalise(name)), len(name)
    half = length // 2
    if length <= _SURE_LENGTH or not (sound[:half] in sounds or sound[half:] in sounds):
        return
    for start in range(len(sounds) - length + 1):
        heard = sounds[start : start + length]
        wrong = [at for at in range(length) if heard[at] != sound[at]]
        if len(wrong) == 1 and _half_alike(text[start + wrong[0]], name[wrong[0]]):
            yield _Fit(start, start + length, name, 1)


def _unambiguous(fits: list[_Fit]) -> list[_Fit]:
    """The best where several overlap, unless two equally good ones say different things."""
    kept: list[_Fit] = []
    barred: list[_Fit] = []
    for fit in sorted(set(fits), key=lambda one: (one.start - one.end + one.wrong, one.wrong)):
        rival = next((one for one in [*kept, *barred] if fit.overlaps(one)), None)
        if rival is None:
            kept.append(fit)
        elif _equal(fit, rival) and rival in kept:
            kept.remove(rival)
            barred.append(rival)
    return kept


def _equal(one: _Fit, other: _Fit) -> bool:
    same_place = (one.start, one.end, one.wrong) == (other.start, other.end, other.wrong)
    return same_place and one.name != other.name


def _tones(words: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin  # takes a third of a second, and only voice needs it

    return list(lazy_pinyin(words, style=Style.TONE3))


def _half_alike(heard: str, meant: str) -> bool:
    """The same beginning or the same end of a syllable."""
    from pypinyin import Style, lazy_pinyin

    return any(
        lazy_pinyin(heard, style=style) == lazy_pinyin(meant, style=style) != [""]
        for style in (Style.INITIALS, Style.FINALS)
    )
