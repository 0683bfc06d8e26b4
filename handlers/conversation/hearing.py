"""Text in a conversation: an answer to what was asked, a correction, or something new."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from bot.domain.activities import Draft, Intent, Record
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.errors import UserError
from bot.messages import Kind
from handlers.coaching import track_library
from handlers.conversation import (
    answers,
    correcting,
    drafts,
    files,
    habits,
    pointing,
    recording,
    referring,
    reports,
    telling,
    trade_words,
    undoing,
)
from handlers.customers import commenting, creating, customers
from handlers.deals import stage_moves, stage_orders
from handlers.desk import Desk
from handlers.leading import one_of_them, queries, team
from handlers.levels import claiming
from handlers.levels import words as level_words
from handlers.payouts import disputing
from handlers.policy import policy_orders
from handlers.texts import dialog
from handlers.texts import disputes as dispute_texts
from handlers.texts import queries as query_texts
from handlers.understanding.heard import as_meant
from handlers.understanding.suggestions import filled

SEES_MORE = frozenset({Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.ADMIN})
MAX_TEXT = 2000
LEAST_REMARK = 6  # characters; less is no remark worth keeping

_ALL = re.compile(
    r"^(?:帮我|请)?(?:把)?(?:今天|上面|刚才|这些|那些)*的?(?:记录|卡片|草稿|几条|这几条)?"
    r"(?:全部|全都|都|一起|通通|一次)(?P<what>确认|取消)[了掉吧]*[。!！]?$"
    r"|^(?P<first>确认|取消)(?:全部|所有)[。!！]?$"
)
_ONE = re.compile(
    r"^(?P<what>确认|取消|撤销|撤回)[ :：,，]*(?P<name>.{2,40}?)"
    r"(?:的?(?:那条|这条|记录)|的)?[。!！]?$"
)
_NOT_THAT = re.compile(
    r"^(?P<name>.{2,40}?)(?:的?(?:那条|这条|记录))?(?P<what>不记了|不要了|取消|撤销|撤回|算了)[吧。!！]?$"
)
_DENIES = re.compile(
    r"^「?(?P<words>[^，,。「」]{2,20}?)」?(?:不是|不是指|并不是)「?(?P<name>[^，,。「」]{2,40})」?[。!！]?$"
)
_CHANGES = re.compile(
    r"^(?:的?(?:那条|这条|那个|记录))?的?(?:时长|金额|时间|报价|下次联系|联系人|异议)?"
    r"(?:应该|其实|不对|错了|[,，])*(?:是|改成|改为|改到|换成|不是)"
)
_FORCE = re.compile(r"^先记(?:下|上|着)(?:来|吧)?(?:[,，]?(?:不计有效|不算有效))?[。!！]?$")
_LATER = re.compile(r"延后|推迟提醒|缓[一两几0-9]|先别(?:催|提醒)")
_UNDO = re.compile(r"撤销|撤回|撤掉|删")
_FIGURE = re.compile(
    r"[\d零一二两三四五六七八九十百千万.,]+ *(?:分钟|小时|秒|元|块钱?|万元?|天)?[。.!！]?"
)
_QUESTION = re.compile(
    r"[?？吗呢么]$|谁(?:能|来|可以|批)|怎么办|咋办|咋整|行不行"
    r"|^(?:帮我|帮忙|麻烦|请你|能不能|可不可以|给我)|给我(?:看|整|来|发|弄|做|查|找)"
)
_WONDERS = re.compile(
    r"谁(?:今天|昨天|这周|本周)?(?:还|在|没|的)"
    r"|.(?:[啥谁]|[干做]嘛|什么|多少|哪[个家些])(?:来着|了)?[。!！ ]*$"
    r"|[了到完好上成](?:了)?没有?[。!！ ]*$"
    r"|^(?:有没有|为什么|为啥|凭什么|凭啥|怎么|咋|几[个条点]|我.{0,6}几[个条次单家]|.{0,6}哪[个家些几单])"
    r"|^(?:还有|还剩)(?:多少|几|啥|什么|谁)|(?:咋|怎么)(?:办|回|弄|整|说|谈)[。!！ ]*$"
)
_TELLS_OF_THEM = re.compile(
    r"客户|对方|他们?|她|人家|(?<![我你])说|还?问|想知道|[\u4e00-\u9fff](?:总|经理|工|主任|厂长)"
)
"""«对方还问有没有分期» is no question to the bot."""


async def hear(desk: Desk) -> None:
    """One text (or transcript). «上面那个记一下» stands for the message it refers to."""
    text = spoken_text(desk)
    asked = referring.asks(desk, text)
    if asked is None:
        await _hear_and_keep(desk, text)
        return
    meant = await referring.meant(desk, asked)
    if meant is not None:
        text = meant.message.text
        records = await habits.apply(meant, read_words(meant, text))
        open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
        records = trade_words.apply(meant.library, records, text)
        await reports.log(meant, reports.noted(records), text, open_drafts)


async def _hear_and_keep(desk: Desk, text: str) -> None:
    """In a group what was said is kept for others to refer to, also where it is refused: the
    colleague whose customer it is may record it."""
    if not desk.message.in_group:
        await _hear(desk, text)
        return
    await referring.listen(desk, text)
    answers, notices = len(desk.answers), len(desk.notices)
    try:
        async with desk.tx.attempt():
            await _hear(desk, text)
    except UserError as refusal:
        del desk.answers[answers:], desk.notices[notices:]
        desk.opened.clear()
        desk.recorded.clear()
        desk.say(str(refusal))


async def _hear(desk: Desk, text: str) -> None:
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    for take in _FIRST:
        if await take(desk, text):
            return
    for say in (_take_order, _take_word, _take_denial):
        if await say(desk, text, open_drafts):
            return
    if (pointed := pointing.by_number(text, open_drafts)) is not None:
        open_drafts, text = pointed
        if not open_drafts:
            desk.say(dialog.WHICH_BY_NAME)
            return
    read = await habits.apply(desk, read_words(desk, text))
    records = filled(read, desk.incoming.suggested, text)
    if records != read:
        desk.say(dialog.SUGGESTED)
    records = trade_words.apply(desk.library, records, text)
    about = await _drafts_of(desk, records[0], open_drafts)
    asks = records[0].intent is Intent.QUERY
    if about and not asks and _CHANGES.match(telling.after_name(text, records[0])):
        await correcting.correct(desk, records[0], about)
        return
    # A name may also be what a draft waits for.
    named = None if any(draft.account_id is None for draft in open_drafts) else about
    if not _tells_a_story(records):
        if not _wonders(text) and await stage_moves.take(desk, text, records[0], open_drafts):
            return
        if await _takes_answer(desk, records[0], text, open_drafts if named is None else named):
            return
    await _by_intent(desk, records, text, open_drafts)


async def _takes_answer(
    desk: Desk, record: Record, text: str, open_drafts: Sequence[Draft]
) -> bool:
    """Whether it answers an open draft: the one touched last, by whatever fits; an older one
    only by a short answer to what it asks, or what was told of the newer would be its."""
    if _wonders(text):
        return False
    for place, draft in enumerate(open_drafts):
        if place and (len(text) > answers.SHORT_ANSWER or record.intent is Intent.CONFIRM):
            return False
        if await answers.take(desk, draft, text, record, only_asked=place > 0):
            return True
        if not place and not draft.awaiting and await answers.take_gap(desk, draft, text):
            return True
    return False


async def cancel(desk: Desk) -> None:
    """«取消»: the dispute or the talk track being written, else the open draft. Nothing that is
    stored."""
    if await disputing.drop(desk) or await track_library.drop(desk):
        return
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    if await stage_moves.cancel(desk, open_drafts):
        return
    if open_drafts:
        await drafts.cancel(desk, open_drafts[0])
        return
    last = await undoing.last_record(desk)
    if last is None:
        desk.say(dialog.NOTHING_TO_CANCEL)
        return
    account = await desk.tx.accounts.get(last.account_id)
    desk.say(dialog.nothing_to_cancel_but(last.title, account.name))


async def undo(desk: Desk) -> None:
    """«撤销»: what the speaker did last, the open draft or the record."""
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    if open_drafts and not await undoing.happened_after(desk, open_drafts[0]):
        await drafts.cancel(desk, open_drafts[0])
    else:
        await undoing.undo(desk)


async def _drafts_of(
    desk: Desk, record: Record, open_drafts: Sequence[Draft]
) -> list[Draft] | None:
    """The drafts of the customer that is named; None where none is named."""
    account = await customers.sure_of(desk, record)
    if record.customer is None or record.needs_confirm:
        return None
    return [draft for draft in open_drafts if account and draft.account_id == account.id]


def spoken_text(desk: Desk) -> str:
    """The words of a message: typed, or heard in its recording, of which some platforms send
    the transcript alone."""
    heard = [_meant(desk, file.transcript) for file in desk.incoming.files if file.transcript]
    own = desk.message.text
    if own and desk.message.kind is Kind.VOICE:
        own = _meant(desk, own)
    text = " ".join([own, *heard]).strip()
    return text[:MAX_TEXT]


def _meant(desk: Desk, transcript: str) -> str:
    """Names as the speaker's own customers and our products are written."""
    office = desk.office
    own = office.customers.names_of(desk.person.id) if desk.person else []
    return as_meant(transcript, customers=own, products=office.policy.products)


async def _by_intent(
    desk: Desk, records: tuple[Record, ...], text: str, open_drafts: list[Draft]
) -> None:
    first = records[0]
    if await level_words.take(desk, records, text):
        return
    if first.vague_intent and first.intent_level is None and len(records) == 1:
        desk.say(dialog.VAGUE_INTENT)
    elif await _puts_off(desk, first, text) or await _file_answer(desk, first):
        return
    elif any(record.intent in reports.LOGS for record in records):
        await reports.log(desk, records, text, open_drafts)
        await stage_orders.propose_told(desk, records, text)
    elif (act := _ACTS.get(first.intent)) is not None:
        await act(desk, first, open_drafts)
    elif first.intent is Intent.CREATE_CUSTOMER and first.customer_mention:
        await creating.ask(desk, first.customer_mention)
    else:
        await _small_talk(desk, first, text, open_drafts)


async def _confirm(desk: Desk, _: Record, open_drafts: list[Draft]) -> None:
    if open_drafts:
        await recording.confirm_one(desk, open_drafts[0])
    else:
        desk.say(dialog.NOTHING_TO_CONFIRM)


async def _cancel(desk: Desk, record: Record, open_drafts: list[Draft]) -> None:
    if "申诉" in spoken_text(desk):  # «不申诉了» is not about the record that is being filled in
        if not await disputing.drop(desk):
            desk.say(dispute_texts.NOTHING_TO_DROP)
        return
    undoes = _UNDO.search(record.words.get("intent", "")) is not None
    names = pointing.names_in(desk, record, spoken_text(desk))
    account = await pointing.customer_meant(desk, names, open_drafts)
    if account is not None:
        await _act_on(desk, "撤销" if undoes else "取消", account, open_drafts)
    elif names:
        desk.say(dialog.CANCEL_WHICH)
    elif undoes:
        await undo(desk)
    else:
        await cancel(desk)


async def _correct(desk: Desk, record: Record, open_drafts: list[Draft]) -> None:
    await correcting.correct(desk, record, open_drafts)


async def _snooze(desk: Desk, record: Record, _: list[Draft]) -> None:
    await queries.snooze(desk, record)


async def _query(desk: Desk, record: Record, open_drafts: list[Draft]) -> None:
    about_nothing = record.query_topic is None and record.customer is None
    if open_drafts and about_nothing and _TELLS_OF_THEM.search(spoken_text(desk)):
        await answers.take_remark(desk, open_drafts[0], spoken_text(desk))
        return
    await queries.answer(desk, record, spoken_text(desk))


async def _appeal(desk: Desk, record: Record, _: list[Draft]) -> None:
    await disputing.by_words(desk, record, spoken_text(desk))


_ACTS: dict[Intent, Callable[[Desk, Record, list[Draft]], Awaitable[None]]] = {
    Intent.CONFIRM: _confirm,
    Intent.CANCEL: _cancel,
    Intent.CORRECT: _correct,
    Intent.SNOOZE: _snooze,
    Intent.QUERY: _query,
    Intent.APPEAL: _appeal,
}


async def _small_talk(desk: Desk, record: Record, text: str, open_drafts: list[Draft]) -> None:
    """Words without an intent: a customer's name, a value, a name for an unknown customer, a
    remark on the open draft; else a hint."""
    if record.customer is not None:
        await _bare_name(desk, record, [] if _wonders(text) else open_drafts)
        return
    wonders = _wonders(text)
    for place, draft in enumerate(() if wonders else open_drafts):
        if await answers.take_value(desk, draft, text):
            return
        if not place and await answers.take_name(desk, draft, text, record):
            return
    objects = bool(desk.office.reader.read_answer(text, "objections", now=answers.said_at(desk)))
    is_remark = (len(text) >= LEAST_REMARK or objects) and not _FIGURE.fullmatch(text)
    asks = is_remark and not record.words.get("intent")
    asks = asks and (wonders or _QUESTION.search(text) is not None)
    talk = record.words.get("intent") or asks or not is_remark
    if not open_drafts:
        desk.say(query_texts.NOT_YET if asks else dialog.CHITCHAT)
    elif not talk:
        await answers.take_remark(desk, open_drafts[0], text)
    elif asks:
        desk.say(query_texts.NOT_YET_IN_BETWEEN)
    elif record.words.get("intent") or not (question := await _question(desk, open_drafts[0])):
        desk.say(dialog.CHITCHAT_IN_BETWEEN)
    else:
        desk.say(dialog.not_understood(question, open_drafts[0].awaiting))


def _wonders(text: str) -> bool:
    """Whether somebody asks the bot, rather than telling what a customer asked."""
    return _WONDERS.search(text) is not None and not _TELLS_OF_THEM.search(text)


async def _question(desk: Desk, draft: Draft) -> str:
    """What the draft still asks; "" for nothing."""
    view = await drafts.look_at(desk, draft)
    return view.question or (view.missing[0].question if view.missing else "")


async def _bare_name(desk: Desk, record: Record, open_drafts: list[Draft]) -> None:
    """«恒锐机电»: back to its draft, else its card."""
    assert record.customer is not None
    account = await desk.tx.accounts.find_by_name(record.customer)
    if account is None:
        desk.say(dialog.CHITCHAT)
        return
    for draft in open_drafts:
        if draft.account_id == account.id:
            await drafts.fill(desk, draft, {})
            return
    await customers.show(desk, account)


async def _take_order(desk: Desk, text: str, _: list[Draft]) -> bool:
    for take in (team.take_order, one_of_them.take, policy_orders.take, stage_orders.take_order):
        if await take(desk, text):
            return True
    return False


async def _take_word(desk: Desk, text: str, open_drafts: list[Draft]) -> bool:
    """«全部确认», «确认恒锐机电», «先记下»: words about drafts that name which."""
    if (match := _ALL.match(text)) and open_drafts:
        if "确认" in (match["what"], match["first"]):
            await recording.confirm_all(desk, open_drafts)
        else:
            for draft in open_drafts:
                await drafts.cancel(desk, draft)
        return True
    if _FORCE.match(text) and open_drafts:
        await recording.confirm(desk, open_drafts[0], force=True)
        return True
    for pattern in (_ONE, _NOT_THAT):
        match = pattern.match(text)
        account = await customers.exactly(desk, match["name"]) if match else None
        if match is not None and account is not None:
            await _act_on(desk, match["what"], account, open_drafts)
            return True
    return False


async def _take_denial(desk: Desk, text: str, open_drafts: list[Draft]) -> bool:
    """«恒锐不是恒锐机电»: those words are no name of that customer any more."""
    match = _DENIES.match(text)
    account = await customers.exactly(desk, match["name"]) if match else None
    if match is None or account is None or not await habits.deny(desk, match["words"], account):
        return False
    desk.say(dialog.habit_dropped(match["words"], account.name))
    for draft in open_drafts:
        if draft.slots.get(habits.HABIT) == match["words"] and draft.account_id == account.id:
            await drafts.ask_again(desk, draft, match["words"])
    return True


_Take = Callable[[Desk, str], Awaitable[bool]]
_FIRST: tuple[_Take, ...] = (
    disputing.take, claiming.take_words, track_library.take, commenting.take,
)  # fmt: skip


async def _act_on(desk: Desk, what: str, account: Account, open_drafts: Sequence[Draft]) -> None:
    """«确认恒锐机电»: that customer's draft; «撤销» else its last record."""
    draft = next((one for one in open_drafts if one.account_id == account.id), None)
    if draft is not None and what == "确认":
        await recording.confirm_one(desk, draft)
    elif draft is not None:
        await drafts.cancel(desk, draft)
    elif what in ("撤销", "撤回"):
        await undoing.undo(desk, account_id=account.id)
    else:
        desk.say(dialog.no_draft_of(account.name))


def read_words(desk: Desk, text: str) -> tuple[Record, ...]:
    """The speaker's own customers first; then everybody's, to say whose a foreign one is."""
    book, reader, now = desk.office.customers, desk.office.reader, answers.said_at(desk)
    if desk.rep.roles & SEES_MORE:
        return reader.read(text, now=now, customers=book.index)
    person_id = desk.rep.id
    own = reader.read(
        text,
        now=now,
        customers=book.index,
        visible=lambda name: book.owned_by(person_id, name),
    )
    if all(record.customer or record.ambiguous for record in own):
        return own
    everybody = reader.read(text, now=now, customers=book.index)
    found = any(record.customer and not record.needs_confirm for record in everybody)
    return everybody if found else own


def _tells_a_story(records: Sequence[Record]) -> bool:
    """Whether the text is a story of its own: then it answers nothing, however well a part of
    it would fit. Who is asked for a customer may answer with a whole sentence."""
    if len(records) > 1:
        return True
    record = records[0]
    named = record.customer or record.ambiguous or record.customer_mention
    return record.intent in reports.LOGS and bool(named)


async def _file_answer(desk: Desk, record: Record) -> bool:
    """«恒锐机电», «这是恒锐机电的方案» after "for whom is this file?"."""
    says_more = record.intent is not Intent.CHITCHAT and (
        record.intent is not Intent.SET_NEXT or record.next_contact is not None
    )
    if record.customer is None or says_more:
        return False
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    account = await desk.tx.accounts.find_by_name(record.customer) if loose else None
    if account is None:
        return False
    await files.give_to(desk, account)
    return True


async def _puts_off(desk: Desk, record: Record, text: str) -> bool:
    """«恒锐机电延后2天，客户出差», as our own card of lights suggests to say it."""
    if record.intent is not Intent.SET_NEXT or record.customer is None or not _LATER.search(text):
        return False
    return await queries.put_off(desk, record)
