"""Each night: what the ERPs hold of our forecasts beside what they should, and «ERP预测».

What never got there is queued again. What somebody changed or removed there is told and left
alone until somebody says «ERP预测 重写 …».
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.erp_forecasts import Disagreement, ForecastFacts, Reconciled, disagreements
from bot.domain.people import Person, Role
from bot.errors import BotError, NotAllowed, NotFound
from bot.messages import OutboundMessage, Text
from bot.ports import CONFLICT, ErpForecasts, Trouble
from bot.router import Begin, Job
from handlers.desk import Desk, Office
from handlers.erp import erp_forecasts, erp_pairing
from handlers.texts import erp as texts
from handlers.texts import erp_sales as sales_texts
from storage.erp_forecasts import DEAD, QUEUED, SENT
from storage.unit_of_work import UnitOfWork

SHOWN = 20
SAME_AGAIN_AFTER = timedelta(days=7)
_MAY_SEE = frozenset({Role.PLANNING, Role.FINANCE, Role.SALES_DIRECTOR, Role.ADMIN})
_MAY_DECIDE = frozenset({Role.PLANNING, Role.SALES_DIRECTOR, Role.ADMIN})
_REWRITE = re.compile(r"^重写\s*(?P<key>\S+)$")

log = logging.getLogger(__name__)


class Reconciliation:
    """Holds each night what the ERPs have of our forecasts against what we want. `job` for the
    timer. erps: those that keep our forecasts."""

    def __init__(self, office: Office, erps: Sequence[ErpForecasts]) -> None:
        self._office = office
        self._erps = erps
        self._held: dict[str, Mapping[str, ForecastFacts]] = {}
        self._troubles: dict[str, str] = {}

    def job(self) -> Job[UnitOfWork]:
        return Job(
            "reconcile ERP forecasts",
            {"hour": "2", "minute": "40"},
            self._run,
            prepare=self._read,
            too_late_s=6 * 3600,
        )

    async def _read(self, begin: Begin[UnitOfWork], at: datetime) -> None:
        self._held, self._troubles = {}, {}
        for erp in self._erps:
            try:
                self._held[erp.name] = await erp.held()
            except BotError as error:
                fields = {"action": "reconcile_erp", "channel": f"erp:{erp.name}"}
                log.warning("ERP out of reach", extra={**fields, "error": str(error)})
                self._troubles[erp.name] = str(error)

    async def _run(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        messages: list[OutboundMessage] = []
        for erp in self._erps:
            if erp.name in self._held:
                held = self._held.pop(erp.name)
                done, queued = await reconcile(tx, self._office, erp, held, at)
                messages += queued
                await tx.settings.put(f"erp.reconciled.{erp.name}", at.isoformat(), at)
                text = "" if done.is_fine else texts.reconciled(done)
            else:
                why = self._troubles.get(erp.name, "")
                text = texts.not_reconciled(erp.name, why) if why else ""
            if await _is_news(tx, erp.name, text, at):
                key = f"erp-reconciled:{erp.name}:{at.isoformat()}"
                told = await _tell_planning(tx, self._office, text, at, key=key)
                messages += [replace(one, subject=_subject(erp.name)) for one in told]
        return messages


async def _is_news(tx: UnitOfWork, system: str, text: str, at: datetime) -> bool:
    """The same is told once a week. What waits for a morning gives way to what is newer."""
    row = f"erp.reconciled.{system}.told"
    told = await tx.settings.get(row)
    same = told is not None and told["text"] == text
    if same and (not text or at - datetime.fromisoformat(told["at"]) < SAME_AGAIN_AFTER):
        return False
    await tx.delivery.drop_subjects([_subject(system)], at=at)
    await tx.settings.put(row, {"text": text, "at": at.isoformat()}, at)
    return bool(text)


def _subject(system: str) -> str:
    return f"erp-reconciled:{system}"


async def reconcile(
    tx: UnitOfWork,
    office: Office,
    erp: ErpForecasts,
    held: Mapping[str, ForecastFacts],
    at: datetime,
) -> tuple[Reconciled, list[OutboundMessage]]:
    """held: as the ERP has them, read before this transaction."""
    before = await tx.erp_forecasts.latest(erp.name)
    judged = await erp_forecasts.judge_all(tx, office, erp.name, before)
    messages = await erp_forecasts.refresh(tx, erp.name, judged, at)
    changed = {message.to.user_id for message in messages}
    underway = {key for key, one in before.items() if one.state == QUEUED or key in changed}
    wanted = {key: erp.kept(one.wish.facts) for key, one in before.items()}
    different: list[Disagreement] = []
    retried: list[str] = []
    for one in disagreements(wanted, held, underway=underway):
        stands = before.get(one.key)
        if stands is None or stands.state == SENT or stands.reason.startswith(CONFLICT):
            different.append(one)
            continue
        retried.append(one.key)
        messages.append(await erp_forecasts.ask(tx, erp.name, stands.wish, at))
    blocked = tuple((one.label, str(one.why)) for one in judged.blocked)
    return Reconciled(erp.name, len(before), tuple(different), tuple(retried), blocked), messages


async def on_trouble(
    tx: UnitOfWork, office: Office, trouble: Trouble, at: datetime, *, key: str
) -> list[OutboundMessage]:
    """A line could not be written: planning and administrators hear why, and of a conflict so does
    the deal's rep."""
    system, line = trouble.outgoing.to.app, trouble.outgoing.to.user_id or ""
    text = texts.forecast_stuck(system, line, trouble.reason, given_up=trouble.given_up)
    told = await _tell_planning(tx, office, text, at, key=key)
    if not trouble.reason.startswith(CONFLICT):
        return told
    return told + await _tell_rep(tx, office, trouble, at, key=key)


async def show(desk: Desk, words: str) -> None:
    """«ERP预测»: every line and how far it got; «ERP预测 重写 GD-C12»: ours goes before theirs."""
    if words:
        await _rewrite(desk, words)
        return
    if not desk.rep.roles & _MAY_SEE:
        raise NotAllowed(texts.ONLY_PLANNING)
    if not desk.office.forecast_erps:
        desk.say(texts.NO_FORECAST_ERP)
        return
    found = await erp_forecasts.all_latest(desk.tx, desk.office)
    if not found:
        desk.say(texts.NO_FORECASTS)
        return
    order = {DEAD: 0, QUEUED: 1}
    found.sort(key=lambda one: (order.get(one.state, 2), one.wish.facts.withdrawn, one.wish.key))
    lines = []
    for one in found[:SHOWN]:
        account = await desk.tx.accounts.get(one.wish.account_id)
        lines.append(texts.forecast_line(one, account.name))
    for system in desk.office.forecast_erps:
        told = await desk.tx.settings.get(f"erp.reconciled.{system}")
        local = told and datetime.fromisoformat(told).astimezone(desk.office.zone)
        lines.append(texts.last_reconciled(system, local))
    desk.say_privately(texts.FORECASTS_TITLE, texts.listed(lines, len(found)))


async def _rewrite(desk: Desk, words: str) -> None:
    match = _REWRITE.match(words.strip())
    if match is None:
        await erp_pairing.say(desk, words)
        return
    if not desk.rep.roles & _MAY_DECIDE:
        raise NotAllowed(texts.ONLY_PLANNING)
    key = match["key"].upper()
    found = [
        one for one in await erp_forecasts.all_latest(desk.tx, desk.office) if one.wish.key == key
    ]
    if not found:
        raise NotFound(texts.no_such_forecast(key))
    for one in found:
        message = await erp_forecasts.ask(
            desk.tx, one.system, one.wish, desk.at, by=desk.rep.id, overwrite=True
        )
        desk.add([message])
        await desk.tx.audit.append(
            at=desk.at,
            actor=f"person:{desk.rep.id}",
            action="overwrite_erp_forecast",
            subject=f"erp_forecast:{one.system}:{key}",
            before={"state": one.state, "reason": one.reason},
            after={"revision": one.revision + 1},
        )
    desk.say(texts.rewriting(key))


async def _tell_planning(
    tx: UnitOfWork, office: Office, text: str, at: datetime, *, key: str
) -> list[OutboundMessage]:
    """At night it waits for the morning."""
    people: dict[int, Person] = {}
    for role in (Role.PLANNING, Role.ADMIN):
        people |= {one.id: one for one in await tx.people.list_by_role(role)}
    return _tell(office, people.values(), text, at, key=f"admin:{key}")


async def _tell_rep(
    tx: UnitOfWork, office: Office, trouble: Trouble, at: datetime, *, key: str
) -> list[OutboundMessage]:
    """Of a deal's line; a contract's is planning's to decide."""
    system, line = trouble.outgoing.to.app, trouble.outgoing.to.user_id or ""
    stands = (await tx.erp_forecasts.latest(system, [line])).get(line)
    if stands is None or stands.wish.contract_id or stands.wish.opportunity_id is None:
        return []
    deal = await tx.opportunities.get(stands.wish.opportunity_id)
    rep = await tx.people.get(deal.owner_id)
    text = sales_texts.stuck_for_rep(deal.account_name, trouble.reason)
    return _tell(office, [rep], text, at, key=f"rep:{key}")


def _tell(
    office: Office, people: Iterable[Person], text: str, at: datetime, *, key: str
) -> list[OutboundMessage]:
    morning = office.first_allowed(at)
    messages = []
    for person in people:
        to = office.address_of(person)
        if to is not None:
            one = OutboundMessage(f"{key}:{person.id}", to, Text(text))
            messages.append(replace(one, not_before=morning))
    return messages
