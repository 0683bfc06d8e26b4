"""`/fund`: somebody's growth fund, and what can be had for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.payouts.growth import Book, Mode, available
from bot.domain.payouts.money import yuan
from bot.domain.people import Person
from handlers.desk import Office
from handlers.growth_fund import statement
from handlers.growth_fund.redeeming import APPROVERS
from handlers.pages import payouts
from handlers.pages.people import Names
from handlers.texts import growth_fund as texts
from handlers.texts import pages as page_texts
from storage.growth_fund import WAITING, Consent, balances_of
from storage.unit_of_work import UnitOfWork

MOST_MOVES, MOST_WISHES = 100, 50


@dataclass(frozen=True, slots=True)
class FundMove:
    when: str
    what: str
    why: str
    amount: str
    minus: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """A redemption. person: "" on the own page."""

    name: str
    kind: str
    price: str
    state: str
    person: str
    when: str


@dataclass(frozen=True, slots=True)
class ItemLine:
    """within: whether the balance is enough."""

    kind: str
    name: str
    price: str
    note: str
    within: bool


@dataclass(frozen=True, slots=True)
class FundPage:
    """open: whether the company has chosen a mode. consented: since when, "" without consent.
    to_approve: what waits for the visitor."""

    person_id: int
    name: str
    own: bool
    open: bool
    by_consent: bool
    mode: str
    consented: str
    consent_words: str
    balance: str
    own_part: str
    match_part: str
    held: str
    moves: tuple[FundMove, ...]
    more_moves: int
    wishes: tuple[Wish, ...]
    items: tuple[ItemLine, ...]
    to_approve: tuple[Wish, ...]


async def page(
    tx: UnitOfWork, office: Office, reader: Person, number: str, at: datetime
) -> FundPage:
    """Raises NotAllowed, and InvalidInput for a number that is none."""
    person = await payouts.person_asked(tx, reader, number)
    mode, today = office.policy.growth_fund.mode, office.calendar.day_of(at)

    def when(moment: datetime) -> str:
        return page_texts.moment(moment.astimezone(office.zone), today)

    posted = await tx.growth_fund.of_person(person.id)
    balances = balances_of(posted)
    consent = await tx.growth_fund.consent_of(person.id)
    share = await statement.share_now(tx, at)
    moves = [one for one in posted[::-1] if one.posting.fen]
    wishes = (await tx.growth_fund.redemptions_of(person.id))[::-1]
    return FundPage(
        person_id=person.id,
        name=person.name,
        own=person.id == reader.id,
        open=mode is not Mode.OFF or bool(posted),
        by_consent=mode is Mode.OPT_IN,
        mode=texts.mode_on_page(mode, share_bp=share, consented=consent is not None),
        consented=when(consent.given_at) if consent is not None else "",
        consent_words=_words(consent, mode, share),
        balance=yuan(available(balances)),
        own_part=yuan(balances.get(Book.OWN, 0)),
        match_part=yuan(balances.get(Book.MATCH, 0)),
        held=yuan(balances.get(Book.HELD, 0)) if balances.get(Book.HELD) else "",
        moves=tuple(
            FundMove(
                when(one.at),
                texts.MOVES[one.posting.kind],
                one.why,
                f"+{yuan(one.posting.fen)}" if one.posting.fen > 0 else yuan(one.posting.fen),
                one.posting.fen < 0,
            )
            for one in moves[:MOST_MOVES]
        ),
        more_moves=max(0, len(moves) - MOST_MOVES),
        wishes=tuple(
            Wish(one.item.name, texts.KINDS[one.item.kind], yuan(one.item.price_fen),
                 texts.STATES[one.state], "", when(one.asked_at))
            for one in wishes[:MOST_WISHES]
        ),
        items=tuple(
            ItemLine(texts.KINDS[one.kind], one.name, yuan(one.price_fen), one.note,
                     one.price_fen <= available(balances))
            for one in await tx.growth_fund.items()
        ),
        to_approve=await _to_approve(tx, office, reader, at),
    )  # fmt: skip


def _words(consent: Consent | None, mode: Mode, share: int | None) -> str:
    """To what the person agreed, or would."""
    if consent is not None:
        return consent.words
    return texts.consent_words(share) if mode is Mode.OPT_IN and share is not None else ""


async def _to_approve(
    tx: UnitOfWork, office: Office, reader: Person, at: datetime
) -> tuple[Wish, ...]:
    if not reader.roles & APPROVERS:
        return ()
    names, today = Names(tx), office.calendar.day_of(at)
    found = [one for one in await tx.growth_fund.waiting() if one.person_id != reader.id]
    await names.learn(one.person_id for one in found)
    return tuple(
        [
            Wish(
                one.item.name,
                texts.KINDS[one.item.kind],
                yuan(one.item.price_fen),
                texts.STATES[WAITING],
                await names.of(one.person_id),
                page_texts.moment(one.asked_at.astimezone(office.zone), today),
            )
            for one in found[:MOST_WISHES]
        ]
    )
