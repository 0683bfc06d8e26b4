"""The evidence pack of somebody's month, from the database: as it was computed when it was locked.

Writing it reads and stores files, so it is made before the message's transaction; who may have it
is asked there and again in the transaction.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from bot.domain.activities import Activity
from bot.domain.payouts.ledger import cutoff_of
from bot.domain.payouts.recipients import key_of
from bot.domain.people import Person
from bot.errors import BotError, NotFound, Refused, TransientError
from bot.messages import FileContent, Incoming, StoredFile
from bot.ports import FileStore
from handlers.desk import Desk
from handlers.payouts import deal_facts, following, rights, statements
from handlers.payouts.collaboration import Work
from handlers.payouts.packs import FIRST, Attachment, Pack, write_pack
from handlers.receivables.receivable_entries import READ
from handlers.texts import payouts as texts
from storage.activities import Only
from storage.payout_ledger import StoredLine
from storage.unit_of_work import UnitOfWork

HEAD = "payouts.pack_head"
"""The row of settings that keeps the head of the last pack: the next one names it."""
MOST_FILES = 20
LOOKED_AT = 100


class _Read(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]: ...


@dataclass(frozen=True, slots=True)
class Made:
    """A pack that was written. total_fen: of the month, as booked."""

    file: StoredFile
    head: str
    previous: str
    total_fen: int


@dataclass(frozen=True, slots=True)
class _Material:
    rules: list[dict[str, Any]]
    facts: dict[str, Any]
    person: str
    name: str
    lines: Sequence[StoredLine]
    files: Sequence[StoredFile]
    work: Work
    papers: Sequence[dict[str, Any]]
    previous: str


class EvidencePacks:
    """A `bot.ports.Preparation` for «证据包» on a statement."""

    def __init__(self, files: FileStore, *, read: _Read) -> None:
        self._files = files
        self._read = read

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """See `bot.ports.Preparation`. What cannot be made the handler says."""
        action = incoming.message.action
        asked = action is not None and action.card_id.startswith(statements.PREFIX)
        if action is None or not asked or action.action != statements.PACK:
            return incoming
        person_id, month = statements.of_card(action.card_id)
        message = incoming.message
        try:
            async with self._read() as tx:
                reader = await tx.people.find_by_identity(message.platform, message.sender_id)
            if reader is None:
                return incoming
            made = await self.make(reader, person_id, month, incoming.at)
            return replace(incoming, looked_up=made)
        except BotError as error:
            if isinstance(error, TransientError) and not last_try:
                raise
            return incoming

    async def make(self, reader: Person, person_id: int, month: str, at: datetime) -> Made:
        """Written and stored, and not yet handed out. Raises NotAllowed, NotFound, InvalidInput."""
        async with self._read() as tx:
            await rights.refuse_to_show(tx, reader, person_id)
            material = await _read(tx, person_id, month, at)
        return await self._make(material)

    async def _make(self, material: _Material) -> Made:
        attachments = [_ledger(material.lines)]
        for file in material.files:
            try:
                content = await self._files.get(file.sha256)
            except FileNotFoundError:
                continue
            attachments.append(Attachment(file.name, file.media_type, content))
        pack = await asyncio.to_thread(_write, material, attachments)
        stored = await self._files.put(pack.content, name=material.name)
        total = sum(one.fen for one in material.lines)
        return Made(stored, pack.head, material.previous, total)


async def send(desk: Desk) -> None:
    """Hand out the pack that was made before this press was handled. Raises NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    person_id, month = statements.of_card(action.card_id)
    await rights.refuse_to_show(desk.tx, desk.rep, person_id)
    made = desk.incoming.looked_up
    if not isinstance(made, Made):
        raise Refused(texts.NO_PACK)
    await hand_out(desk.tx, desk.rep, made, f"paystub:{person_id}:{month}", desk.at)
    desk.send(desk.private, FileContent("file", made.file.sha256, made.file.name))
    desk.say(texts.pack_sent(made.file.name, made.total_fen, made.head))


async def hand_out(tx: UnitOfWork, reader: Person, made: Made, subject: str, at: datetime) -> None:
    """The chain goes on from this pack. Raises Refused where another one was made meanwhile."""
    if (await tx.settings.get(HEAD) or FIRST) != made.previous:
        raise Refused(texts.PACK_AGAIN)
    await tx.settings.put(HEAD, made.head, at)
    await tx.files.record(made.file, at)
    await tx.audit.append(
        at=at,
        actor=f"person:{reader.id}",
        action="export_payout_pack",
        subject=subject,
        before={"previous": made.previous},
        after={"head": made.head, "sha256": made.file.sha256},
    )


async def _read(tx: UnitOfWork, person_id: int, month: str, at: datetime) -> _Material:
    lines = await tx.payout_ledger.of_person(person_id, month)
    if not lines:
        raise NotFound(texts.PACK_GONE)
    as_of = await as_of_lines(tx, lines, at)
    person = await tx.people.get(person_id)
    contracts = {one.contract_id for one in lines if one.contract_id is not None}
    rules = await deal_facts.rules_document(tx, until=as_of)
    if deal_facts.adds_up_months(deal_facts.book_of(rules).rules):
        contracts = await following.with_their_months(tx, contracts)
    found = await tx.payout_facts.snapshots(contracts, until=as_of)
    closed = [one for one in await tx.payout_ledger.closed() if one.month <= month]
    runs = sorted({*(one.cutoff for one in closed), cutoff_of(month)})
    files, papers = await _papers(tx, lines)
    return _Material(
        rules=rules,
        facts=deal_facts.joined(found.values(), runs),
        person=key_of(person_id, person.name),
        name=texts.pack_name(person.name, month),
        lines=lines,
        files=files,
        work=await _work(tx, found, lines, as_of),
        papers=papers,
        previous=await tx.settings.get(HEAD) or FIRST,
    )


async def as_of_lines(tx: UnitOfWork, lines: Sequence[StoredLine], at: datetime) -> datetime:
    """When the month was locked; now for one that is open."""
    run_ids = {one.run_id for one in lines}
    if None in run_ids:
        return at
    run = await tx.payout_ledger.get_run(max(one for one in run_ids if one is not None))
    return run.locked_at or at


async def _papers(
    tx: UnitOfWork, lines: Sequence[StoredLine]
) -> tuple[list[StoredFile], list[dict[str, Any]]]:
    """What the contracts were read from, and what a machine read there."""
    hashes: list[str] = []
    papers: list[dict[str, Any]] = []
    wanted = {f"contract:{one.contract_id}:": one.number for one in lines}
    for account_id in sorted({one.account_id for one in lines if one.account_id is not None}):
        page, _ = await tx.activities.page(
            account_id, limit=LOOKED_AT, before=None, only=Only(with_files=True)
        )
        for entry in page:
            number = next((wanted[one] for one in wanted if entry.source_id.startswith(one)), None)
            if number is not None:
                hashes += entry.file_hashes
                papers += _read_on(number, entry)
    found = await tx.files.list_some(hashes[:MOST_FILES])
    files = [found[one] for one in dict.fromkeys(hashes) if one in found]
    return files, [
        {**one, "name": found[one["sha256"]].name} for one in papers if one["sha256"] in found
    ]


def _read_on(number: str, entry: Activity) -> list[dict[str, Any]]:
    read = entry.slots.get(READ)
    if not isinstance(read, dict) or not entry.file_hashes:
        return []
    return [{"deal": number, "sha256": entry.file_hashes[0], **read}]


async def _work(
    tx: UnitOfWork,
    found: Mapping[int, dict[str, Any]],
    lines: Sequence[StoredLine],
    as_of: datetime,
) -> Work:
    """What the streams held before each contract was signed."""
    accounts = {one.contract_id: one.account_id for one in lines if one.account_id is not None}
    counted: dict[str, list[tuple[int | None, str, int]]] = {}
    for contract_id, one in found.items():
        account_id = accounts.get(contract_id)
        if account_id is not None:
            signed = datetime.fromisoformat(one["deal"]["signed_at"]).astimezone(UTC)
            until = min(signed + timedelta(days=1), as_of)
            counted[one["deal"]["id"]] = await tx.payout_views.work_on(account_id, until)
    actors = {actor for rows in counted.values() for actor, _, _ in rows if actor is not None}
    keys = deal_facts.keys_of(await tx.people.names(actors))
    work: dict[str, dict[str, dict[str, int]]] = {}
    for deal, rows in counted.items():
        for actor, title, count in rows:
            if actor is not None and actor in keys:
                work.setdefault(deal, {}).setdefault(keys[actor], {})[title] = count
    return work


def _write(material: _Material, attachments: Sequence[Attachment]) -> Pack:
    return write_pack(
        material.rules,
        material.facts,
        material.person,
        attachments=attachments,
        work=material.work,
        papers=material.papers,
        previous=material.previous,
    )


def _ledger(lines: Sequence[StoredLine]) -> Attachment:
    """What is booked, beside what the rules give: corrections and decisions stand in it alone."""
    rows = [
        {key: value for key, value in asdict(one).items() if key != "account_id"} for one in lines
    ]
    text = json.dumps(rows, ensure_ascii=False, indent=1, default=str)
    return Attachment("台账.json", "application/json", text.encode())
