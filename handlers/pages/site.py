"""Everything that pages ask for: one short transaction each, and the visitor's rights in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.page_sessions import Entered, Visitor
from bot.domain.sign_in import Caller, Errand
from bot.errors import NotAllowed, NotFound, PermanentError, TransientError
from bot.messages import StoredFile
from bot.ports import FileStore
from bot.router import Begin
from handlers.desk import Desk, Office
from handlers.leading import diagnosis
from handlers.pages import (
    customer,
    disputes,
    forecast,
    fund,
    navigation,
    opportunity,
    page_desk,
    payouts,
    platform_sign_in,
    refusals,
    side,
    signing_in,
    supply,
)
from handlers.pages.customer import CustomerList, CustomerPage
from handlers.pages.disputes import DisputeList, DisputePage, ReadRuling, Ruling
from handlers.pages.forecast import ForecastPage
from handlers.pages.fund import Ask, FundPage
from handlers.pages.navigation import Link
from handlers.pages.opportunity import OpportunityPage
from handlers.pages.payouts import Asked, PayoutsPage
from handlers.pages.refusals import RefusalsPage
from handlers.pages.screen import Screen, Screens
from handlers.pages.side import SidePage
from handlers.pages.stream import Stream
from handlers.pages.supply import SupplyPage
from handlers.payouts import evidence
from handlers.texts import pages as texts
from handlers.texts.diagnosis import Finding, in_order
from storage.unit_of_work import UnitOfWork

Read = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
Play = Callable[[bytes, str], Awaitable[tuple[bytes, str]]]
"""A recording and its media type -> the same as browsers play it."""


@dataclass(frozen=True, slots=True)
class Face:
    """What every page shows of its visitor, and the pages they may open."""

    name: str
    roles: str
    home: str
    links: tuple[Link, ...]
    form_key: str


@dataclass(frozen=True, slots=True)
class DiagnosisPage:
    """broken: the most frequent first. sound: what was looked at and is well."""

    people: int
    days: int
    broken: tuple[Finding, ...]
    sound: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """One per program. Each method raises UserError for what the visitor may not do. queued:
    called when there is something to send."""

    office: Office
    read: Read
    begin: Begin[UnitOfWork]
    clock: Clock
    files: FileStore
    play: Play
    screens: Screens
    queued: Callable[[], None] = lambda: None

    async def visitor(self, secret: str) -> Visitor | None:
        async with self.read() as tx:
            return await signing_in.visitor(tx, secret, self.clock.now())

    def face(self, visitor: Visitor) -> Face:
        roles = "、".join(texts.ROLES[role] for role in sorted(visitor.person.roles))
        links = navigation.links(visitor.person.roles)
        return Face(
            name=visitor.person.name,
            roles=roles,
            home=links[0].href,
            links=links,
            form_key=visitor.session.form_key,
        )

    async def way_of(self, ticket: str, visitor: Visitor | None) -> str | None:
        """Where a link leads, for the person it was given to and whose session is open: then
        it is no matter whether it was used or has expired."""
        if visitor is None:
            return None
        async with self.read() as tx:
            found = await tx.page_sessions.find_ticket(ticket)
        return found.path if found is not None and found.person_id == visitor.person.id else None

    async def enter(self, ticket: str) -> Entered | None:
        async with self.begin() as tx:
            return await signing_in.redeem(tx, ticket, self.clock.now())

    def errand(self, path: str) -> Errand:
        """For a browser that is sent to its platform and wants to go to `path` afterwards."""
        return platform_sign_in.set_out(path, self.clock.now())

    async def come_in(self, caller: Caller, errand: Errand) -> Entered:
        """Open a session for whom a platform has named. Raises NotAllowed."""
        async with self.begin() as tx:
            outcome = await platform_sign_in.come_in(tx, caller, errand, self.clock.now())
        if isinstance(outcome, str):
            raise NotAllowed(outcome)
        return outcome

    def holds(self, errand: Errand) -> bool:
        return errand.is_open(self.clock.now())

    async def leave(self, visitor: Visitor) -> None:
        async with self.begin() as tx:
            await signing_in.sign_out(tx, visitor, self.clock.now())

    async def note_denial(self, visitor: Visitor, path: str, why: str) -> None:
        async with self.begin() as tx:
            await signing_in.note_denial(tx, visitor, path, why, self.clock.now())

    async def customers(self, visitor: Visitor, *, after: str | None) -> CustomerList:
        async with self.read() as tx:
            at = self.clock.now()
            return await customer.listed(tx, self.office, visitor.person, after=after, at=at)

    async def customer(self, visitor: Visitor, number: int, *, kind: str) -> CustomerPage:
        async with self.read() as tx:
            at = self.clock.now()
            return await customer.page(tx, self.office, visitor.person, number, kind=kind, at=at)

    async def stream(
        self, visitor: Visitor, number: int, *, kind: str, before: str | None
    ) -> Stream:
        async with self.read() as tx:
            return await customer.more(
                tx,
                self.office,
                visitor.person,
                number,
                kind=kind,
                before=before,
                at=self.clock.now(),
            )

    async def file(
        self, visitor: Visitor, number: int, *, entry: int, place: int
    ) -> tuple[bytes, StoredFile]:
        """As browsers can show it."""
        async with self.read() as tx:
            found = await customer.file(
                tx,
                visitor.person,
                number,
                entry_id=entry,
                place=place,
                at=self.clock.now(),
            )
        try:
            data = await self.files.get(found.sha256)
        except FileNotFoundError:
            raise NotFound(texts.FILE_GONE) from None
        if not found.media_type.startswith("audio/"):
            return data, found
        try:
            data, media_type = await self.play(data, found.media_type)
        except (PermanentError, TransientError):
            return data, found
        return data, StoredFile(found.sha256, len(data), media_type, found.name)

    async def opportunity(self, visitor: Visitor, number: int, *, kind: str) -> OpportunityPage:
        async with self.read() as tx:
            at = self.clock.now()
            return await opportunity.page(tx, self.office, visitor.person, number, kind=kind, at=at)

    async def deal_stream(
        self, visitor: Visitor, number: int, *, kind: str, before: str | None
    ) -> Stream:
        async with self.read() as tx:
            return await opportunity.more(
                tx,
                self.office,
                visitor.person,
                number,
                kind=kind,
                before=before,
                at=self.clock.now(),
            )

    async def side(self, visitor: Visitor, kind: str, key: str) -> SidePage:
        async with self.read() as tx:
            at = self.clock.now()
            return await side.page(tx, self.office, visitor.person, kind, key, at=at)

    async def bind_chat(self, visitor: Visitor, kind: str, key: str, *, number: str) -> None:
        async with self.begin() as tx:
            at, who = self.clock.now(), visitor.person
            await side.bind(tx, self.office, who, kind, key, number=number, at=at)

    async def ask_to_log(self, visitor: Visitor, *, number: str) -> None:
        async with self.begin() as tx:
            at, who = self.clock.now(), visitor.person
            await side.ask_to_log(tx, self.office, who, number=number, at=at)
        self.queued()

    async def screen(self, visitor: Visitor) -> Screen:
        return await self.screens.of(visitor.person)

    async def refusals(self, visitor: Visitor, *, period: str) -> RefusalsPage:
        async with self.read() as tx:
            at = self.clock.now()
            return await refusals.page(tx, self.office, visitor.person, period=period, at=at)

    async def supply(self, visitor: Visitor) -> SupplyPage:
        async with self.read() as tx:
            return await supply.page(tx, self.office, visitor.person, self.clock.now())

    async def forecast(self, visitor: Visitor, asked: Mapping[str, str]) -> ForecastPage:
        async with self.read() as tx:
            at = self.clock.now()
            return await forecast.page(tx, self.office, visitor.person, asked, at)

    async def diagnosis(self, visitor: Visitor) -> DiagnosisPage:
        async with self.read() as tx:
            people, found = await diagnosis.findings(
                tx, self.office, visitor.person, self.clock.now()
            )
        sound = tuple(one.named for one in found if not one.count)
        days = self.office.policy.diagnosis.look_back_days
        return DiagnosisPage(people, days, tuple(in_order(found)), sound)

    async def payouts(self, visitor: Visitor, asked: Mapping[str, str]) -> PayoutsPage:
        async with self.read() as tx:
            told = Asked(**{key: asked.get(key, "") for key in Asked.__dataclass_fields__})
            return await payouts.page(tx, self.office, visitor.person, told, self.clock.now())

    async def payout_pack(
        self, visitor: Visitor, *, month: str, person: str
    ) -> tuple[bytes, StoredFile]:
        """A new evidence pack; the chain goes on from it."""
        at = self.clock.now()
        reader = visitor.person
        async with self.read() as tx:
            whose = await payouts.person_asked(tx, reader, person)
        month = payouts.month_asked(month, self.office.calendar.day_of(at))
        packs = evidence.EvidencePacks(self.files, read=self.read)
        made = await packs.make(reader, whose.id, month, at)
        async with self.begin() as tx:
            await evidence.hand_out(tx, reader, made, f"paystub:{whose.id}:{month}", at)
        return await self.files.get(made.file.sha256), made.file

    async def disputes(self, visitor: Visitor, *, kind: str, before: str) -> DisputeList:
        async with self.read() as tx:
            return await disputes.listed(tx, visitor.person, kind=kind, before=before)

    async def dispute(self, visitor: Visitor, number: int) -> DisputePage:
        async with self.read() as tx:
            at = self.clock.now()
            return await disputes.page(tx, self.office, visitor.person, number, at)

    async def rule(
        self, visitor: Visitor, number: int, told: Mapping[str, str]
    ) -> ReadRuling | None:
        """What the ruling would do, to be looked at once more; None when it was done."""
        ruling = Ruling(told.get("outcome", ""), told.get("yuan", ""), told.get("words", ""))
        if told.get("sure") != "1":
            read = disputes.read_ruling(ruling)
            await self.dispute(visitor, number)
            return read
        async with self._at_desk(visitor) as desk:
            await disputes.decide(desk, number, ruling)
        return None

    async def ask_disputer(self, visitor: Visitor, number: int, words: str) -> None:
        async with self._at_desk(visitor) as desk:
            await disputes.ask(desk, number, words)

    async def fund(self, visitor: Visitor, *, person: str) -> FundPage:
        async with self.read() as tx:
            return await fund.page(tx, self.office, visitor.person, person, self.clock.now())

    async def fund_consent(self, visitor: Visitor, told: Mapping[str, str]) -> None:
        async with self._at_desk(visitor) as desk:
            await fund.consent(desk, told)

    async def redeem(self, visitor: Visitor, told: Mapping[str, str]) -> Ask | None:
        """What would be asked for, to be looked at once more; None when it was."""
        if told.get("sure") != "1":
            async with self.read() as tx:
                return await fund.preview(tx, visitor.person, told.get("name", ""))
        async with self._at_desk(visitor, once=fund.once_of(told)) as desk:
            await fund.redeem(desk, told)
        return None

    async def settle_redemption(self, visitor: Visitor, number: int, act: str) -> None:
        async with self._at_desk(visitor) as desk:
            await fund.settle(desk, number, act)

    @asynccontextmanager
    async def _at_desk(self, visitor: Visitor, *, once: str = "") -> AsyncIterator[Desk]:
        """One transaction; what is said in it reaches the chat."""
        async with self.begin() as tx:
            at, who = self.clock.now(), visitor.person
            desk = page_desk.open_for(tx, self.office, who, at, once=once)
            yield desk
            await tx.delivery.queue([*desk.answers, *desk.notices], at=at)
        self.queued()
