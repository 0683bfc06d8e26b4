"""`/fund`: somebody's growth fund, what can be had for it, and what may be done about it: the same
things as on the cards in the chat, by the same rules."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.payouts.growth import Book, Mode, available
from bot.domain.people import Person
from bot.errors import InvalidInput, NotFound
from handlers.desk import Desk, Office
from handlers.growth_fund import redeeming, statement
from handlers.growth_fund.redeeming import APPROVERS
from handlers.pages import payouts
from handlers.pages.people import Names
from handlers.texts import growth_fund as texts
from handlers.texts import pages as page_texts
from handlers.texts.money import signed, yuan
from storage.growth_fund import (
    NO_REDEMPTION,
    WAITING,
    Consent,
    Item,
    Posted,
    Redemption,
    balances_of,
)
from storage.unit_of_work import UnitOfWork

MOST_MOVES, MOST_WISHES, MOST_ITEMS = 100, 50, 50
NOT_OURS = "没读懂这次提交，请刷新页面后再试。"
_ONCE = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class FundMove:
    """An entry of somebody's account in the growth fund."""

    when: str
    what: str
    why: str
    amount: str
    minus: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """A redemption. person: "" on the own page. waits: whether it can still be taken back, or
    decided."""

    number: int
    name: str
    kind: str
    price: str
    state: str
    person: str
    when: str
    waits: bool


@dataclass(frozen=True, slots=True)
class ItemLine:
    """within: whether the balance is enough. missing: how much is not there."""

    kind: str
    name: str
    price: str
    note: str
    price_fen: int
    within: bool
    missing: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What is about to be asked for, to be looked at once more. once: so that it counts once."""

    name: str
    price_fen: int
    lines: tuple[str, ...]
    once: str


@dataclass(frozen=True, slots=True)
class FundPage:
    """open: whether the company has chosen a mode. consented: since when, "" without consent.
    share_bp: to what share the visitor may agree now. to_approve: what waits for the visitor.
    more_…: how many there are beyond those that are listed."""

    person_id: int
    name: str
    own: bool
    open: bool
    mode: str
    consented: str
    consent_words: str
    share_bp: int | None
    balance: str
    own_part: str
    match_part: str
    held: str
    moves: tuple[FundMove, ...]
    more_moves: int
    wishes: tuple[Wish, ...]
    more_wishes: int
    items: tuple[ItemLine, ...]
    more_items: int
    to_approve: tuple[Wish, ...]
    more_to_approve: int


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
    items = await tx.growth_fund.items()
    to_approve, more_to_approve = await _to_approve(tx, office, reader, at)
    return FundPage(
        person_id=person.id,
        name=person.name,
        own=person.id == reader.id,
        open=mode is not Mode.OFF or bool(posted),
        mode=texts.mode_on_page(mode, share_bp=share, consented=consent is not None),
        consented=when(consent.given_at) if consent is not None else "",
        consent_words=_words(consent, mode, share),
        share_bp=share if person.id == reader.id and mode is Mode.OPT_IN else None,
        balance=yuan(available(balances)),
        own_part=yuan(balances.get(Book.OWN, 0)),
        match_part=yuan(balances.get(Book.MATCH, 0)),
        held=yuan(balances.get(Book.HELD, 0)) if balances.get(Book.HELD) else "",
        moves=tuple(_move(one, when(one.at)) for one in moves[:MOST_MOVES]),
        more_moves=max(0, len(moves) - MOST_MOVES),
        wishes=tuple(
            _wish(one, "", when(one.asked_at)) for one in wishes[:MOST_WISHES]
        ),
        more_wishes=max(0, len(wishes) - MOST_WISHES),
        items=tuple(
            _item(one, available(balances)) for one in items[:MOST_ITEMS]
        ),
        more_items=max(0, len(items) - MOST_ITEMS),
        to_approve=to_approve,
        more_to_approve=more_to_approve,
    )  # fmt: skip


def _move(one: Posted, at: str) -> FundMove:
    fen = one.posting.fen
    return FundMove(at, texts.MOVES[one.posting.kind], one.why, signed(fen), fen < 0)


def _words(consent: Consent | None, mode: Mode, share: int | None) -> str:
    """To what the person agreed, or would."""
    if consent is not None:
        return consent.words
    return texts.consent_words(share) if mode is Mode.OPT_IN and share is not None else ""


async def _to_approve(
    tx: UnitOfWork, office: Office, reader: Person, at: datetime
) -> tuple[tuple[Wish, ...], int]:
    """Those that wait longest, and how many more."""
    if not reader.roles & APPROVERS:
        return (), 0
    names, today = Names(tx), office.calendar.day_of(at)
    found = [one for one in await tx.growth_fund.waiting() if one.person_id != reader.id]
    shown = found[:MOST_WISHES]
    await names.learn(one.person_id for one in shown)
    wishes = tuple(
        [
            _wish(
                one,
                await names.of(one.person_id),
                page_texts.moment(one.asked_at.astimezone(office.zone), today),
            )
            for one in shown
        ]
    )
    return wishes, len(found) - len(shown)


def _wish(one: Redemption, person: str, when: str) -> Wish:
    return Wish(
        number=one.id,
        name=one.item.name,
        kind=texts.KINDS[one.item.kind],
        price=yuan(one.item.price_fen),
        state=texts.STATES[one.state],
        person=person,
        when=when,
        waits=one.state == WAITING,
    )


def _item(one: Item, balance: int) -> ItemLine:
    missing = one.price_fen - balance
    return ItemLine(
        kind=texts.KINDS[one.kind],
        name=one.name,
        price=yuan(one.price_fen),
        note=one.note,
        price_fen=one.price_fen,
        within=missing <= 0,
        missing=yuan(missing) if missing > 0 else "",
    )


async def consent(desk: Desk, told: Mapping[str, str]) -> None:
    """The visitor's own, to the share that the page showed; «stop» ends it. Raises InvalidInput,
    Refused."""
    if told.get("stop") == "1":
        desk.say(await statement.stop(desk))
        return
    desk.say(await statement.agree(desk, _number(told, "share_bp")))


async def preview(tx: UnitOfWork, reader: Person, name: str) -> Ask:
    """Nothing is held yet. Raises NotFound, Refused."""
    item, balance = await redeeming.look_up(tx, reader, name)
    lines = texts.redeem_lines(item.kind, item.name, item.price_fen, balance)
    return Ask(item.name, item.price_fen, tuple(lines), secrets.token_hex(12))


def once_of(told: Mapping[str, str]) -> str:
    """Raises InvalidInput."""
    if not _ONCE.fullmatch(told.get("once", "")):
        raise InvalidInput(NOT_OURS)
    return told["once"]


async def redeem(desk: Desk, told: Mapping[str, str]) -> None:
    """Raises InvalidInput, NotFound, Refused."""
    await redeeming.ask(desk, told.get("name", ""), _number(told, "price_fen"))


async def settle(desk: Desk, number: int, act: str) -> None:
    """Taken back by who asked, approved or refused by somebody else. Raises InvalidInput, NotFound,
    NotAllowed, Refused."""
    await desk.tx.growth_fund.take_turn()
    redemption = await desk.tx.growth_fund.redemption(number)
    own = redemption.person_id == desk.rep.id
    if not own and not desk.rep.roles & APPROVERS:
        raise NotFound(NO_REDEMPTION)
    if act == redeeming.WITHDRAW:
        await redeeming.withdraw(desk, redemption)
    elif act in (redeeming.APPROVE, redeeming.REJECT):
        await redeeming.decide(desk, redemption, approved=act == redeeming.APPROVE)
    else:
        raise InvalidInput(NOT_OURS)


def _number(told: Mapping[str, str], key: str) -> int:
    text = told.get(key, "")
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise InvalidInput(NOT_OURS)
    return int(text)
