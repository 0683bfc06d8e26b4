"""What the pages of bonus rules ask for: one short transaction each, and the visitor's rights."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.page_sessions import Visitor
from bot.domain.payouts.days import local_day
from bot.domain.payouts.rule_changes import Change, Move, refusal_of, window
from bot.domain.people import Person
from bot.errors import InvalidInput
from bot.messages import (
    Address,
    InboundMessage,
    Incoming,
    Kind,
    Markdown,
    Platform,
    Text,
)
from bot.router import Begin
from handlers.desk import Desk, Office
from handlers.pages.rules import editing, reading
from handlers.pages.rules.editing import Board, Json, SavedMeanwhile
from handlers.pages.rules.reading import ChangePage, RuleList, Versions
from handlers.pages.site import Read
from handlers.payouts import rule_cards, rule_changing, simulating
from handlers.payouts.rule_import import RefusedRules
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class RuleSite:
    """One per program. queued: tells the outbox that it has something to send. Each method
    raises UserError for what the visitor may not do."""

    office: Office
    read: Read
    begin: Begin[UnitOfWork]
    clock: Clock
    queued: Callable[[], None] = lambda: None

    async def listed(self, visitor: Visitor) -> RuleList:
        async with self.read() as tx:
            return await reading.listed(tx, self.office, visitor.person, self.clock.now())

    async def versions(
        self, rule_id: str, *, old: int | None, new: int | None, before: int | None
    ) -> Versions:
        async with self.read() as tx:
            return await reading.versions(
                tx, self.office, rule_id, old=old, new=new, before=before, at=self.clock.now()
            )

    async def change(self, visitor: Visitor, number: int, *, trouble: str = "") -> ChangePage:
        async with self.read() as tx:
            return await reading.page(tx, visitor.person, number, self.clock.now(), trouble=trouble)

    async def start(self, visitor: Visitor, rule_id: str) -> int:
        async with self.begin() as tx:
            return await editing.start(tx, self.office, visitor.person, rule_id, self.clock.now())

    async def board(self, visitor: Visitor, number: int) -> Board:
        async with self.read() as tx:
            return await editing.board(tx, visitor.person, number)

    async def examine(self, visitor: Visitor, number: int, data: bytes) -> Json:
        async with self.read() as tx:
            return await editing.examine(tx, visitor.person, number, data, self.clock.now())

    async def save(self, visitor: Visitor, number: int, data: bytes) -> tuple[int, Json]:
        """(HTTP status, answer): what is refused is told where it stands on the canvas."""
        at = self.clock.now()
        try:
            async with self.begin() as tx:
                told, change = await editing.save(
                    tx, self.office, visitor.person, number, data, at=at
                )
                await self._show_on_cards(tx, change, visitor.person)
        except RefusedRules as refused:
            rules = editing.read_body(data)["rules"]
            placed = [editing.placed(one, rules) for one in refused.problems]
            return 422, {"problems": placed}
        except SavedMeanwhile as other:
            return 409, {"words": str(other)}
        self.queued()
        return 200, told

    async def graph(self, visitor: Visitor, number: int) -> Json:
        async with self.read() as tx:
            return editing.as_graph(await reading.look_at(tx, visitor.person, number))

    async def take_graph(self, visitor: Visitor, number: int, data: bytes) -> Json:
        async with self.read() as tx:
            return await editing.take_graph(tx, visitor.person, number, data)

    async def move(self, visitor: Visitor, number: int, name: str) -> str:
        """What was found, where it is kept nowhere else; "" otherwise. Raises UserError."""
        if name not in list(Move):
            raise InvalidInput("没有这一步。")
        move, at = Move(name), self.clock.now()
        found = await self._look_up(visitor, number, move)
        async with self.begin() as tx:
            desk = self._desk(tx, visitor.person, found)
            await reading.look_at(tx, visitor.person, number)
            was = await tx.payout_rules.get(number)
            change = await rule_changing.make(desk, number, move)
            await tx.delivery.queue(desk.notices, at=at)
            others = move in (Move.SIMULATE, Move.SUBMIT, Move.TEST)
            await self._show_on_cards(tx, change, visitor.person, others=others)
        self.queued()
        kept = move is not Move.SIMULATE or change.simulation != was.simulation
        return "" if kept or change.state is not was.state else _words(desk)

    async def _look_up(self, visitor: Visitor, number: int, move: Move) -> object | None:
        """Beside all writers, as for a press in the chat; not for who may not make the move."""
        if move not in (Move.SIMULATE, Move.PUBLISH):
            return None
        at = self.clock.now()
        since = window(local_day(at)) if move is Move.PUBLISH else None
        async with self.read() as tx:
            change = await reading.look_at(tx, visitor.person, number)
            if refusal_of(change, move, visitor.person) is not None:
                return None
            material = await simulating.read(tx, number, at, since=since)
        return await simulating.run(material)

    def _desk(self, tx: UnitOfWork, person: Person, found: object | None) -> Desk:
        """As if it were pressed in the chat; what would be answered there, the page shows."""
        at = self.clock.now()
        to = self.office.address_of(person) or Address(Platform.WECOM, "", user_id="")
        message = InboundMessage(
            platform=to.platform,
            app=to.app,
            message_id=secrets.token_hex(8),
            origin=to,
            sender_id=to.user_id or "",
            sent_at=at,
            kind=Kind.TEXT,
        )
        incoming = Incoming(message, f"page:{message.message_id}", at, looked_up=found)
        return Desk(tx, incoming, self.office, person, self.office.libraries.organisation)

    async def _show_on_cards(
        self, tx: UnitOfWork, change: Change, person: Person, *, others: bool = True
    ) -> None:
        """The cards in the chat follow what happens on the page."""
        people = [person]
        if others and change.author_id != person.id:
            people.append(await tx.people.get(change.author_id))
        at = self.clock.now()
        updates = await rule_cards.updates(tx, self.office, change, people, at)
        await tx.delivery.queue(updates, at=at)


def _words(desk: Desk) -> str:
    told = [one.content for one in desk.answers if isinstance(one.content, Markdown | Text)]
    return "\n".join(one.text for one in told)
