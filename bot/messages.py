"""All that crosses to and from the platforms, as plain data.

Coming in: an `Envelope` is one verified delivery as stored; an `InboundMessage` is an
envelope read. Going out: an `OutboundMessage` carries one `Content` to one `Address`.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import typing
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from bot.domain.activities import Record
from bot.domain.erp import ErpCustomer, ErpOrder
from bot.domain.erp_forecasts import ForecastFacts
from bot.domain.external import ContactHint
from bot.domain.imports import Imported
from bot.domain.mails import Mail, WholeMail
from bot.domain.paper import MailHead, PaperLine
from bot.domain.people import Directory
from bot.domain.receivables import Receipt as ErpReceipt


class Platform(StrEnum):
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    ERP = "erp"  # tells of receipts and takes forecasts; nobody chats there
    MAIL = "mail"  # a mailbox that is read; nothing is sent through it


@dataclass(frozen=True, slots=True)
class Envelope:
    """One verified delivery as stored; what `replay` replays.

    channel: "<platform>:<app>:<door>", e.g. "wecom:sales:app", "dingtalk:sales:robot".
    delivery_id: the platform's id of the delivery, unique within the channel.
    conversation: key within which order holds (`Address.key` of the chat, else the channel).
    sent_at: by the platform's clock, UTC; orders deliveries of one conversation.
    body: what the platform sent, verified and decrypted, byte for byte.
    unreadable: why it can never be parsed; such an envelope is a dead letter from birth.
    """

    channel: str
    delivery_id: str
    conversation: str
    sent_at: datetime
    received_at: datetime
    body: bytes
    unreadable: str | None = None

    @property
    def platform(self) -> Platform:
        return Platform(self.channel.split(":", 1)[0])

    @property
    def app(self) -> str:
        return self.channel.split(":")[1]

    @property
    def door(self) -> str:
        return self.channel.split(":")[2]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes to or comes from: one person, or one group, seen by one app.

    user_id: the platform's id of the person (WeCom userid lower-cased, DingTalk userId);
    chat_id: of the group (WeCom appchat id, DingTalk openConversationId), verbatim;
    webhook: name of a configured group robot. Exactly one of the three is set.
    """

    platform: Platform
    app: str
    user_id: str | None = None
    chat_id: str | None = None
    webhook: str | None = None

    @property
    def key(self) -> str:
        """Stable text form, e.g. "wecom:sales:u:zhang3", "dingtalk:sales:g:cidX=="."""
        if self.user_id is not None:
            return f"{self.platform}:{self.app}:u:{self.user_id}"
        if self.chat_id is not None:
            return f"{self.platform}:{self.app}:g:{self.chat_id}"
        return f"{self.platform}:{self.app}:w:{self.webhook}"


class Kind(StrEnum):
    """What an inbound message is."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    MIXED = "mixed"  # text with pictures
    LOCATION = "location"
    LINK = "link"
    CARD_ACTION = "card_action"
    MENU = "menu"  # a menu entry of the application was clicked; `text` is its key
    ENTER = "enter"  # the person opened the application (WeCom enter_agent)
    SUBSCRIBE = "subscribe"  # the person may use the application from now on
    UNSUBSCRIBE = "unsubscribe"
    DIRECTORY_CHANGE = "directory_change"  # people or departments changed: see `change`
    CONTACT_CHANGE = "contact_change"  # external contacts or groups with them: see `contacts`
    OVER_QUOTA = "over_quota"  # DingTalk withheld the text because the month's quota is used up
    ERP_NEWS = "erp_news"  # an ERP tells of receipts, customers or orders: see `news`
    APPROVAL_CHANGE = "approval_change"  # `hints`: "number|template" of each approval
    ATTENDANCE_NEWS = "attendance_news"  # who was recorded: `hints` are "user id|day"
    ARCHIVE_NEWS = "archive_news"  # the chat archive has something to fetch
    MAIL = "mail"  # a mail lies in a mailbox of ours: see `mail`
    IGNORED = "ignored"  # understood, and nothing to do (read receipts, URL checks)
    UNSUPPORTED = "unsupported"  # signed and readable, but of a type we do not know


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file the platform holds for us. `handle` is what its download call wants.

    kind: "image" | "voice" | "video" | "file". duration_s: of a recording, if told.
    transcript: the platform's own, if it sent one.
    """

    kind: str
    handle: str
    name: str = ""
    duration_s: float | None = None
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class CardAction:
    """A press on a card: which card, which button, with which form values.

    card_id and revision come from our own id on the card (WeCom task_id, DingTalk
    outTrackId). response_code: WeCom's single-use code for updating the pressed card.
    """

    card_id: str
    revision: int
    action: str
    values: dict[str, str] = field(default_factory=dict)
    response_code: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """Something in the directory changed. Hints only: the named ones are read again."""

    user_ids: tuple[str, ...] = ()
    department_ids: tuple[str, ...] = ()
    left_user_ids: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class ErpNews:
    """What an ERP told of. complete_until: it has told of every receipt up to then; None when
    it does not say."""

    receipts: tuple[ErpReceipt, ...] = ()
    complete_until: datetime | None = None
    customers: tuple[ErpCustomer, ...] = ()
    orders: tuple[ErpOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """An envelope read.

    message_id: the platform's id of the message, unique per channel.
    origin: the chat it was said in; an answer goes back there.
    sender_id: platform user id of the speaker ("" for the platform itself).
    chat_title: of the group, where the platform tells. quoted_text, quoted_at: the message that
    this one replies to, where the platform tells.
    """

    platform: Platform
    app: str
    message_id: str
    origin: Address
    sender_id: str
    sent_at: datetime
    kind: Kind
    text: str = ""
    sender_name: str = ""
    attachments: tuple[Attachment, ...] = ()
    action: CardAction | None = None
    change: DirectoryChange | None = None
    news: ErpNews | None = None
    contacts: ContactHint | None = None
    mail: Mail | None = None
    hints: tuple[str, ...] = ()
    in_group: bool = False
    chat_title: str = ""
    quoted_text: str = ""
    quoted_at: datetime | None = None
    detail: str = ""  # for UNSUPPORTED: the platform's type name; LOCATION, LINK: readable text


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes we keep, named by their SHA-256 (hex). media_type as sniffed."""

    sha256: str
    size: int
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """An attachment after the download. Either `stored`, or `lost` says why not.

    transcript: of a voice, from the platform or from our engine. table: the bytes of a
    table (customers, talk tracks) or an action library, which handlers read; other files travel by
    their hash only.
    """

    attachment: Attachment
    stored: StoredFile | None = None
    lost: str = ""
    transcript: str = ""
    table: bytes = b""


@dataclass(frozen=True, slots=True)
class Paper:
    """A file of which somebody wants to know what it says. Either `lines`, or `trouble` says why
    there are none. seals: red ones that were found on it, None where nobody looked. mail: its
    head, where the file is a mail."""

    sha256: str
    name: str
    lines: tuple[PaperLine, ...] = ()
    trouble: str = ""
    seals: int | None = None
    mail: MailHead | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """An inbound message with all that had to be fetched before its transaction.

    source_id: unique for the delivery; what is made from it is keyed by it.
    directory: for DIRECTORY_CHANGE, the people as they are now. suggested: what a second
    reader made of the text, where the rules were not sure. paper: what was read on a file that
    came with the message, or that the message asks about. imported: what a long table of customers
    brought, which came in already. evidence: the same of files that may prove an intent level.
    mail: of a known customer's mail, what was fetched of it; None while it could not be.
    looked_up: what its handler wants to know and takes long to
    read, as it stood just before; the handler knows the type.
    """

    message: InboundMessage
    source_id: str
    at: datetime
    files: tuple[Fetched, ...] = ()
    directory: Directory | None = None
    suggested: Record | None = None
    paper: Paper | None = None
    evidence: tuple[Paper, ...] = ()
    imported: Imported | None = None
    mail: WholeMail | None = None
    looked_up: object | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Plain words. A platform that shows them in a format of its own keeps them plain."""

    text: str


@dataclass(frozen=True, slots=True)
class Markdown:
    """`text` in the common subset: headings, bold, links, quotes, and "- " lists.

    ours: the passages of `text` that may be a link, an address or code: those that
    `bot.domain.markup` has made, or addresses that the program made or an administrator keeps.
    Whatever else looks like one is people's words, and shown as such.
    """

    title: str
    text: str
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a card. kind: "select" (options), "text" or "date".

    WeCom cards have no text inputs: there the renderer keeps selects only, so every
    value must also be fillable by answering in chat.
    """

    key: str
    label: str
    kind: str = "select"
    options: tuple[Option, ...] = ()
    value: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """action: unique on its card, comes back in CardAction. style: primary|default|danger."""

    action: str
    label: str
    style: str = "default"


@dataclass(frozen=True, slots=True)
class Card:
    """One card in one shape for both platforms.

    card_id: ours, [0-9A-Za-z_-], at most 64, one card for its whole life; `revision`
    rises with each update so that a press on an older picture of it is recognised.
    title: at most 36 characters. lines: short plain-text lines of the body, in order.
    facts: (name of at most 5 characters, value) pairs, shown as a table, at most 6.
    closed: a note such as "已确认"; then buttons and fields are shown no more.
    """

    card_id: str
    title: str
    lines: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    fields: tuple[Field, ...] = ()
    buttons: tuple[Button, ...] = ()
    revision: int = 1
    closed: str = ""


@dataclass(frozen=True, slots=True)
class CardUpdate:
    """Show `card` instead of what was sent under the same card_id.

    response_code: WeCom's permit for it, from the press that caused the update; without one
    the outbox adds the code that came with the card. only_in_place: where the platform can
    no longer change the card, leave it, rather than send it as a new one.
    """

    card: Card
    response_code: str = ""
    only_in_place: bool = False


@dataclass(frozen=True, slots=True)
class FileContent:
    """A stored file, by content hash. kind: "image" | "file" | "voice"."""

    kind: str
    sha256: str
    name: str


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """A line of forecast to be written to an ERP, under our `key`. ours, stood, overwrite: see
    `bot.domain.erp_forecasts.next_step`."""

    key: str
    facts: ForecastFacts
    ours: tuple[ForecastFacts, ...] = ()
    stood: bool = False
    overwrite: bool = False


Content = Text | Markdown | Card | CardUpdate | FileContent

Load = Content | ForecastLine
"""Whatever the outbox carries: what people read, or what an ERP stores."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """Anything we send. A Reply answers, a Notification starts; both look like this.

    dedupe_key: unique for ever; queueing it twice queues it once.
    not_before: earliest sending time (quiet hours). expires_at: pointless after.
    subject: what it is about, e.g. "light:17:3"; a queued message can be dropped by it.
    """

    dedupe_key: str
    to: Address
    content: Load
    not_before: datetime | None = None
    expires_at: datetime | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the platform said when it took a message.

    handle: message id, processQueryKey or outTrackId. response_code: WeCom, for one card
    update within 72 h. undelivered: user ids the platform refused within a successful call.
    """

    handle: str = ""
    response_code: str = ""
    undelivered: tuple[str, ...] = ()


_CONTENT: dict[str, type] = {
    "text": Text, "markdown": Markdown, "card": Card, "card_update": CardUpdate,
    "file": FileContent, "forecast": ForecastLine,
}  # fmt: skip


def content_to_json(content: Load) -> str:
    """One line of JSON that `content_from_json` reads back to an equal value."""
    name = next(name for name, cls in _CONTENT.items() if isinstance(content, cls))
    return json.dumps({"type": name, **_fields(content)}, default=_plain, ensure_ascii=False)


def _fields(value: typing.Any) -> dict[str, object]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else _fields(value)


def content_from_json(text: str) -> Load:
    raw = json.loads(text)
    return typing.cast(Load, _build(_CONTENT[raw.pop("type")], raw))


_hints = functools.cache(typing.get_type_hints)


def _build(annotation: object, value: object) -> object:
    """Rebuild frozen dataclasses, tuples and days from what JSON made of them."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        hints = _hints(annotation)
        given = typing.cast(dict[str, object], value)
        return annotation(**{name: _build(hints[name], item) for name, item in given.items()})
    if annotation is date:
        return date.fromisoformat(typing.cast(str, value))
    if typing.get_origin(annotation) is tuple:
        args = typing.get_args(annotation)
        items = typing.cast(list[object], value)
        if args[-1] is Ellipsis:
            return tuple(_build(args[0], item) for item in items)
        return tuple(_build(arg, item) for arg, item in zip(args, items, strict=True))
    return value
