"""A small company whose days pass by the real scheduler: 张伟 (WeCom) works for 王敏 (DingTalk),
who works for 李总 (WeCom); 赵倩 is the administrator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from bot.clock import FixedClock, MovableClock
from bot.domain.activities import Activity
from bot.domain.calendar import WorkingCalendar
from bot.domain.lights import Lead
from bot.domain.opportunities import Opportunity
from bot.domain.people import Directory, DirectoryUser, Person, Role
from bot.domain.policy import Policy
from bot.messages import (
    Address,
    Card,
    CardAction,
    CardUpdate,
    Content,
    FileContent,
    Markdown,
    Platform,
    Receipt,
    Text,
)
from bot.router import Job
from bot.scheduler import Scheduler
from config.library import load_libraries, load_library
from config.policy import HERE, load_calendar
from handlers.libraries.libraries import LibraryShelf
from handlers.lights.alerts import Alerts
from handlers.lights.heatmap import HeatMap
from handlers.policy.policies import PolicyBook
from storage.database import Database
from storage.files import FileFolder
from storage.unit_of_work import UnitOfWork

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALENDAR = load_calendar()
LIBRARY = load_library(HERE / "actions" / "manufacturing.toml")


def shelf() -> LibraryShelf:
    """All libraries that ship; manufacturing holds."""
    return LibraryShelf(load_libraries(HERE / "actions"), "manufacturing")


START = datetime(2026, 1, 12, 10, tzinfo=SHANGHAI)  # a Monday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody got, and when by the company's clock (local)."""

    to: str
    content: Content
    when: datetime

    @property
    def words(self) -> str:
        match self.content:
            case Card() as card:
                return "\n".join([card.title, *card.lines])
            case CardUpdate(card=card):
                return "\n".join([card.title, *card.lines, card.closed])
            case Text(text=text) | Markdown(text=text):
                return text
            case FileContent(name=name):
                return name


@dataclass
class Company:
    """One company, one clock, and all that was sent."""

    database: Database
    folder: Path
    policy: Policy = field(default_factory=Policy)
    calendar: WorkingCalendar = CALENDAR
    clock: MovableClock = field(default_factory=lambda: MovableClock(START, wall=FixedClock(START)))
    sent: list[Sent] = field(default_factory=list)
    drawn: list[HeatMap] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    draw: Callable[[HeatMap], Awaitable[bytes]] | None = None
    unreachable: str = ""
    numbers: int = 0

    async def open(self) -> Company:
        self._start()
        async with self.database.begin() as tx:
            await self.alerts.note_rules(tx, self.now)
            await self._hire(tx, "li", "李总", "wecom", Role.SALES_DIRECTOR)
            await self._hire(tx, "wang", "王敏", "dingtalk", Role.SUPERVISOR)
            await self._hire(tx, "zhang", "张伟", "wecom", Role.REP)
            await self._hire(tx, "zhao", "赵倩", "wecom", Role.ADMIN)
            await tx.people.set_supervisor_override(self.id("zhang"), self.id("wang"))
            await tx.people.set_supervisor_override(self.id("wang"), self.id("li"))
        return self

    async def restart(self, calendar: WorkingCalendar) -> None:
        """With another holiday table in its configuration."""
        self.calendar = calendar
        self._start()
        async with self.database.begin() as tx:
            await self.alerts.note_rules(tx, self.now)

    def _start(self) -> None:
        self.files = FileFolder(self.folder)
        self.alerts = Alerts(
            policies=PolicyBook(self.policy),
            libraries=shelf(),
            calendar=self.calendar,
            address_of=self._address_of,
            draw=self.draw or self._draw,
            files=self.files,
        )
        self.scheduler = Scheduler(
            store=self.database,
            jobs=self.alerts.jobs(),
            next_fire=next_fire,
            clock=self.clock,
            split=list,
        )

    def id(self, user_id: str) -> int:
        return self.people[user_id].id

    async def lead(self, name: str = "恒锐机电", owner: str = "zhang") -> Opportunity:
        async with self.database.begin() as tx:
            account = await tx.accounts.add(name=name, owner_id=self.id(owner), at=self.now)
            return await tx.opportunities.add(
                account_id=account.id,
                name=name,
                owner_id=self.id(owner),
                stage="quote",
                rank=3,
                at=self.now,
                light_due_at=self.now,
            )

    async def act(self, deal: Opportunity, *, acted: str = "", by: str = "zhang") -> Activity:
        """A valid call, recorded now. acted: when it was, else now."""
        self.numbers += 1
        acted_at = at(acted) if acted else self.now
        async with self.database.begin() as tx:
            entry = await tx.activities.add(
                Activity(
                    id=0,
                    account_id=deal.account_id,
                    opportunity_id=deal.id,
                    actor_id=self.id(by),
                    unit="followup_call",
                    title="跟进电话",
                    text="通了电话",
                    occurred_at=acted_at,
                    recorded_at=self.now,
                    source_id=str(self.numbers),
                    valid=True,
                )
            )
            standing = await tx.opportunities.get_for_update(deal.id)
            told = await self.alerts.on_valid_action(tx, standing, acted_at, self.now)
            await tx.delivery.queue(told, at=self.now)
        await self._deliver()
        assert entry is not None
        return entry

    async def retract(self, deal: Opportunity, entry: Activity) -> None:
        async with self.database.begin() as tx:
            self.numbers += 1
            taken_back = replace(
                entry, valid=False, source_id=str(self.numbers), retracts_id=entry.id
            )
            await tx.activities.add(taken_back)
            told = await self.alerts.on_retracted(tx, deal, self.now)
            await tx.delivery.queue(told, at=self.now)
        await self._deliver()

    async def change(self, deal: Opportunity, **changes: Any) -> None:
        async with self.database.begin() as tx:
            saved = replace(await tx.opportunities.get_for_update(deal.id), **changes)
            await tx.opportunities.save(saved)
            told = await self.alerts.on_state_changed(tx, saved, self.now)
            await tx.delivery.queue(told, at=self.now)
        await self._deliver()

    async def press(self, card: Card, who: str, action: str, **values: str) -> None:
        pressed = CardAction(card.card_id, card.revision, action, values, "code-1")
        async with self.database.begin() as tx:
            told = await self.alerts.press(tx, pressed, self.people[who], self.now)
            await tx.delivery.queue(told, at=self.now)
        await self._deliver()

    async def until(self, text: str) -> None:
        """Let the days pass; every job runs on the way and every message arrives."""
        await self.scheduler.jump(
            self.clock, at(text), settle=self._deliver, also_due=self._next_outgoing
        )

    async def look(self, deal: Opportunity) -> Lead:
        async with self.database.begin() as tx:
            (lead,) = await tx.lights.list_leads([deal.id])
        return lead

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def inbox(self, user_id: str) -> list[Sent]:
        return [sent for sent in self.sent if sent.to == user_id]

    def cards(self, user_id: str) -> list[Card]:
        return [sent.content for sent in self.inbox(user_id) if isinstance(sent.content, Card)]

    def story(self, user_id: str) -> list[str]:
        """When each message came and how it began."""
        return [
            f"{sent.when:%m-%d %H:%M} {sent.words.splitlines()[0]}" for sent in self.inbox(user_id)
        ]

    def _address_of(self, person: Person) -> Address | None:
        for identity in person.identities:
            if person.name != self.unreachable:
                return Address(Platform(identity.platform), "sales", user_id=identity.user_id)
        return None

    async def _hire(
        self, tx: UnitOfWork, user_id: str, name: str, platform: str, role: Role
    ) -> None:
        news = Directory(platform, users=(DirectoryUser(user_id, name),), whole=False)
        await tx.people.save_directory(news, roles_by_title=self.policy.roles.roles_of, at=self.now)
        found = await tx.people.find_by_identity(platform, user_id)
        assert found is not None
        await tx.people.set_roles(found.id, [role])
        self.people[user_id] = await tx.people.get(found.id)

    async def _deliver(self) -> None:
        async with self.database.begin() as tx:
            while due := await tx.delivery.take_due(at=self.now, limit=50):
                for message in due:
                    await tx.delivery.mark_sent(message.id, Receipt(), at=self.now)
                    local = self.now.astimezone(SHANGHAI)
                    self.sent.append(Sent(message.to.user_id or "", message.content, local))

    async def _next_outgoing(self) -> datetime | None:
        async with self.database.begin() as tx:
            return await tx.delivery.next_outgoing_at()

    async def _draw(self, heat_map: HeatMap) -> bytes:
        self.drawn.append(heat_map)
        return f"picture {len(self.drawn)}".encode()


def next_fire(job: Job[UnitOfWork], after: datetime) -> datetime:
    trigger = CronTrigger(**job.trigger, timezone=SHANGHAI)
    found = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
    assert found is not None
    return found.astimezone(UTC)
