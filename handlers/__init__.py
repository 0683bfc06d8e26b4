"""Everything the bot can do, in two tables: ROUTES for messages, `jobs` for the timer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.errors import UserError
from bot.messages import ForecastLine, Incoming, Kind, OutboundMessage
from bot.ports import Trouble
from bot.router import Begin, Job, Route, pick
from handlers import commands
from handlers.archive import chats
from handlers.attending import noting as attending
from handlers.binding import group_stream, proposing
from handlers.coaching import coaching
from handlers.contacts import contact_changes
from handlers.conversation import conversations, drafts, files, hearing, recording
from handlers.customers import assigning, colliding, merging, pooling
from handlers.deadlines import deadlines, unlocking
from handlers.deals import stage_moves
from handlers.desk import Desk, Office
from handlers.erp import erp_customer_cards, erp_order_matching, erp_reconciling
from handlers.erp.erp_customers import Comparing
from handlers.growth_fund import closing as growth_closing
from handlers.growth_fund import redeeming as growth_redeeming
from handlers.growth_fund import statement as growth_statement
from handlers.leading import figures, morning, team_presses
from handlers.levels import routes as level_routes
from handlers.libraries import library_switch
from handlers.machine_forecast.nightly import NightlyForecast
from handlers.mails import receiving as mail_receiving
from handlers.payouts import (
    arbitrating,
    dispute_cards,
    disputing,
    evidence,
    following,
    monthly,
    rule_changing,
    statements,
)
from handlers.payouts.rule_cards import PREFIX as PAYOUT_RULE
from handlers.people import directory, joining, leaving
from handlers.policy import policy_switch
from handlers.receivables import (
    clause_reviews,
    contracts,
    paper_contracts,
    paper_reading,
    receipt_matching,
    receivables,
    withdrawing,
)
from handlers.refusals.reporting import WeeklyRefusals
from handlers.signals import decaying, finding, gathering, tasks
from handlers.supply import acknowledging, notices
from handlers.supply.reminding import Reminding
from handlers.texts import directory as directory_texts
from handlers.upkeep import audit_heads
from handlers.upkeep.daily import Daily
from handlers.upkeep.emptying import Emptying
from storage.unit_of_work import UnitOfWork

TELL_AGAIN_AFTER = timedelta(hours=1)
WEEKLY_LATE_S = 3 * 3600

PRESSES: tuple[Route[Desk], ...] = (
    Route("press on a draft", commands.is_press("draft-"), recording.press),
    Route(
        "contract to be read",
        commands.is_press_on("files-", paper_reading.ASK),
        paper_contracts.press,
    ),
    Route("press on a file question", commands.is_press("files-"), files.press),
    Route("press on a late record", commands.is_press("unlock-"), unlocking.press),
    Route("press on a reminder", commands.is_press("due-"), deadlines.press),
    Route("press on the morning list", commands.is_press("morning-"), morning.press),
    Route("press on a team's digest", commands.is_press("team-"), team_presses.press),
    Route("press on whom to give to", commands.is_press("assign-"), team_presses.assign),
    Route("press on lights", commands.is_press("lights-"), conversations.press_lights),
    Route("press on a signal", commands.is_press(finding.CARD), tasks.press),
    Route("press on talk tracks", commands.is_press(coaching.CARD), coaching.press),
    Route("press on two people", commands.is_press("people-"), joining.press),
    Route("press on a leaver's work", commands.is_press(leaving.CARD), leaving.press),
    Route(
        "press on a new customer",
        commands.is_press("newcustomer-"),
        conversations.press_new_customer,
    ),
    Route("press on a collision", commands.is_press("clash-"), colliding.press),
    Route("press on proposed bindings", commands.is_press(proposing.CARD), proposing.press),
    Route("press on a merge", commands.is_press("merge-"), merging.press),
    Route("press on a lead", commands.is_press("lead-"), assigning.press),
    Route(
        "press on a contract to take off",
        commands.is_press(withdrawing.PREFIX),
        withdrawing.press,
    ),
    Route("press on a contract", commands.is_press("contract-"), contracts.press),
    Route("press on a clause review", commands.is_press("review-"), clause_reviews.press),
    Route("press on a receipt", commands.is_press("receipt-"), receipt_matching.press),
    Route(
        "press on customers of an ERP",
        commands.is_press(erp_customer_cards.CARD),
        erp_customer_cards.press,
    ),
    Route(
        "press on an order", commands.is_press(erp_order_matching.CARD), erp_order_matching.press
    ),
    Route("press on a customer", commands.is_press("customer-"), conversations.press_customer),
    Route("press on a stage", commands.is_press("stage-"), stage_moves.press),
    Route("press on a setting", commands.is_press(policy_switch.PREFIX), policy_switch.press),
    Route("press on a change of bonus rules", commands.is_press(PAYOUT_RULE), rule_changing.press),
    Route(
        "press for an evidence pack",
        commands.is_press_on(statements.PREFIX, statements.PACK),
        evidence.send,
    ),
    Route(
        "press to dispute",
        commands.is_press_on(statements.PREFIX, statements.DISPUTE),
        disputing.begin,
    ),
    Route("press on a statement", commands.is_press(statements.PREFIX), statements.explain),
    Route("press on a dispute", commands.is_press(dispute_cards.PREFIX), disputing.press),
    Route("press on a month of bonuses", commands.is_press(monthly.PREFIX), monthly.press),
    *level_routes.PRESSES,
    Route("press on a stocking notice", commands.is_press(notices.PREFIX), acknowledging.press),
    Route(
        "press on the growth fund",
        commands.is_press(growth_statement.PREFIX),
        growth_statement.press,
    ),
    Route(
        "press on a redemption",
        commands.is_press(growth_redeeming.PREFIX),
        growth_redeeming.press,
    ),
    Route("press on a library", commands.is_press("library-"), library_switch.press),
    Route("press on anything else", commands.is_press(""), conversations.unknown_card),
)
"""By how the id of the card begins."""


async def _press(desk: Desk) -> None:
    await pick(PRESSES, desk).handle(desk)


ROUTES: tuple[Route[Desk], ...] = (
    Route("ignore", commands.is_nothing, conversations.ignore),
    Route("directory change", commands.is_kind(Kind.DIRECTORY_CHANGE), directory.change),
    Route("contacts change", commands.is_kind(Kind.CONTACT_CHANGE), contact_changes.note),
    Route(
        "approvals or attendance changed",
        commands.is_kind(Kind.APPROVAL_CHANGE, Kind.ATTENDANCE_NEWS),
        attending.note,
    ),
    Route("news of the chat archive", commands.is_kind(Kind.ARCHIVE_NEWS), chats.notified),
    Route("mail", commands.is_kind(Kind.MAIL), mail_receiving.receive),
    Route("news of an ERP", commands.is_kind(Kind.ERP_NEWS), receivables.receive),
    Route("quota used up", commands.is_kind(Kind.OVER_QUOTA), conversations.over_quota),
    Route("outsider in a bound group", group_stream.is_outsider, group_stream.note_outsider),
    Route("unknown sender", commands.is_stranger, directory.unknown_sender),
    Route("somebody who has left", directory.has_left, directory.turn_away),
    Route("press on a card", commands.is_press(""), _press),
    Route("welcome", commands.is_kind(Kind.SUBSCRIBE, Kind.ENTER), conversations.welcome),
    Route("typed command", commands.is_command, commands.run),
    Route("evidence of a level", level_routes.is_evidence, level_routes.receive),
    Route("contract on paper", paper_contracts.is_sent, paper_contracts.receive),
    Route("contract signed", contracts.is_told, contracts.hear),
    Route("words with files", commands.has_words_and_files, conversations.words_and_files),
    Route("voice without words", commands.is_mute_voice, conversations.mute_voice),
    Route("files", commands.has_files, files.receive),
    Route("text", commands.has_words, hearing.hear),
    Route("unreadable", lambda _: True, conversations.unsupported),
)


class Handlers:
    """The tables with what they need: `handle` for the dispatcher, `jobs` for the timer."""

    def __init__(self, office: Office, *, read: Begin[UnitOfWork] | None = None) -> None:
        """read: opens a transaction that only reads, beside those that write."""
        self._office = office
        self._read = read
        self._refusals = WeeklyRefusals(office)

    async def handle(self, tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        """One message. Raises UserError when the sender must do something else."""
        await self._office.policies.follow(tx, incoming.at)
        desk = await Desk.open(tx, incoming, self._office)
        try:
            await pick(ROUTES, desk).handle(desk)
            await coaching.follow(desk)
            await gathering.follow(desk)
            if group_stream.concerns(desk) and not commands.is_command(desk):
                await group_stream.follow(desk)
        except UserError as refusal:
            raise type(refusal)(desk.address(str(refusal))) from None
        return [*desk.answers, *desk.notices]

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """A `bot.ports.Preparation`: what takes long to read, as `Incoming.looked_up`. Without
        `read` the handler reads it in its own transaction."""
        if self._read is None:
            return incoming
        simulation = await rule_changing.look_up(self._read, incoming)
        if simulation is not None:
            return replace(incoming, looked_up=simulation)
        if not commands.wants_look_up(incoming.message):
            return incoming
        async with self._read() as tx:
            desk = await Desk.open(tx, incoming, self._office)
            return replace(incoming, looked_up=await commands.look_up(desk))

    def jobs(self) -> tuple[Job[UnitOfWork], ...]:
        """Everything that happens by the clock, each tick by the numbers then in force."""
        calendar, policies = self._office.calendar, self._office.policies
        weekly = Daily(
            "weekly summary",
            lambda: self._office.policy.pushes.weekly_at,
            calendar,
            self._weekly,
            WEEKLY_LATE_S,
        )
        jobs = (
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
            *([Comparing(self._office).job()] if self._office.erps else []),
            Job(
                "customer pool",
                {"minute": "*/5"},
                self._sweep_pool,
                next_due=self._pool_due_at,
                too_late_s=pooling.ANY_LATE_S,
            ),
            *self._office.lights.jobs(),
            *([NightlyForecast(self._office, self._read).job()] if self._read else []),
            weekly.job(),
            *self._refusals.jobs(),
            gathering.job(self._office),
            decaying.job(self._office),
            *following.jobs(self._office),
            *arbitrating.jobs(self._office),
            *monthly.jobs(self._office),
            *level_routes.jobs(self._office),
            *growth_closing.jobs(self._office),
            Reminding(self._office).job(),
            Emptying(self._office).job(),
            audit_heads.job(self._office),
        )
        return tuple(policies.followed(job) for job in jobs)

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
        key = f"{what}:{at:%Y-%m-%dT%H:%M:%S}"
        if isinstance(outgoing.content, ForecastLine):
            return await erp_reconciling.on_trouble(tx, self._office, trouble, at, key=key)
        say = directory_texts.undeliverable if trouble.given_up else directory_texts.held_up
        text = say(outgoing.to.key, trouble.reason)
        silent = outgoing.to.platform
        return await directory.tell_admins(tx, self._office, text, key=key, rather_not=silent)

    async def _weekly(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        """Each day; on all but the last working day of a week there is nothing to sum up."""
        return await figures.weekly(tx, self._office.watch, at)

    async def _expire_drafts(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await drafts.expire(tx, self._office, at)

    async def _escalate_leads(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await assigning.escalate(tx, self._office, at)

    async def _pool_due_at(self, tx: UnitOfWork) -> datetime | None:
        if not self._office.policy.customers.pool_after_workdays:
            return None
        return await tx.pool.next_due_at()

    async def _sweep_pool(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        return await pooling.sweep(tx, self._office, at)
