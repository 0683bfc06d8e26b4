"""`/admin/operations`: how the connectors, the queues and the timers fare; dead letters and their
replay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.errors import BotError, InvalidInput, Refused
from handlers.desk import Desk
from handlers.pages.admin import choosing
from handlers.pages.admin.choosing import Given
from handlers.pages.admin.rooms import Application, Asked, Room
from handlers.texts import admin as texts
from handlers.texts import failures
from handlers.texts import operations as words
from handlers.texts.binding import PLATFORMS
from handlers.texts.failures import Failure
from storage.boxes import DeadKind, DeadOne
from storage.unit_of_work import UnitOfWork

PAGE = 50


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """share: used, in percent of the limit, 100 at most. tone: "", yellow or red. foretold: what
    the month comes to if it goes on like this."""

    used: str
    limit: str
    share: int
    tone: str
    foretold: str
    month: str


@dataclass(frozen=True, slots=True)
class ConnectorLine:
    """troubles: empty while all is well. doors: (which, last delivery)."""

    name: str
    platform: str
    troubles: tuple[Failure, ...]
    token: str
    long_connection: str
    doors: tuple[tuple[str, str], ...]
    sent: str
    quota: QuotaLine | None


@dataclass(frozen=True, slots=True)
class QueueLine:
    """late: its oldest waits longer than it should."""

    box: str
    place: str
    count: int
    oldest: str
    late: bool


@dataclass(frozen=True, slots=True)
class TimerLine:
    """A job: how often it runs, when it ran, when it will."""

    name: str
    rhythm: str
    last: str
    next: str


@dataclass(frozen=True, slots=True)
class RetentionLine:
    """What is kept for how long, and where that is set."""

    what: str
    kept: str
    where: str


@dataclass(frozen=True, slots=True)
class ArchiveLine:
    """How a chat archive stands."""

    app: str
    facts: tuple[tuple[str, str], ...]
    may_retry: bool


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """Whether everything works. connectors: those in trouble first."""

    parts: tuple[tuple[str, str], ...]
    connectors: tuple[ConnectorLine, ...]
    queues: tuple[QueueLine, ...]
    dead: int
    timers: tuple[TimerLine, ...]
    retention: tuple[RetentionLine, ...]
    archives: tuple[ArchiveLine, ...]


@dataclass(frozen=True, slots=True)
class DeadKindLine:
    """Dead letters of one place and reason, counted."""

    box: str
    place: str
    place_label: str
    reason: str
    failure: Failure
    count: int


@dataclass(frozen=True, slots=True)
class DeadLine:
    """emptied: why it has no words any more, and cannot be replayed; "" where it can."""

    id: int
    place: str
    address: str
    failure: Failure
    attempts: int
    died: str
    emptied: str


@dataclass(frozen=True, slots=True)
class DeadPage:
    """Dead letters, a page of them."""

    box: str
    boxes: tuple[tuple[str, str, int], ...]
    kinds: tuple[DeadKindLine, ...]
    rows: tuple[DeadLine, ...]
    before: int | None
    first: bool


async def shown(room: Room, _: Asked) -> OperationsPage:
    counts = await room.tx.delivery.counts()
    return OperationsPage(
        parts=await parts(room),
        connectors=tuple(sorted(await connectors(room), key=lambda one: not one.troubles)),
        queues=await queues(room),
        dead=counts["inbox_dead"] + counts["outbox_dead"],
        timers=await _timers(room),
        retention=_retention(room),
        archives=await _archives(room),
    )


async def parts(room: Room) -> tuple[tuple[str, str], ...]:
    """Of the program itself: (which, why it is ill, "" while it is not)."""
    found = await room.machine.parts() if room.machine.parts is not None else {}
    return tuple(
        (words.PARTS.get(name, name), failures.failure(why).words if why else "")
        for name, why in found.items()
    )


async def connectors(room: Room) -> tuple[ConnectorLine, ...]:
    tx, machine = room.tx, room.machine
    received, sent = await tx.boxes.last_received(), await tx.boxes.last_sent()
    tokens, troubles = await tx.boxes.tokens(), machine.troubles()
    listeners = {(one.platform, one.app): one for one in machine.listeners}
    found = []
    for one in machine.applications:
        key = f"{one.platform}:{one.app}"
        listener = listeners.get((one.platform, one.app))
        until = tokens.get(key)
        found.append(
            ConnectorLine(
                name=one.app,
                platform=PLATFORMS.get(one.platform, one.platform),
                troubles=_troubles(one.refusal, *troubles.get(key, "").split("; ")),
                token=words.token(room.moment(until), good=until is not None and until > room.at),
                long_connection=words.connection(listener.trouble, room.moment(listener.down_since))
                if listener is not None
                else "",
                doors=tuple(
                    (words.door(channel), room.ago(at))
                    for channel, at in sorted(received.items())
                    if channel.startswith(f"{key}:")
                ),
                sent=room.ago(sent.get(key)),
                quota=await _quota(room, one),
            )
        )
    return tuple(found)


async def dead(room: Room, asked: Asked) -> DeadPage:
    """Raises InvalidInput for a box that is none."""
    box = asked.get("box", "outbox")
    if box not in words.BOXES:
        raise InvalidInput(texts.NO_KIND)
    before = choosing.number(asked.get("before", ""))
    found = await room.tx.boxes.dead_page(box, before=before, limit=PAGE + 1)
    counts = await room.tx.delivery.counts()
    names = await _names(room.tx, [one.address for one in found])
    kinds = [one for one in await room.tx.boxes.dead_kinds() if one.box == box]
    return DeadPage(
        box=box,
        boxes=tuple((key, label, counts[f"{key}_dead"]) for key, label in words.BOXES.items()),
        kinds=tuple(map(_dead_kind, kinds)),
        rows=tuple(_dead_line(room, one, names) for one in found[:PAGE]),
        before=found[PAGE - 1].id if len(found) > PAGE else None,
        first=before is None,
    )


async def replay(desk: Desk, given: Given) -> None:
    """One by its number, or all of one place and reason."""
    box = given.get("box", "")
    if box not in words.BOXES:
        raise InvalidInput(texts.NO_KIND)
    number = choosing.number(given.get("id", ""))
    if number is not None:
        ids = await desk.tx.boxes.dead_ids(box, [number])
    else:
        kind = DeadKind(box, given.get("place", ""), given.get("reason", ""), 0)
        ids = await desk.tx.boxes.dead_of_kind(kind)
    if not ids:
        raise Refused(texts.GONE_LETTERS)
    if len(await desk.tx.boxes.emptied(box, ids)) == len(ids):
        why = words.emptied(desk.office.policy.privacy.raw_chat_days)
        raise Refused(texts.EMPTIED_LETTERS.format(why=f"{why}。"))
    count = await put_back(desk.tx, box, ids, desk)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="replay",
        subject=f"{box}:{ids[0]}" if len(ids) == 1 else box,
        before=None,
        after={"asked": len(ids), "put_back": count, "first": ids[0], "last": ids[-1]},
    )
    desk.say(texts.sent_again(count, len(ids)))


async def put_back(tx: UnitOfWork, box: str, ids: list[int], desk: Desk) -> int:
    """Have dead letters of that box tried again, as `gendan replay` does; how many."""
    if box == "outbox":
        return await tx.delivery.send_again(since=None, at=desk.at, ids=ids)
    return await tx.delivery.mark_for_replay(failed=False, since=None, ids=ids)


async def retry_archive(desk: Desk, _: Given) -> None:
    """What was given up of the chat archives."""
    messages = await desk.tx.archive.try_broken_again()
    files = await desk.tx.archive_files.try_lost_again(desk.at)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="replay",
        subject="archive",
        before=None,
        after={"messages": messages, "files": files},
    )
    desk.say(texts.ARCHIVE_AGAIN.format(messages=messages, files=files))


def _troubles(*reasons: str) -> tuple[Failure, ...]:
    """Each once."""
    told = {one.words: one for one in map(failures.failure, filter(None, reasons))}
    return tuple(told.values())


async def _quota(room: Room, one: Application) -> QuotaLine | None:
    if room.machine.quota is None:
        return None
    try:
        state = await room.machine.quota(one)
    except BotError:
        return None
    if state is None:
        return None
    percent = state.used * 100 // state.limit
    return QuotaLine(
        used=f"{state.used:,}",
        limit=f"{state.limit:,}",
        share=min(percent, 100),
        tone="red" if percent >= 95 else "yellow" if percent >= 80 else "",
        foretold=words.foretold(state.foretold, state.limit),
        month=words.month(state.month),
    )


async def queues(room: Room) -> tuple[QueueLine, ...]:
    return tuple(
        QueueLine(
            box=words.BOXES[one.box],
            place=words.place(one.place),
            count=one.count,
            oldest=room.ago(one.oldest_at),
            late=(room.at - one.oldest_at).total_seconds() > words.LATE_S[one.box],
        )
        for one in await room.tx.boxes.queues()
    )


async def _timers(room: Room) -> tuple[TimerLine, ...]:
    machine = room.machine
    last = await room.tx.boxes.last_ticks([job.name for job in machine.jobs])
    found = []
    for job in sorted(machine.jobs, key=lambda one: words.job(one.name)):
        next_at = machine.next_fire(job, room.at) if machine.next_fire is not None else None
        found.append(
            TimerLine(
                words.job(job.name),
                words.rhythm(job.trigger),
                room.ago(last.get(job.name)),
                room.soon(next_at),
            )
        )
    return tuple(found)


def _retention(room: Room) -> tuple[RetentionLine, ...]:
    archived = [
        RetentionLine(
            f"会话存档（{app}）里没归到客户的消息和文件", f"{days}天", "gendan.toml 的 keep_days"
        )
        for app, days in room.machine.keep_days.items()
    ]
    policy = room.office.policy.privacy
    usual = words.retention(policy.raw_chat_days, policy.history_years)
    return (*archived, *(RetentionLine(*one) for one in usual))


async def _archives(room: Room) -> tuple[ArchiveLine, ...]:
    if room.machine.archives is None:
        return ()
    found = await room.machine.archives()
    return tuple(
        ArchiveLine(
            app,
            words.archive(figures),
            may_retry=bool(figures.get("broken") or figures.get("files_lost")),
        )
        for app, figures in found.items()
    )


def _dead_kind(one: DeadKind) -> DeadKindLine:
    told = failures.failure(one.reason)
    return DeadKindLine(one.box, one.place, words.place(one.place), one.reason, told, one.count)


def _dead_line(room: Room, one: DeadOne, names: Mapping[str, str]) -> DeadLine:
    return DeadLine(
        one.id, words.place(one.place), words.address(one.address, names),
        failures.failure(one.reason), one.attempts,
        room.moment(one.died_at),
        words.emptied(room.office.policy.privacy.raw_chat_days) if one.emptied else "",
    )  # fmt: skip


async def _names(tx: UnitOfWork, addresses: Iterable[str]) -> dict[str, str]:
    """platform:account -> name, of the people among them."""
    accounts: dict[str, set[str]] = defaultdict(set)
    for one in addresses:
        platform, *rest = one.split(":", 3)
        if rest[1:2] == ["u"]:
            accounts[platform].add(rest[2])
    found: dict[str, str] = {}
    for platform, wanted in accounts.items():
        members = await tx.people.members(platform, wanted)
        found |= {f"{platform}:{account}": name for account, (_, name) in members.items()}
    return found
