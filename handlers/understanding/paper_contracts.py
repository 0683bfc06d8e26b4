"""The facts of a contract on paper: parties, number, amount, days, payment terms.

Rules over lines that a machine read. Each fact is as sure as the line it stands on; an amount in
figures is compared with the one in words (大写), which goes before it in law and is hard to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from bot.domain.calendar import WorkingCalendar
from bot.domain.paper import PaperLine
from handlers.understanding.numbers import to_number

SURE = 0.9
"""Print that is read with less is pointed out."""

MOST_FEN = 10**15
"""Ten trillion yuan: what is more was misread."""

MOST_TERMS = 4  # lines of payment terms, till the next heading


class Doubt(StrEnum):
    """Why a person must look at a fact with care."""

    UNSURE = "unsure"  # the engine was not sure of the line
    AMOUNTS_DIFFER = "amounts_differ"  # figures and words do not agree
    NO_WORDS = "no_words"  # no amount in words to compare with
    SIDE_GUESSED = "side_guessed"  # 甲方 was taken for the buyer, as nothing says so
    STAGES = "stages"  # more than one payment: only the first is looked at


@dataclass(frozen=True, slots=True)
class PaperContract:
    """What stands there; None, or "", for what was not found. doubts: by the name of the fact."""

    number: str | None = None
    buyer: str = ""
    seller: str = ""
    amount_fen: int | None = None
    signed_on: date | None = None
    prepayment_fen: int | None = None
    prepayment_due_on: date | None = None
    post_paid: bool = False
    payment_terms: str = ""
    doubts: dict[str, Doubt] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether this looks like a contract at all."""
        return self.amount_fen is not None or bool(self.number and (self.buyer or self.seller))


_SPACE = re.compile(r"(?<=[^\x21-\x7e]) +| +(?=[^\x21-\x7e])")
_FULL_WIDTH = str.maketrans("：（），％￥．－０１２３４５６７８９", ":(),%¥.-0123456789")

_NUMBER = re.compile(
    r"(?:合同|协议|订单)(?:编号|号码?)(?:\(no\.?\))?:? *"
    r"(?P<number>[A-Za-z0-9][A-Za-z0-9\-_/.()]{2,30})",
    re.IGNORECASE,
)
_PARTY = re.compile(
    r"(?P<role>甲方|乙方|买方|卖方|需方|供方|购货方|采购方|购买方|销售方|供货方|出卖人|买受人|定作方|承揽方)"
    r"(?:\((?P<note>[^)]{1,12})\))?(?:名称|单位名称)?(?:\(盖?章?\))?:? *"
    r"(?P<name>[一-鿿A-Za-z0-9()·&]{3,40}?(?:有限责任公司|股份有限公司|有限公司|公司|集团|厂|店|医院|学校|大学"
    r"|中心|研究院|研究所|合作社|经营部))"
)
_BUYS = re.compile(r"买|需方|购|采购|定作")
_SELLS = re.compile(r"卖|供|销售|承揽")
_AMOUNT_LABEL = re.compile(
    r"(?:合同|协议|订单)?(?:总金额|总价款?|总额|金额总?计?|合计金额|价税合计|总计|合计|价款总额|含税总价)"
)
_FIGURES = re.compile(
    r"(?P<sign>¥|人民币|RMB)? *"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,12}(?:\.\d{1,6})?) *"
    r"(?P<wan>万)?(?P<yuan>元)?",
)
_WORDS = re.compile(r"[零壹贰叁肆伍陆柒捌玖拾佰仟万亿一二三四五六七八九十百千]{1,24}[元圆]"
                    r"(?:[零壹贰叁肆伍陆柒捌玖]角)?(?:零?[壹贰叁肆伍陆柒捌玖]分)?整?")  # fmt: skip
_DAY = re.compile(r"(?P<year>20\d{2}) *[年./-] *(?P<month>\d{1,2}) *[月./-] *(?P<day>\d{1,2}) *日?")
_SIGNED = re.compile(r"签[订署约](?:日期|时间|日)?|合同日期|订立(?:日期|时间)")
_TERMS = re.compile(r"(?:付款|支付|结算)(?:方式|条件|条款|约定|期限)(?:及期限|及时间)?")
_HEADING = re.compile(
    r"^ *(?:第[一二三四五六七八九十]{1,3}条|[一二三四五六七八九十]{1,3}、|\d{1,2}[、.](?!\d))"
)
_PREPAID = re.compile(r"预付|首付|定金|订金|预付款|首期款")
_SHARE = re.compile(r"(?P<percent>\d{1,3}(?:\.\d{1,2})?) *%")
_WITHIN = re.compile(
    r"(?:签[订署]|生效|盖章)[^,。;]{0,6}?"
    r"(?P<days>\d{1,3}|[一二三四五六七八九十]{1,3}) *个?(?P<unit>工作日|日|天)内"
)
_POST_PAID = re.compile(
    r"货到(?:后)?[^,。;]{0,8}付|验收(?:合格)?后[^,。;]{0,12}(?:一次性|全[额部]|100%)|月结|先货后款"
)
_CLAUSE = re.compile(r"[,。;]")


def read_paper(lines: Sequence[PaperLine], calendar: WorkingCalendar) -> PaperContract:
    """All that the paper says of itself, whatever machine read it."""
    rows = [(_normal(line.text), line.confidence) for line in lines]
    doubts: dict[str, Doubt] = {}
    number = _number(rows, doubts)
    buyer, seller = _parties(rows, doubts)
    amount = _amount(rows, doubts)
    signed_on = _signed_on(rows, doubts)
    terms = _terms(rows, doubts)
    prepaid = _likely(_prepayment(terms, amount), amount or MOST_FEN)
    if prepaid and len(_SHARE.findall(terms)) > 1:
        doubts["prepayment"] = Doubt.STAGES
    return PaperContract(
        number=number,
        buyer=buyer,
        seller=seller,
        amount_fen=amount,
        signed_on=signed_on,
        prepayment_fen=prepaid,
        prepayment_due_on=_due_on(terms, signed_on, calendar) if prepaid else None,
        post_paid=prepaid is None and bool(_POST_PAID.search(terms)),
        payment_terms=terms,
        doubts=doubts,
    )


def _likely(fen: int | None, most: int = MOST_FEN) -> int | None:
    """Nothing, and more than the whole, is no sum of a contract."""
    return fen if fen is not None and 0 < fen <= most else None


def _normal(text: str) -> str:
    """Without the spaces that typesetters put between characters."""
    return _SPACE.sub("", text.translate(_FULL_WIDTH).strip())


_Rows = Sequence[tuple[str, float]]


def _number(rows: _Rows, doubts: dict[str, Doubt]) -> str | None:
    for text, confidence in rows:
        match = _NUMBER.search(text)
        if match is not None:
            _note(doubts, "number", confidence)
            return match["number"].rstrip(".-_/(").upper()
    return None


def _parties(rows: _Rows, doubts: dict[str, Doubt]) -> tuple[str, str]:
    """Buyer and seller. What the paper calls them goes before 甲 and 乙, of which the first is
    usually the buyer."""
    buyer = seller = ""
    guesses: dict[str, tuple[str, float]] = {}
    for text, confidence in rows:
        for match in _PARTY.finditer(text):
            called = f"{match['role']}{match['note'] or ''}"
            if _SELLS.search(called):
                seller = seller or match["name"]
            elif _BUYS.search(called):
                buyer, before = buyer or match["name"], buyer
                if not before:
                    _note(doubts, "buyer", confidence)
            else:
                guesses.setdefault(match["role"], (match["name"], confidence))
    if not buyer and "甲方" in guesses and guesses["甲方"][0] != seller:
        buyer = guesses["甲方"][0]
        doubts["buyer"] = Doubt.SIDE_GUESSED
    if not seller and "乙方" in guesses and guesses["乙方"][0] != buyer:
        seller = guesses["乙方"][0]
    return buyer, seller


def _amount(rows: _Rows, doubts: dict[str, Doubt]) -> int | None:
    """The sum on a line that says so; figures and words may stand on neighbouring lines."""
    for place, (text, confidence) in enumerate(rows):
        label = _AMOUNT_LABEL.search(text)
        if label is None:
            continue
        near = [(text[label.end() :], confidence), *rows[place + 1 : place + 2]]
        figures, sure = _first(near, _figures)
        words, _ = _first(near, _words)
        figures, words = _likely(figures), _likely(words)
        if figures is None and words is None:
            continue
        if figures is not None and words is not None and figures != words:
            doubts["amount"] = Doubt.AMOUNTS_DIFFER
        elif words is None:
            doubts["amount"] = Doubt.NO_WORDS
        elif figures is None:
            _note(doubts, "amount", sure)
        return figures if figures is not None else words
    return None


def _first(near: _Rows, read: object) -> tuple[int | None, float]:
    assert callable(read)
    for text, confidence in near:
        found = read(text)
        if found is not None:
            return found, confidence
    return None, 1.0


def _figures(text: str) -> int | None:
    for match in _FIGURES.finditer(text):
        if not (match["sign"] or match["wan"] or match["yuan"] or "," in match["number"]):
            continue
        yuan = Decimal(match["number"].replace(",", "")) * (10_000 if match["wan"] else 1)
        fen = yuan * 100
        if fen == int(fen) and fen > 0:
            return int(fen)
    return None


def _words(text: str) -> int | None:
    """叁拾捌万捌仟元伍角整."""
    match = _WORDS.search(text)
    if match is None:
        return None
    yuan, _, rest = match[0].replace("圆", "元").partition("元")
    number = to_number(yuan)
    if number is None:
        return None
    fen = int(number * 100)
    for unit, worth in (("角", 10), ("分", 1)):
        small = re.search(rf"([零壹贰叁肆伍陆柒捌玖]){unit}", rest)
        fen += worth * "零壹贰叁肆伍陆柒捌玖".index(small[1]) if small else 0
    return fen


def _signed_on(rows: _Rows, doubts: dict[str, Doubt]) -> date | None:
    """The day beside such a word; else the last full date on the paper, where people sign."""
    dated = [(text, confidence, day) for text, confidence in rows for day in _days(text)]
    for text, confidence, day in dated:
        if _SIGNED.search(text) and not _TERMS.search(text):
            _note(doubts, "signed_on", confidence)
            return day
    bare = [(confidence, day) for text, confidence, day in dated if re.match(r"日期:?", text)]
    if not bare:
        return None
    doubts["signed_on"] = Doubt.UNSURE
    return bare[-1][1]


def _days(text: str) -> Iterator[date]:
    for match in _DAY.finditer(text):
        try:
            yield date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            continue


def _terms(rows: _Rows, doubts: dict[str, Doubt]) -> str:
    """From the line that begins them to the next heading."""
    for place, (text, confidence) in enumerate(rows):
        label = _TERMS.search(text)
        if label is None:
            continue
        found = [text[label.end() :].lstrip(":")]
        _note(doubts, "payment_terms", confidence)
        for following, sure in rows[place + 1 : place + MOST_TERMS]:
            if _HEADING.match(following):
                break
            found.append(following)
            _note(doubts, "payment_terms", sure)
        return "".join(found)
    return ""


def _prepayment(terms: str, amount_fen: int | None) -> int | None:
    """Of the clause that speaks of it, by its sum, else by its share rounded up to a whole fen."""
    for clause in _CLAUSE.split(re.sub(r"(?<=\d),(?=\d{3})", "", terms)):
        if not _PREPAID.search(clause):
            continue
        sums = _figures(_SHARE.sub("", clause))
        if sums is not None:
            return sums
        share = _SHARE.search(clause)
        if share is not None and amount_fen is not None:
            part = amount_fen * Fraction(share["percent"]) / 100
            return -(-part.numerator // part.denominator)
    return None


def _due_on(terms: str, signed_on: date | None, calendar: WorkingCalendar) -> date | None:
    """A day that is written out, else so many days from signing."""
    written = next(_days(terms), None)
    if written is not None:
        return written
    match = _WITHIN.search(terms)
    if match is None or signed_on is None:
        return None
    count = to_number(match["days"])
    if count is None:
        return None
    if match["unit"] == "工作日":
        return calendar.add_workdays(signed_on, int(count))
    return signed_on + timedelta(days=int(count))


def _note(doubts: dict[str, Doubt], name: str, confidence: float) -> None:
    if confidence < SURE:
        doubts[name] = Doubt.UNSURE
