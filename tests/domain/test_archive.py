"""What of an archived chat may be kept (docs/archive.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.archive import (
    ArchivedMessage,
    Consent,
    Consents,
    Pair,
    Status,
    is_outside,
    may_keep,
    nameable,
    outsiders_of,
    pairs_of,
)

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
MEMBERS = frozenset({"zhang", "chen", "wmember"})
WANG, LIN = "wmWang", "woLin"
AGREED, REFUSED, UNKNOWN = (Consent(status, AT) for status in (
    Status.AGREED, Status.REFUSED, Status.UNKNOWN,
))  # fmt: skip


def said(sender: str, *to: str, room: str = "") -> ArchivedMessage:
    return ArchivedMessage("m1", "text", sender, to, room, AT, "好")


def kept(message: ArchivedMessage, known: dict[Pair, Consent], *, internal: bool = False) -> bool:
    outsiders = outsiders_of(message, MEMBERS)
    return may_keep(message, outsiders, Consents(known), keeps_internal=internal)


def test_who_is_outside() -> None:
    assert is_outside(WANG, MEMBERS)
    assert is_outside(LIN, MEMBERS)
    assert not is_outside("zhang", MEMBERS)
    assert not is_outside("wbRobot", MEMBERS)
    assert not is_outside("wmember", MEMBERS)  # a member who is called so


def test_between_two_both_ways_by_the_one_outside() -> None:
    for message in (said("zhang", WANG), said(WANG, "zhang")):
        assert kept(message, {Pair("zhang", WANG): AGREED})
        assert not kept(message, {Pair("zhang", WANG): REFUSED})
        assert not kept(message, {Pair("zhang", WANG): UNKNOWN})
        assert not kept(message, {})
        assert not kept(message, {Pair("chen", WANG): AGREED})  # to somebody else


def test_in_a_group_each_by_their_own_consent() -> None:
    known = {Pair("wr1", WANG): AGREED, Pair("wr1", LIN): REFUSED}
    assert kept(said(WANG, "zhang", LIN, room="wr1"), known)
    assert not kept(said(LIN, "zhang", WANG, room="wr1"), known)
    assert kept(said("zhang", WANG, LIN, room="wr1"), known)
    assert not kept(said("zhang", LIN, room="wr1"), known)


def test_who_did_not_agree_is_not_named() -> None:
    message = said("zhang", WANG, LIN, room="wr1")
    outsiders = outsiders_of(message, MEMBERS)
    consents = Consents({Pair("wr1", WANG): AGREED})
    assert nameable(message, outsiders, consents) == ("zhang", WANG)


def test_among_members_only_if_the_company_wants_it() -> None:
    assert not kept(said("zhang", "chen"), {})
    assert kept(said("zhang", "chen"), {}, internal=True)


@given(
    st.lists(st.tuples(st.sampled_from(list(Status)), st.integers(0, 9)), min_size=1, max_size=6)
)
def test_the_newest_word_counts_in_whatever_order_it_comes(
    news: list[tuple[Status, int]],
) -> None:
    """Of several of the same moment the first."""
    pair, consents = Pair("zhang", WANG), Consents()
    for status, minute in news:
        consents.learn({pair: Consent(status, AT + timedelta(minutes=minute))})
    newest = max(minute for _, minute in news)
    first = next(status for status, minute in news if minute == newest)
    assert consents.known[pair].status is first


def test_the_conversation_of_two_is_the_same_from_both_sides() -> None:
    assert said("zhang", WANG).chat == said(WANG, "zhang").chat
    assert pairs_of(said("zhang", WANG), [WANG]) == (Pair("zhang", WANG),)
    assert pairs_of(said(WANG, "zhang", room="wr1"), [WANG])[0].in_group
