"""A small company that talks to the bot: 张伟 and 陈静 (WeCom) work for 李敏 (WeCom), who works
for 王建国; 赵倩 is the administrator. Messages go through the route table, on a real database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.activities import Activity
from bot.domain.opportunities import Account, Opportunity
from bot.domain.people import Directory, DirectoryUser, Person, Role
from bot.domain.policy import Policy
from bot.domain.tracks import Track
from bot.errors import UserError
from bot.messages import (
    Address,
    Attachment,
    Card,
    CardAction,
    CardUpdate,
    Fetched,
    ForecastLine,
    InboundMessage,
    Incoming,
    Kind,
    Load,
    Markdown,
    OutboundMessage,
    Platform,
    StoredFile,
    Text,
)
from bot.ports import Preparation, SecondReader
from config.library import read_upload
from config.policy import change_policy
from handlers import Handlers
from handlers.customers.customer_book import CustomerBook
from handlers.desk import Office, address_book
from handlers.lights.alerts import Alerts
from handlers.policy.policies import PolicyBook
from handlers.understanding.reader import Reader
from storage.database import Database
from tests.handlers.light_company import CALENDAR, at, shelf

PEOPLE = {
    "zhang": ("张伟", Role.REP),
    "chen": ("陈静", Role.REP),
    "li": ("李敏", Role.SUPERVISOR),
    "wang": ("王建国", Role.SALES_DIRECTOR),
    "zhao": ("赵倩", Role.ADMIN),
}
PDF = "application/pdf"


@dataclass
class Chat:
    """The company, its clock, and all that the bot said."""

    database: Database
    policy: Policy = field(default_factory=Policy)
    now: datetime = field(default_factory=lambda: at("2026-01-28 15:00"))  # a Wednesday
    said: list[OutboundMessage] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    numbers: int = 0
    second: SecondReader | None = None
    tracks: tuple[Track, ...] = ()
    preparations: Sequence[Preparation] = ()

    async def open(self) -> Chat:
        addresses = address_book({Platform.WECOM: "sales", Platform.DINGTALK: "sales"})
        policy = self.policy
        policies = PolicyBook(policy, change_policy)
        libraries = shelf()
        self.book = CustomerBook()
        self.office = Office(
            policies=policies,
            libraries=libraries,
            read_library=read_upload,
            calendar=CALENDAR,
            reader=Reader(CALENDAR),
            customers=self.book,
            lights=Alerts(
                policies=policies, libraries=libraries, calendar=CALENDAR, address_of=addresses
            ),
            address_of=addresses,
            tracks=self.tracks,
        )
        self.handlers = Handlers(self.office, read=self.database.read)
        users = tuple(DirectoryUser(key, name) for key, (name, _) in PEOPLE.items())
        async with self.database.begin() as tx:
            directory = Directory("wecom", users=users)
            await tx.people.save_directory(
                directory, roles_by_title=policy.roles.roles_of, at=self.now
            )
            for key, (_, role) in PEOPLE.items():
                found = await tx.people.find_by_identity("wecom", key)
                assert found is not None
                await tx.people.set_roles(found.id, [role])
                self.people[key] = await tx.people.get(found.id)
            for who, leader in (("zhang", "li"), ("chen", "li"), ("li", "wang")):
                await tx.people.set_supervisor_override(self.people[who].id, self.people[leader].id)
        return self

    async def customer(self, name: str, owner: str = "zhang", *aliases: str) -> Account:
        """With an open opportunity, and a first call behind it three working days ago."""
        then = self.now - timedelta(days=5)
        async with self.database.begin() as tx:
            account = await tx.accounts.add(
                name=name, owner_id=self.people[owner].id, at=then, aliases=aliases
            )
            deal = await tx.opportunities.add(
                account_id=account.id,
                name=name,
                owner_id=account.owner_id,
                stage="quote",
                rank=3,
                at=then,
                light_due_at=self.now,
            )
            await tx.activities.add(
                Activity(
                    id=0,
                    account_id=account.id,
                    opportunity_id=deal.id,
                    actor_id=account.owner_id,
                    unit="first_call",
                    title="首次电话",
                    text="第一次通话",
                    occurred_at=then,
                    recorded_at=then,
                    source_id=f"past:{account.id}",
                    valid=True,
                )
            )
        self.book.put(account)
        return account

    async def upload(self, who: str, name: str, data: bytes) -> str:
        """A table, whose bytes the handlers read."""
        fetched = replace(self._file(name), table=data)
        return await self._handle(self._message(who, Kind.FILE), (fetched,))

    async def say(
        self,
        who: str,
        text: str,
        *,
        group: str = "",
        files: tuple[str, ...] = (),
        quoting: str = "",
    ) -> str:
        """Everything the bot answers, to whomever."""
        attached = tuple(self._file(name) for name in files)
        kind = Kind.TEXT if text else Kind.FILE
        message = self._message(who, kind, text=text, group=group)
        return await self._handle(replace(message, quoted_text=quoting), attached)

    async def hear_outsider(self, name: str, text: str, *, group: str, title: str = "") -> str:
        """Somebody who is none of us speaks to the robot in a group; see `say`."""
        message = self._message("", Kind.UNSUPPORTED, text=text, group=group)
        return await self._handle(replace(message, sender_name=name, chat_title=title), ())

    async def dictate(self, who: str, heard: str) -> str:
        """A recording, as an engine heard it."""
        sound = replace(self._file("voice.amr"), transcript=heard)
        return await self._handle(self._message(who, Kind.VOICE), (sound,))

    async def dictate_to_the_platform(self, who: str, heard: str) -> str:
        """A recording of which the platform sends its transcript alone."""
        return await self._handle(self._message(who, Kind.VOICE, text=heard), ())

    async def restart(self) -> None:
        """What is kept in memory is read anew from the database."""
        self.book = CustomerBook()
        async with self.database.begin() as tx:
            self.book.load(await tx.accounts.list_all())
            libraries = shelf()
            await libraries.load(tx, self.office.read_library)
        self.office = replace(self.office, customers=self.book, libraries=libraries)
        self.handlers = Handlers(self.office, read=self.database.read)

    async def press(self, who: str, card: Card, label: str, group: str = "", **values: str) -> str:
        """By the label of a button, or by its action where the card shows no button any more."""
        actions = {button.label: button.action for button in card.buttons}
        action = CardAction(card.card_id, card.revision, actions.get(label, label), values)
        message = self._message(who, Kind.CARD_ACTION, action=action, group=group)
        return await self._handle(message, ())

    async def later(self, **span: float) -> None:
        self.now += timedelta(**span)
        async with self.database.begin() as tx:
            for job in self.handlers.jobs():
                if job.name in ("expire drafts", "sweep lights"):
                    self.said += await job.run(tx, self.now)

    def card(self, who: str = "zhang", *, before: int = 0) -> Card:
        """The newest fresh card in that person's chat, or an earlier one."""
        to = Address(Platform.WECOM, "sales", user_id=who)
        cards = [one.content for one in self.said if one.to == to and isinstance(one.content, Card)]
        return cards[-1 - before]

    def shown(self, who: str = "zhang") -> Card:
        """The newest card in that person's chat as it stands now."""
        fresh = self.card(who)
        updates = [one.content.card for one in self.said if isinstance(one.content, CardUpdate)]
        return [fresh, *(card for card in updates if card.card_id == fresh.card_id)][-1]

    def shown_as(self, card: Card) -> Card:
        """That card as it stands now."""
        updates = [one.content.card for one in self.said if isinstance(one.content, CardUpdate)]
        return [card, *(one for one in updates if one.card_id == card.card_id)][-1]

    def heard_by(self, who: str) -> str:
        return "\n".join(words(one.content) for one in self.said if one.to.user_id == who)

    def heard_in(self, group: str) -> str:
        return "\n".join(words(one.content) for one in self.said if one.to.chat_id == group)

    async def stream(self, account: Account) -> list[Activity]:
        async with self.database.begin() as tx:
            page, _ = await tx.activities.page(account.id, limit=50, before=None)
        return [one for one in page if not one.source_id.startswith("past:")]

    async def living(self) -> dict[str, list[Activity]]:
        """What stands in every stream and was not taken back, by the customer's name."""
        found: dict[str, list[Activity]] = {}
        async with self.database.begin() as tx:
            accounts = await tx.accounts.list_all()
        for account in accounts:
            page = await self.stream(account)
            gone = {one.retracts_id for one in page}
            entries = [one for one in page if one.id not in gone and one.retracts_id is None]
            found |= {account.name: entries} if entries else {}
        return found

    async def deal(self, account: Account) -> Opportunity:
        async with self.database.begin() as tx:
            return (await tx.opportunities.of_account(account.id))[-1]

    async def _handle(self, message: InboundMessage, files: tuple[Fetched, ...]) -> str:
        incoming = Incoming(message, f"test:{message.message_id}", self.now, files)
        for one in self.preparations:
            incoming = await one.prepare(incoming, last_try=True)
        if self.second is not None:
            incoming = replace(incoming, suggested=await self.second.suggest(incoming))
        incoming = await self.handlers.prepare(incoming, last_try=True)
        try:
            async with self.database.begin() as tx:
                answers = list(await self.handlers.handle(tx, incoming))
                await tx.delivery.queue(answers, at=self.now)
        except UserError as refusal:
            return str(refusal)
        self.said += answers
        return "\n".join(words(answer.content) for answer in answers)

    def _message(
        self,
        who: str,
        kind: Kind,
        *,
        text: str = "",
        action: CardAction | None = None,
        group: str = "",
    ) -> InboundMessage:
        self.numbers += 1
        self.now += timedelta(seconds=1)
        origin = Address(
            Platform.WECOM, "sales", user_id=None if group else who, chat_id=group or None
        )
        return InboundMessage(
            platform=Platform.WECOM,
            app="sales",
            message_id=str(self.numbers),
            origin=origin,
            sender_id=who,
            sent_at=self.now,
            kind=kind,
            text=text,
            action=action,
            in_group=bool(group),
        )

    def _file(self, name: str) -> Fetched:
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        media_type = PDF if name.endswith(".pdf") else "image/png"
        stored = StoredFile(sha256, 10, media_type, name)
        return Fetched(Attachment("file", name, name), stored)


def words(content: Load) -> str:
    match content:
        case Text(text=text) | Markdown(text=text):
            return text
        case Card() as card:
            return _card_words(card)
        case CardUpdate(card=card):
            return _card_words(card)
        case ForecastLine(key=key):
            return key
        case _:
            return content.name


def _card_words(card: Card) -> str:
    facts = [f"{name}：{value}" for name, value in card.facts]
    labels = [button.label for button in card.buttons]
    return "\n".join([card.title, *card.lines, *facts, *labels, card.closed])
