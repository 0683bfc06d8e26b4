"""One page of the archive, from the platform's words into our tables, in one transaction with how
far it was read. What nobody agreed to is not kept (docs/archive.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.activities import Activity
from bot.domain.archive import (
    ArchivedMessage,
    Consent,
    Consents,
    Conversation,
    Opened,
    Pair,
    Status,
    may_keep,
    moment_in_order,
    nameable,
    outsiders_of,
    pairs_of,
)
from bot.errors import InvalidInput
from bot.messages import Platform
from bot.ports import Archive
from bot.router import Begin
from handlers.archive import entering
from handlers.archive.bindings import Bindings
from handlers.archive.entering import People
from storage.archive import BROKEN, KEPT, SEALED, NewMessage
from storage.archive_chats import Chat, ChatNow
from storage.unit_of_work import UnitOfWork

ASK_AGAIN = timedelta(minutes=10)
"""About somebody of whom the platform knew nothing."""


@dataclass(frozen=True, slots=True)
class Read:
    """A message of a page: opened, and read where that was possible (`why` not)."""

    opened: Opened
    message: ArchivedMessage | None
    why: str = ""
    outsiders: tuple[str, ...] = ()


@dataclass(slots=True)
class Page:
    """What is known before anything is written. nothing: ids of messages that were said in no
    conversation."""

    reads: list[Read]
    members: Mapping[str, tuple[int, str]]
    consents: Consents
    answered: Mapping[Pair, Consent] = field(default_factory=dict)
    nothing: frozenset[str] = frozenset()


class Keeping:
    """Decides what of a page of the archive is kept, and writes it. keeps_internal: also
    conversations without anybody outside."""

    def __init__(self, archive: Archive, bindings: Bindings, *, keeps_internal: bool) -> None:
        self._archive = archive
        self._bindings = bindings
        self._keeps_internal = keeps_internal

    async def take(
        self,
        begin: Begin[UnitOfWork],
        opened: Sequence[Opened],
        at: datetime,
        *,
        moves_bookmark: bool,
    ) -> Counter[str]:
        """How many were kept, sealed, broken, refused (no consent) or known. moves_bookmark: the
        page is the next of the platform's. Raises BotError when consents cannot be asked."""
        page = await self._look_up(begin, opened, at)
        async with begin() as tx:
            counts = await self._store(tx, page, at)
            if moves_bookmark and opened:
                sent = [read.message.sent_at for read in page.reads if read.message is not None]
                _, before = await tx.archive.bookmark(self._archive.corp)
                known = max([*sent, *([before] if before else [])], default=at)
                last = max(one.sealed.seq for one in opened)
                await tx.archive.move_bookmark(self._archive.corp, last, known_until=min(known, at))
        return counts

    async def set_aside(
        self,
        begin: Begin[UnitOfWork],
        opened: Opened,
        why: str,
        at: datetime,
        *,
        moves_bookmark: bool,
    ) -> None:
        """A message that cannot be kept, for a reason that is ours: as it came, encrypted."""
        corp, sealed = self._archive.corp, opened.sealed
        async with begin() as tx:
            await tx.archive.set_aside(corp, [(sealed, BROKEN, why)], at)
            if moves_bookmark:
                _, known_until = await tx.archive.bookmark(corp)
                await tx.archive.move_bookmark(corp, sealed.seq, known_until=known_until or at)

    def _read(self, opened: Opened) -> Read | None:
        if opened.content is None:
            return Read(opened, None, opened.why)
        try:
            message = self._archive.read(opened.content)
        except InvalidInput as error:
            return Read(opened, None, str(error))
        if message is None:
            return None
        sent_at = moment_in_order(message.sent_at, opened.sealed.seq)
        return Read(opened, replace(message, sent_at=sent_at))

    async def _look_up(
        self, begin: Begin[UnitOfWork], opened: Sequence[Opened], at: datetime
    ) -> Page:
        """Who they are and what they agreed to; the platform is asked about the others."""
        read = [found for one in opened if (found := self._read(one)) is not None]
        nothing = {one.sealed.msgid for one in opened} - {one.opened.sealed.msgid for one in read}
        spoken = [one.message for one in read if one.message is not None]
        corp = self._archive.corp
        async with begin() as tx:
            everybody = {user.lower() for message in spoken for user in message.everybody}
            members = await tx.people.members(Platform.WECOM, everybody)
            reads = [
                Read(one.opened, one.message, one.why, outsiders_of(one.message, members))
                if one.message
                else one
                for one in read
            ]
            pairs = {
                pair
                for one in reads
                if one.message is not None
                for pair in pairs_of(one.message, one.outsiders)
            }
            known = await tx.archive_consents.of(corp, pairs)
        fresh = {
            pair: consent
            for pair, (consent, asked_at) in known.items()
            if consent.status is not Status.UNKNOWN or at - asked_at < ASK_AGAIN
        }
        consents = Consents(fresh)
        missing = consents.missing(sorted(pairs, key=lambda pair: (pair.party, pair.outsider)))
        answered = await self._archive.consents(missing) if missing else {}
        consents.known |= answered
        return Page(reads, members, consents, answered, frozenset(nothing))

    async def _store(self, tx: UnitOfWork, page: Page, at: datetime) -> Counter[str]:
        corp, counts = self._archive.corp, Counter[str]()
        states = await tx.archive.states(corp, [one.opened.sealed.msgid for one in page.reads])
        kept: list[Read] = []
        aside, dropped = [], list(page.nothing)
        for one in page.reads:
            sealed = one.opened.sealed
            if states.get(sealed.msgid) == KEPT:
                counts["known"] += 1
            elif one.message is None:
                state = SEALED if one.opened.lacks_key else BROKEN
                aside.append((sealed, state, one.why))
                counts[state] += 1
            else:
                _follow_consent(page.consents, one)
                if sealed.msgid in states:
                    dropped.append(sealed.msgid)
                if self._may_keep(one, page.consents):
                    kept.append(one)
                    states[sealed.msgid] = KEPT  # the same may come twice in a page
                else:
                    counts["refused"] += 1
        counts["kept"] = len(kept)
        changed = dict(page.answered) | page.consents.changed
        await tx.archive_consents.put(corp, changed.items(), at)
        await tx.archive.set_aside(corp, aside, at)
        await tx.archive.drop_closed(corp, dropped)
        await self._keep(tx, page, kept, at)
        await self._recall(tx, page, at)
        return counts

    def _may_keep(self, one: Read, consents: Consents) -> bool:
        message = one.message
        assert message is not None
        if message.consent is not None and message.consent.status is not Status.AGREED:
            return False
        return may_keep(message, one.outsiders, consents, keeps_internal=self._keeps_internal)

    async def _keep(self, tx: UnitOfWork, page: Page, kept: Sequence[Read], at: datetime) -> None:
        if not kept:
            return
        corp = self._archive.corp
        chats, bound_now = await self._chats(tx, page, kept, at)
        messages = [one.message for one in kept if one.message is not None]
        recalled = await tx.archive.recalled_among(corp, [one.msgid for one in messages])
        outside = {one for read in kept for one in read.outsiders}
        names = await self._bindings.names(tx, corp, outside) if outside else {}
        people = People(page.members, names)
        new: list[NewMessage] = []
        entries: list[Activity] = []
        for read in kept:
            message = read.message
            assert message is not None
            chat = chats[message.chat]
            taken_back = message.msgid in recalled
            enters = chat.account_id is not None and not message.files and chat.id not in bound_now
            if enters:
                if message.revokes:
                    await tx.activities.add_all(entries)  # what is taken back may be among them
                    entries.clear()
                retracts = await entering.recalled_entry(tx, corp, message)
                entries.append(
                    entering.entry(
                        message, chat, people, at, recalled=taken_back, retracts_id=retracts
                    )
                )
            new.append(
                NewMessage(
                    seq=read.opened.sealed.seq,
                    message=message,
                    key_version=read.opened.sealed.key_version,
                    chat_id=chat.id,
                    recipients=_recipients(read, page.consents),
                    entered=enters,
                    revoked=taken_back,
                )
            )
        await tx.activities.add_all(entries)
        await tx.archive.add(corp, new, at)
        await self._note_files(tx, new, at)
        for chat in (one for one in chats.values() if one.id in bound_now):
            await entering.enter_waiting(tx, self._bindings, chat, at)

    async def _note_files(self, tx: UnitOfWork, new: Sequence[NewMessage], at: datetime) -> None:
        sent = [one for one in new if one.message.files]
        if not sent:
            return
        ids = await tx.archive.ids(self._archive.corp, [one.message.msgid for one in sent])
        await tx.archive_files.add(
            [(one.chat_id, ids[one.message.msgid], one.message.files) for one in sent], at
        )

    async def _chats(
        self, tx: UnitOfWork, page: Page, kept: Sequence[Read], at: datetime
    ) -> tuple[dict[str, Chat], set[int]]:
        """The conversations as the newest of their messages shows them; and those of them that
        are found bound only now, although something was kept of them before."""
        corp = self._archive.corp
        spoken = _spoken(corp, kept, page)
        known = await tx.archive_chats.by_key(corp, spoken)
        free = [
            told.conversation
            for key, told in spoken.items()
            if key not in known or known[key].account_id is None
        ]
        bound = await self._bindings.accounts(tx, free) if free else {}
        changed = [
            replace(told, account_id=bound.get(key))
            for key, told in spoken.items()
            if key not in known or _is_news(told, known[key])
        ]
        if not changed:
            return known, set()
        await tx.archive_chats.put(changed, at)
        late = {known[key].id for key in bound if key in known}
        return await tx.archive_chats.by_key(corp, spoken), late

    async def _recall(self, tx: UnitOfWork, page: Page, at: datetime) -> None:
        """A recall is honoured whether or not its own message may be kept."""
        recalls = {
            one.message.revokes: one.message
            for one in page.reads
            if one.message is not None and one.message.revokes
        }
        if not recalls:
            return
        taken_back = await tx.archive.recall(self._archive.corp, recalls, at)
        told = await tx.archive.recalled_among(self._archive.corp, recalls)
        for message in taken_back:
            if message.entered_at is not None and message.msgid not in told:
                chat = await tx.archive_chats.get_for_update(message.chat_id)
                await entering.enter_recall(tx, chat, message, at)


def _follow_consent(consents: Consents, one: Read) -> None:
    message = one.message
    if message is None or message.consent is None:
        return
    outsider = message.outsider or message.sender
    inside = [user for user in message.everybody if user not in (outsider, *one.outsiders)]
    parties = [message.room] if message.room else inside
    consents.learn(
        {Pair(party, outsider, in_group=bool(message.room)): message.consent for party in parties}
    )


def _recipients(read: Read, consents: Consents) -> tuple[str, ...]:
    """Those we may write down."""
    message = read.message
    assert message is not None
    if not message.room:
        return message.recipients
    named = nameable(message, read.outsiders, consents)
    return tuple(one for one in message.recipients if one in named)


def _spoken(corp: str, kept: Sequence[Read], page: Page) -> dict[str, ChatNow]:
    """Who is in each conversation by its newest message, and when that was."""
    spoken: dict[str, ChatNow] = {}
    for one in kept:
        message = one.message
        assert message is not None
        key = message.chat
        before = spoken.get(key)
        if before is not None and message.sent_at < before.last_at:
            continue
        if before is not None and not message.room:
            spoken[key] = replace(before, last_at=message.sent_at)
            continue
        named = nameable(message, one.outsiders, page.consents)
        outsiders = tuple(user for user in named if user in one.outsiders)
        conversation = Conversation(corp, key, message.room, outsiders, named)
        spoken[key] = ChatNow(conversation, message.sent_at, None)
    return spoken


def _is_news(told: ChatNow, known: Chat) -> bool:
    """When somebody last spoke matters for the conversations that are nobody's."""
    if known.account_id is None:
        return True
    now, before = told.conversation, known.conversation
    return (set(now.members), set(now.outsiders)) != (set(before.members), set(before.outsiders))
