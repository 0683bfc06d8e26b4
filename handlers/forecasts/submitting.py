"""«提交预测»: the bot prepares a week's forecast from the deals, the rep confirms or changes deal
by deal, and what is submitted is never edited."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain import forecasts as rules
from bot.domain.opportunities import Account
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import Button, Card
from handlers.customers import customers
from handlers.desk import Desk
from handlers.erp import erp_entries, erp_forecasts
from handlers.forecasts import cosigning, lines, locking, questions, reading
from handlers.forecasts.lines import Item
from handlers.forecasts.locking import Turn
from handlers.levels.claiming import open_deal
from handlers.supply import notices
from handlers.texts import submissions as texts
from handlers.texts.money import amount_words
from handlers.understanding.amounts import find_amount
from handlers.understanding.dates import find_moments

CARD = "forecast-"
AWAITED = "forecast_card"
OK, OUT, SUBMIT, AGAIN, DROP = "ok", "out", "submit", "again", "drop"
_RISK = re.compile(r"风险(?:是|[:： ])*(?P<risk>.{2,120})$")
NUMBERS = re.compile(r"(?<![\d#])\d{1,3}(?!\d)")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A forecast being confirmed. decided: deal -> whether it is in. answers: by deal."""

    week: str
    person_id: int
    decided: Mapping[int, bool]
    answers: Mapping[int, tuple[int, ...]]

    def to_json(self) -> dict[str, Any]:
        return {
            "week": self.week,
            "person_id": self.person_id,
            "decided": [[deal, is_in] for deal, is_in in self.decided.items()],
            "answers": [[deal, list(given)] for deal, given in self.answers.items()],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Sheet:
        return cls(
            told["week"],
            told["person_id"],
            {deal: is_in for deal, is_in in told["decided"]},
            {deal: tuple(given) for deal, given in told["answers"]},
        )


async def begin(desk: Desk, _: str) -> None:
    """Raises Refused after the lock, unless nothing was submitted or it was reopened."""
    on_day = rules.submission_day(desk.office.calendar.day_of(desk.at), desk.office.calendar)
    week = rules.week_of(on_day)
    if await locking.turn(desk, on_day) is Turn.LOCKED:
        raise Refused(texts.LOCKED)
    items = await lines.of_person(desk.tx, desk.office, desk.rep.id, desk.at)
    if not items:
        desk.say(texts.NOTHING)
        return
    before = {one.deal.id: one.answers for one in items if one.answers}
    sheet = Sheet(week, desk.rep.id, {}, before)
    card_id = f"{CARD}{hashlib.sha256(desk.incoming.source_id.encode()).hexdigest()[:16]}"
    await desk.show(
        _card(desk, sheet, items, card_id), subject=f"forecasts:{desk.rep.id}", data=sheet.to_json()
    )
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    await desk.tx.dialogs.put(desk.conversation, desk.rep.id, {**state, AWAITED: card_id}, desk.at)


async def press(desk: Desk) -> None:
    """Raises NotAllowed for somebody else's, Refused for what cannot be submitted."""
    action = desk.message.action
    assert action is not None
    known = await desk.tx.cards.get(action.card_id)
    if known is None or known.state != "open":
        raise Refused(texts.GONE)
    sheet = Sheet.from_json(known.data)
    if sheet.person_id != desk.rep.id:
        raise NotAllowed(texts.GONE)
    items = await lines.of_person(desk.tx, desk.office, desk.rep.id, desk.at)
    match action.action:
        case "ok" | "out":
            sheet = _decide(desk, sheet, items, is_in=action.action == OK, values=action.values)
        case "again":
            sheet = replace(sheet, decided={})
        case "submit":
            await _submit(desk, sheet, items)
        case _:
            pass
    card = _card(desk, sheet, items, action.card_id)
    if action.action in (SUBMIT, DROP):
        closed = texts.SUBMITTED if action.action == SUBMIT else texts.DROPPED
        card = replace(card, buttons=(), fields=(), closed=closed)
        await desk.change(card, subject=known.subject)
    else:
        await desk.change(card, subject=known.subject, data=sheet.to_json())


async def change(desk: Desk, words: str) -> None:
    """«改预测 恒锐机电 35万 12月20日 风险：…». Raises InvalidInput, NotAllowed, Refused."""
    account = await _customer(desk, words, texts.CHANGE_HOW)
    deal = await desk.tx.opportunities.get_for_update((await open_deal(desk, account, words)).id)
    told: list[str] = []
    values: dict[str, Any] = {}
    risk = _RISK.search(words)
    plain = words[: risk.start()] if risk else words
    if risk is not None:
        values["risk"] = risk["risk"].strip()
        told.append(f"风险：{values['risk']}")
    days = find_moments(plain, desk.office.calendar.local(desk.at), desk.office.calendar)
    if days and days[0].value is not None:
        values["expected_on"] = days[0].value.day
        told.append(f"预计 {texts.day_words(days[0].value.day)}")
    amount = find_amount(plain)
    after = deal
    if amount is not None and amount.value > 0 and amount.value != deal.amount_fen:
        after = replace(deal, amount_fen=amount.value)
        await desk.tx.opportunities.save(after)
        told.append(f"金额 {amount_words(amount.value)}")
    if not told:
        raise InvalidInput(texts.CHANGE_HOW)
    if values:
        await desk.tx.forecasts.note_outlook(deal.id, values, by=desk.rep.id, at=desk.at)
    desk.add(await notices.on_deal(desk.tx, desk.office, deal, after, desk.at))
    desk.add(await erp_forecasts.follow_accounts(desk.tx, desk.office, [account.id], desk.at))
    await erp_entries.enter(
        desk.tx, account.id, "预测修改", "，".join(told), occurred_at=desk.at, at=desk.at,
        key=f"outlook:{desk.incoming.source_id}", by=desk.rep.id, opportunity_id=deal.id,
    )  # fmt: skip
    desk.say(texts.changed(account.name, told))
    await _show_again(desk)


async def answer(desk: Desk, words: str) -> None:
    """«评分 80 70 90 100 60» for the deal that the open sheet asks about, or with the customer of
    another. Raises InvalidInput, Refused."""
    answers = tuple(int(one) for one in NUMBERS.findall(words))
    if rules.score(answers) is None:
        raise InvalidInput(texts.SCORES_HOW)
    deal_id = await _asked_about(desk)
    if desk.office.customers.index.find(words):
        account = await _customer(desk, words, texts.SCORES_HOW)
        deal_id = (await open_deal(desk, account, words)).id
    if deal_id is None or not await _show_again(desk, {deal_id: answers}):
        raise Refused(texts.GONE)


async def _asked_about(desk: Desk) -> int | None:
    """The deal that the open sheet shows."""
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    known = await desk.tx.cards.get(state.get(AWAITED, ""))
    if known is None or known.state != "open":
        return None
    items = await lines.of_person(desk.tx, desk.office, desk.rep.id, desk.at)
    item = _next(Sheet.from_json(known.data), items)
    return item.deal.id if item is not None else None


async def _customer(desk: Desk, words: str, how: str) -> Account:
    found = [mention.sure for mention in desk.office.customers.index.find(words)]
    names = {one.name for one in found if one is not None}
    account = await desk.tx.accounts.find_by_name(names.pop()) if len(names) == 1 else None
    if account is None:
        raise InvalidInput(how)
    await customers.refuse_foreign(desk, account)
    return account


async def _show_again(desk: Desk, answers: Mapping[int, tuple[int, ...]] | None = None) -> bool:
    """The open sheet with what is now otherwise. False where none is open."""
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    known = await desk.tx.cards.get(state.get(AWAITED, ""))
    if known is None or known.state != "open":
        return False
    sheet = Sheet.from_json(known.data)
    sheet = replace(sheet, answers={**sheet.answers, **(answers or {})})
    items = await lines.of_person(desk.tx, desk.office, desk.rep.id, desk.at)
    card = _card(desk, sheet, items, known.card_id)
    await desk.change(card, subject=known.subject, data=sheet.to_json())
    return True


def _decide(
    desk: Desk, sheet: Sheet, items: Sequence[Item], *, is_in: bool, values: Mapping[str, str]
) -> Sheet:
    item = _next(sheet, items)
    if item is None:
        return sheet
    answers = dict(sheet.answers)
    given = questions.read(values)
    if len(given) == rules.QUESTIONS:
        answers[item.deal.id] = given
    today = desk.office.calendar.day_of(desk.at)
    lacking = item.lacks(today, answers.get(item.deal.id, ())) if is_in else []
    if lacking:
        how = f"\n{texts.SCORES_HOW}" if texts.SCORES in lacking else ""
        raise Refused(texts.missing(item.deal.account_name, lacking) + how)
    return replace(sheet, decided={**sheet.decided, item.deal.id: is_in}, answers=answers)


def _next(sheet: Sheet, items: Sequence[Item]) -> Item | None:
    """The first that is not decided, or is in and has come to lack something."""
    return next((item for item in items if item.deal.id not in sheet.decided), None)


async def _submit(desk: Desk, sheet: Sheet, items: Sequence[Item]) -> None:
    calendar = desk.office.calendar
    today = calendar.day_of(desk.at)
    on_day = rules.submission_day(today, calendar)
    if rules.week_of(on_day) != sheet.week:
        raise Refused(texts.GONE)
    turn = await locking.turn(desk, on_day)
    if turn is Turn.LOCKED:
        raise Refused(texts.LOCKED)
    chosen = [item for item in items if sheet.decided.get(item.deal.id, False)]
    if not chosen or _next(sheet, items) is not None:
        raise Refused(texts.GONE)
    for item in chosen:
        lacking = item.lacks(today, sheet.answers.get(item.deal.id, ()))
        if lacking:
            raise Refused(texts.missing(item.deal.account_name, lacking))
    wanted = [item.line(sheet.answers.get(item.deal.id, ())) for item in chosen]
    done = await desk.tx.forecasts.submit(
        desk.rep.id, sheet.week, today, wanted, late=turn is Turn.LATE, at=desk.at
    )
    asked = 0
    for line, item in zip(done.lines, chosen, strict=True):
        if rules.needs_cosign(line.level):
            desk.add(await cosigning.ask(desk.tx, desk.office, done, line, item.deal))
            asked += 1
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="submit_forecast",
        subject=f"forecast:{done.id}",
        before={},
        after={
            "week": sheet.week,
            "lines": [line.id for line in done.lines],
            "late": done.late,
            "reopened": turn is Turn.REOPENED,
        },
    )
    total = sum(line.amount_fen for line in done.lines)
    mark = await reading.mark_of(desk.tx, done)
    desk.say(texts.submitted(sheet.week, len(done.lines), total, asked, mark=mark))


def _card(desk: Desk, sheet: Sheet, items: Sequence[Item], card_id: str) -> Card:
    item = _next(sheet, items)
    if item is None:
        return _summary(sheet, items, card_id)
    today = desk.office.calendar.day_of(desk.at)
    answers = sheet.answers.get(item.deal.id, ())
    lacking = item.lacks(today, answers)
    expected, amount = item.outlook.expected_on, item.deal.amount_fen
    facts = [
        ("客户", item.deal.account_name),
        ("级别", str(item.level)),
        ("金额", amount_words(amount) if amount else "未填"),
        ("预计成交", texts.day_words(expected) if expected else "未填"),
        ("凭据", f"{len(item.evidence)}份"),
    ]
    if item.outlook.promise_on is not None:
        facts.append(("客户承诺", f"{texts.day_words(item.outlook.promise_on)}（不算凭据）"))
    told = (
        [texts.missing(item.deal.account_name, lacking)] if lacking else ["请核对，要改就直接说。"]
    )
    if item.outlook.risk:
        told.append(f"风险：{item.outlook.risk}")
    if answers:
        told.append(f"评分：{' '.join(map(str, answers))}（{rules.score(answers)}）")
    asks, fit = rules.needs_cosign(item.level), questions.fit(desk.message.platform)
    if asks and not answers and not fit:
        told += [*questions.lines(), texts.SCORES_SHORT]
    return Card(
        card_id=card_id,
        title=texts.place(sheet.week, len(sheet.decided) + 1, len(items)),
        lines=tuple(told),
        facts=tuple(facts),
        fields=questions.fields(answers) if asks and fit else (),
        buttons=(
            Button(OK, texts.OK, style="primary"),
            Button(OUT, texts.OUT),
            Button(DROP, texts.DROP, style="danger"),
        ),
    )


def _summary(sheet: Sheet, items: Sequence[Item], card_id: str) -> Card:
    chosen = [item for item in items if sheet.decided.get(item.deal.id, False)]
    told = []
    for item in chosen:
        amount, expected = item.deal.amount_fen or 0, item.outlook.expected_on
        mine = rules.score(sheet.answers.get(item.deal.id, ()))
        if expected is not None:
            told.append(
                texts.line(
                    item.deal.account_name, item.level, amount, expected, scores=(mine, None),
                    risk=item.outlook.risk,
                )
            )  # fmt: skip
    left = [item.deal.account_name for item in items if item not in chosen]
    submit = (Button(SUBMIT, texts.SUBMIT, style="primary"),) if chosen else ()
    return Card(
        card_id=card_id,
        title=texts.title(sheet.week),
        lines=tuple(texts.check(told, left)),
        buttons=(*submit, Button(AGAIN, texts.AGAIN), Button(DROP, texts.DROP, style="danger")),
    )
