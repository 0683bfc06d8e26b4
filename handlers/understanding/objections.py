"""What the customer objects to now, as codes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import chain

from handlers.understanding.lexicon import heard, lists, patterns, says
from handlers.understanding.opinions import learnt_objections, plain
from handlers.understanding.spans import Found, blanked
from handlers.understanding.stances import find_stances

NAMES = {
    "价格": "price_high", "价格高": "price_high", "贵": "price_high", "价钱": "price_high",
    "价格问题": "price_high", "报价": "price_high", "预算": "budget", "没预算": "budget",
    "预算问题": "budget", "交期": "lead_time", "工期": "lead_time", "周期": "lead_time",
    "实施周期": "lead_time", "交货期": "lead_time", "案例": "no_industry_template",
    "模板": "no_industry_template", "行业模板": "no_industry_template", "竞品": "competitor",
    "竞争": "competitor", "对手": "competitor", "功能": "feature_gap", "功能缺口": "feature_gap",
    "没需求": "no_need", "需求": "no_need", "无需求": "no_need", "流程": "decision_process",
    "老板": "decision_process", "决策": "decision_process", "领导": "decision_process",
    "审批": "decision_process", "决策流程": "decision_process", "时机": "timing",
    "时间": "timing", "明年": "timing", "信任": "trust_risk", "售后": "trust_risk",
    "安全": "trust_risk", "数据安全": "trust_risk", "质量": "trust_risk", "资质": "trust_risk",
    "付款": "payment_terms", "付款方式": "payment_terms", "账期": "payment_terms",
    "合同": "contract_terms", "条款": "contract_terms", "合同条款": "contract_terms",
    "对接": "integration", "集成": "integration", "系统对接": "integration",
    "接口": "integration", "其他": "other", "其它": "other",
}  # fmt: skip
"""What a person calls each objection when asked for it."""

SUPPOSED = 0.6
"""Log odds above which a code is listed."""
SUPPOSED_OF_FEW = 1.2
LEAST, _FEW = 5, 7
"""A few characters are mostly an answer or a correction (不对, 没有, 自动化那家): there the opinion
must be surer, and of fewer yet it is not asked."""
WEIGHT_OF_WORDS = 2.5
WEIGHT_OF_DENIAL = -3.0
"""What the tables find, or find denied, in log odds. Chosen on authors whom the opinion had not
learnt from."""
_LONG_CLAUSE, _PART, _STEP = 30, 24, 12
"""Dictated text has no commas: it is cut into pieces that overlap."""

_LABEL = re.compile(
    r"(?:异议|顾虑|obj|反对意见|丢单原因|原因|问题|卡点|疑虑|障碍|痛点|疑问)(?:清单|点)?"
    r"(?:有|是|为|主要|就|还是|:|\s){1,4}(?P<list>[^。;!?\n]{1,40})?"
)
_LISTED = re.compile(r"[^、/和与及跟+\s,]+")
_NUMBERED = re.compile(r"^\d[.、)]?")
_CLAUSE = re.compile(r"[^,。;!?\n\s]+")
_CLAUSE_END = re.compile(r"[,。;!?\n]|\s+")


def find_objections(text: str) -> list[Found[str]]:
    """One find per code, in the order of the text.

    What a label names outright stands; of all others the tables and the second opinion are
    weighed together.
    """
    text = unsettled(text)
    first = _labelled(text)
    by_rules = _by_rules(text, first)
    length = len(text.strip())
    odds = learnt_objections().odds(plain(text), parts_of(text)) if length >= LEAST else {}
    lost = says("intents", "loss", "words", text) is not None
    least = SUPPOSED if length > _FEW else SUPPOSED_OF_FEW
    for code, found in by_rules.items():
        if found and odds.get(code, 0) + WEIGHT_OF_WORDS > SUPPOSED:
            first[code] = found
    if first and lost:
        odds = {}  # the reason was said; losses read alike, whatever the reason
    for code, likely in odds.items():
        denied = WEIGHT_OF_DENIAL if code in by_rules else 0
        if likely + denied > least and code not in first and not by_rules.get(code):
            first[code] = _clause_that_says(text, code)
    return sorted(first.values(), key=lambda one: one.start)


def parts_of(text: str) -> list[str]:
    """The clauses of a text, long ones in pieces."""
    parts: list[str] = []
    for clause in _CLAUSE.findall(plain(text, whole=True)):
        if len(clause) <= _LONG_CLAUSE:
            parts.append(clause)
        else:
            starts = range(0, len(clause) - _STEP, _STEP)
            parts += [clause[start : start + _PART] for start in starts]
    return parts


def _by_rules(text: str, named: Collection[str]) -> dict[str, Found[str] | None]:
    """The first find of each code that is not `named`; None where each time it is denied."""
    first: dict[str, Found[str] | None] = {}
    outright = heard("lexicon", "objections", text)
    for code, match in chain(outright, find_stances(text), _when_lost(text)):
        if code not in named and not first.get(code):
            held = _is_held(text, code, match)
            first[code] = Found(match.start(), match.end(), code) if held else None
    if not named and not any(first.values()):
        for code, match in _of_no_topic(text):
            if _is_held(text, code, match):
                first[code] = Found(match.start(), match.end(), code)
    return first


def _clause_that_says(text: str, code: str) -> Found[str]:
    """The clause that speaks most for the code."""
    opinion = learnt_objections()
    clauses = [one for one in _CLAUSE.finditer(text) if one[0].strip()]
    best = max(clauses, key=lambda one: opinion.odds(plain(one[0]))[code])
    return Found(best.start(), best.end(), code)


def unsettled(text: str) -> str:
    """`text` with what it says is no problem blanked out (价格没问题), of the same length."""
    settled = lists("lexicon", "negation")["settled"].finditer(text)
    return blanked(text, [Found(match.start(), match.end(), "") for match in settled])


def _of_no_topic(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """太慢, 要求降: these object to something that only the context tells."""
    for code, words in lists("lexicon", "unless_other").items():
        match = words.search(text)
        if match:
            yield code, match


def _when_lost(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """丢了，人家选了东软: words that name a reason only where a deal was lost."""
    if not says("intents", "loss", "words", text):
        return
    for code, words in lists("lexicon", "when_lost").items():
        match = words.search(text)
        if match:
            yield code, match


def _labelled(text: str) -> dict[str, Found[str]]:
    """异议：价格、交期 - a filled-in form names codes outright."""
    label = _LABEL.search(text)
    named: dict[str, Found[str]] = {}
    for word in (
        _LISTED.finditer(text, label.start("list"), label.end("list"))
        if label and label["list"]
        else ()
    ):
        code = NAMES.get(_NUMBERED.sub("", word[0]).removesuffix("问题"))
        if code:
            named.setdefault(code, Found(word.start(), word.end(), code))
    return named


def says_none(text: str) -> bool:
    """没有异议, 没意见: an answer that there are no objections."""
    return bool(_NONE.search(text))


_NONE = re.compile(
    r"(?:没|没有|无|冇|木有)(?:啥|什么|任何|提|说)?(?:异议|意见|问题|顾虑|反对|疑问)|都"
    r"(?:挺)?(?:满意|认可)|^(?:没有|无|没|没啥)[。!]?$"
)


def _is_held(text: str, code: str, match: re.Match[str]) -> bool:
    return not _is_denied(text, match) and not _is_elsewhere(text, code, match)


def _is_denied(text: str, match: re.Match[str]) -> bool:
    before = _clause_before(text, match.start())
    after = _clause_after(text, match.end())
    negation = patterns("lexicon", "negation")
    if negation["before"].search(before):
        return True
    if negation["after"].search(after) and not match[0].endswith(("没", "未", "不")):
        return True
    sentence = text[match.end() : match.end() + 24]
    if negation["closed"].search(sentence):
        return True
    return bool(negation["resolved"].search(before) and negation["resolution"].search(sentence))


def _is_elsewhere(text: str, code: str, match: re.Match[str]) -> bool:
    """集团没批钱 is of the budget, 我们领导没批 of our own side: not of the customer's process."""
    about = patterns("lexicon", "elsewhere").get(code)
    if about is None:
        return False
    clause = _clause_before(text, match.start()) + match[0] + _clause_after(text, match.end())
    return bool(about.search(clause))


def _clause_before(text: str, end: int) -> str:
    return _CLAUSE_END.split(text[max(0, end - 14) : end])[-1]


def _clause_after(text: str, start: int) -> str:
    return _CLAUSE_END.split(text[start : start + 16])[0]
