"""Writes the characters of each syllable, out of pypinyin.

python -m benchmarks.understanding.sounds

Into handlers/understanding/words/sounds.txt: "syllable characters", in the order of pypinyin.
"""

from __future__ import annotations

from pypinyin import Style, pinyin_dict
from pypinyin.style import convert

from handlers.understanding.sounds import FILE

_FIRST, _LAST = 0x4E00, 0x9FFF
_BLURRED = ("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n")


def main() -> None:
    FILE.write_text("".join(f"{name} {all_}\n" for name, all_ in syllables().items()), "utf-8")


def syllables() -> dict[str, str]:
    """blurred syllable -> every character whose first reading it is."""
    found: dict[str, str] = {}
    for code, readings in pinyin_dict.pinyin_dict.items():
        if _FIRST <= code <= _LAST:
            said = blurred(convert(readings.split(",")[0], Style.NORMAL, strict=False))
            found[said] = found.get(said, "") + chr(code)
    return found


def blurred(syllable: str) -> str:
    for sharp, flat in _BLURRED:
        if syllable.startswith(sharp):
            syllable = flat + syllable[len(sharp) :]
            break
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable


if __name__ == "__main__":
    main()
