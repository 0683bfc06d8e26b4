"""One spelling for what is typed in many: full width, capitals, traditional characters.

Every character becomes exactly one, so positions in the result are positions in the message.
"""

from __future__ import annotations

import re
import unicodedata

_TRADITIONAL_SIMPLE = (
    "電电話话說说時时間间鐘钟錢钱萬万對对沒没這这個个們们後后來来見见現现簽签約约確确認认報报價价"
    "請请問问給给讓让貨货發发單单據据業业產产東东車车長长門门馬马龍龙書书開开關关會会過过還还進进"
    "點点號号週周禮礼聽听談谈訪访預预嫌嫌貴贵減减額额條条約约資资傳传圖图檔档紀纪錄录動动機机電电"
    "廠厂陽阳陰阴飛飞鐵铁鋼钢銀银實实際际國国華华漢汉濟济寧宁蘇苏滬沪廣广區区縣县鎮镇"
)
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_CAPITALS = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_FULL_WIDTH_CAPITALS = {code: code - 0xFEE0 + 32 for code in range(0xFF21, 0xFF3B)}
_SIGNS = {
    "\u3000": " ",
    "\xa0": " ",
    "\t": " ",
    "\r": "\n",
    "￥": "¥",
    "〜": "~",
    "—": "-",
    "–": "-",
}
_TABLE = (
    _FULL_WIDTH
    | _CAPITALS
    | _FULL_WIDTH_CAPITALS
    | {
        ord(old): new
        for old, new in zip(_TRADITIONAL_SIMPLE[::2], _TRADITIONAL_SIMPLE[1::2], strict=True)
    }
    | {ord(sign): plain for sign, plain in _SIGNS.items()}
)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_ADDRESSED = re.compile(r"@(?!所有人|all|了)[^\s@,，:]{1,20}")


def without_unseen(text: str) -> str:
    """`text` without zero-width and direction marks and halves of surrogate pairs."""
    return _UNSEEN.sub("", text)


def normalise(text: str) -> str:
    """`text` in one spelling, of the same length. ٣ and ३ are 3: every pattern takes them for a
    digit, and hardly any reader."""
    return _OTHER_DIGIT.sub(_plain_digit, text).translate(_TABLE)


def _plain_digit(found: re.Match[str]) -> str:
    return str(unicodedata.decimal(found[0]))


def without_addressees(text: str) -> str:
    """Blanks out "@跟单助手" and the like, keeping positions."""
    return _ADDRESSED.sub(lambda found: " " * len(found[0]), text)
