"""`/admin/bindings`: which customer a contact or a group belongs to: proposed, missing, bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.archive import key_between
from bot.domain.bindings import BoundBy, ChatBinding, ChatKind
from bot.domain.external import ChatGroup, ExternalContact, Follow
from bot.errors import InvalidInput, NotFound
from bot.messages import Platform
from handlers.binding import attaching, by_hand, proposing
from handlers.desk import Desk
from handlers.pages.admin import choosing, counter
from handlers.pages.admin.choosing import Given
from handlers.pages.admin.rooms import Asked, Room
from handlers.pages.people import Names
from handlers.texts import admin as texts
from handlers.texts import binding as binding_texts

PAGE = 50
PAIR = "pair."
_SEPARATOR = "~"


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """field: its name in the form."""

    field: str
    name: str
    company: str
    what: str
    customer_id: int
    customer: str
    how: str


@dataclass(frozen=True, slots=True)
class ProposalsPage:
    """kinds: (key, words, how many). more: further ones follow when these are bound."""

    how: str
    kinds: tuple[tuple[str, str, int], ...]
    rows: tuple[ProposalLine, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class UnboundLine:
    """kept: messages that go into the stream on binding."""

    platform: str
    chat_key: str
    kind: str
    name: str
    company: str
    what: str
    whose: str
    kept: int


@dataclass(frozen=True, slots=True)
class UnboundPage:
    """Contacts or groups that belong to nobody, a page of them."""

    kind: str
    rows: tuple[UnboundLine, ...]
    after: str
    first: bool


@dataclass(frozen=True, slots=True)
class BoundLine:
    """A conversation and whose it is."""

    platform: str
    chat_key: str
    name: str
    what: str
    customer_id: int
    customer: str
    how: str
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class BoundPage:
    """Bound conversations, a page of them, and what they were searched by."""

    words: str
    rows: tuple[BoundLine, ...]
    before: int | None
    first: bool


async def proposed(room: Room, asked: Asked) -> ProposalsPage:
    """Raises InvalidInput for a kind that is none."""
    how = asked.get("how", "")
    if how not in ("", *BoundBy):
        raise InvalidInput(texts.NO_KIND)
    desk = await counter.open_desk(room.tx, room.office, room.person, room.at)
    proposals = await proposing.read(desk)
    counts = Counter(one.how for one in proposals.found)
    return ProposalsPage(
        how=how,
        kinds=(
            ("", "全部", len(proposals.found)),
            *((str(one), binding_texts.HOW[one], counts[one]) for one in BoundBy if counts[one]),
        ),
        rows=tuple(
            ProposalLine(
                field=f"{PAIR}{one.platform}{_SEPARATOR}{one.account_id}{_SEPARATOR}{one.chat_key}",
                name=one.name,
                company=one.company,
                what=binding_texts.kind_of(one.kind, one.platform),
                customer_id=one.account_id,
                customer=one.customer,
                how=binding_texts.HOW[one.how],
            )
            for one in proposals.found
            if how in ("", one.how)
        ),
        more=proposals.more,
    )


async def unbound(room: Room, asked: Asked) -> UnboundPage:
    """Raises InvalidInput for a kind or a place that is none."""
    kind, after = asked.get("kind", ChatKind.CONTACT), asked.get("after", "")
    if kind not in set(ChatKind):
        raise InvalidInput(texts.NO_KIND)
    platform, separator, key = after.partition(_SEPARATOR)
    if after and not separator:
        raise InvalidInput(texts.NO_PAGE)
    if kind == ChatKind.GROUP:
        rows, more = await _groups(room, (platform, key))
    else:
        rows, more = await _contacts(room, (platform, key))
    last = f"{rows[-1].platform}{_SEPARATOR}{rows[-1].chat_key}" if more and rows else ""
    return UnboundPage(str(kind), tuple(rows), last, first=not after)


async def bound(room: Room, asked: Asked) -> BoundPage:
    words = asked.get("q", "").strip()[:60]
    before = choosing.number(asked.get("before", ""))
    found = await room.tx.chat_bindings.page(customer=words, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    accounts = await room.tx.accounts.list_some(sorted({one.account_id for one in shown}))
    names, called = Names(room.tx), await _called(room, shown)
    await names.learn(one.bound_by for one in shown)
    rows = [
        BoundLine(
            platform=one.platform,
            chat_key=one.chat_key,
            name=called.get((one.platform, one.chat_key)) or _nameless(one.kind),
            what=binding_texts.kind_of(one.kind, one.platform),
            customer_id=one.account_id,
            customer=accounts[one.account_id].name if one.account_id in accounts else "",
            how=binding_texts.HOW[one.how],
            who=await names.of(one.bound_by),
            when=room.moment(one.bound_at),
        )
        for one in shown
    ]
    before = shown[-1].id if len(found) > PAGE else None
    return BoundPage(words, tuple(rows), before, first="before" not in asked)


async def accept(desk: Desk, given: Given) -> None:
    """Those that were ticked and still hold."""
    pairs = [_pair(name) for name in given if name.startswith(PAIR)]
    if not pairs:
        raise InvalidInput(texts.NOTHING_CHOSEN)
    count = await proposing.bind_shown(desk, pairs[: proposing.MOST], proposing.ALL)
    desk.say(texts.bound_one_by_one(count, len(pairs) - count))


async def bind(desk: Desk, given: Given) -> None:
    """One conversation to one customer; what was kept of it goes into the stream."""
    platform, key, kind = (given.get(name, "") for name in ("platform", "key", "kind"))
    if kind not in set(ChatKind) or platform not in binding_texts.PLATFORMS:
        raise InvalidInput(texts.NO_PAGE)
    name = await _name_of(desk, platform, key, ChatKind(kind))
    account = await choosing.customer(desk, given.get("customer", ""))
    await by_hand.bind_key(desk, account, platform, key, ChatKind(kind), name=name)


async def unbind(desk: Desk, given: Given) -> None:
    await by_hand.unbind_key(desk, given.get("platform", ""), given.get("key", ""))


def _pair(field: str) -> tuple[str, str, int]:
    """(platform, chat key, customer). Raises InvalidInput."""
    platform, _, rest = field.removeprefix(PAIR).partition(_SEPARATOR)
    number, _, key = rest.partition(_SEPARATOR)
    if not (number.isdecimal() and len(number) < 19 and key):
        raise InvalidInput(texts.NO_PAGE)
    return platform, key, int(number)


async def _name_of(desk: Desk, platform: str, key: str, kind: ChatKind) -> str:
    """Raises NotFound."""
    if kind is ChatKind.GROUP:
        group = await desk.tx.chat_groups.get(platform, key)
        if group is None:
            raise NotFound(texts.NO_SUCH_CHAT)
        return group.name or binding_texts.NAMELESS_GROUP
    contact = (await desk.tx.external_contacts.known(platform, [key])).get(key)
    if contact is None:
        raise NotFound(texts.NO_SUCH_CHAT)
    follows = await desk.tx.external_contacts.follows_of(platform, key)
    return proposing.name_of(contact, follows) or _nameless(kind)


async def _contacts(room: Room, after: tuple[str, str]) -> tuple[list[UnboundLine], bool]:
    """A contact is never told in part, although several may have it."""
    limit = 4 * PAGE
    found = await room.tx.external_contacts.unbound(None, limit=limit, after=after)
    by_contact: dict[tuple[str, str], list[tuple[ExternalContact, Follow]]] = {}
    for contact, follow in found:
        by_contact.setdefault((contact.platform, contact.external_id), []).append((contact, follow))
    keys = list(by_contact)
    if len(found) == limit and len(keys) > 1:
        keys.pop()
    more = len(found) == limit or len(keys) > PAGE
    shown = {key: by_contact[key] for key in keys[:PAGE]}
    between = {
        key_between(follow.user_id.lower(), follow.external_id): key
        for key, own in shown.items()
        for _, follow in own
        if key[0] == Platform.WECOM
    }
    kept: Counter[tuple[str, str]] = Counter()
    for chat, count in (await room.tx.kept_words.in_archive(between)).items():
        kept[between[chat]] += count
    whose = await _members(room, [follow for own in shown.values() for _, follow in own])
    return [_contact_line(key, own, kept[key], whose) for key, own in shown.items()], more


def _contact_line(
    key: tuple[str, str],
    own: Sequence[tuple[ExternalContact, Follow]],
    kept: int,
    whose: dict[tuple[str, str], str],
) -> UnboundLine:
    contact, follows = own[0][0], [follow for _, follow in own]
    members = [whose.get((one.platform, one.user_id), one.user_id) for one in follows]
    return UnboundLine(
        *key,
        kind=str(ChatKind.CONTACT),
        name=proposing.name_of(contact, follows) or _nameless(ChatKind.CONTACT),
        company=proposing.company_of(contact, follows),
        what=binding_texts.kind_of(ChatKind.CONTACT, contact.platform),
        whose="、".join(dict.fromkeys(members)),
        kept=kept,
    )


async def _groups(room: Room, after: tuple[str, str]) -> tuple[list[UnboundLine], bool]:
    found = await room.tx.chat_groups.unbound(None, limit=PAGE + 1, after=after)
    shown = found[:PAGE]
    archived = await room.tx.kept_words.in_archive(one.chat_id for one in shown)
    places = {
        (one.platform, one.chat_id): attaching.group_address(
            room.office, one.platform, one.chat_id
        ).key
        for one in shown
    }
    heard = await room.tx.kept_words.in_groups(places.values())
    owners = {
        platform: await room.tx.people.members(
            platform, [one.owner for one in shown if one.platform == platform]
        )
        for platform in {one.platform for one in shown}
    }

    def line(one: ChatGroup) -> UnboundLine:
        owner = owners[one.platform].get(one.owner)
        return UnboundLine(
            platform=one.platform,
            chat_key=one.chat_id,
            kind=str(ChatKind.GROUP),
            name=one.name or binding_texts.NAMELESS_GROUP,
            company="",
            what=binding_texts.kind_of(ChatKind.GROUP, one.platform),
            whose=owner[1] if owner else "",
            kept=archived.get(one.chat_id, 0) + heard.get(places[one.platform, one.chat_id], 0),
        )

    return [line(one) for one in shown], len(found) > PAGE


async def _members(room: Room, follows: Sequence[Follow]) -> dict[tuple[str, str], str]:
    """(platform, user id) -> name."""
    found: dict[tuple[str, str], str] = {}
    for platform in {one.platform for one in follows}:
        ids = [one.user_id for one in follows if one.platform == platform]
        members = await room.tx.people.members(platform, ids)
        found |= {(platform, user_id): name for user_id, (_, name) in members.items()}
    return found


async def _called(room: Room, bindings: Sequence[ChatBinding]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for platform in {one.platform for one in bindings}:
        own = [one for one in bindings if one.platform == platform]
        groups = [one.chat_key for one in own if one.kind is ChatKind.GROUP]
        people = [one.chat_key for one in own if one.kind is ChatKind.CONTACT]
        names = await room.tx.chat_groups.names(platform, groups)
        known = await room.tx.external_contacts.known(platform, people)
        follows = await room.tx.external_contacts.follows_of_all(platform, people)
        names |= {key: proposing.name_of(one, follows[key]) for key, one in known.items()}
        found |= {(platform, key): name for key, name in names.items()}
    return found


def _nameless(kind: ChatKind) -> str:
    if kind is ChatKind.GROUP:
        return binding_texts.NAMELESS_GROUP
    return binding_texts.UNKNOWN_CONTACT
