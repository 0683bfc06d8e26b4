"""Talk tracks: what a rep can say, to whom, and how one is read from a file, a table or a chat."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from bot.domain.activities import OBJECTIONS

INDUSTRIES: dict[str, str] = {
    "manufacturing": "制造业",
    "distribution": "工业品分销",
    "fmcg": "快消品",
    "saas": "SaaS软件",
    "retail": "零售门店",
    "medical": "医疗器械",
    "education": "教育",
}

_WORDS: dict[str, str] = {
    "medical": "医|药|诊断|器械|健康",
    "education": "教育|学校|培训|大学|学院",
    "saas": "saas|软件|互联网|信息|云",
    "fmcg": "快消|食品|饮料|日化|酒",
    "retail": "零售|门店|连锁|商超|超市|餐饮",
    "distribution": "分销|经销|工业品|贸易|五金",
    "manufacturing": "制造|机|工业|铸造|轴承|阀|电子|汽车|零部件|化工|材料|模具|钢",
}
"""What stands in a customer's industry, the more special word first."""


class Phase(StrEnum):
    """How far a deal is, whatever its library calls the stages."""

    EARLY = "early"
    MIDDLE = "middle"
    LATE = "late"


class Size(StrEnum):
    """Of the customer, by people employed: under 100, under 1000, more."""

    SMALL = "small"
    MIDDLE = "middle"
    LARGE = "large"


class Buying(StrEnum):
    """What the customer buys from us in a year: nothing yet, under a million yuan, more."""

    NEW = "new"
    REGULAR = "regular"
    KEY = "key"


PHASES = {Phase.EARLY: "前期", Phase.MIDDLE: "中期", Phase.LATE: "后期"}
SIZES = {Size.SMALL: "小客户", Size.MIDDLE: "中型客户", Size.LARGE: "大客户"}
BUYINGS = {Buying.NEW: "新客户", Buying.REGULAR: "老客户", Buying.KEY: "重点客户"}


@dataclass(frozen=True, slots=True)
class Track:
    """One talk track. industry "" fits all; so does each empty tuple.

    objections: codes of OBJECTIONS that it answers. link: material to forward, "" for none;
    file: SHA-256 of a stored one, with its name.
    """

    code: str
    title: str
    opening: str
    question: str
    proof: str
    next_step: str
    industry: str = ""
    objections: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    sizes: tuple[Size, ...] = ()
    buying: tuple[Buying, ...] = ()
    link: str = ""
    file: str = ""
    file_name: str = ""


FIELDS: dict[str, str] = {
    "code": "编号",
    "title": "标题",
    "opening": "开场",
    "question": "提问",
    "proof": "证据",
    "next_step": "下一步",
    "industry": "行业",
    "objections": "异议",
    "phases": "阶段",
    "sizes": "规模",
    "buying": "采购",
    "link": "材料",
}
"""Key in a file -> what it is called in a table and in chat."""

REQUIRED = ("title", "opening", "question", "proof", "next_step")
LONGEST = {"title": 18, "opening": 200, "question": 200, "proof": 200, "next_step": 120}

_CODE = re.compile(r"[A-Z]{1,2}\d{1,4}")
_LINK = re.compile(r"https?://[^\s<>\"\[\]`]{3,480}")
_PARTED = re.compile(r"[、,，|/;；\s]+")

Member = TypeVar("Member", bound=StrEnum)


class Unreadable(ValueError):
    """A track, or a file of them, that cannot be used. The text says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One refused track. line: of the file, counted from 1."""

    line: int
    reason: str


def industry_of(words: str) -> str | None:
    """The key of the industry that a customer's field names; None for one we do not know."""
    said = words.strip().lower()
    for key, pattern in _WORDS.items():
        if said == key or (said and re.search(pattern, said)):
            return key
    return None


def lacking(raw: Mapping[str, object]) -> list[str]:
    """The required keys that are still empty, in the order to ask for them."""
    return [key for key in REQUIRED if not str(raw.get(key) or "").strip()]


def read(raw: Mapping[str, object]) -> Track:
    """A track from keys of FIELDS. Lists may be written as words parted by 、.

    Raises Unreadable, with the first thing that is wrong.
    """
    unknown = [key for key in raw if key not in FIELDS]
    if unknown:
        raise Unreadable(f"没有「{unknown[0]}」这一项")
    missing = lacking(raw)
    if missing:
        raise Unreadable(f"缺「{FIELDS[missing[0]]}」")
    for key, most in LONGEST.items():
        if len(_text(raw, key)) > most:
            raise Unreadable(f"「{FIELDS[key]}」超过{most}个字")
    code, link = _text(raw, "code").upper(), _text(raw, "link")
    if code and not _CODE.fullmatch(code):
        raise Unreadable(f"编号「{code}」应为一两个字母加数字，例如 M01")
    if link and not _LINK.fullmatch(link):
        raise Unreadable("「材料」应为 http 或 https 开头的链接")
    return Track(
        code=code,
        title=_text(raw, "title"),
        opening=_text(raw, "opening"),
        question=_text(raw, "question"),
        proof=_text(raw, "proof"),
        next_step=_text(raw, "next_step"),
        industry=_industry(_text(raw, "industry")),
        objections=tuple(_one_of(word, OBJECTIONS, "异议") for word in _list(raw, "objections")),
        phases=_members(raw, "phases", Phase, PHASES),
        sizes=_members(raw, "sizes", Size, SIZES),
        buying=_members(raw, "buying", Buying, BUYINGS),
        link=link,
    )


def read_toml(text: str) -> tuple[list[Track], list[Mistake]]:
    """A file of [[tracks]]; `industry` on top holds for all of them."""
    try:
        root = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number may be too long, a list too deep
        found = re.search(r"line (\d+)", str(error))
        return [], [Mistake(int(found[1]) if found else 1, f"不是有效的 TOML：{error}")]
    rows, industry = root.pop("tracks", None), root.pop("industry", "")
    if root:
        return [], [Mistake(1, f"没有「{next(iter(root))}」这一项")]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return [], [Mistake(1, "没有 [[tracks]]")]
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "[[tracks]]"]
    lines += [1] * (len(rows) - len(lines))  # written inline
    return read_rows([{"industry": industry, **row} for row in rows], lines)


def read_rows(
    rows: Sequence[Mapping[str, object]], lines: Sequence[int]
) -> tuple[list[Track], list[Mistake]]:
    """Each row as a track, or why not. A code may stand once."""
    tracks: list[Track] = []
    mistakes: list[Mistake] = []
    seen: set[str] = set()
    for row, line in zip(rows, lines, strict=True):
        try:
            track = read(row)
            if track.code in seen:
                raise Unreadable(f"编号「{track.code}」重复")
        except Unreadable as error:
            mistakes.append(Mistake(line, str(error)))
            continue
        seen |= {track.code} - {""}
        tracks.append(track)
    return tracks, mistakes


def to_row(track: Track) -> dict[str, object]:
    """What `read` reads back, but for the stored file."""
    row = {key: getattr(track, key) for key in FIELDS}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in row.items()}


def _text(raw: Mapping[str, object], key: str) -> str:
    return " ".join(str(raw.get(key) or "").split())


def _list(raw: Mapping[str, object], key: str) -> list[str]:
    value = raw.get(key) or ""
    words = value if isinstance(value, list) else _PARTED.split(str(value))
    return list(dict.fromkeys(str(word).strip() for word in words if str(word).strip()))


def _industry(word: str) -> str:
    if word in ("", "通用", "全部"):
        return ""
    return _one_of(word, INDUSTRIES, "行业")


def _members(
    raw: Mapping[str, object], key: str, kind: type[Member], labels: Mapping[Member, str]
) -> tuple[Member, ...]:
    by_code = {str(member): label for member, label in labels.items()}
    return tuple(kind(_one_of(word, by_code, FIELDS[key])) for word in _list(raw, key))


def _one_of(word: str, labels: Mapping[str, str], what: str) -> str:
    """The code that the word is, or is the label of. Raises Unreadable."""
    if word in labels:
        return word
    codes = [code for code, label in labels.items() if word == label]
    if not codes:
        raise Unreadable(f"「{what}」里没有「{word}」，应为：{'、'.join(labels.values())}")
    return codes[0]
