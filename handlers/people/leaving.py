"""Somebody leaves: all that is theirs goes to one colleague in one go, by the word of whoever led
them. Until then nothing is lost, it only waits.

Drafts are not handed over as drafts: what the leaver did not confirm would count as done by
whoever does. Their words go to the new owner instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.activities import Draft, DraftState
from bot.domain.external import INTERNAL, ChatGroup
from bot.domain.leaders import find_supervisor, leaders_above
from bot.domain.opportunities import Account
from bot.domain.people import Identity, Person, PersonStatus, Role
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from bot.messages import Button, Card, Field, Option, OutboundMessage, Text
from handlers.customers import customers, handing_over
from handlers.desk import Desk, Office
from handlers.leading import team, teams
from handlers.texts import leaving as texts
from storage.contact_transfers import GROUP, Transfer, TransferState
from storage.unit_of_work import UnitOfWork

CARD = "leaver-"
GIVE, TO = "give", "to"
MOST_OFFERED = 10  # options of a drop-down on WeCom

_ORDER = re.compile(
    r"^(?:把)?(?P<who>[\w·]{2,12}?)\s*(?:的(?:工作|客户))?\s*给\s*(?P<to>[\w·]{2,12})$"
)


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is somebody's now. contacts: external ones by the member who has them."""

    accounts: tuple[Account, ...]
    deals: int
    drafts: tuple[Draft, ...]
    deadlines: int
    contacts: dict[Identity, tuple[str, ...]]
    groups: tuple[ChatGroup, ...]

    @property
    def contact_count(self) -> int:
        return sum(len(ids) for ids in self.contacts.values())

    def __bool__(self) -> bool:
        return bool(self.accounts or self.deals or self.drafts or self.contact_count or self.groups)


async def offer(
    tx: UnitOfWork, office: Office, leaver: Person, at: datetime
) -> list[OutboundMessage]:
    """The card by which whoever led the leaver gives everything to somebody; the administrators
    where nobody did. None where nothing was theirs."""
    theirs = await belongings(tx, leaver)
    if not theirs:
        return []
    receivers = await _leaders(tx, leaver, at)
    messages = []
    for receiver in receivers:
        to = office.address_of(receiver)
        if to is None:
            continue
        offered = await _colleagues(tx, receiver, leaver)
        card = _card(leaver, theirs, offered, number=f"{receiver.id}-{at:%Y%m%d}")
        await tx.cards.show(card, to.key, subject=f"person:{leaver.id}", at=at)
        messages.append(OutboundMessage(card.card_id, to, card))
    return messages


async def press(desk: Desk) -> None:
    """«全部交接» with the colleague who was chosen. Raises Refused before one is."""
    action = desk.message.action
    assert action is not None
    leaver = await desk.tx.people.get(int(action.card_id.split("-")[1]))
    chosen = action.values.get(TO, "")
    if not chosen.isdigit():
        raise Refused(texts.CHOOSE_FIRST)
    to = await desk.tx.people.get(int(chosen))
    await hand_over_all(desk, leaver, to)
    closed = Card(action.card_id, texts.title(leaver.name), closed=texts.given_to(to.name))
    await desk.change(closed, subject=f"person:{leaver.id}")


async def by_words(desk: Desk, words: str) -> None:
    """«交接 张伟 给 陈静», also of somebody who is still there."""
    match = _ORDER.match(words)
    if match is None:
        raise InvalidInput(texts.HOW)
    leaver = await _somebody(desk, match["who"])
    to = await team.colleague(desk, match["to"])
    if to is None:
        raise NotFound(texts.nobody_named(match["to"]))
    await hand_over_all(desk, leaver, to)


async def hand_over_all(desk: Desk, leaver: Person, to: Person) -> None:
    """Raises NotAllowed, and Refused where there is nothing, or the new owner is no help."""
    await _refuse(desk, leaver, to)
    theirs = await belongings(desk.tx, leaver)
    if not theirs:
        raise Refused(texts.nothing_left(leaver.name))
    for account in theirs.accounts:
        await handing_over.hand_over(desk, account, to)
    for deal in await desk.tx.opportunities.hand_over_rest(leaver.id, to.id, desk.at):
        desk.add(await desk.office.lights.on_state_changed(desk.tx, deal, desk.at))
    for draft in theirs.drafts:
        await desk.tx.drafts.save(replace(draft, state=DraftState.CANCELLED))
    moved, stay = await _move_contacts(desk, leaver, to, theirs)
    groups, groups_stay = await _move_groups(desk, leaver, to, theirs)
    await desk.tx.audit.append(
        at=desk.at, actor=f"person:{desk.rep.id}", action="hand_over_all",
        subject=f"person:{leaver.id}", before=None,
        after={"to": to.id, "accounts": [one.id for one in theirs.accounts], "contacts": moved,
               "groups": groups},
    )  # fmt: skip
    desk.say(
        texts.handed_over(
            leaver.name,
            to.name,
            customers=len(theirs.accounts),
            deals=theirs.deals,
            drafts=len(theirs.drafts),
            contacts=moved,
            groups=groups,
        )
    )
    if stay:
        desk.say_on(texts.contacts_stay(to.name, stay))
    if groups_stay:
        desk.say_on(texts.groups_stay(groups_stay))
    _tell(desk, to, texts.you_got(leaver.name, [one.name for one in theirs.accounts],
                                  [one.text for one in theirs.drafts], moved))  # fmt: skip


async def _move_contacts(
    desk: Desk, leaver: Person, to: Person, theirs: Belongings
) -> tuple[int, int]:
    """How many the platform is asked to move, and how many it cannot."""
    there = {one.platform: one.user_id for one in to.identities}
    transfers, stay = [], 0
    for member, contact_ids in theirs.contacts.items():
        movable = member.platform in desk.office.platforms_with_contacts
        if not movable or member.platform not in there:
            stay += len(contact_ids)
            continue
        transfers += [
            Transfer(
                0, member.platform, contact_id, member.user_id, there[member.platform],
                leaver.status is PersonStatus.LEFT, desk.rep.id, desk.at, TransferState.ASKED,
                due_at=desk.at,
            )
            for contact_id in contact_ids
        ]  # fmt: skip
    asked = await desk.tx.contact_transfers.ask(transfers)
    if asked:
        desk.tx.once_committed(desk.office.contacts_due.ring)
    return asked, stay


async def _move_groups(
    desk: Desk, leaver: Person, to: Person, theirs: Belongings
) -> tuple[int, list[str]]:
    """How many get another owner, and the names of those whose platform gives them none."""
    there = {one.platform: one.user_id for one in to.identities}
    movable = [
        one
        for one in theirs.groups
        if one.platform in desk.office.platforms_with_contacts and one.platform in there
    ]
    asked = await desk.tx.contact_transfers.ask(
        Transfer(
            0, one.platform, one.chat_id, one.owner, there[one.platform],
            leaver.status is PersonStatus.LEFT, desk.rep.id, desk.at, TransferState.ASKED,
            due_at=desk.at, kind=GROUP,
        )
        for one in movable
    )  # fmt: skip
    if asked:
        desk.tx.once_committed(desk.office.contacts_due.ring)
    return asked, [one.name for one in theirs.groups if one not in movable]


async def belongings(tx: UnitOfWork, person: Person) -> Belongings:
    """Also of somebody who has left."""
    accounts = tuple(await tx.accounts.list_of_owner(person.id))
    members = await tx.people.all_identities(person.id)
    held = {one: tuple(await tx.external_contacts.of_member(one)) for one in members}
    groups = await tx.chat_groups.of_owners(members) if members else []
    return Belongings(
        accounts=accounts,
        deals=await tx.opportunities.count_living(person.id),
        drafts=tuple(await tx.drafts.open_of_person(person.id)),
        deadlines=len(await tx.deadlines.waiting_of([person.id])),
        contacts={one: ids for one, ids in held.items() if ids},
        groups=tuple(one for one in groups if one.version != INTERNAL),
    )


async def _leaders(tx: UnitOfWork, leaver: Person, at: datetime) -> Sequence[Person]:
    facts = (await tx.people.leader_facts_of([leaver.id], who_left=True))[leaver.id]
    supervisor = find_supervisor(facts, at)
    return [supervisor] if supervisor else await tx.people.list_by_role(Role.ADMIN)


async def _refuse(desk: Desk, leaver: Person, to: Person) -> None:
    """Raises NotAllowed for who did not lead them or does not lead the new owner, Refused where
    the new owner is no help."""
    if leaver.id == to.id or to.status is not PersonStatus.ACTIVE:
        raise Refused(texts.cannot_take(to.name))
    if desk.rep.roles & teams.OVERSEERS:
        return
    facts = (await desk.tx.people.leader_facts_of([leaver.id], who_left=True))[leaver.id]
    led = any(one.id == desk.rep.id for one in leaders_above(facts))
    takes = to.id == desk.rep.id or await customers.leads(desk.tx, desk.rep, to.id)
    if not (led and takes):
        raise NotAllowed(texts.NOT_YOURS)


async def _colleagues(tx: UnitOfWork, leader: Person, leaver: Person) -> list[Person]:
    """Whom the leader may give it to: reps below them, else themselves."""
    below = [one for one in await teams.below(tx, leader) if one.id != leaver.id]
    active = [one for one in below if one.status is PersonStatus.ACTIVE]
    return [*active[: MOST_OFFERED - 1], leader]


async def _somebody(desk: Desk, name: str) -> Person:
    """Raises NotFound, and Refused where several are called so."""
    found = await desk.tx.people.named(name)
    if not found:
        raise NotFound(texts.nobody_named(name))
    if len(found) > 1:
        gone = [one for one in found if one.status is PersonStatus.LEFT]
        if len(gone) != 1:
            raise Refused(texts.several_named(name))
        return gone[0]
    return found[0]


def _card(leaver: Person, theirs: Belongings, offered: Sequence[Person], *, number: str) -> Card:
    facts = texts.facts(
        [one.name for one in theirs.accounts],
        theirs.deals,
        len(theirs.drafts),
        theirs.deadlines,
        contacts=theirs.contact_count,
        groups=len(theirs.groups),
    )
    options = tuple(Option(str(one.id), one.name) for one in offered)
    return Card(
        card_id=f"{CARD}{leaver.id}-{number}",
        title=texts.title(leaver.name),
        lines=(texts.question(leaver.name),),
        facts=facts,
        fields=(Field(TO, texts.TO_WHOM, options=options),),
        buttons=(Button(GIVE, texts.GIVE, style="primary"),),
    )


def _tell(desk: Desk, person: Person, text: str) -> None:
    to = desk.office.address_of(person)
    if to is not None and person.id != desk.rep.id:
        key = f"{desk.incoming.source_id}:tell:{person.id}"
        desk.add([OutboundMessage(key, to, Text(text))])
