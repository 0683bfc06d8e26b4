"""Words that move a deal: «恒锐机电推进到报价», «恒锐到谈判阶段了», «恒锐退回到方案，换了负责人»,
«恒锐机电暂停到3月1日，客户停产», «恒锐机电恢复», «恒锐机电作废，重复线索»."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.activities import Moment, Record
from bot.domain.library import ActionLibrary, Stage
from bot.domain.opportunities import OpportunityState
from bot.errors import InvalidInput
from handlers.conversation import telling
from handlers.customers import customers
from handlers.deals import stage_moves
from handlers.desk import Desk
from handlers.texts import stages as texts

_MOVE = re.compile(
    r"^(?:请|麻烦)?(?:把|将)?(?P<what>.{2,40}?)(?:的?(?:商机|单子|项目|阶段))?(?:已经|现在|可以)?"
    r"(?:(?P<verb>推进到|推进至|推到|前进到|进入到?|进到|退回到?|回退到?|退到|改到|改成|调到)|到了?)"
    r"(?P<stage>[^,，。;；]{1,14}?)(?P<tail>阶段)?了?(?:[吧啦])?"
    r"(?:[,，;； ]+(?:因为|原因[是:：]?)?(?P<reason>.{2,200}))?[。!！]?$",
    re.DOTALL,
)
_STATE = re.compile(
    r"^(?:请|麻烦)?(?:把|将)?(?P<what>.{2,40}?)(?:的?(?:商机|单子|项目))?(?:先)?"
    r"(?P<verb>暂停|搁置|挂起|恢复|重启|作废|无效)(?:跟进|推进)?"
    r"(?:到(?P<until>[^,，。;； ]{2,12}))?了?(?:吧)?"
    r"(?:[,，;； ]+(?:因为|原因[是:：]?)?(?P<reason>.{2,200}))?[。!！]?$",
    re.DOTALL,
)
_TOLD_BESIDE = re.compile(
    r"(?:(?:推进|前进)[到至]了?(?P<stage>[^,，。;；!！\s]{1,8}?)(?:阶段)?"
    r"|(?:进入|进到|到)了?(?P<entered>[^,，。;；!！\s]{1,8}?)阶段)了?(?:[,，。;；!！\s]|$)"
)
_SURE_VERBS = ("推进", "前进", "退回", "回退")  # said of stages and of nothing else
_STATES = {
    "暂停": OpportunityState.ON_HOLD,
    "搁置": OpportunityState.ON_HOLD,
    "挂起": OpportunityState.ON_HOLD,
    "作废": OpportunityState.INVALID,
    "无效": OpportunityState.INVALID,
}


async def take_order(desk: Desk, text: str) -> bool:
    """Whether the text was such an order; then the deal was moved, or it was asked or said what
    is missing. Raises Refused, InvalidInput, NotAllowed."""
    text = text.strip()
    return await _take_move(desk, text) or await _take_state(desk, text)


async def propose_told(desk: Desk, records: Sequence[Record], text: str) -> None:
    """«打了25分钟，推进到谈判了»: the move told beside a report is asked about, not made."""
    parts = telling.parts(text, records)
    for record, part in zip(records, parts, strict=True):
        told = _TOLD_BESIDE.search(part)
        of_one = parts.count(part) == 1
        if told is not None and of_one and record.customer and not record.needs_confirm:
            await _propose(desk, record.customer, told["stage"] or told["entered"])


async def _propose(desk: Desk, customer: str, named: str) -> None:
    account = await desk.tx.accounts.find_by_name(customer)
    living = await desk.tx.opportunities.open_of_account(account.id) if account else []
    if living:
        deal = living[-1]
        stage = _stage(desk.office.libraries.of(deal.library), named)
        if stage is not None:
            await stage_moves.propose_to(desk, deal, stage, desk.message.message_id)


async def _take_move(desk: Desk, text: str) -> bool:
    match = _MOVE.match(text)
    account = await customers.exactly(desk, match["what"]) if match is not None else None
    if match is None or account is None:
        return False
    named = match["stage"].strip(" 「」")
    library = desk.library
    living = await desk.tx.opportunities.open_of_account(account.id)
    if living:
        library = desk.office.libraries.of(living[-1].library)
    stage = _stage(library, named)
    surely = match["tail"] or (match["verb"] or "").startswith(_SURE_VERBS)
    if stage is None and not surely:  # «恒锐机电到货了» tells of something else
        return False
    if stage is None:
        raise InvalidInput(texts.no_such_stage(named, [one.label for one in library.stages]))
    await stage_moves.begin(desk, account, stage.key, reason=match["reason"] or "", text=text)
    return True


async def _take_state(desk: Desk, text: str) -> bool:
    match = _STATE.match(text)
    account = await customers.exactly(desk, match["what"]) if match is not None else None
    if match is None or account is None:
        return False
    target: str | None = _STATES.get(match["verb"])
    if target is None:
        target = (await stage_moves.the_deal(desk, account)).stage
    until = None
    if match["until"]:
        now = desk.message.sent_at.astimezone(desk.office.zone)
        answer = desk.office.reader.read_answer(match["until"], "next_contact", now=now)
        if not isinstance(answer, Moment) or answer.day <= now.date():
            raise InvalidInput(texts.HOLD_UNTIL_WHEN)
        until = desk.office.calendar.midnight(answer.day)
    await stage_moves.begin(desk, account, target, reason=match["reason"] or "", until=until)
    return True


def _stage(library: ActionLibrary, named: str) -> Stage | None:
    """By its whole name, else by a part that only one has: «论证» for 院内论证."""
    exact = [one for one in library.stages if named in (one.label, one.key)]
    part = [one for one in library.stages if len(named) > 1 and named in one.label]
    found = exact or part
    return found[0] if len(found) == 1 else None
