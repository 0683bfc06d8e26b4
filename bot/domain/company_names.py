"""Company names in one spelling, and their parts: place, core, legal form, branch.

The core is what tells one company from another: 恒锐机电 in 杭州恒锐机电有限公司, in
恒锐机电（杭州）股份有限公司 and in 浙江省杭州市恒锐机电有限责任公司宁波分公司.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from dataclasses import dataclass

SHORTEST_CORE = 2

_NOT_LETTERS = re.compile(r"[\W_]+")
_PARENTHESIS = re.compile(r"\(([^()]*)\)")
_FORM = re.compile(
    r"(?:集团|控股|股份|总)*(?:有限责任公司|有限公司|股份公司|总公司|公司)$"
    r"|(?:集团|控股|股份)+$|合伙企业$|(?:有限|普通|特殊普通)合伙$|个体工商户$"
)
_ENGLISH_FORM = re.compile(
    r"[\s,]+(?:co|company|corp|corporation|inc|incorporated|ltd|limited|llc|gmbh|plc|group)\b\.?\s*$"
)
_IN_PARENTHESIS = frozenset({"集团", "控股", "有限合伙", "普通合伙", "特殊普通合伙", "个体工商户"})
_BRANCH = re.compile(
    r"^(?P<head>.{2,}?(?:公司|集团|厂))(?P<branch>.{1,14}?(?:分公司|分厂|办事处|分店|营业部|分部))$"
)
_KIND_OF_PLACE = re.compile(r"(?:省|市|自治区|特别行政区|自治州|地区|县)$")


@dataclass(frozen=True, slots=True)
class CompanyName:
    """A company's name in its parts, in one spelling. whole: the name in one spelling. place: 杭州,
    "" where none is said. core: never empty for a name that has any letters. branch: 宁波分公司, or
    ""."""

    whole: str
    place: str
    core: str
    branch: str = ""


def one_spelling(name: str) -> str:
    """Half width, small letters, nothing but letters and digits."""
    return _NOT_LETTERS.sub("", _plain(name))


def take_apart(name: str, places: Set[str]) -> CompanyName:
    """The parts of a name. places: provinces and cities without 省 and 市, e.g. 杭州."""
    text = _without_english_form(_plain(name))
    place, text = _out_of_parentheses(text, places)
    text = _NOT_LETTERS.sub("", text)
    branch = ""
    if (match := _BRANCH.match(text)) is not None:
        text, branch = match["head"], match["branch"]
    text = _without_form(text)
    in_front, core = _place_in_front(text, places)
    return CompanyName(one_spelling(name), in_front or place, core, branch)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _without_english_form(text: str) -> str:
    """Acme Co., Ltd. -> acme; as long as something is left."""
    while (shorter := _ENGLISH_FORM.sub("", text).rstrip(" ,.")) not in (text, ""):
        text = shorter
    return text


def _out_of_parentheses(text: str, places: Set[str]) -> tuple[str, str]:
    """恒锐机电(杭州) says the place; (集团) is a form; what else stands there is the name's."""
    found = ""
    for inside in _PARENTHESIS.findall(text):
        place = _KIND_OF_PLACE.sub("", inside)
        if place in places or inside in places:
            found = inside if inside in places else place
            text = text.replace(f"({inside})", "")
        elif inside in _IN_PARENTHESIS:
            text = text.replace(f"({inside})", "")
    return found, text


def _without_form(text: str) -> str:
    shorter = _FORM.sub("", text)
    return shorter if len(shorter) >= SHORTEST_CORE else text


def _place_in_front(text: str, places: Set[str]) -> tuple[str, str]:
    """浙江省杭州市恒锐: the narrower place counts. A place that is the whole name is its core."""
    place = ""
    while True:
        longest = max(
            (text[:length] for length in range(2, 6) if text[:length] in places),
            key=len,
            default="",
        )
        if not longest:
            return place, text
        rest = text[len(longest) :]
        for kind in ("自治区", "特别行政区", "自治州", "地区", "省", "市", "县"):
            if rest.startswith(kind) and len(rest) - len(kind) >= SHORTEST_CORE:
                rest = rest.removeprefix(kind)
                break
        if len(rest) < SHORTEST_CORE:
            return place, text
        place, text = longest, rest
