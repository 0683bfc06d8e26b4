"""The second signature under a forecast (docs/forecast.md): the CSM answers the same five questions
beside what is known of the service; too far apart, a meeting of three decides; silence is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta

from bot.domain import forecasts as rules
from bot.domain.calendar import ClockKind, WorkingCalendar
from bot.domain.forecasts import Cosign, Forecast, Line
from bot.domain.leaders import find_supervisor
from bot.domain.levels import EvidenceKind
from bot.domain.opportunities import Opportunity
from bot.domain.people import Person, PersonStatus, Role
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import Button, Card, Content, Markdown, OutboundMessage, Text
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.forecasts import questions
from handlers.texts import customers as customer_texts
from handlers.texts import submissions as texts
from handlers.texts.money import amount_words
from storage.unit_of_work import UnitOfWork

CARD = "cosign-"
SIGN = "sign"
MEETING = time(10)
NOTICE = timedelta(hours=4)
_REVIEW = re.compile(
    r"#?(?P<id>\d{1,9})[ ,，]+(?P<scores>\d{1,3}(?:[ ,，、/]+\d{1,3}){4})"
    r"(?:[ ,，。]+(?P<why>.{1,300}))?"
)
_RULING = re.compile(r"#?(?P<id>\d{1,9})[ ,，]+(?P<score>\d{1,3})分?[ ,，。]+(?P<why>.{2,300})")


async def ask(
    tx: UnitOfWork, office: Office, forecast: Forecast, line: Line, deal: Opportunity
) -> list[OutboundMessage]:
    """Have the customer's CSM sign; the service's leader, where there is none or it is the rep."""
    at, hours = forecast.submitted_at, office.policy.forecasts.cosign_h
    due = office.calendar.add(ClockKind.WORKDAY, at, timedelta(hours=hours))
    csm = await _csm_for(tx, deal, forecast.person_id, at)
    cosign = await tx.forecasts.ask_cosign(
        line.id, csm.id if csm is not None else None, at=at, due_at=due
    )
    if csm is None:
        return []
    rep = await tx.people.get(forecast.person_id)
    told = [
        texts.asked_to_review(rep.name, hours, _when(office, due)),
        *await service_facts(tx, office, deal, at),
        texts.review_answer(cosign.id),
    ]
    content = _request(office, csm, cosign, line, customer=deal.account_name, told=told)
    return await _tell(tx, office, [csm], content, key=f"cosign:{cosign.id}", at=at)


def _request(
    office: Office,
    csm: Person,
    cosign: Cosign,
    line: Line,
    *,
    customer: str,
    told: Sequence[str],
) -> Content:
    """A card with five inputs where it fits, else words."""
    facts = (
        ("客户", customer),
        ("级别", str(line.level)),
        ("金额", amount_words(line.amount_fen)),
        ("预计成交", texts.day_words(line.expected_on)),
        ("风险", line.risk or "没写"),
    )
    title = f"{texts.REVIEW_TITLE} · {customer}"[:36]
    to = office.address_of(csm)
    if to is None or not questions.fit(to.platform):
        rows = [f"- {name}：{value}" for name, value in facts]
        text = "\n".join([f"**{title}**", *rows, *told[:-1], *questions.lines(), told[-1]])
        return Markdown(title, text)
    return Card(
        card_id=f"{CARD}{cosign.id}",
        title=title,
        lines=tuple(told),
        facts=facts,
        fields=questions.fields(),
        buttons=(Button(SIGN, "提交复评", style="primary"),),
    )


async def press(desk: Desk) -> None:
    """«提交复评» with the five answers. Raises InvalidInput, NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    answers = questions.read(action.values)
    cosign = await _sign(desk, int(action.card_id.removeprefix(CARD)), answers, "")
    closed = Card(
        card_id=action.card_id,
        title=texts.REVIEW_TITLE,
        lines=(f"评分：{' '.join(map(str, cosign.answers))}",),
        closed="已复评",
    )
    await desk.change(closed, subject=f"cosign:{cosign.id}")


async def by_words(desk: Desk, words: str) -> None:
    """«复评 #12 80 70 90 100 60 理由». Raises InvalidInput, NotAllowed, NotFound, Refused."""
    match = _REVIEW.fullmatch(words)
    if match is None:
        raise InvalidInput(texts.REVIEW_HOW)
    answers = tuple(int(one) for one in re.findall(r"\d+", match["scores"]))
    await _sign(desk, int(match["id"]), answers, match["why"] or "")


async def rule(desk: Desk, words: str) -> None:
    """«复评结论 #12 75 理由»: the outcome of the meeting, by who leads the rep. Raises
    InvalidInput, NotAllowed, NotFound, Refused."""
    match = _RULING.fullmatch(words)
    if match is None or int(match["score"]) > 100:
        raise InvalidInput(texts.RULING_HOW)
    cosign = await desk.tx.forecasts.get_cosign(int(match["id"]))
    forecast, line = await desk.tx.forecasts.of_line(cosign.line_id)
    own = desk.rep.id in (forecast.person_id, cosign.csm_id)
    if own or not await customers.leads(desk.tx, desk.rep, forecast.person_id):
        raise NotAllowed(texts.LEADERS_ONLY)
    tolerance = desk.office.policy.forecasts.tolerance
    standing = rules.standing_of(line, cosign, desk.at, tolerance=tolerance)
    if standing is not rules.SignatureState.IN_REVIEW:
        raise Refused(texts.NOT_IN_REVIEW)
    await desk.tx.forecasts.change_cosign(
        cosign.id,
        {
            "agreed_score": int(match["score"]), "agreed_reason": match["why"],
            "agreed_by": desk.rep.id, "closed_at": desk.at,
        },
    )  # fmt: skip
    deal = await desk.tx.opportunities.get(line.opportunity_id)
    told = texts.agreed(deal.account_name, cosign.id, int(match["score"]), match["why"])
    desk.say(told)
    both = [await desk.tx.people.get(n) for n in (forecast.person_id, cosign.csm_id) if n]
    key = f"cosign-closed:{cosign.id}"
    desk.add(await _tell(desk.tx, desk.office, both, Text(told), key=key, at=desk.at))


async def escalate(tx: UnitOfWork, office: Office, at: datetime) -> list[OutboundMessage]:
    """Silence: the service's leader and the rep's supervisor hear of it, once."""
    messages: list[OutboundMessage] = []
    for cosign in await tx.forecasts.overdue_cosigns(at):
        await tx.forecasts.change_cosign(cosign.id, {"escalated_at": at})
        forecast, line = await tx.forecasts.of_line(cosign.line_id)
        deal = await tx.opportunities.get(line.opportunity_id)
        rep = await tx.people.get(forecast.person_id)
        csm = await tx.people.get(cosign.csm_id) if cosign.csm_id else None
        above = [await service_leader(tx, rep.id, at), await _supervisor(tx, rep.id, at)]
        told = texts.unreviewed(
            deal.account_name, rep.name, csm.name if csm else texts.NO_ONE_TO_REVIEW
        )
        people = [one for one in above if one is not None] or [rep]
        messages += await _tell(
            tx, office, people, Text(told), key=f"cosign-late:{cosign.id}", at=at
        )
    return messages


async def service_leader(tx: UnitOfWork, besides: int, at: datetime) -> Person | None:
    """Who leads customer success, else any of them. besides: the rep, who cannot be it."""
    service = [one for one in await tx.people.list_by_role(Role.CSM) if one.id != besides]
    leading = [one for one in service if Role.SUPERVISOR in one.roles]
    if leading:
        return leading[0]
    for one in service:
        leader = await _supervisor(tx, one.id, at)
        if leader is not None and leader.id != besides:
            return leader
    return service[0] if service else None


async def service_facts(
    tx: UnitOfWork, office: Office, deal: Opportunity, at: datetime
) -> list[str]:
    """What is known of the last order, new needs, complaints, and how the customer responds."""
    contracts = await tx.contracts.of_account(deal.account_id)
    received = await tx.contracts.received([one.id for one in contracts])
    told = ["上一单：还没有合同"]
    if contracts:
        last = contracts[-1]
        paid = amount_words(received[last.id])
        told = [f"上一单：{last.terms.number} {amount_words(last.terms.amount_fen)}，已回款{paid}"]
    held = await tx.levels.evidence_of(deal.id)
    needs = [one.fields.get("need", "") for one in held if one.kind is EvidenceKind.NEED]
    told.append(f"新需求：{needs[-1] if needs else '没有记录'}")
    facts = await tx.payout_facts.facts([one.id for one in contracts]) if contracts else []
    complaints = sum(len(one.complaints) for one in facts)
    told.append(f"投诉：{f'成立的有{complaints}件' if complaints else '没有成立的'}")
    since = at - timedelta(days=30)
    recent = await tx.activities.list_of_opportunity(deal.id, since=since)
    count = sum(one.valid for one in recent)
    times = [one.occurred_at for one in recent if one.valid]
    last_at = deal.last_valid_at or max(times, default=None)
    lately = f"最近一次{_when(office, last_at)}" if last_at is not None else "一次也没有记录过"
    told.append(f"响应：近30天有效联系{count}次，{lately}")
    return told


async def _sign(desk: Desk, cosign_id: int, answers: Sequence[int], argument: str) -> Cosign:
    if rules.score(answers) is None:
        raise InvalidInput(texts.REVIEW_HOW)
    cosign = await desk.tx.forecasts.get_cosign(cosign_id)
    forecast, line = await desk.tx.forecasts.of_line(cosign.line_id)
    if desk.rep.id == forecast.person_id:
        raise NotAllowed(texts.NOT_OWN_REVIEW)
    leader = await service_leader(desk.tx, forecast.person_id, desk.at)
    if desk.rep.id not in (cosign.csm_id, leader.id if leader is not None else None):
        raise NotAllowed(texts.NOT_YOUR_REVIEW)
    if cosign.signed_at is not None:
        raise Refused(texts.SIGNED_BEFORE)
    counts = await desk.tx.forecasts.newest_of_week(forecast.week, [forecast.person_id])
    if counts[forecast.person_id].id != forecast.id:
        raise Refused(texts.REPLACED)
    tolerance = desk.office.policy.forecasts.tolerance
    apart = rules.too_far_apart(line.answers, answers, tolerance)
    meeting = meeting_time(desk.office.calendar, desk.at) if apart else None
    signed = await desk.tx.forecasts.change_cosign(
        cosign_id,
        {
            "csm_id": desk.rep.id, "answers": list(answers), "argument": argument[:400],
            "signed_at": desk.at, "meeting_at": meeting,
        },
    )  # fmt: skip
    deal = await desk.tx.opportunities.get(line.opportunity_id)
    mine, theirs = rules.score(answers), rules.score(line.answers)
    assert mine is not None
    desk.say(texts.signed(deal.account_name, mine, theirs or 0))
    if meeting is not None:
        desk.add(await _call_meeting(desk, signed, forecast, line, deal.account_name))
    return signed


async def _call_meeting(
    desk: Desk, cosign: Cosign, forecast: Forecast, line: Line, customer: str
) -> list[OutboundMessage]:
    assert cosign.meeting_at is not None
    rep = await desk.tx.people.get(forecast.person_id)
    supervisor = await _supervisor(desk.tx, rep.id, desk.at)
    told = texts.too_far(
        cosign.id, customer, rep.name, desk.rep.name,
        supervisor=supervisor.name if supervisor is not None else "",
        answers=list(zip(line.answers, cosign.answers, strict=True)),
        argument=cosign.argument, risk=line.risk, when=_when(desk.office, cosign.meeting_at),
        tolerance=desk.office.policy.forecasts.tolerance,
    )  # fmt: skip
    people = [rep, desk.rep, *([supervisor] if supervisor is not None else [])]
    content = Markdown(texts.REVIEW_TITLE, told)
    key = f"cosign-review:{cosign.id}"
    return await _tell(desk.tx, desk.office, people, content, key=key, at=desk.at)


def meeting_time(calendar: WorkingCalendar, at: datetime) -> datetime:
    """Ten o'clock of the next working day that leaves four hours' notice."""
    day = calendar.day_of(at)
    while True:
        moment = calendar.moment(calendar.workday_from(day), MEETING)
        if moment >= at + NOTICE:
            return moment
        day = calendar.next_workday(day)


async def _csm_for(tx: UnitOfWork, deal: Opportunity, rep_id: int, at: datetime) -> Person | None:
    number = (await tx.forecasts.csms([deal.account_id])).get(deal.account_id)
    if number is not None and number != rep_id:
        person = await tx.people.get(number)
        if person.status is PersonStatus.ACTIVE:
            return person
    return await service_leader(tx, rep_id, at)


async def _supervisor(tx: UnitOfWork, person_id: int, at: datetime) -> Person | None:
    return find_supervisor(await tx.people.leader_facts(person_id), at)


async def _tell(
    tx: UnitOfWork, office: Office, people: Sequence[Person], content: Content, *, key: str,
    at: datetime,
) -> list[OutboundMessage]:  # fmt: skip
    """Each once, outside the quiet hours."""
    not_before = office.first_allowed(at)
    messages = []
    for person in {one.id: one for one in people}.values():
        to = office.address_of(person)
        if to is not None:
            messages.append(
                OutboundMessage(f"{key}:{person.id}", to, content, not_before=not_before)
            )
            if isinstance(content, Card):
                await tx.cards.show(content, to.key, subject=key, at=at)
    return messages


def _when(office: Office, at: datetime) -> str:
    return customer_texts.when(at.astimezone(office.zone))
