"""What a handler works at: one incoming message, its transaction, and the answers so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.activities import Activity
from bot.domain.calendar import WorkingCalendar
from bot.domain.library import ActionLibrary
from bot.domain.notifying import first_allowed
from bot.domain.opportunities import Opportunity
from bot.domain.people import Person
from bot.domain.policy import Policy
from bot.domain.supply import Station
from bot.domain.tracks import Track
from bot.domain.websites import Website
from bot.messages import (
    Address,
    Card,
    CardUpdate,
    Content,
    InboundMessage,
    Incoming,
    Markdown,
    OutboundMessage,
    Platform,
    Text,
)
from handlers.binding.group_book import GroupBook
from handlers.conversation.just_read import JustRead
from handlers.customers.customer_book import CustomerBook
from handlers.libraries.libraries import LibraryShelf, ReadLibrary
from handlers.lights.alerts import Alerts
from handlers.lights.light_cards import Watch
from handlers.policy.policies import PolicyBook
from handlers.understanding.reader import Reader
from handlers.upkeep.bell import Bell
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Office:
    """What every handler may use; built once at start.

    address_of: where to write to a person, None if we share no platform.
    admins: platform user ids ("wecom:zhaoqian") that hold the admin role by configuration.
    erps: names of the ERPs that tell of receipts; what all of them have told is known.
    order_erps, forecast_erps: those that tell of orders, and those that keep our forecasts.
    supply_groups: `Address.key` of the groups that hear of large sales, by configuration.
    tracks: the talk tracks that come with Gendan; empty: none are offered unasked.
    reads_papers: whether an engine reads contracts on paper.
    pages_url: where browsers reach our pages, without a slash; "": no links are given.
    groups: those that belong to a customer.
    contacts_due: rung when there is anything to read from 客户联系 or to transfer there.
    platforms_with_contacts: those that can hand an external contact to another member.
    sites: websites that tell what visitors do.
    wake_archive: has the chat archive of that application read at once.
    mailboxes: those that are read -> whose ("wecom:zhangsan"), "" for the company's.
    mail_owners: address -> whose, of people whose own mailbox is read.
    wake_inbox: has what was put back into the inbox handled at once.
    just_read: what messages of the same moment need not read again.
    """

    policies: PolicyBook
    libraries: LibraryShelf
    read_library: ReadLibrary
    calendar: WorkingCalendar
    reader: Reader
    customers: CustomerBook
    lights: Alerts
    address_of: Callable[[Person], Address | None]
    admins: frozenset[str] = frozenset()
    erps: tuple[str, ...] = ()
    order_erps: tuple[str, ...] = ()
    forecast_erps: tuple[str, ...] = ()
    supply_groups: Mapping[Station, tuple[str, ...]] = field(default_factory=dict)
    tracks: tuple[Track, ...] = ()
    reads_papers: bool = False
    pages_url: str = ""
    groups: GroupBook = field(default_factory=GroupBook)
    contacts_due: Bell = field(default_factory=Bell)
    platforms_with_contacts: frozenset[str] = frozenset()
    sites: tuple[Website, ...] = ()
    wake_archive: Callable[[str], None] = lambda _app: None
    mailboxes: Mapping[str, str] = field(default_factory=dict)
    mail_owners: Mapping[str, str] = field(default_factory=dict)
    wake_inbox: Callable[[], None] = lambda: None
    just_read: JustRead = field(default_factory=JustRead)

    @property
    def policy(self) -> Policy:
        """The organisation's numbers as they are now."""
        return self.policies.organisation

    @property
    def zone(self) -> ZoneInfo:
        return self.calendar.zone

    def first_allowed(self, at: datetime) -> datetime:
        """The first moment from `at` on (UTC) at which people may be written to unasked: outside
        the quiet hours of a working day."""
        return first_allowed(at, policy=self.policy.pushes, calendar=self.calendar)

    @property
    def watch(self) -> Watch:
        """What the functions about lights and lists ask for."""
        return Watch(self.policies, self.libraries, self.calendar, self.address_of)


def address_book(apps: Mapping[Platform, str]) -> Callable[[Person], Address | None]:
    """Addresses of people through one application a platform; the platform that stands first
    in `apps` goes before the other for somebody who is on both."""

    def address_of(person: Person) -> Address | None:
        on = {identity.platform: identity.user_id for identity in person.identities}
        for platform, app in apps.items():
            if platform in on:
                return Address(platform, app, user_id=on[platform])
        return None

    return address_of


@dataclass(slots=True)
class Desk:
    """One message being handled. `person` is None for somebody we do not know.

    library: what the speaker works by, and new drafts are begun with. opened, recorded: what
    it made, for what follows from that (handlers/coaching/coaching.py).
    """

    tx: UnitOfWork
    incoming: Incoming
    office: Office
    person: Person | None
    library: ActionLibrary
    answers: list[OutboundMessage] = field(default_factory=list)
    notices: list[OutboundMessage] = field(default_factory=list)
    opened: list[Opportunity] = field(default_factory=list)
    recorded: list[Activity] = field(default_factory=list)

    @classmethod
    async def open(cls, tx: UnitOfWork, incoming: Incoming, office: Office) -> Desk:
        message = incoming.message
        person = None
        if message.sender_id:
            person = await tx.speakers.find(
                message.platform, message.sender_id, conversation=message.origin.key
            )
        library = office.libraries.organisation
        if person is not None:
            library = await office.libraries.of_person(tx, person.id)
        return cls(tx, incoming, office, person, library)

    @property
    def message(self) -> InboundMessage:
        return self.incoming.message

    @property
    def at(self) -> datetime:
        return self.incoming.at

    @property
    def conversation(self) -> str:
        return self.message.origin.key

    @property
    def policy(self) -> Policy:
        """What the speaker works by: their team's numbers, where it has its own."""
        policies = self.office.policies
        return policies.of(self.person.id) if self.person is not None else policies.organisation

    @property
    def rep(self) -> Person:
        """The speaker, where the route has made sure that we know them."""
        assert self.person is not None
        return self.person

    def say(self, text: str) -> None:
        self.answer(Text(text))

    def say_privately(self, title: str, text: str, ours: Sequence[str] = ()) -> None:
        """ours: see Markdown."""
        self.send(self.private, Markdown(title, text, tuple(ours)))

    def answer(self, content: Content) -> None:
        """Queue an answer to the chat the message came from; in a group it says for whom."""
        self.send(self.message.origin, self._addressed(content))

    @property
    def private(self) -> Address:
        """The speaker alone, whichever chat they spoke in."""
        message = self.message
        if not message.in_group:
            return message.origin
        return Address(message.platform, message.app, user_id=message.sender_id)

    def address(self, text: str) -> str:
        """What is said in a group begins with the name of whom it is for."""
        name = self.person.name if self.person is not None else self.message.sender_name
        return f"@{name} {text}" if self.message.in_group and name else text

    def send(self, to: Address, content: Content, *, not_before: datetime | None = None) -> None:
        key = f"{self.incoming.source_id}:{len(self.answers)}"
        self.answers.append(OutboundMessage(key, to, content, not_before=not_before))

    def say_on(self, text: str) -> None:
        """Add a line to what was said last, or say it where that was no text."""
        for place, answer in reversed(list(enumerate(self.answers))):
            if isinstance(answer.content, CardUpdate):
                continue
            if answer.to == self.message.origin and isinstance(answer.content, Text):
                said = Text(f"{answer.content.text}\n{text}")
                self.answers[place] = replace(answer, content=said)
                return
            break
        self.say(text)

    def add(self, messages: list[OutboundMessage]) -> None:
        """Notifications a rule owes because of what happened here; they follow the answers."""
        self.notices.extend(messages)

    async def show(self, card: Card, *, subject: str, data: dict[str, Any] | None = None) -> None:
        """Send a fresh card and remember what it shows. data: JSON values that a press on it
        will need."""
        await self._remember(card, subject, self.message.origin, data)
        self.answer(card)

    async def show_privately(
        self,
        card: Card,
        *,
        subject: str,
        data: dict[str, Any] | None = None,
        not_before: datetime | None = None,
    ) -> None:
        """The same, to the speaker alone, whichever chat they spoke in."""
        await self._remember(card, subject, self.private, data)
        self.send(self.private, card, not_before=not_before)

    async def change(
        self,
        card: Card,
        *,
        subject: str,
        only_in_place: bool = False,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Show `card` in place of what stands under its id; a press hands in the code that
        WeCom wants for it. only_in_place: see CardUpdate."""
        known = await self.tx.cards.get(card.card_id)
        card = replace(card, revision=(known.revision if known else card.revision) + 1)
        await self._remember(card, subject, self.message.origin, data)
        action = self.message.action
        pressed = action is not None and action.card_id == card.card_id
        code = action.response_code if action is not None and pressed else ""
        self.answer(CardUpdate(card, response_code=code, only_in_place=only_in_place))

    def _addressed(self, content: Content) -> Content:
        match content:
            case Text(text=text):
                return Text(self.address(text))
            case Markdown(text=text):
                return replace(content, text=self.address(text))
            case Card():
                return self._addressed_card(content)
            case CardUpdate(card=card):
                return replace(content, card=self._addressed_card(card))
            case _:
                return content

    def _addressed_card(self, card: Card) -> Card:
        if not self.message.in_group or not card.lines:
            return card
        return replace(card, lines=(self.address(card.lines[0]), *card.lines[1:]))

    async def _remember(
        self, card: Card, subject: str, to: Address, data: dict[str, Any] | None = None
    ) -> None:
        await self.tx.cards.show(card, to.key, subject=subject, at=self.at, data=data)
