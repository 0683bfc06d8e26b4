"""Orders of those who lead: hand a customer over, set a leave, unlock a late record."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from bot.domain.activities import Moment
from bot.domain.opportunities import Account
from bot.domain.people import Person, Role
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import OutboundMessage, Text
from handlers.customers import customers, handing_over
from handlers.deadlines import unlocking
from handlers.desk import Desk
from handlers.leading.teams import LEADING, OVERSEERS
from handlers.texts import team as texts

LONGEST_LEAVE = timedelta(days=366)
_DAY = timedelta(days=1)
_DIGITS = {word: number for number, word in enumerate("一二三四五六七八九十", start=1)} | {"两": 2}

_HAND_OVER = re.compile(
    r"^(?:请|麻烦|帮我|帮忙)*(?:把|将)?(?P<what>.{2,40}?)(?:[这那]个?客户|[这那][家个单]|客户)?"
    r"(?:转给|转交给?|移交给?|改派给|分配给|交接给|划给|派给|交给|给)"
    r"(?P<who>[\w·]{2,12}?)(?:来?(?:跟进|跟|负责|接手|管))?[吧了]?(?:[。!！]?|[,，。 ].{2,30})$"
)
_ORDERED = re.compile(r"(?:请|麻烦|帮我|帮忙)*[把将]")
_TAKES_OVER = re.compile(
    r"^(?:以后)?(?P<what>.{2,40}?)(?:[这那]个?客户|[这那][家个单])?(?:以后)?(?:就|改)?(?:让|由|叫|安排)"
    r"(?P<who>[\w·]{2,4}?)(?:来|去)?(?:跟进|跟|负责|接手|接|管)[吧了]?[。!！]?$"
)
_FIRST_DAY = (
    r"(?P<{}>明天|后天|[下这]?(?:周|星期|礼拜)[一二三四五六日天]|下个?(?:周|星期|礼拜))(?:起|开始)?"
)
_LEAVE = re.compile(
    rf"^(?:{_FIRST_DAY.format('before')})?(?P<who>[\w·]{{0,12}}?)(?:(?:从)?今天起|今天开始|现在起)?"
    rf"(?:{_FIRST_DAY.format('first')})?(?:要)?"
    r"(?:请假|休假|休年假|请年假|调休)了?[,，]?(?:一直)?(?:到|至)?"
    r"(?P<until>[^,，。;； ]{0,12}?)(?:结束|为止)?"
    r"(?:[,，;；\s]*(?:期间)?(?:由|让|请)?(?P<deputy>[\w·]{2,12}?)(?:来)?"
    r"(?:代班|代管|代跟|代|顶班|顶|接手|负责|跟进)(?:一下)?)?[。!！]?$"
)
_BACK = re.compile(
    r"^(?P<who>[\w·]{1,12}?)(?:已经?)?(?:销假|回来上班|回来|(?:请假|休假)结束|结束(?:请假|休假))了?[。!！]?$"
)
_UNLOCK = re.compile(r"^(?P<not>不|别)?解锁[ :：,，]*(?P<rest>.{0,200})$", re.DOTALL)
_TITLED = re.compile(r"[总工]$|经理|主任|部长|科长|老师|老板|客户")  # somebody at a customer's
_DAYS = re.compile(r"^(?P<days>\d{1,3}|[一二两三四五六七八九十])天$")


async def take_order(desk: Desk, text: str) -> bool:
    """Whether the text was such an order; then it is carried out, or refused with its reason."""
    for pattern, carry_out in _ORDERS:
        match = pattern.match(text.strip())
        if match is not None and await carry_out(desk, match):
            return True
    return False


async def _hand_over(desk: Desk, match: re.Match[str]) -> bool:
    """«把恒锐机电转给陈静». Only where both names are ours: «方案转给王总了» is a story."""
    account = await customers.exactly(desk, match["what"])
    person = await colleague(desk, match["who"])
    is_order = bool(desk.rep.roles & LEADING and _ORDERED.match(match.string))
    if person is None:
        if is_order and account is not None and not _TITLED.search(match["who"]):
            raise InvalidInput(texts.no_such_colleague(match["who"]))
        return False
    if account is None and is_order and customers.are_a_name(desk, match["what"]):
        account = await customers.named(desk, match["what"])  # tells which there are
        if account is None:
            return True
    if account is None:
        return False
    await hand_over(desk, account, person)
    return True


async def hand_over(desk: Desk, account: Account, person: Person) -> None:
    """Raises NotAllowed for who may not decide it, Refused where nothing would change."""
    if not await may_move(desk, account, person):
        raise NotAllowed(texts.HAND_OVER_NOT_YOURS)
    before = await desk.tx.people.get(account.owner_id)
    if before.id == person.id and account.in_pool_since is None:
        raise Refused(texts.same_owner(account.name, person.name))
    await handing_over.hand_over(desk, account, person)
    desk.say(texts.handed_over(account.name, before.name, person.name))
    _tell(desk, before, texts.you_lost(account.name, person.name, desk.rep.name))
    _tell(desk, person, texts.you_got(account.name, before.name, desk.rep.name))


async def _set_leave(desk: Desk, match: re.Match[str]) -> bool:
    """«陈静请假到周五，李敏代»."""
    first_day = match["before"] or match["first"]
    person = await colleague(desk, match["who"])
    if person is None and match["before"] and match["who"]:  # 周一帆 is no Monday
        person, first_day = await colleague(desk, match["before"] + match["who"]), None
    if person is None:
        if desk.rep.roles & LEADING and not _TITLED.search(match["who"]):
            raise InvalidInput(texts.no_such_colleague(match["who"]))
        return False
    await _refuse_to_manage(desk, person)
    last_day = _last_day(desk, match["until"], first_day)
    deputy = await colleague(desk, match["deputy"]) if match["deputy"] else None
    if match["deputy"] and deputy is None:
        raise InvalidInput(texts.no_such_colleague(match["deputy"]))
    await give_leave(desk, person, last_day, deputy)
    return True


async def give_leave(desk: Desk, person: Person, last_day: date, deputy: Person | None) -> None:
    """Raises NotAllowed for who does not lead the person, InvalidInput for a day that is past or
    too far, Refused for a deputy who cannot."""
    await _refuse_to_manage(desk, person)
    today = desk.office.calendar.day_of(desk.at)
    if not today <= last_day <= today + LONGEST_LEAVE:
        raise InvalidInput(texts.LEAVE_UNTIL_WHEN)
    if deputy is not None and (deputy.id == person.id or deputy.on_leave(desk.at)):
        raise Refused(texts.cannot_deputise(deputy.name))
    until = desk.office.calendar.midnight(last_day + _DAY)
    await desk.tx.people.set_leave(person.id, until, deputy.id if deputy else None)
    await _note_leave(desk, person, {"until": until.isoformat(), "deputy": deputy and deputy.id})
    owned = len(await desk.tx.accounts.list_of_owner(person.id))
    desk.say(texts.on_leave(person.name, last_day, deputy.name if deputy else "", owned))
    _tell(desk, person, texts.your_leave(last_day, deputy.name if deputy else ""))
    if deputy is not None:
        _tell(desk, deputy, texts.you_deputise(person.name, last_day, owned))


async def _end_leave(desk: Desk, match: re.Match[str]) -> bool:
    """«陈静销假»."""
    person = await colleague(desk, match["who"])
    only_back = not any(word in match[0] for word in ("假", "上班"))
    if person is None or (only_back and not person.on_leave(desk.at)):
        return False
    await end_leave(desk, person)
    return True


async def end_leave(desk: Desk, person: Person) -> None:
    """Raises NotAllowed, and Refused for somebody who is at work."""
    await _refuse_to_manage(desk, person)
    if not person.on_leave(desk.at):
        raise Refused(texts.not_on_leave(person.name))
    await desk.tx.people.set_leave(person.id, None, None)
    await _note_leave(desk, person, {"until": None, "deputy": None})
    desk.say(texts.back_at_work(person.name))
    _tell(desk, person, texts.YOU_ARE_BACK)
    if person.deputy_id is not None:
        deputy = await desk.tx.people.get(person.deputy_id)
        _tell(desk, deputy, texts.you_deputise_no_more(person.name))


async def _unlock(desk: Desk, match: re.Match[str]) -> bool:
    """«解锁 恒锐机电 出差没信号»."""
    rest = match["rest"].strip()
    mentions = desk.office.customers.index.find(rest)
    sure = mentions[0].sure if mentions else None
    account = await desk.tx.accounts.find_by_name(sure.name) if sure else None
    if account is None:
        raise InvalidInput(texts.UNLOCK_WHICH)
    mention = mentions[0]
    reason = f"{rest[: mention.start]} {rest[mention.end :]}".strip(" ,，。:：")
    await unlocking.by_words(desk, account, reason=reason, unlock=not match["not"])
    return True


async def colleague(desk: Desk, name: str) -> Person | None:
    """By the full name; 我, or nobody named, is the speaker. Raises Refused where two share it."""
    if name in ("", "我", "本人"):
        return desk.rep
    same = [person for person in await desk.tx.people.list_active() if person.name == name]
    if len(same) > 1:
        raise Refused(texts.two_of_that_name(name))
    return same[0] if same else None


async def may_move(desk: Desk, account: Account, to: Person) -> bool:
    """Overseers any customer; a supervisor within their own people, and out of the pool."""
    if desk.rep.roles & OVERSEERS:
        return True
    own = {desk.rep.id}
    leads = customers.leads
    pooled = account.in_pool_since is not None
    gives = pooled or account.owner_id in own or await leads(desk.tx, desk.rep, account.owner_id)
    takes = to.id in own or await leads(desk.tx, desk.rep, to.id)
    return Role.SUPERVISOR in desk.rep.roles and gives and takes


async def _refuse_to_manage(desk: Desk, person: Person) -> None:
    """Raises NotAllowed unless the speaker leads that person; nobody but overseers sets their
    own leave."""
    if desk.rep.roles & OVERSEERS:
        return
    if person.id == desk.rep.id or not await customers.leads(desk.tx, desk.rep, person.id):
        raise NotAllowed(texts.LEAVE_NOT_YOURS)


def _last_day(desk: Desk, words: str | None, first_day: str | None = None) -> date:
    """The last day away; first_day: where the leave begins on another day than today. Raises
    InvalidInput."""
    today = desk.at.astimezone(desk.office.zone).date()
    words = (words or "").strip()
    if first_day is not None:
        first = _last_day(desk, first_day)
        days = _DAYS.match(words)
        return first + _days_of(days) - _DAY if days else _last_day(desk, words or first_day)
    if words in ("今天", "今日"):
        return today
    if (match := _DAYS.match(words)) is not None:
        return today + _days_of(match) - _DAY
    now = desk.message.sent_at.astimezone(desk.office.zone)
    answer = desk.office.reader.read_answer(words, "next_contact", now=now) if words else None
    if not isinstance(answer, Moment) or not today <= answer.day <= today + LONGEST_LEAVE:
        raise InvalidInput(texts.LEAVE_UNTIL_WHEN)
    return answer.day


def _days_of(match: re.Match[str]) -> timedelta:
    days = match["days"]
    return _DAY * (int(days) if days.isdigit() else _DIGITS[days])


async def _note_leave(desk: Desk, person: Person, after: dict[str, object]) -> None:
    until = person.on_leave_until
    before = {"until": until.isoformat() if until else None, "deputy": person.deputy_id}
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="set_leave",
        subject=f"person:{person.id}",
        before=before,
        after=after,
    )
    await desk.office.lights.on_leave_changed(desk.tx, person, desk.at)


def _tell(desk: Desk, person: Person, text: str) -> None:
    """The others concerned; the speaker was answered."""
    to = desk.office.address_of(person)
    if to is not None and person.id != desk.rep.id:
        key = f"{desk.incoming.source_id}:tell:{person.id}:{len(desk.notices)}"
        desk.add([OutboundMessage(key, to, Text(text))])


_ORDERS: tuple[tuple[re.Pattern[str], Callable[[Desk, re.Match[str]], Awaitable[bool]]], ...] = (
    (_UNLOCK, _unlock),
    (_HAND_OVER, _hand_over),
    (_TAKES_OVER, _hand_over),
    (_LEAVE, _set_leave),
    (_BACK, _end_leave),
)
