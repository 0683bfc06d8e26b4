"""The recordings of tests/fixtures/speech: what they say, and how long they are."""

from __future__ import annotations

from pathlib import Path

from rapidfuzz.distance import Levenshtein

FOLDER = Path(__file__).parents[1] / "fixtures" / "speech"

CALL = "刚和恒锐机电王总通了二十五分钟电话，嫌价格高，下周三再联系。"
VISIT = "今天上午拜访了宁波甬江轴承，客户说预算没批，下周五再约。"
QUOTE = "客户的预算是三十五万八，下周三下午三点再约演示。"

WORDS = {
    "call.amr": CALL,
    "call-dtx.amr": CALL,
    "visit.silk": VISIT,
    "quote.ogg": QUOTE,
    "quote.webm": QUOTE,
    "contract.m4a": "合同总金额是二十万元，月底前付款。",
    "rival.mp3": "竞争对手报价一百二十万。",
    "duration.wav": "打了二十五分钟电话。",
}
SECONDS = {
    "call.amr": 5.98,
    "call-dtx.amr": 8.38,
    "visit.silk": 6.06,
    "quote.ogg": 5.12,
    "quote.webm": 5.12,
    "contract.m4a": 3.88,
    "rival.mp3": 2.73,
    "duration.wav": 1.75,
}


def recording(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


_NUMBERS = {"二十五": "25", "三十五万八": "35万8", "一百二十": "120", "二十万": "20万"}


def plain(text: str) -> str:
    """Without punctuation, numbers in the one way: they are read the same."""
    for words, number in _NUMBERS.items():
        text = text.replace(words, number)
    return "".join(char for char in text if char.isalnum())


def error_rate(heard: str, name: str) -> float:
    """Wrong, missing and added characters for each one that was said."""
    said = plain(WORDS[name])
    return Levenshtein.distance(plain(heard), said) / len(said)
