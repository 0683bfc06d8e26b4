"""What lies in the stream is the envelope, whatever is in it; what is none is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import Envelope
from connectors.queue import wire

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MOMENTS = st.datetimes(
    datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip
ENVELOPES = st.builds(
    Envelope, WORDS, WORDS, WORDS, MOMENTS, MOMENTS, st.binary(max_size=200), st.none() | WORDS
)
AN_ENVELOPE = Envelope(
    "wecom:sales:app",
    "1",
    "wecom:sales:u:a",
    datetime(2026, 1, 28, 10, tzinfo=timezone(timedelta(hours=8))),
    datetime(2026, 1, 28, 2, tzinfo=UTC),
    b"line\nline",
)


@given(ENVELOPES)
def test_an_envelope_comes_out_as_it_went_in(envelope: Envelope) -> None:
    assert wire.unpack(wire.pack(envelope)) == envelope


def test_a_moment_keeps_its_instant() -> None:
    assert wire.unpack(wire.pack(AN_ENVELOPE)) == AN_ENVELOPE


@given(st.binary(max_size=300))
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        wire.unpack(data)


@pytest.mark.parametrize(
    "head",
    [
        b'[2,"c","d","v","2026-01-28T02:00:00Z","2026-01-28T02:00:00Z",null]',
        b'[1,"c","d",7,"2026-01-28T02:00:00Z","2026-01-28T02:00:00Z",null]',
        b'[1,"c","d","v","2026-01-28T02:00:00","2026-01-28T02:00:00Z",null]',
        b'[1,"c","d","v","soon","2026-01-28T02:00:00Z",null]',
        b'[1,"c","d","v","2026-01-28T02:00:00Z"]',
        b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}',
        b"7",
    ],
)
def test_what_looks_like_one_and_is_none_is_refused(head: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        wire.unpack(head + b"\nbody")


def test_deliveries_are_told_apart_by_channel_and_id() -> None:
    ids = {
        wire.message_id(AN_ENVELOPE),
        wire.message_id(replace(AN_ENVELOPE, delivery_id="2")),
        wire.message_id(replace(AN_ENVELOPE, channel="wecom:other:app")),
        wire.message_id(replace(AN_ENVELOPE, delivery_id="\ud800\r\n")),
    }
    assert len(ids) == 4
    assert all(one.isalnum() for one in ids)
    assert wire.message_id(replace(AN_ENVELOPE, body=b"")) in ids


def test_text_that_is_no_unicode_cannot_be_packed() -> None:
    with pytest.raises(TypeError):
        wire.pack(replace(AN_ENVELOPE, delivery_id="\ud800"))
