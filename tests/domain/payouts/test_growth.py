"""The growth fund's book: what a quarter brings, and that no fen is lost or spent twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.payouts.growth import (
    Book,
    Mode,
    Overdrawn,
    Quarter,
    available,
    held,
    left,
    months_of,
    quarter_of,
    released,
    saved,
    spent,
)

FEN = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("mode", "total", "unpaid", "share", "consented", "fen"),
    [
        (Mode.OFF, 100_000, 100_000, 2000, 2000, 0),
        (Mode.OPT_IN, 100_000, 100_000, 2000, None, 0),
        (Mode.OPT_IN, 100_000, 100_000, 2000, 2000, 20_000),
        (Mode.OPT_IN, 100_000, 100_000, 3000, 2000, 20_000),  # never more than agreed
        (Mode.OPT_IN, 100_000, 100_000, 1000, 2000, 10_000),
        (Mode.OPT_IN, 100_000, 15_000, 2000, 2000, 15_000),  # what was paid is theirs
        (Mode.OPT_IN, 100_000, -5, 2000, 2000, 0),
        (Mode.OPT_IN, -100_000, 100_000, 2000, 2000, 0),
        (Mode.OPT_IN, 12_502, 99_999, 2000, 2000, 2500),  # 2500.4
        (Mode.OPT_IN, 12_503, 99_999, 2000, 2000, 2501),  # 2500.6
        (Mode.MATCH, 100_000, 0, 2000, None, 20_000),
        (Mode.MATCH, -1, 0, 2000, None, 0),
        (Mode.MATCH, 2**53 + 1, 0, 10_000, None, 2**53 + 1),
    ],
)
def test_what_a_quarter_brings(
    *, mode: Mode, total: int, unpaid: int, share: int, consented: int | None, fen: int
) -> None:
    posting = saved(Quarter(total, unpaid), mode=mode, share_bp=share, consented_bp=consented)
    assert (posting.fen if posting is not None else 0) == fen


@given(FEN, FEN, st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from(list(Mode)))
def test_a_quarter_comes_to_zero_and_takes_no_more_than_it_has(
    total: int, unpaid: int, share: int, consented: int, mode: Mode
) -> None:
    posting = saved(Quarter(total, unpaid), mode=mode, share_bp=share, consented_bp=consented)
    if posting is None:
        return
    assert sum(posting.entries.values()) == 0
    assert 0 < posting.fen <= total
    if mode is Mode.OPT_IN:
        assert posting.fen <= unpaid


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 10**9))
def test_nothing_is_overdrawn_and_everything_comes_back(own: int, match: int, price: int) -> None:
    balances = {Book.OWN: own, Book.MATCH: match}
    if price > own + match:
        with pytest.raises(Overdrawn) as problem:
            held(balances, price)
        assert problem.value.missing_fen == price - own - match
        return
    hold = held(balances, price)
    after = _sum(balances, hold.entries)
    assert min(after.values()) >= 0
    assert available(after) == own + match - price
    assert after[Book.OWN] == own - max(0, price - match), "the employer's part goes first"
    back = _sum(after, released(hold).entries)
    assert {book: fen for book, fen in back.items() if fen} == {
        book: fen for book, fen in balances.items() if fen
    }
    gone = _sum(after, spent(hold).entries)
    assert (gone[Book.HELD], gone[Book.SPENT]) == (0, price)


def test_who_leaves_gets_the_own_money_and_no_other() -> None:
    posting = left({Book.OWN: 300, Book.MATCH: 200, Book.SPENT: 50})
    assert posting is not None
    assert posting.entries == {
        Book.OWN: -300, Book.PAYABLE: 300, Book.MATCH: -200, Book.EXPIRED: 200,
    }  # fmt: skip
    assert left({Book.SPENT: 50}) is None


@pytest.mark.parametrize(
    ("month", "quarter"), [("2026-01", "2026Q1"), ("2026-03", "2026Q1"), ("2026-12", "2026Q4")]
)
def test_quarters(month: str, quarter: str) -> None:
    assert quarter_of(month) == quarter
    assert month in months_of(quarter)


def _sum(one: dict[Book, int], other: object) -> dict[Book, int]:
    assert isinstance(other, dict)
    return {book: one.get(book, 0) + other.get(book, 0) for book in {**one, **other}}
