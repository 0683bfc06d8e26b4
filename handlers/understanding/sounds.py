"""How words sound, so that what dictation heard finds what was meant: 横锐 is 恒锐.

A sound is written with one character per syllable, so that sounds can be searched as text.
Tones are dropped, and so are the pairs that many speakers do not tell apart:
zh/z, ch/c, sh/s, l/n, and a final g.
"""

from __future__ import annotations

from functools import cache

_FIRST_CODE = 0xE000
"""Private use area: no message contains these characters as words."""


def sound_of(text: str) -> str:
    """One character per character of `text`; what has no reading stands for itself."""
    return text.translate(_table())


@cache
def _table() -> dict[int, str]:
    from pypinyin import Style, pinyin_dict
    from pypinyin.style import convert

    codes: dict[str, str] = {}
    table: dict[int, str] = {}
    for character, readings in pinyin_dict.pinyin_dict.items():
        if not 0x4E00 <= character <= 0x9FFF:
            continue
        syllable = _blurred(convert(readings.split(",")[0], Style.NORMAL, strict=False))
        table[character] = codes.setdefault(syllable, chr(_FIRST_CODE + len(codes)))
    return table


def _blurred(syllable: str) -> str:
    for sharp, flat in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n")):
        if syllable.startswith(sharp):
            syllable = flat + syllable[len(sharp) :]
            break
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable
