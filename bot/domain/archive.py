"""Archived chats (WeCom 会话内容存档): who spoke with whom, and what of it may be kept.

What may be kept, and of whom: docs/archive.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_OUTSIDER_MARKS = ("wm", "wo")
"""How the platform's ids of people outside begin; `wb` is a robot. A member may be called so too,
which is why whoever is known as a member is one."""


class Status(StrEnum):
    """Whether somebody outside agreed to the archive. Unknown is as good as no."""

    AGREED = "agree"
    REFUSED = "disagree"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Pair:
    """Between whom a consent holds. party: user id of the member, or (in_group) id of the group."""

    party: str
    outsider: str
    in_group: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """What one pair has answered when asked whether its chat may be kept. changed_at: since when,
    by the platform's clock; None when it has never said so."""

    status: Status
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """Something to be fetched. handle: what the platform wants for it. kind: image, voice,
    video, file or emotion. size, md5: as told; 0 and "" when not."""

    kind: str
    handle: str
    name: str
    size: int = 0
    md5: str = ""


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """One message, read. kind: the platform's word for its type. sender, recipients: user ids of
    members in small letters, ids of people outside as they are. room: "" between two.

    text: as a person reads it. revokes: the message that this one takes back. consent: whose it
    tells (`outsider`), and what. everybody: who is in it, each once. chat: the key of its
    conversation, the group or the two who speak.
    """

    msgid: str
    kind: str
    sender: str
    recipients: tuple[str, ...]
    room: str
    sent_at: datetime
    text: str
    files: tuple[ArchivedFile, ...] = ()
    revokes: str = ""
    outsider: str = ""
    consent: Consent | None = None
    everybody: tuple[str, ...] = field(init=False, compare=False)
    chat: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        everybody = tuple(dict.fromkeys((self.sender, *self.recipients)))
        object.__setattr__(self, "everybody", everybody)
        object.__setattr__(self, "chat", self.room or key_between(*everybody))


def moment_in_order(sent_at: datetime, seq: int) -> datetime:
    """When something was said, told apart by its place in the archive (seq) from what was said in
    the same millisecond, finer than which the platform tells no time. A stream is ordered by it;
    without, a message that waits for its file would stand after the one that followed it. A moment
    has room for a thousand places, so two on either side of a full thousand stay as they came."""
    whole = sent_at.microsecond // 1000 * 1000
    return sent_at.replace(microsecond=whole + seq % 1000)


def key_between(*user_ids: str) -> str:
    """Of the conversation that these have with one another; members in small letters."""
    return "|".join(sorted(user_ids))


@dataclass(frozen=True, slots=True)
class Conversation:
    """One archived conversation. outsiders: the people outside in it, as last seen; between two
    there is one at most."""

    corp: str
    key: str
    room: str
    outsiders: tuple[str, ...]
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message as the platform delivers it. key: the random key, under the public key of
    `key_version`; body: the message under that random key. Both base64."""

    seq: int
    msgid: str
    key_version: int
    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed message after the attempt to decrypt it. content: the decrypted JSON; None: `why`
    not, and whether a key is what lacks."""

    sealed: Sealed
    content: str | None = None
    why: str = ""
    lacks_key: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file. mark: asks for the next one; "" after the last."""

    data: bytes
    mark: str

    @property
    def is_last(self) -> bool:
        return not self.mark


def is_outside(user_id: str, members: Collection[str]) -> bool:
    """Whether an id is that of somebody outside. members: ids known to be our own people."""
    return user_id.startswith(_OUTSIDER_MARKS) and user_id.lower() not in members


def outsiders_of(message: ArchivedMessage, members: Collection[str]) -> tuple[str, ...]:
    return tuple(one for one in message.everybody if is_outside(one, members))


def pairs_of(message: ArchivedMessage, outsiders: Collection[str]) -> tuple[Pair, ...]:
    """Whose consent decides about a message."""
    if message.room:
        return tuple(Pair(message.room, one, in_group=True) for one in outsiders)
    inside = [one for one in message.everybody if one not in outsiders]
    return tuple(Pair(member, one) for member in inside for one in outsiders)


@dataclass(slots=True)
class Consents:
    """What is known of consents, followed message by message."""

    known: dict[Pair, Consent] = field(default_factory=dict)
    changed: dict[Pair, Consent] = field(default_factory=dict)

    def learn(self, news: Mapping[Pair, Consent]) -> None:
        """What is older than what is known changes nothing."""
        for pair, consent in news.items():
            before = self.known.get(pair)
            if before is None or _is_newer(consent, before):
                self.known[pair] = self.changed[pair] = consent

    def agreed(self, pair: Pair) -> bool:
        consent = self.known.get(pair)
        return consent is not None and consent.status is Status.AGREED

    def missing(self, pairs: Collection[Pair]) -> list[Pair]:
        """Those nobody has said anything of."""
        return [pair for pair in dict.fromkeys(pairs) if pair not in self.known]


def may_keep(
    message: ArchivedMessage,
    outsiders: Collection[str],
    consents: Consents,
    *,
    keeps_internal: bool,
) -> bool:
    """Disagreed or unknown: nothing is kept (B17). What somebody outside says in a group is kept
    by their own consent; what a member says there, while anybody in it has agreed.
    keeps_internal: conversations without anybody outside."""
    if not outsiders:
        return keeps_internal
    pairs = pairs_of(message, outsiders)
    if message.room and message.sender in outsiders:
        return consents.agreed(Pair(message.room, message.sender))
    return any(consents.agreed(pair) for pair in pairs)


def nameable(
    message: ArchivedMessage, outsiders: Collection[str], consents: Consents
) -> tuple[str, ...]:
    """Whom of a message that is kept we may write down: in a group not those outside who did not
    agree."""
    if not message.room:
        return message.everybody
    return tuple(
        one
        for one in message.everybody
        if one not in outsiders or consents.agreed(Pair(message.room, one))
    )


def _is_newer(news: Consent, before: Consent) -> bool:
    if news.changed_at is None:
        return before.status is Status.UNKNOWN and news.status is not Status.UNKNOWN
    return before.changed_at is None or news.changed_at > before.changed_at
