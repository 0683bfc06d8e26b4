"""Companies and document numbers that are named in a message but not in the book."""

from __future__ import annotations

import re

from handlers.understanding.names import place_at
from handlers.understanding.spans import Found

_STOP = (
    r"聊|打|说|嫌|报|签|的|今|明|昨|后天|上午|下午|那|这|电(?![机子气缆器力梯池源工线控路动])|来|去|没|有|要|谈|拜|约|下"
    r"|到|觉|想|在|已|给|跟|和|发(?![展电动])|付|回|见|了|收|丢|被|是|不|也|还|都|联(?!合)|通(?![信讯用风])"
    r"|方案|合同"
    r"|预|建(?![材筑设工])|联系|客户|采购|老板|加(?!工)|一|二|三|四|五|六|七|八|九|十|两|半"
)
_LEGAL = r"(?:集团|股份|科技|实业|有限|责任|公司)+"
_AFTER_PLACE = re.compile(rf"(?:(?!{_STOP})[\u4e00-\u9fff]){{2,10}}(?:{_LEGAL})?")
_WITH_LEGAL_FORM = re.compile(
    rf"(?:(?!{_STOP}|我们|他们|对方)[\u4e00-\u9fff]){{2,10}}?(?:有限公司|公司|集团)"
)
_NEW = re.compile(
    r"(?:新建|新增|添加|录入?|加|创建|登记|建档|开|新)(?:一?个|一下|一?家|个)?(?:新)?"
    r"(?:客户|公司|线索|档案|单位)?(?:档案)?(?:名称?)?[:,是叫为\s]*"
    r"(?P<name>(?:(?!联系|电话|行业|地址|,|。|;|进|到|入|,|客户|一个|手机)[\u4e00-\u9fffa-z0-9()]){3,24})"
)
_OUR_OWN = re.compile(
    r"^(?:我们|咱|对方|他们|这家|那家|贵|本|分|子|总|新|老|大|小|上市|母|各|客户|同行"
    r"|哪家|某|别的|其他)"
)

_DIGIT = re.compile(r"\d")
_REFERENCE = re.compile(
    r"(?:(?:采购)?po号?|合同(?:编)?号|订单(?:编)?号|单号|编号|发票号|流水号|凭证号|函号"
    r"|no\.?|po)(?:码)?[:是为#\s]{0,3}(?P<ref>(?=[a-z0-9/_-]*\d)[a-z0-9][a-z0-9/_-]{2,30})"
    r"|(?<![a-z0-9])(?P<bare>[a-z]{1,6}-\d{2,8}(?:-\d{1,6}){0,3}|(?:po|ht|xs|so|ck|dd)-?\d{4,14}"
    r"(?:-\d{1,6}){0,2})(?![a-z0-9])"
)


def find_reference(text: str, original: str) -> Found[str] | None:
    """A document number such as PO号JY-0911, spelt as in `original`."""
    match = _REFERENCE.search(text) if _DIGIT.search(text) else None
    if match is None:
        return None
    start, end = match.span("ref" if match["ref"] else "bare")
    return Found(start, end, original[start:end])


def find_stranger(text: str, *, creating: bool = False) -> Found[str] | None:
    """A company that is no known customer: one to be created, or with a place or legal form."""
    if creating:
        new = _NEW.search(text)
        if new:
            return Found(new.start("name"), new.end("name"), new["name"])
    for start in range(len(text) - 3):
        place = place_at(text, start)
        body = _AFTER_PLACE.match(text, start + len(place)) if place else None
        if body:
            return Found(start, body.end(), text[start : body.end()])
    legal = _WITH_LEGAL_FORM.search(text)
    if legal and not _OUR_OWN.match(legal[0]) and len(legal[0]) > 4:
        return Found(legal.start(), legal.end(), legal[0])
    return None
