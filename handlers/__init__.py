"""Everything the bot can do, in two tables: ROUTES for messages, `jobs` for the timer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.errors import UserError
from bot.messages import Incoming, Kind, OutboundMessage
from bot.ports import Trouble
from bot.router import Job, Route, pick
from handlers import (
    assigning,
    clause_reviews,
    coaching,
    colliding,
    commands,
    contracts,
    conversations,
    deadlines,
    directory,
    drafts,
    figures,
    files,
    hearing,
    joining,
    library_switch,
    merging,
    morning,
    pooling,
    receipt_matching,
    receivables,
    recording,
    stage_moves,
    team_presses,
    unlocking,
)
from handlers.desk import Desk, Office
from handlers.refusals.reporting import WeeklyRefusals
from handlers.texts import directory as directory_texts
from storage.unit_of_work import UnitOfWork

TELL_AGAIN_AFTER = timedelta(hours=1)
WEEKLY_LATE_S = 3 * 3600

ROUTES: tuple[Route[Desk], ...] = (
    Route("ignore", commands.is_nothing, conversations.ignore),
    Route("directory change", commands.is_kind(Kind.DIRECTORY_CHANGE), directory.change),
    Route("receipts of an ERP", commands.is_kind(Kind.ERP_RECEIPTS), receivables.receive),
    Route("quota used up", commands.is_kind(Kind.OVER_QUOTA), conversations.over_quota),
    Route("unknown sender", commands.is_stranger, directory.unknown_sender),
    Route("press on a draft", commands.is_press("draft-"), recording.press),
    Route("press on a file question", commands.is_press("files-"), files.press),
    Route("press on a late record", commands.is_press("unlock-"), unlocking.press),
    Route("press on a reminder", commands.is_press("due-"), deadlines.press),
    Route("press on the morning list", commands.is_press("morning-"), morning.press),
    Route("press on a team's digest", commands.is_press("team-"), team_presses.press),
    Route("press on whom to give to", commands.is_press("assign-"), team_presses.assign),
    Route("press on lights", commands.is_press("lights-"), conversations.press_lights),
    Route("press on talk tracks", commands.is_press(coaching.CARD), coaching.press),
    Route("press on two people", commands.is_press("people-"), joining.press),
    Route(
        "press on a new customer",
        commands.is_press("newcustomer-"),
        conversations.press_new_customer,
    ),
    Route("press on a collision", commands.is_press("clash-"), colliding.press),
    Route("press on a merge", commands.is_press("merge-"), merging.press),
    Route("press on a lead", commands.is_press("lead-"), assigning.press),
    Route("press on a contract", commands.is_press("contract-"), contracts.press),
    Route("press on a clause review", commands.is_press("review-"), clause_reviews.press),
    Route("press on a receipt", commands.is_press("receipt-"), receipt_matching.press),
    Route("press on a customer", commands.is_press("customer-"), conversations.press_customer),
    Route("press on a stage", commands.is_press("stage-"), stage_moves.press),
    Route("press on a library", commands.is_press("library-"), library_switch.press),
    Route("press on anything else", commands.is_press(""), conversations.unknown_card),
    Route("welcome", commands.is_kind(Kind.SUBSCRIBE, Kind.ENTER), conversations.welcome),
    Route("typed command", commands.is_command, commands.run),
    Route("contract signed", contracts.is_told, contracts.hear),
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
        desk = await Desk.open(tx, incoming, self._office)
        try:
            await pick(ROUTES, desk).handle(desk)
            await coaching.follow(desk)
        except UserError as refusal:
            raise type(refusal)(desk.address(str(refusal))) from None
        return [*desk.answers, *desk.notices]

    def jobs(self) -> tuple[Job[UnitOfWork], ...]:
        """Everything that happens by the clock."""
        return (
            Job(
                "expire drafts",
                {"minute": "*"},
                self._expire_drafts,
                next_due=lambda tx: tx.drafts.next_expiry_at(),
            ),
            Job(
                "leads nobody took",
                {"minute": "*"},
                self._escalate_leads,
                next_due=lambda tx: tx.assignments.next_due_at(),
                too_late_s=assigning.ANY_LATE_S,
            ),
            *self._pool_jobs(),
            *self._office.lights.jobs(),
            Job("weekly summary", self._weekly_at(), self._weekly, too_late_s=WEEKLY_LATE_S),
            *self._refusals.jobs(),
        )

    def _pool_jobs(self) -> tuple[Job[UnitOfWork], ...]:
        if not self._office.policy.customers.pool_after_workdays:
            return ()
        return (
            Job(
                "customer pool",
                {"minute": "*/5"},
                self._sweep_pool,
                next_due=lambda tx: tx.pool.next_due_at(),
                too_late_s=pooling.ANY_LATE_S,
            ),
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
        what = f"{kind}:{outgoing.to.platform}:{outgoing.to.app}"
        told_at = await tx.settings.get(f"told.{what}")
        if told_at is not None and at < datetime.fromisoformat(told_at) + TELL_AGAIN_AFTER:
            return []
        await tx.settings.put(f"told.{what}", at.isoformat(), at)
        say = directory_texts.undeliverable if trouble.given_up else directory_texts.held_up
        text = say(outgoing.to.key, trouble.reason)
        silent = outgoing.to.platform
        return await directory.tell_admins(
            tx, self._office, text, key=f"{what}:{at:%Y-%m-%dT%H:%M:%S}", rather_not=silent
        )

    def _weekly_at(self) -> dict[str, str]:
        """Each day; on all but the last working day of a week there is nothing to sum up."""
        moment = self._office.policy.pushes.weekly_at
        return {"hour": str(moment.hour), "minute": str(moment.minute)}

    async def _weekly(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await figures.weekly(tx, self._office.watch, at)

    async def _expire_drafts(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await drafts.expire(tx, self._office, at)

    async def _escalate_leads(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await assigning.escalate(tx, self._office, at)

    async def _sweep_pool(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await pooling.sweep(tx, self._office, at)
