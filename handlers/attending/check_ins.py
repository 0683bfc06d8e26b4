"""Records of attendance as a platform tells them now, against what it told before: new ones are
appended, corrected ones end what they correct, and bonuses that ask for them are computed anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.activities import Activity, Grade, withdrawal_of
from bot.domain.attendance import AT_A_CUSTOMER, CheckIn, CheckInKind, Fact, corrections
from bot.messages import OutboundMessage
from handlers.attending import effects
from handlers.desk import Office
from handlers.payouts import office_facts
from handlers.texts import attending as texts
from storage.unit_of_work import UnitOfWork

FIELDS = (*office_facts.OF_ATTENDANCE, office_facts.AT_THE_CUSTOMER)


@dataclass(frozen=True, slots=True)
class Scope:
    """What was read: records of these kinds for the days first to last."""

    platform: str
    kinds: frozenset[CheckInKind]
    first: date
    last: date


async def take(
    tx: UnitOfWork,
    office: Office,
    people: Mapping[str, int],
    told: Iterable[CheckIn],
    *,
    of: Scope,
    at: datetime,
) -> list[OutboundMessage]:
    """told: everything the platform has of these people within the scope. people: user id ->
    person."""
    users = {person_id: user_id for user_id, person_id in people.items()}
    known: dict[int, dict[str, Fact]] = defaultdict(dict)
    for fact in await tx.attendance.present(of.platform, users, of.first, of.last):
        if fact.check_in.kind in of.kinds:
            known[fact.person_id][fact.check_in.key] = fact
    now: dict[int, list[CheckIn]] = defaultdict(list)
    for one in told:
        if one.user_id in people and of.first <= one.day <= of.last:
            now[people[one.user_id]].append(one)
    added: list[Fact] = []
    ended: list[Fact] = []
    for person_id in users:
        new, over = corrections(known[person_id], now[person_id])
        added += [Fact(0, person_id, one, await _customer(tx, office, one)) for one in new]
        ended += over
    if not added and not ended:
        return []
    await tx.attendance.end(ended, at)
    await tx.attendance.add(added, at)
    await _enter(tx, office, added, ended, at)
    return await _have_effect(tx, office, [*added, *ended], at)


async def _customer(tx: UnitOfWork, office: Office, check_in: CheckIn) -> int | None:
    """Where the note or the place clearly names one."""
    if check_in.kind not in AT_A_CUSTOMER:
        return None
    for words in (check_in.note, check_in.place):
        sure = [mention.sure for mention in office.customers.index.find(words)] if words else []
        if len(sure) == 1 and sure[0] is not None:
            account = await tx.accounts.find_by_name(sure[0].name)
            if account is not None:
                return account.id
    return None


async def _enter(
    tx: UnitOfWork, office: Office, added: Sequence[Fact], ended: Sequence[Fact], at: datetime
) -> None:
    """Check-ins at a customer stand in the customer's stream."""
    for fact in ended:
        original = await tx.activities.find_by_source(_source(fact)) if fact.account_id else None
        if original is not None:
            await tx.activities.add(_taken_back(original, fact, at))
    visits = [fact for fact in added if fact.account_id is not None and fact.check_in.at]
    names = await tx.people.names({fact.person_id for fact in visits}) if visits else {}
    for fact in visits:
        one = fact.check_in
        assert fact.account_id is not None
        assert one.at is not None
        local = one.at.astimezone(office.zone)
        await tx.activities.add(
            Activity(
                id=0,
                account_id=fact.account_id,
                opportunity_id=None,
                actor_id=None,  # or it would bury what they recorded
                unit="",
                title=texts.CHECK_IN,
                text=texts.check_in_entry(names[fact.person_id], local, one.place, one.note),
                occurred_at=one.at,
                recorded_at=at,
                source_id=_source(fact),
                grade=Grade.PLATFORM_PROVEN,
            )
        )


def _taken_back(original: Activity, fact: Fact, at: datetime) -> Activity:
    return withdrawal_of(
        original,
        texts.no_longer(fact.check_in.day),
        source_id=f"{original.source_id}:back"[:200],
        at=at,
    )


def _source(fact: Fact) -> str:
    one = fact.check_in
    moment = int(one.at.timestamp()) if one.at is not None else 0
    return f"checkin:{one.platform}:{one.key}:{fact.account_id}:{moment}"[:190]


async def _have_effect(
    tx: UnitOfWork, office: Office, facts: Sequence[Fact], at: datetime
) -> list[OutboundMessage]:
    """签到即计薪: on what they closed in those months, and with the customers they were at."""
    days = {(fact.person_id, fact.check_in.day) for fact in facts}
    touched = await effects.contracts_of_days(tx, days)
    for account_id in {fact.account_id for fact in facts if fact.account_id is not None}:
        touched |= {one.id for one in await tx.contracts.of_account(account_id)}
    return await effects.follow(tx, office, touched, FIELDS, at)
