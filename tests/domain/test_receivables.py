"""When a contract's prepayment is missing, and when that is only unknown."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.receivables import (
    ContractTerms,
    Payment,
    due_on,
    is_reached,
    refusal_of,
    stand,
)
from config.policy import load_calendar

CALENDAR = load_calendar()
SIGNED = date(2026, 1, 12)  # a Monday
PLAIN = ContractTerms("HT-1", 35_000_000, SIGNED)
PREPAID = ContractTerms("HT-2", 35_000_000, SIGNED, prepayment_fen=10_500_000)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CALENDAR.zone)


@pytest.mark.parametrize(
    ("signed", "agreed", "last_day"),
    [
        (date(2026, 1, 12), None, date(2026, 1, 19)),  # seven days on, a Monday
        (date(2026, 1, 10), None, date(2026, 1, 19)),  # the 17th is a Saturday
        (date(2026, 2, 8), None, date(2026, 2, 24)),  # the 15th lies in the Spring Festival
        (date(2026, 2, 7), None, date(2026, 2, 14)),  # a Saturday that is worked
        (date(2026, 1, 12), date(2026, 1, 28), date(2026, 1, 28)),
        (date(2026, 1, 12), date(2026, 10, 1), date(2026, 10, 8)),
    ],
)
def test_the_last_day_is_the_agreed_one_or_the_seventh_and_never_a_day_off(
    signed: date, agreed: date | None, last_day: date
) -> None:
    terms = ContractTerms("HT-1", 100, signed, prepayment_due_on=agreed)
    assert due_on(terms, CALENDAR, days=7) == last_day


@pytest.mark.parametrize(
    ("terms", "received_fen", "at", "known_until", "payment"),
    [
        (PLAIN, 0, "2026-01-19 23:59", "2026-01-19 23:00", Payment.AWAITED),
        (PLAIN, 0, "2026-01-20 00:00", "2026-01-20 00:00", Payment.MISSING),
        (PLAIN, 1, "2026-01-20 00:00", "2026-01-20 00:00", Payment.REACHED),
        (PREPAID, 10_499_999, "2026-01-20 00:00", "2026-01-20 00:00", Payment.MISSING),
        (PREPAID, 10_500_000, "2026-01-20 00:00", "2026-01-20 00:00", Payment.REACHED),
        (PREPAID, -1, "2026-01-20 00:00", "2026-01-20 00:00", Payment.MISSING),
        (PREPAID, 0, "2026-01-25 00:00", "2026-01-19 23:59", Payment.UNKNOWN),
        (PREPAID, 0, "2026-01-25 00:00", None, Payment.UNKNOWN),
        (PREPAID, 10_500_000, "2026-01-25 00:00", None, Payment.REACHED),
    ],
)
def test_how_a_prepayment_stands(
    terms: ContractTerms, received_fen: int, at: str, known_until: str | None, payment: Payment
) -> None:
    found = stand(
        terms,
        received_fen,
        at=local(at),
        known_until=local(known_until) if known_until else None,
        calendar=CALENDAR,
        days=7,
    )
    assert found.payment is payment


def test_what_is_unknown_says_since_when() -> None:
    silent_since = local("2026-01-18 10:00")
    found = stand(
        PLAIN, 0, at=local("2026-01-30 10:00"), known_until=silent_since, calendar=CALENDAR, days=7
    )
    assert found.unknown_since == silent_since


@given(
    received=st.integers(-(10**12), 10**12),
    days_on=st.integers(0, 400),
    silent_h=st.integers(0, 400 * 24) | st.none(),
)
def test_a_post_paid_contract_is_never_missing(
    received: int, days_on: int, silent_h: int | None
) -> None:
    terms = ContractTerms("HT-3", 100, SIGNED, post_paid=True)
    at = local("2026-01-12 10:00") + timedelta(days=days_on)
    known = None if silent_h is None else at - timedelta(hours=silent_h)
    found = stand(terms, received, at=at, known_until=known, calendar=CALENDAR, days=7)
    assert found.payment is Payment.POST_PAID


@given(
    lines=st.lists(st.integers(-(10**9), 10**9), max_size=8),
    prepayment=st.integers(1, 10**9) | st.none(),
    days_on=st.integers(0, 60),
    silent_h=st.integers(0, 60 * 24) | st.none(),
)
def test_missing_is_said_only_of_what_is_due_unpaid_and_known(
    lines: list[int], prepayment: int | None, days_on: int, silent_h: int | None
) -> None:
    terms = ContractTerms("HT-4", 10**9, SIGNED, prepayment_fen=prepayment)
    at = local("2026-01-12 00:00") + timedelta(days=days_on)
    known = None if silent_h is None else at - timedelta(hours=silent_h)
    found = stand(terms, sum(lines), at=at, known_until=known, calendar=CALENDAR, days=7)
    over = local("2026-01-20 00:00")
    unpaid = sum(lines) < (prepayment or 1)
    missing = unpaid and at >= over and known is not None and known >= over
    assert (found.payment is Payment.MISSING) == missing
    assert (found.payment is Payment.REACHED) == (not unpaid)


@given(paid=st.integers(1, 10**9), reversed_fen=st.integers(0, 10**9))
def test_a_reversal_that_takes_enough_back_undoes_a_payment(paid: int, reversed_fen: int) -> None:
    terms = ContractTerms("HT-5", 10**9, SIGNED, prepayment_fen=paid)
    assert is_reached(terms, paid)
    assert is_reached(terms, paid - reversed_fen) == (reversed_fen == 0)


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (PREPAID, ""),
        (ContractTerms("HT", 0, SIGNED), "amount"),
        (ContractTerms("HT", 100, SIGNED, prepayment_fen=101), "prepayment"),
        (ContractTerms("HT", 100, SIGNED, prepayment_fen=50, post_paid=True), "post_paid"),
        (ContractTerms("HT", 100, SIGNED, prepayment_due_on=date(2026, 1, 11)), "due"),
    ],
)
def test_terms_that_cannot_be_are_refused(terms: ContractTerms, why: str) -> None:
    assert refusal_of(terms) == why
