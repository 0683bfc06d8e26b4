"""Words that move a deal: «恒锐机电推进到报价», «恒锐到谈判阶段了», «恒锐退回到方案，换了负责人»,
«恒锐机电暂停到3月1日，客户停产», «恒锐机电恢复», «恒锐机电作废，重复线索»; and «漏斗»."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

from bot.domain.activities import Moment
from bot.domain.funnel import StageFigures, count_funnel
from bot.domain.library import ActionLibrary, Stage
from bot.domain.opportunities import OpportunityState
from bot.domain.people import Role
from bot.errors import InvalidInput
from handlers import customers, stage_moves
from handlers.desk import Desk
from handlers.texts import stages as texts

SEES_ALL = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})

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


async def show_funnel(desk: Desk, _: str) -> None:
    """«漏斗»: of the speaker's own customers, of the team, or of the company, by role."""
    lines = await desk.tx.libraries.leaders_of_everybody()
    if desk.rep.roles & SEES_ALL:
        whose, owners = "全公司", set(lines)
    else:
        team = {one for one, above in lines.items() if desk.rep.id in above}
        whose = "团队" if team else "我的"
        owners = team | {desk.rep.id}
    events = await desk.tx.stages.of_owners(owners)
    library = desk.library
    figures = count_funnel(library, events, shipped=desk.office.libraries.of("").key)
    told = [_line(stage, one) for stage, one in zip(library.stages, figures, strict=True)]
    customers.tell_alone(desk, texts.FUNNEL, texts.funnel(whose, library.label, told))


def _line(stage: Stage, figures: StageFigures) -> str:
    return texts.funnel_line(
        stage.label,
        here=figures.here,
        reached=figures.reached,
        rate=_percent(figures.rate),
        stay_days=_days(figures.stay),
        stuck_days=stage.stuck_days,
    )


def _percent(rate: Fraction | None) -> str:
    return "—" if rate is None else f"{(200 * rate + 1) // 2}%"


def _days(stay: timedelta | None) -> str:
    return "—" if stay is None else f"{stay.days} 天"
