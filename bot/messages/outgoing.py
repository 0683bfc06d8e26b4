"""What goes out: an `OutboundMessage` carries one `Content` to one `Address`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.erp_forecasts import ForecastFacts
from bot.messages.addresses import Address


@dataclass(frozen=True, slots=True)
class Text:
    """Plain words. A platform that shows them in a format of its own keeps them plain."""

    text: str


@dataclass(frozen=True, slots=True)
class Markdown:
    """Formatted text. `text` in the common subset: headings, bold, links, quotes, and "- " lists.

    ours: the passages of `text` that may be a link, an address or code: those that
    `bot.domain.markup` has made, or addresses that the program made or an administrator keeps.
    Whatever else looks like one is people's words, and shown as such.
    """

    title: str
    text: str
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a select field."""

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
    """A button of a card. action: unique on its card, comes back in CardAction. style:
    primary|default|danger."""

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
