"""The growth fund as a double-entry book: what comes in, is held, spent, paid out.

In words: docs/growth-fund.md.

Wages are paid in money: by default nothing goes into the fund. Either a person has consented in
writing that a share of the own bonus goes there, or the employer puts as much on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.payouts.money import BP, rounded
from bot.domain.payouts.rules import Rule


class Mode(StrEnum):
    """How the fund is fed; OFF until a company has chosen."""

    OFF = "off"
    OPT_IN = "opt_in_transfer"  # out of the own bonus, by consent that may be taken back
    MATCH = "employer_match"  # on top of the bonus


class Book(StrEnum):
    """The accounts. OWN, MATCH: what a person may still spend, by where it came from."""

    PAYABLE = "payable"  # bonus that is owed in money
    EMPLOYER = "employer"
    OWN = "own"
    MATCH = "match"
    HELD = "held"  # for a redemption that nobody has decided yet
    SPENT = "spent"
    EXPIRED = "expired"


class Kind(StrEnum):
    """Why something was posted."""

    SAVED = "saved"
    HELD = "held"
    RELEASED = "released"
    SPENT = "spent"
    LEFT = "left"


class Overdrawn(Exception):
    """More was asked for than there is. missing_fen: by how much."""

    def __init__(self, missing_fen: int) -> None:
        super().__init__(missing_fen)
        self.missing_fen = missing_fen


@dataclass(frozen=True, slots=True)
class Posting:
    """One entry of the growth fund's book, over several accounts. entries: account -> fen, what is
    added there; they come to zero."""

    kind: Kind
    entries: Mapping[Book, int]

    def __post_init__(self) -> None:
        if sum(self.entries.values()) or not any(self.entries.values()):
            raise ValueError("a posting comes to zero and moves something")

    @property
    def fen(self) -> int:
        """What a person may spend more, or less, after it."""
        return available(self.entries)


@dataclass(frozen=True, slots=True)
class Quarter:
    """One person's. total_fen: of all lines that came about in it. unpaid_fen: of those, what was
    not paid out yet."""

    total_fen: int
    unpaid_fen: int


def available(balances: Mapping[Book, int]) -> int:
    return balances.get(Book.OWN, 0) + balances.get(Book.MATCH, 0)


def shares_of(rules: Iterable[Rule]) -> set[int]:
    """The shares, in basis points, that rules name for the fund; one, or nothing can be saved."""
    return {rule.fund_bp for rule in rules if rule.fund_bp}


def saved(
    quarter: Quarter, *, mode: Mode, share_bp: int, consented_bp: int | None = None
) -> Posting | None:
    """What a quarter brings, rounded once; None where it brings nothing.

    consented_bp: the share to which the person has agreed, None where they have not. Of the own
    bonus never more than agreed, nor more than is still to be paid: what was paid is theirs.
    """
    total = max(0, quarter.total_fen)
    if mode is Mode.MATCH:
        fen = rounded(total * share_bp, BP)
        return Posting(Kind.SAVED, {Book.EMPLOYER: -fen, Book.MATCH: fen}) if fen else None
    if mode is not Mode.OPT_IN or consented_bp is None:
        return None
    fen = min(rounded(total * min(share_bp, consented_bp), BP), max(0, quarter.unpaid_fen))
    return Posting(Kind.SAVED, {Book.PAYABLE: -fen, Book.OWN: fen}) if fen else None


def held(balances: Mapping[Book, int], price_fen: int) -> Posting:
    """For a redemption; the employer's part goes first, since the own one is paid out to whoever
    leaves. Raises Overdrawn."""
    if price_fen <= 0:
        raise ValueError("a price is above zero")
    missing = price_fen - available(balances)
    if missing > 0:
        raise Overdrawn(missing)
    match = min(price_fen, balances.get(Book.MATCH, 0))
    own = price_fen - match
    parts = {Book.MATCH: -match, Book.OWN: -own}
    return Posting(
        Kind.HELD, {**{book: fen for book, fen in parts.items() if fen}, Book.HELD: price_fen}
    )


def released(hold: Posting) -> Posting:
    """A redemption that came to nothing: everything goes back to where it came from."""
    return Posting(Kind.RELEASED, {book: -fen for book, fen in hold.entries.items()})


def spent(hold: Posting) -> Posting:
    fen = hold.entries[Book.HELD]
    return Posting(Kind.SPENT, {Book.HELD: -fen, Book.SPENT: fen})


def left(balances: Mapping[Book, int]) -> Posting | None:
    """Somebody has left: the own money is paid out, the employer's stays with the employer."""
    own, match = balances.get(Book.OWN, 0), balances.get(Book.MATCH, 0)
    entries: dict[Book, int] = {}
    if own:
        entries |= {Book.OWN: -own, Book.PAYABLE: own}
    if match:
        entries |= {Book.MATCH: -match, Book.EXPIRED: match}
    return Posting(Kind.LEFT, entries) if entries else None


def quarter_of(month: str) -> str:
    """2026-03 -> 2026Q1."""
    year, number = month.split("-")
    return f"{year}Q{(int(number) + 2) // 3}"


def months_of(quarter: str) -> tuple[str, str, str]:
    """2026Q1 -> 2026-01, 2026-02, 2026-03."""
    year, number = quarter[:4], int(quarter[5])
    first, second, third = (f"{year}-{3 * number - back:02d}" for back in (2, 1, 0))
    return first, second, third
