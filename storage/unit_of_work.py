"""The open transaction as handlers see it. storage/postgres_connections.py or
storage/sqlite_writer.py begins and commits it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Generic, TypeVar, cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.accounts import Accounts
from storage.activities import Activities
from storage.aliases import Aliases
from storage.approvals import Approvals
from storage.archive import Archive
from storage.archive_chats import ArchiveChats
from storage.archive_consents import ArchiveConsents
from storage.archive_files import ArchiveFiles
from storage.assignments import Assignments
from storage.attendance import AttendanceFacts
from storage.audit import Audit
from storage.audit_search import AuditSearch
from storage.boxes import Boxes
from storage.cards import Cards, Dialogs
from storage.chat_bindings import ChatBindings
from storage.chat_groups import ChatGroups
from storage.clause_reviews import ClauseReviews
from storage.collisions import Collisions
from storage.contact_matches import ContactMatches
from storage.contact_transfers import ContactTransfers
from storage.contracts import Contracts
from storage.deadlines import Deadlines
from storage.delivery import Delivery
from storage.diagnosis import Diagnosis
from storage.drafts import Drafts
from storage.duplicates import Duplicates
from storage.erp import ErpReceipts
from storage.erp_customers import ErpCustomerLinks
from storage.erp_forecasts import ErpForecastLines
from storage.erp_orders import ErpOrderRows
from storage.external_contacts import ExternalContacts
from storage.external_reads import ExternalReads
from storage.figures import FigureRows
from storage.figures_rebuild import FiguresRebuild
from storage.files import Files
from storage.forecast_history import ForecastHistory
from storage.forecast_reopenings import ForecastReopenings
from storage.forecast_sums import ForecastSums
from storage.forecasts import Forecasts
from storage.group_words import GroupWords
from storage.growth_fund import GrowthFund
from storage.kept_places import KeptPlaces
from storage.kept_words import KeptWords
from storage.lead_spans import LeadSpans
from storage.levels import Levels
from storage.libraries import Libraries
from storage.lights import Lights
from storage.machine_forecasts import MachineForecasts
from storage.mails import Mails
from storage.merges import Merges
from storage.old_history import OldHistory
from storage.opportunities import Opportunities
from storage.page_sessions import PageSessions
from storage.partitions import Partitions
from storage.payout_disputes import PayoutDisputes
from storage.payout_facts import PayoutFacts
from storage.payout_ledger import PayoutLedger
from storage.payout_rules import PayoutRules
from storage.payout_views import PayoutViews
from storage.people import People
from storage.people_lists import PeopleLists
from storage.personal.data import PersonalData
from storage.policy_changes import PolicyChanges
from storage.pool import Pool
from storage.raw_words import RawWords
from storage.refusals import Refusals
from storage.remembering import Remembering
from storage.settings import Settings
from storage.signals import Signals
from storage.speakers import Speakers
from storage.stages import Stages
from storage.standing import Standing
from storage.supply import SupplyNotices
from storage.teams import Teams
from storage.tokens import Tokens
from storage.tracks import Tracks
from storage.urgent_customers import UrgentCustomers

T = TypeVar("T")


class _Part(Generic[T]):
    """What one module reads and writes, made when it is first asked for."""

    def __init__(self, make: Callable[[AsyncConnection], T]) -> None:
        self._make = make

    def __set_name__(self, owner: object, name: str) -> None:
        self._name = name

    def __get__(self, tx: UnitOfWork, owner: object) -> T:
        made = self._make(tx._conn)
        tx.__dict__[self._name] = made  # is found before this the next time
        return made


class UnitOfWork:
    """One open transaction and everything that can be read and written in it."""

    partitions = _Part(Partitions)
    audit = _Part(Audit)
    audit_search = _Part(AuditSearch)
    boxes = _Part(Boxes)
    standing = _Part(Standing)
    people = _Part(People)
    people_lists = _Part(PeopleLists)
    urgent_customers = _Part(UrgentCustomers)
    personal_data = _Part(PersonalData)
    teams = _Part(Teams)
    accounts = _Part(Accounts)
    aliases = _Part(Aliases)
    duplicates = _Part(Duplicates)
    collisions = _Part(Collisions)
    merges = _Part(Merges)
    pool = _Part(Pool)
    assignments = _Part(Assignments)
    opportunities = _Part(Opportunities)
    activities = _Part(Activities)
    approvals = _Part(Approvals)
    attendance = _Part(AttendanceFacts)
    archive = _Part(Archive)
    archive_chats = _Part(ArchiveChats)
    archive_consents = _Part(ArchiveConsents)
    archive_files = _Part(ArchiveFiles)
    deadlines = _Part(Deadlines)
    drafts = _Part(Drafts)
    contracts = _Part(Contracts)
    erp = _Part(ErpReceipts)
    erp_customers = _Part(ErpCustomerLinks)
    erp_orders = _Part(ErpOrderRows)
    erp_forecasts = _Part(ErpForecastLines)
    supply = _Part(SupplyNotices)
    forecast_history = _Part(ForecastHistory)
    forecast_reopenings = _Part(ForecastReopenings)
    machine_forecasts = _Part(MachineForecasts)
    clause_reviews = _Part(ClauseReviews)
    payout_rules = _Part(PayoutRules)
    payout_facts = _Part(PayoutFacts)
    payout_ledger = _Part(PayoutLedger)
    payout_disputes = _Part(PayoutDisputes)
    payout_views = _Part(PayoutViews)
    growth_fund = _Part(GrowthFund)
    files = _Part(Files)
    page_sessions = _Part(PageSessions)
    figures = _Part(FigureRows)
    diagnosis = _Part(Diagnosis)
    cards = _Part(Cards)
    dialogs = _Part(Dialogs)
    chat_bindings = _Part(ChatBindings)
    chat_groups = _Part(ChatGroups)
    external_contacts = _Part(ExternalContacts)
    external_reads = _Part(ExternalReads)
    contact_matches = _Part(ContactMatches)
    contact_transfers = _Part(ContactTransfers)
    group_words = _Part(GroupWords)
    mails = _Part(Mails)
    kept_words = _Part(KeptWords)
    raw_words = _Part(RawWords)
    old_history = _Part(OldHistory)
    kept_places = _Part(KeptPlaces)
    settings = _Part(Settings)
    policy_changes = _Part(PolicyChanges)
    tokens = _Part(Tokens)
    libraries = _Part(Libraries)
    levels = _Part(Levels)
    forecasts = _Part(Forecasts)
    forecast_sums = _Part(ForecastSums)
    stages = _Part(Stages)
    lead_spans = _Part(LeadSpans)
    figures_rebuild = _Part(FiguresRebuild)
    tracks = _Part(Tracks)
    refusals = _Part(Refusals)
    signals = _Part(Signals)

    def __init__(self, conn: AsyncConnection) -> None:
        self._unseen = conn
        self._remembering = Remembering(conn)
        self._conn = cast(AsyncConnection, self._remembering)
        self._once_committed: list[Callable[[], None]] = []

    @cached_property
    def delivery(self) -> Delivery:
        """All that the engine asks for; so this is a `bot.ports.UnitOfWork`."""
        return Delivery(self._conn)

    @cached_property
    def speakers(self) -> Speakers:
        return Speakers(self._conn, people=self.people, drafts=self.drafts, dialogs=self.dialogs)

    @cached_property
    def lights(self) -> Lights:
        return Lights(self._conn, deals=self.opportunities)

    def once_committed(self, act: Callable[[], None]) -> None:
        """Have what is kept in memory follow, but not before the database has it."""
        self._once_committed.append(act)

    async def complete(self) -> None:
        """What is left for the end of the transaction. Called by whoever is about to commit."""
        await self._remembering.write_what_waits()  # before others have to wait for the seal
        await self.audit.seal()

    def committed(self) -> None:
        """Called by whoever has committed."""
        for act in self._once_committed:
            act()

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """A part that is undone alone when it raises; the transaction goes on. Not nested."""
        await self._unseen.execute(text("SAVEPOINT attempt"))
        unsealed = self.audit.unsealed
        try:
            yield
            await self._remembering.write_what_waits()
        except BaseException:
            self._remembering.drop_what_waits()
            await self._conn.execute(text("ROLLBACK TO SAVEPOINT attempt"))  # and forget
            self.audit.drop_unsealed(besides=unsealed)
            raise
        finally:
            await self._unseen.execute(text("RELEASE SAVEPOINT attempt"))
