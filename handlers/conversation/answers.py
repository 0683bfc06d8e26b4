"""What a press or a few words add to a draft: form values, and answers to what was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain import drafting, losses
from bot.domain.activities import Draft, Intent, Moment, Record
from bot.domain.library import ActionUnit, SlotSpec
from handlers.conversation import drafts, habits, own_fields, telling, trade_words
from handlers.customers import customers
from handlers.customers.new_customers import NAME
from handlers.deals import losing
from handlers.desk import Desk
from handlers.texts import dialog
from handlers.understanding.normal import normalise

NOT_CHOSEN = "-"  # what a drop-down of WeCom submits when it was left alone
SHORT_ANSWER = 15  # characters; what is longer is read as a sentence of its own
MAX_REMARK = 500
REPLACEABLE = ("duration_min", "next_contact", "amount_fen")

_OWN_DAY = re.compile(r"[今明后昨]|周|星期|礼拜|月|[0-9一二三十][日号]|/|-")
_CLAUSE_END = re.compile(r"[,，、;；。\s]+")
_ASKED_OTHERWISE = ("customer", "files", losses.REASON)
_NONE = re.compile(
    r"^(?:都|全都|两个都|一个都|哪个都)?(?:不是|不对|没有)(?:的|这[家个]|那[家个]|他们|它)?[吧啊。!！]*$"
)
_SWAP = re.compile(
    r"(?:不是|把|从)(?P<old>[^,，。]{1,14}?)[,，\s]*(?:而?是|改成|改为|改到|换成)(?P<new>[^,，。]{1,14})"
    r"|是(?P<new2>[^,，。]{1,14}?)[,，\s]*(?:而)?不是(?P<old2>[^,，。]{1,14})"
)
_BEFORE_HOUR = re.compile(r"^.*(?:改到|改成|改为|换成|(?<!不)是)")
_ORDINAL = re.compile(r"^(?:选|就)?(?:第)?([1-5一二三四五])(?:个|家)?[吧。]?$")
_CREATE = re.compile(
    r"^(?:都不是[,，]?)?(?:[是对嗯]?[,， ]*是?(?:一?个)?新客户[,， ]*)?(?:那就|就|帮我)?"
    r"(?:新建|创建|建一?个?新?的?)(?:客户|吧|它)?[。!！]?$"
)
_PERSON = re.compile(r"^(?:应该|其实)?(?:是|叫|见的是|联系人是)([\u4e00-\u9fff]{2,5}?)[吧。!！]*$")
_IN_CHINESE = re.compile(r"[\u4e00-\u9fff]{2}|[A-Za-z]{2,}[ \u4e00-\u9fff]+[A-Za-z\u4e00-\u9fff]")
"""«test» and «123456» are no companies; «ABB 上海» may be."""
_SENTENCE = re.compile(
    r"[你我您咱吗呢谁啥咋]|客户|能不能|客服|投诉|公海|[不没](?:签|动|行|好|会|知)|帮忙|是不是|怎么|什么|一下|知道|谢谢|再说|说要|先去|[说了吧啊]$"
    r"|设置|通知|导出|预测|团队|[今明昨]天|[这本上下]周|让|把|给|多少|几个|(?<!美)的"
)
"""No company is called so: «客户说要再考虑考虑» is not whom we have met."""
_PUTS_INTO_FILE = re.compile(r"^(?:确认|确定|保存|提交)[了吧]?[。!！]?$")


def read_form(
    values: Mapping[str, str], desk: Desk, unit: ActionUnit | None = None
) -> dict[str, object]:
    """Form values of a card as slots; what cannot be read is left out and asked for again."""
    own = [spec for spec in (unit.slots if unit is not None else ()) if spec.kind is not None]
    reader, now = desk.office.reader, said_at(desk)
    slots = own_fields.read_form(own, values, reader=reader, now=now)
    for key, value in values.items():
        if value in ("", NOT_CHOSEN):
            continue
        if key == "objections":
            slots[key] = [code for code in value.split("|") if code != "none"]
        elif key == "duration_min" and value.isascii() and value.isdigit():
            slots[key] = int(value[:6])
        elif key == "customer_received":
            slots[key] = value in ("yes", "true")
        elif key in ("next_contact", "contact", "amount_fen", "duration_min"):
            chosen = _parsed(value) if key == "next_contact" else None
            answer = chosen or desk.office.reader.read_answer(value, key, now=said_at(desk))
            if answer is not None:
                slots[key] = _plain(answer)
    return slots


async def take(
    desk: Desk, draft: Draft, text: str, record: Record, *, only_asked: bool = False
) -> bool:
    """Whether the text answers what the draft asks, or fills another gap of it unless
    `only_asked`; then it is taken and shown."""
    if draft.awaiting == "customer" and await _take_customer(desk, draft, text, record):
        return True
    if draft.awaiting == losses.REASON:
        value = losing.read(desk, draft, text, record)
    else:
        value = _read_gap(desk, draft, text, record)
    if value is None or (only_asked and draft.awaiting not in value):
        return False
    await drafts.fill(desk, draft, value)
    return True


async def take_gap(desk: Desk, draft: Draft, text: str) -> bool:
    """«明天上午再打» for a draft that asks nothing and has no next contact yet."""
    unit = drafts.unit_of(desk, draft)
    if len(text) > SHORT_ANSWER or unit is None or "next_contact" in draft.slots:
        return False
    if unit.slot("next_contact") is None or telling.past_moment(desk, text, said_at(desk)):
        return False
    value = _read(desk, draft, text, "next_contact")
    if value is None:
        return False
    await drafts.fill(desk, draft, {"next_contact": value})
    return True


async def take_name(desk: Desk, draft: Draft, text: str, record: Record) -> bool:
    """The last guess at words that say nothing else: another name for the unknown customer."""
    mention = record.customer_mention or text.strip(" 是叫。")
    named = bool(record.customer_mention) or (
        len(mention) >= 4
        and NAME.fullmatch(mention)
        and _IN_CHINESE.search(mention)
        and not _SENTENCE.search(mention)
        and not record.words.get("intent")
    )
    if draft.awaiting != "customer" or not named or _is_a_value(desk, text):
        return False
    await drafts.fill(desk, replace(draft, candidates=()), {"customer_mention": mention})
    return True


def _is_a_value(desk: Desk, text: str) -> bool:
    """«哦不 八十五万六» is whatever it is of, and no name."""
    reader, now = desk.office.reader, said_at(desk)
    return any(reader.read_answer(text, key, now=now) is not None for key in REPLACEABLE)


async def take_new_customer(desk: Desk) -> bool:
    """A bare «新建客户» while a draft names a customer that nobody knows."""
    for draft in await desk.tx.drafts.open_of(desk.conversation, desk.rep.id):
        if draft.account_id is None and draft.slots.get("customer_mention"):
            await drafts.choose(desk, draft, drafts.NEW)
            return True
    return False


async def take_value(desk: Desk, draft: Draft, text: str) -> bool:
    """«下周四吧», «30分钟», «是前天打的» with nothing asked: takes the place of what the
    draft says."""
    if len(text) > SHORT_ANSWER:
        return False
    earlier = telling.past_moment(desk, text, said_at(desk))
    if earlier is not None:
        clock = earlier.clock or drafting.END_OF_DAY
        moment = desk.office.calendar.moment(earlier.day, clock)
        await drafts.fill(desk, replace(draft, occurred_at=moment), {})
        return True
    unit = drafts.unit_of(desk, draft)
    own = {slot.key for slot in unit.slots} if unit is not None else draft.slots.keys()
    for key in REPLACEABLE:
        value = _read(desk, draft, text, key) if key in own else None
        if value is not None:
            await drafts.fill(desk, draft, {key: value})
            return True
    person = _PERSON.match(text)
    if person and desk.office.reader.read_answer(text, "contact", now=said_at(desk)) == person[1]:
        await drafts.fill(desk, draft, {"contact": person[1]})
        return True
    return False


async def take_remark(desk: Desk, draft: Draft, text: str) -> None:
    """Words that fit nowhere else are kept with the draft, so that they are not lost; what
    the customer objects to in them counts beside what was said before."""
    told = str(draft.slots.get("remark") or "")
    slots: dict[str, object] = {"remark": (f"{told}；{text}" if told else text)[:MAX_REMARK]}
    unit = drafts.unit_of(desk, draft)
    codes = desk.office.reader.read_answer(text, "objections", now=said_at(desk))
    if isinstance(codes, tuple) and codes and unit is not None and unit.slot("objections"):
        slots = telling.beside_earlier(draft, {**slots, "objections": list(codes)})
    await drafts.fill(desk, draft, slots)


def read_swap(desk: Desk, draft: Draft, text: str) -> dict[str, object]:
    """«不是25分钟，是35», «把25改成35»: what was understood says which slot is meant, so that
    the new value may be bare."""
    swap = _SWAP.search(text)
    if swap is None:
        return {}
    old, new = (swap["old"] or swap["old2"], swap["new"] or swap["new2"])
    for key in (*REPLACEABLE, "contact"):
        known, value = _read(desk, draft, old, key), _read(desk, draft, new, key)
        if value is not None and known is not None and known == draft.slots.get(key):
            return {key: value}
    return {}


def said_at(desk: Desk) -> datetime:
    """When it was said, in the team's zone: what 明天 is counted from."""
    return desk.message.sent_at.astimezone(desk.office.zone)


def _read_gap(desk: Desk, draft: Draft, text: str, record: Record) -> dict[str, object] | None:
    """The slots that the text fills, if any; what was asked for comes first."""
    keys = _gaps(desk, draft, text)
    if (several := _read_clauses(desk, draft, text, keys)) is not None:
        return several
    for key in keys:
        if key in _ASKED_OTHERWISE:
            continue
        if key != draft.awaiting and record.intent is Intent.CONFIRM:
            continue
        if key == "customer_received" and _PUTS_INTO_FILE.match(text):
            continue
        if _own(desk, draft, key) is not None and not _is_asked(draft, key, record):
            continue
        value = _read(desk, draft, text, key)
        if value is not None:
            return {key: value}
    return None


def _read_clauses(
    desk: Desk, draft: Draft, text: str, keys: Sequence[str]
) -> dict[str, object] | None:
    """«25分钟，下周三»: each clause fills a gap of its own."""
    clauses = [clause for clause in _CLAUSE_END.split(text) if clause.strip()]
    found: dict[str, object] = {}
    for clause in clauses if len(clauses) > 1 else ():
        for key in keys:
            own = _own(desk, draft, key) is not None
            passed = own or key in (*found, *_ASKED_OTHERWISE)
            value = None if passed else _read(desk, draft, clause, key)
            if value is not None:
                found[key] = value
                break
        else:
            return None
    return found or None


def _gaps(desk: Desk, draft: Draft, text: str) -> Sequence[str]:
    if not draft.awaiting:
        return ()
    unit = drafts.unit_of(desk, draft)
    keys = [draft.awaiting]
    if unit is not None and len(text) <= SHORT_ANSWER:
        keys += [slot.key for slot in unit.slots if slot.key not in draft.slots]
    return list(dict.fromkeys(keys))


def _read(desk: Desk, draft: Draft, text: str, key: str) -> object | None:
    """An answer as a draft keeps it. «上午10点» names the hour of a day that is known."""
    spec = _own(desk, draft, key)
    if spec is not None:
        return own_fields.read(spec, text, reader=desk.office.reader, now=said_at(desk))
    if key == "objections":
        return _objections(desk, draft, text)
    hour = read_hour(desk, draft, text) if key == "next_contact" else None
    value = hour or desk.office.reader.read_answer(text, key, now=said_at(desk))
    return None if value is None else _plain(value)


def _own(desk: Desk, draft: Draft, key: str) -> SlotSpec | None:
    """The field, if it is the library's own."""
    unit = drafts.unit_of(desk, draft)
    spec = unit.slot(key) if unit is not None else None
    return spec if spec is not None and spec.kind is not None else None


def _is_asked(draft: Draft, key: str, record: Record) -> bool:
    """Any words may fit a field of the library's own, so only what was asked is answered."""
    to_the_bot = (Intent.CONFIRM, Intent.CANCEL, Intent.QUERY, Intent.CORRECT, Intent.SNOOZE)
    return key == draft.awaiting and record.intent not in to_the_bot


def _objections(desk: Desk, draft: Draft, text: str) -> list[str] | None:
    """In everybody's words and in those of the trade."""
    read = desk.office.reader.read_answer(text, "objections", now=said_at(desk))
    codes = list(read) if isinstance(read, tuple) else []
    trade = trade_words.objections(desk.office.libraries.of(draft.library), text)
    found = list(dict.fromkeys([*codes, *trade]))
    return found if found or isinstance(read, tuple) else None


def read_hour(desk: Desk, draft: Draft, text: str) -> str | None:
    """«改到下午3点»: an hour of the day that the draft has; None if the text names a day of
    its own, or no hour."""
    known = draft.slots.get("next_contact")
    if not isinstance(known, str) or _OWN_DAY.search(text):
        return None
    day = Moment.parse(known).day
    said = f"{day.year}年{day.month}月{day.day}日{_BEFORE_HOUR.sub('', text)}"
    dated = desk.office.reader.read_answer(said, "next_contact", now=said_at(desk))
    told = isinstance(dated, Moment) and dated.day == day and dated.clock is not None
    return str(dated) if told else None


async def _take_customer(desk: Desk, draft: Draft, text: str, record: Record) -> bool:
    """By number, by a part of one name, by yes to the only one, by its name, or as new."""
    view = await drafts.look_at(desk, draft)
    offered = dict(view.choices)
    if draft.candidates and _NONE.match(text):
        await _take_none(desk, draft)
        return True
    action = _chosen(text, record, offered)
    if action is not None:
        await drafts.choose(desk, draft, action)
        return True
    says_no_more = not tells_more(record, text) and record.intent is not Intent.QUERY
    if record.customer is not None and not record.needs_confirm and says_no_more:
        account = await desk.tx.accounts.find_by_name(record.customer)
        if account is not None:
            await drafts.give_customer(desk, draft, account)
            return True
    if record.ambiguous:
        accounts = [await desk.tx.accounts.find_by_name(name) for name in record.ambiguous[:5]]
        numbers = tuple(account.id for account in accounts if account is not None)
        mention = {"customer_mention": customers.mention_of(record) or text.strip()}
        await drafts.fill(desk, replace(draft, candidates=numbers), mention)
        return True
    return False


def tells_more(record: Record, text: str) -> bool:
    """Whether the customer is named in a sentence about something else: «正仪的样品寄出去了，
    后天到» does not say whose deal was lost."""
    told = normalise(text).replace(record.words.get("customer", ""), "")
    return len(told) > SHORT_ANSWER and record.intent is not Intent.CHITCHAT


async def _take_none(desk: Desk, draft: Draft) -> None:
    """«都不是»: those that were offered are not offered again."""
    slots = {key: value for key, value in draft.slots.items() if key != habits.MENTION}
    slots[drafts.NOT_THESE] = list(draft.candidates)
    await drafts.fill(desk, replace(draft, candidates=(), slots=slots), {})
    desk.say(dialog.NONE_OF_THEM)


def _chosen(text: str, record: Record, offered: Mapping[str, str]) -> str | None:
    """The action of the button that the words stand for."""
    text = text.strip()
    actions = list(offered)
    if drafts.NEW in offered and _CREATE.match(text):
        return drafts.NEW
    if (ordinal := _ORDINAL.match(text)) is not None:
        number = "12345一二三四五".index(ordinal[1]) % 5
        return actions[number] if number < len(actions) else None
    if _PUTS_INTO_FILE.match(text):
        return None
    picks = [action for action in actions if action != drafts.NEW]
    if record.intent is Intent.CONFIRM and len(picks) == 1:
        return picks[0]
    part = text.removesuffix("那家").removesuffix("那个").strip("。！!")
    fitting = [action for action in picks if len(part) > 1 and part in offered[action]]
    return fitting[0] if len(fitting) == 1 else None


def _parsed(value: str) -> Moment | None:
    try:
        return Moment.parse(value)
    except ValueError:
        return None


def _plain(value: object) -> object:
    """An answer as a draft keeps it."""
    if isinstance(value, Moment):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return value
