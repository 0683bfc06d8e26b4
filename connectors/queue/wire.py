"""An envelope as it lies in the stream, and under which subject and id."""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson

from bot.messages import Envelope

FORMAT = 1


def subject_of(root: str, lease: str) -> str:
    """Where the messages of a partition go: "gendan.inbox.07" for "inbox:07"."""
    return f"{root}.{lease.replace(':', '.')}"


def message_id(envelope: Envelope) -> str:
    """The same for each sending of one delivery; fit for a header whatever its id holds."""
    key = f"{envelope.channel}\0{envelope.delivery_id}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(key, digest_size=16).hexdigest()


def pack(envelope: Envelope) -> bytes:
    """A line of JSON, then the body as it is. Raises TypeError for text that is no Unicode."""
    head = (
        FORMAT,
        envelope.channel,
        envelope.delivery_id,
        envelope.conversation,
        envelope.sent_at,
        envelope.received_at,
        envelope.unreadable,
    )
    return orjson.dumps(head) + b"\n" + envelope.body


def unpack(data: bytes) -> Envelope:
    """Raises ValueError for what `pack` has not made."""
    head, _, body = data.partition(b"\n")
    try:
        number, channel, delivery_id, conversation, sent_at, received_at, why = orjson.loads(head)
        if number != FORMAT:
            raise ValueError(f"of format {number!r}")
        return Envelope(
            channel=_text(channel),
            delivery_id=_text(delivery_id),
            conversation=_text(conversation),
            sent_at=_moment(sent_at),
            received_at=_moment(received_at),
            body=body,
            unreadable=None if why is None else _text(why),
        )
    except TypeError as error:
        raise ValueError(str(error)) from None


def dead_letter(stream: str, place: int, data: bytes, *, at: datetime, reason: str) -> Envelope:
    """Something in the stream that cannot be taken in as what it is: kept whole, with its reason.
    place: its sequence there, which begins anew with a new stream."""
    channel = f"queue:{stream}:stream"
    delivery_id = f"{place}:{hashlib.blake2b(data, digest_size=8).hexdigest()}"
    return Envelope(channel, delivery_id, channel, at, at, data, unreadable=reason)


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError("not a text")
    return given


def _moment(given: object) -> datetime:
    moment = datetime.fromisoformat(_text(given))
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone")
    return moment
