"""Everything the bot can do, in two tables: ROUTES for messages, `jobs` for the timer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.errors import UserError
from bot.messages import Incoming, Kind, OutboundMessage
from bot.ports import Trouble
from bot.router import Job, Route, pick
from handlers import (
    coaching,
    commands,
    conversations,
    directory,
    drafts,
    files,
    hearing,
    joining,
    recording,
    unlocking,
)
from handlers.desk import Desk, Office
from handlers.refusals.reporting import WeeklyRefusals
from handlers.texts import directory as directory_texts
from storage.unit_of_work import UnitOfWork

ROUTES: tuple[Route[Desk], ...] = (
    Route("ignore", commands.is_nothing, conversations.ignore),
    Route("directory change", commands.is_kind(Kind.DIRECTORY_CHANGE), directory.change),
    Route("quota used up", commands.is_kind(Kind.OVER_QUOTA), conversations.over_quota),
    Route("unknown sender", commands.is_stranger, directory.unknown_sender),
    Route("press on a draft", commands.is_press("draft-"), recording.press),
    Route("press on a file question", commands.is_press("files-"), files.press),
    Route("press on a late record", commands.is_press("unlock-"), unlocking.press),
    Route("press on lights", commands.is_press("lights-"), conversations.press_lights),
    Route("press on talk tracks", commands.is_press(coaching.CARD), coaching.press),
    Route("press on two people", commands.is_press("people-"), joining.press),
    Route("press on a customer", commands.is_press("customer-"), conversations.press_customer),
    Route("press on anything else", commands.is_press(""), conversations.unknown_card),
    Route("welcome", commands.is_kind(Kind.SUBSCRIBE, Kind.ENTER), conversations.welcome),
    Route("typed command", commands.is_command, commands.run),
    Route("words with files", commands.has_words_and_files, conversations.words_and_files),
    Route("voice without words", commands.is_mute_voice, conversations.mute_voice),
    Route("files", commands.has_files, files.receive),
    Route("text", commands.has_words, hearing.hear),
    Route("unreadable", lambda _: True, conversations.unsupported),
)


class Handlers:
    """The tables with what they need: `handle` for the dispatcher, `jobs` for the timer."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._refusals = WeeklyRefusals(office)

    async def handle(self, tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        """One message. Raises UserError when the sender must do something else."""
        message = incoming.message
        person = None
        if message.sender_id:
            person = await tx.people.find_by_identity(message.platform, message.sender_id)
        desk = Desk(tx=tx, incoming=incoming, office=self._office, person=person)
        try:
            await pick(ROUTES, desk).handle(desk)
            await coaching.follow(desk)
        except UserError as refusal:
            raise type(refusal)(desk.address(str(refusal))) from None
        return desk.answers

    def jobs(self) -> tuple[Job[UnitOfWork], ...]:
        """Everything that happens by the clock."""
        return (
            Job(
                "expire drafts",
                {"minute": "*"},
                self._expire_drafts,
                next_due=lambda tx: tx.drafts.next_expiry_at(),
            ),
            *self._office.lights.jobs(),
            *self._refusals.jobs(),
        )

    async def on_trouble(
        self, tx: UnitOfWork, trouble: Trouble, at: datetime
    ) -> Sequence[OutboundMessage]:
        """A message could not be sent: tell the administrators, at most once an hour for one
        application, and through another platform where they are on one."""
        outgoing = trouble.outgoing
        if outgoing.dedupe_key.startswith("admin:"):
            return []
        kind = "dead" if trouble.given_up else "refused"
        key = f"{kind}:{outgoing.to.platform}:{outgoing.to.app}:{at:%Y-%m-%dT%H}"
        say = directory_texts.undeliverable if trouble.given_up else directory_texts.held_up
        text = say(outgoing.to.key, trouble.reason)
        silent = outgoing.to.platform
        return await directory.tell_admins(tx, self._office, text, key=key, rather_not=silent)

    async def _expire_drafts(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await drafts.expire(tx, self._office, at)
