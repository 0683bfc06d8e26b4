"""«成长基金», «成长基金 张伟»: the balance, how it came about, and the consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.payouts.days import local_day
from bot.domain.payouts.fund import rules_in
from bot.domain.payouts.growth import Mode, available, shares_of
from bot.domain.people import Person
from bot.errors import NotAllowed, Refused
from bot.messages import Button, Card
from handlers.desk import Desk
from handlers.growth_fund import catalogue
from handlers.payouts import deal_facts, rights
from handlers.payouts.statements import person_named
from handlers.texts import dialog
from handlers.texts import growth_fund as texts
from handlers.texts.money import yuan
from storage.growth_fund import WAITING, Consent, balances_of
from storage.unit_of_work import UnitOfWork

PREFIX = "growth-"
CONSENT, REVOKE, CATALOGUE = "consent", "revoke", "catalogue"


async def show(desk: Desk, words: str) -> None:
    """The speaker's own, or somebody's whom they lead. Raises NotAllowed, NotFound, Refused."""
    person = await person_named(desk.tx, words.strip()) if words.strip() else desk.rep
    await rights.refuse_to_show(desk.tx, desk.rep, person.id)
    card = await card_for(desk, person)
    number = "".join(filter(str.isalnum, desk.message.message_id))[-12:]
    await desk.show_privately(
        replace(card, card_id=f"{card.card_id}-{number}"), subject=f"growth:{person.id}"
    )
    if desk.message.in_group:
        desk.say(dialog.TOLD_PRIVATELY)


async def press(desk: Desk) -> None:
    """«我同意转入», «停止转入», «看兑换目录». Raises NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    if action.action == CATALOGUE:
        await catalogue.show(desk, "")
        return
    if int(action.card_id.split("-")[1]) != desk.rep.id:
        raise NotAllowed(texts.NOT_YOURS)
    if action.action == CONSENT:
        told = await agree(desk)
    else:
        told = await stop(desk)
    card = await card_for(desk, desk.rep)
    await desk.change(replace(card, card_id=action.card_id), subject=f"growth:{desk.rep.id}")
    desk.say(told)


async def share_now(tx: UnitOfWork, at: datetime) -> int | None:
    """The one share that the rules in force name; None where there is none."""
    document = await deal_facts.rules_document(tx)
    if not document:
        return None
    today = local_day(at)
    shares = shares_of(rules_in(deal_facts.book_of(document).rules, today, today))
    return next(iter(shares)) if len(shares) == 1 else None


async def card_for(desk: Desk, person: Person) -> Card:
    """Raises Refused where there is no fund, and never was one for this person."""
    own, mode = person.id == desk.rep.id, desk.office.policy.growth_fund.mode
    posted = await desk.tx.growth_fund.of_person(person.id)
    if mode is Mode.OFF and not posted:
        raise Refused(texts.NOT_OPEN)
    consent = await desk.tx.growth_fund.consent_of(person.id)
    share = await share_now(desk.tx, desk.at)
    lines = [
        texts.move(one.posting.kind, one.posting.fen, one.why, f"{local_day(one.at):%m-%d}")
        for one in posted[::-1]
        if one.posting.fen
    ][: texts.MOST_MOVES]
    waiting = [
        texts.waiting_line(one.item.name, one.item.price_fen)
        for one in await desk.tx.growth_fund.redemptions_of(person.id)
        if one.state == WAITING
    ]
    told = texts.mode_words(mode, share_bp=share, consented=consent is not None)
    facts = [("余额", yuan(available(balances_of(posted))))]
    return Card(
        card_id=f"{PREFIX}{person.id}",
        title=texts.title(person.name, own=own),
        lines=(told, *waiting, *lines) if own else (*waiting, *lines),
        facts=tuple(facts),
        buttons=_buttons(mode, share, consent) if own else (),
    )


def _buttons(mode: Mode, share: int | None, consent: Consent | None) -> tuple[Button, ...]:
    found = [Button(CATALOGUE, texts.CATALOGUE)]
    if consent is not None:
        found.append(Button(REVOKE, texts.REVOKE))
    elif mode is Mode.OPT_IN and share is not None:
        found.insert(0, Button(CONSENT, texts.CONSENT, style="primary"))
    return tuple(found)


async def agree(desk: Desk, shown_bp: int | None = None) -> str:
    """To the words with the share of now. shown_bp: the share that the person read, where that may
    be another. Raises Refused."""
    if desk.office.policy.growth_fund.mode is not Mode.OPT_IN:
        raise Refused(texts.NOT_BY_CONSENT)
    share = await share_now(desk.tx, desk.at)
    if share is None:
        raise Refused(texts.NO_SHARE)
    if shown_bp not in (None, share):
        raise Refused(texts.SHARE_CHANGED)
    given = await desk.tx.growth_fund.consent_of(desk.rep.id)
    if given is not None and given.share_bp == share:
        return texts.consented(share)
    consent = Consent(share, texts.consent_words(share), desk.at)
    await desk.tx.growth_fund.give_consent(desk.rep.id, consent)
    await _note(desk, "give_growth_consent", {"share_bp": share, "words": consent.words})
    return texts.consented(share)


async def stop(desk: Desk) -> str:
    """For the quarters to come."""
    if await desk.tx.growth_fund.consent_of(desk.rep.id) is not None:
        await desk.tx.growth_fund.end_consent(desk.rep.id, desk.at)
        await _note(desk, "end_growth_consent", {})
    return texts.REVOKED


async def _note(desk: Desk, action: str, after: dict[str, object]) -> None:
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=action,
        subject=f"growth:{desk.rep.id}",
        before=None,
        after=after,
    )
