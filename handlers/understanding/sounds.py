"""How words sound, so that what dictation heard finds what was meant: 横锐 is 恒锐.

A sound is written with one character per syllable, so that sounds can be searched as text.
Tones are dropped, and so are the pairs that many speakers do not tell apart:
zh/z, ch/c, sh/s, l/n, and a final g.

words/sounds.txt holds the characters of each syllable, one syllable a line;
`python -m benchmarks.understanding.sounds` writes it out of pypinyin, whose loading would take
ten times as long.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("words") / "sounds.txt"
_FIRST_CODE = 0xE000
"""Private use area: no message contains these characters as words."""


def sound_of(text: str) -> str:
    """One character per character of `text`; what has no reading stands for itself."""
    return text.translate(_table())


@cache
def _table() -> dict[int, str]:
    return {
        ord(character): chr(_FIRST_CODE + number)
        for number, line in enumerate(FILE.read_text("utf-8").splitlines())
        for character in line.partition(" ")[2]
    }
