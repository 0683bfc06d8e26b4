"""What the moments of a message are for: next contact, promise to sign, end of a snooze, past."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.activities import Moment
from handlers.understanding.spans import Found, choose

_SIGNING = re.compile(
    r"^(?:之?前|左右|以?前后|上午|下午|就|能|会|肯定|一定|应该|可以|来|去|过来|给我们?"
    r"|跟我们?|和我们?|把|他们|客户|正式|可能|估计|大概|准|稳|铁定|必|包|内|的时候|那天|底|再|才)*(?:签(?!到|收|名)|能?(?:定|批|签|办)?下来|拿下|落地|能成|下单|下po|下订单|成交|定下来|盖章(?!合同|的|件|版)|敲定合同|合同签)"
)
_SIGNING_BEFORE = re.compile(
    r"(?:签(?!了|到|收)(?:合同|约|单|字|协议)?|下单|成交)(?:时间|日期|日)?(?:在|是|定在"
    r"|约在|定于|就在|预计|大概|:)*$"
)
_CONTACT_AHEAD = re.compile(
    r"再|联系|打|回访|拜访|去|见|约|跟进|发|给|出|答复|回复|定|开会|过会|碰|提醒|送|上门"
    r"|演示|来|到|谈|聊|说|看|电话|会|讲|交|催|确认|问|回|做|报|参观|考察|前|内|后|有结果"
    r"|评审|开标|批|付|打款|跟|评"
)
_ELSEWHERE = re.compile(
    r"^(?:我们|咱们?|他们|客户)?(?:实在|肯定|根本|都)?(?:做|等|上|交|赶|搞|办|弄)不(?:到|了|及|出|定)"
    r"|^(?:再)?(?:扫|交|报|送|拿)(?:给|到|回)?(?:公司|财务|法务|领导|总部)|^冲(?:一|刺|量|业)|"
    r"^(?:之?前|左右|就|要|才|能|得|以前|份|之?后|以后|开始|最后|一笔|那笔|尾款)*(?:上线|交付|交货|投产|到货|发货|完工|竣工|开工"
    r"|到期|付(?:头|首|第一)|走完|走得完|会打(?:款|过来)?(?:[,。;!?]|$)|停产|搬迁|搬|安装|验收|开业|开班|投用|投运|试产|用上|上系统|快递|(?:一次性?|全部?|全款)?(?:付清|结清|付完|付齐|打完|到齐)|(?:再)?(?:传|补传|上传|补上|补齐)(?!真))"
)
_TO_BE_THERE = re.compile(r"(?:就|必须|得|要)?(?:不|上|到|装|交|用|投)")
"""要七天内到: within a time, goods and machines."""
_VALID_UNTIL = re.compile(
    r"(?:(?:有效期?|保质期|质保|合同期|到期|排)(?:到|至|为|是)(?<!排到)|(?<!把)(?<![〓它他])排到|有效期?|保质期|质保|合同期|到期|恨不得)$"
)
_CALLED_OFF = re.compile(
    r"^[^,。;!?改]{0,8}(?:取消|作废|没去成|去不了|不[去打约见来]了|休息|放假|(?:也|还是|又|都)没(?:接|通|人))"
)
_MOVED = re.compile(
    r"(?:推|改|换|挪|延|顺延|调|移|记|写|挂|放)(?:迟|期|后|约)?(?:到|成|为|至|在|约)$"
)
_THEN = re.compile(
    r"(?:到时候?|届时|那时候?|那天)(?:我们?|咱们?)?(?:就|会|要)?(?:再|问|打|联系|约|找|催|跟进|回访|去)"
)
_ASKED = re.compile(r"(?:能不能|能否|可不可以|想|要求|希望|要|只能|得)$")
_PAID = re.compile(r"^再?(?:付(?!了)|结(?:款|算|清)|给钱|给款)")
_PURE_MONTH = re.compile(r"^(?:明年)?(?:\d{1,2}|十?[一二三四五六七八九十])月份?$")
_CONTACT_AFTER_MONTH = re.compile(
    r"^(?:份|初|之?后|以后|再|去|来|拜访|见|联系|跟进|回访|打|约|碰|谈|聊|看|说|上门|给"
    r"|提醒|做演示|启动再)"
)
_CLAUSE_END = re.compile(r"[,。;!?\n ]")
_DONE = re.compile(r"了|过(?!去|来)|到账|到款|没[^,。]{0,2}成|没见|白跑|爽约|挨个|逐个|陆续")
_STILL_TODAY = re.compile(
    r"(?!挂)[^,。;!?\s了]{0,4}(?:要|会|得|再|必须|务必|之内|以内|下班|之前|前|记得|提醒)"
)
_WORKED = re.compile(r"(?:上午|下午)?(?:还在?|在)?(?:加班|补班|调休|值班)")
"""周六加班接的电话: that day is the one of the message."""
_FIRST_DAY = re.compile(r"\s*(?:[端中国春清元][午秋庆节明旦])?节后(?:头|第)一天[,\s]")
_DONE_TODAY = re.compile(r"今(?:天|日|儿|$)")
_AHEAD_AFTER_TODAY = re.compile(
    r"^[^,。;!?了没未]{0,6}(?:要|去(?!了|过|成|咗|哒)|再|(?<!签)约|见(?!了|到|过)|会|前|之内|给(?!了)"
    r"|内|提醒|务必|必须|得|下班|跟进|联系(?!了|过|上)|打(?!了|过|通|电话了|款|来|卡|钱|到)|回访(?!了"
    r"|过)|拜访(?!了|过))"
)


@dataclass(frozen=True, slots=True)
class Appointments:
    """The moments of a message, by what each is for."""

    next_contact: Found[Moment] | None = None
    promise: Found[Moment] | None = None
    past: Found[Moment] | None = None
    ahead: tuple[Found[Moment], ...] = ()
    """Every moment that is still to come, whatever it is for."""


def sort_out(
    text: str, moments: Sequence[Found[Moment | None]], now: datetime, *, spent: bool = False
) -> Appointments:
    """Who does what when. A day that passed is never the next contact.

    spent: the text tells how long something took, so that a bare "today" is over.
    """
    past: list[Found[Moment]] = []
    promised: list[Found[Moment]] = []
    ours: list[Found[Moment]] = []
    ahead: list[Found[Moment]] = []
    for found in moments:
        if found.value is None:
            continue
        known = Found(found.start, found.end, found.value)
        if is_past(text, known, now, spent=spent):
            past.append(known)
            continue
        if _CALLED_OFF.search(text[found.end : found.end + 14]):
            continue
        ahead.append(known)
        if _is_signing(text, known):
            promised.append(known)
        elif not _is_elsewhere(text, known):
            ours.append(known)
    return Appointments(
        next_contact=(
            _moved(text, ours) or _pointed_at(text, ours) or choose(text, _best(text, ours))
        ),
        promise=choose(text, promised),
        past=past[0] if past else None,
        ahead=tuple(ahead),
    )


def is_past(text: str, found: Found[Moment], now: datetime, *, spent: bool = False) -> bool:
    """Before today, or today without a sign that it is still to come."""
    if spent and (_WORKED.match(text, found.end) or _FIRST_DAY.match(text)):
        return True
    if found.value.day != now.date():
        return found.value.day < now.date()
    if found.value.clock is not None:
        return found.value.clock <= now.time()
    if spent and not _STILL_TODAY.match(text, found.end):
        return True
    if not _DONE_TODAY.search(text[found.start : found.end]):
        return False
    behind = _CLAUSE_END.split(text[found.end : found.end + 16])[0]
    return _AHEAD_AFTER_TODAY.search(behind) is None or _DONE.search(behind) is not None


def _is_signing(text: str, found: Found[Moment]) -> bool:
    return bool(
        _SIGNING.search(text[found.end : found.end + 16])
        or _SIGNING_BEFORE.search(text[max(0, found.start - 12) : found.start])
    )


def _is_elsewhere(text: str, found: Found[Moment]) -> bool:
    """A delivery or a move at the customer's, or a month in which something happens there."""
    behind = text[found.end : found.end + 16]
    if text[found.end - 1] == "内" and _TO_BE_THERE.match(behind):
        return True
    if _ELSEWHERE.search(behind) or _VALID_UNTIL.search(
        text[max(0, found.start - 6) : found.start]
    ):
        return True
    if _PAID.search(behind) and _ASKED.search(text[max(0, found.start - 4) : found.start]):
        return True
    is_month = _PURE_MONTH.search(text[found.start : found.end].strip())
    return bool(is_month and not _CONTACT_AFTER_MONTH.search(behind.strip()))


def _moved(text: str, ours: list[Found[Moment]]) -> Found[Moment] | None:
    """周三的约推了，推到下周三: where a day is moved, the new one counts."""
    for one in reversed(ours[1:]):
        if _MOVED.search(text[max(0, one.start - 5) : one.start]):
            return one
    return None


def _pointed_at(text: str, ours: list[Found[Moment]]) -> Found[Moment] | None:
    """周四开会，周二出结果，到时候我再问她: the last day said before «then»."""
    then = _THEN.search(text)
    before = [one for one in ours if then and one.end <= then.start()]
    return before[-1] if len(before) > 1 else None


def _best(text: str, ahead: list[Found[Moment]]) -> list[Found[Moment]]:
    """Moments with a word of contact near them, if there are any."""
    near = [
        one
        for one in ahead
        if _CONTACT_AHEAD.search(text[one.end : one.end + 10])
        or _CONTACT_AHEAD.search(text[max(0, one.start - 8) : one.start])
    ]
    return near or ahead
