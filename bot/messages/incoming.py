"""What comes in: an `Envelope` is one verified delivery as stored, an `InboundMessage` is an
envelope read, and an `Incoming` has with it what had to be fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.activities import Record
from bot.domain.erp import ErpCustomer, ErpOrder
from bot.domain.external import ContactHint
from bot.domain.imports import Imported
from bot.domain.mails import Mail, WholeMail
from bot.domain.paper import MailHead, PaperLine
from bot.domain.people import Directory
from bot.domain.receivables import Receipt as ErpReceipt
from bot.messages.addresses import Address, Platform


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
