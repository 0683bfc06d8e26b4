"""Small facts to fill a database with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.activities import Activity, Draft, DraftState
from bot.domain.opportunities import Account, Opportunity
from bot.domain.people import Directory, DirectoryUser, Person, Role
from bot.messages import Address, Envelope, OutboundMessage, Platform, Text
from storage.engines import to_url
from storage.tables import metadata
from storage.unit_of_work import UnitOfWork

AT = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)
ZHANG = Address(Platform.WECOM, "sales", user_id="zhang3")
LI = Address(Platform.WECOM, "sales", user_id="li4")


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def envelope(delivery_id: str = "1", **changes: Any) -> Envelope:
    plain = Envelope(
        channel="wecom:sales:app",
        delivery_id=delivery_id,
        conversation=ZHANG.key,
        sent_at=AT,
        received_at=AT,
        body="<xml>刚和恒锐机电王总通了电话</xml>".encode(),
    )
    return replace(plain, **changes)


def message(key: str, to: Address = ZHANG, **changes: Any) -> OutboundMessage:
    return replace(OutboundMessage(dedupe_key=key, to=to, content=Text(key)), **changes)


def everybody_is_a_rep(_: tuple[str, ...]) -> frozenset[Role]:
    return frozenset({Role.REP})


async def member(
    tx: UnitOfWork, user_id: str, name: str = "张三", *, platform: str = "wecom", **more: Any
) -> Person:
    """Somebody whom a platform's directory named."""
    user = DirectoryUser(user_id=user_id, name=name, **more)
    news = Directory(platform=platform, users=(user,), whole=False)
    await tx.people.save_directory(news, roles_by_title=everybody_is_a_rep, at=AT)
    found = await tx.people.find_by_identity(platform, user_id)
    assert found is not None
    return found


async def customer(tx: UnitOfWork, owner: Person, name: str = "恒锐机电") -> Account:
    return await tx.accounts.add(name=name, owner_id=owner.id, at=AT)


async def sale(tx: UnitOfWork, account: Account, name: str = "设备改造") -> Opportunity:
    return await tx.opportunities.add(
        account_id=account.id, name=name, owner_id=account.owner_id, stage="lead", rank=0, at=AT
    )


def activity(account: Account, source_id: str, **changes: Any) -> Activity:
    plain = Activity(
        id=0,
        account_id=account.id,
        opportunity_id=None,
        actor_id=account.owner_id,
        unit="call",
        title="跟进电话",
        text="嫌价格高",
        occurred_at=AT,
        recorded_at=AT,
        source_id=source_id,
    )
    return replace(plain, **changes)


def draft(person: Person, source_id: str, **changes: Any) -> Draft:
    plain = Draft(
        id=0,
        conversation=ZHANG.key,
        person_id=person.id,
        unit="call",
        source_id=source_id,
        text="刚通了电话",
        state=DraftState.OPEN,
        occurred_at=AT,
        created_at=AT,
        expires_at=after(60),
        touched_at=AT,
    )
    return replace(plain, **changes)


async def everything(database_url: str) -> str:
    """Every value of every table, one after the other."""
    engine = create_async_engine(to_url(database_url))
    found = []
    async with engine.connect() as conn:
        for table in metadata.sorted_tables:
            for row in await conn.execute(table.select()):
                found += [bytes(v).decode() if isinstance(v, bytes) else str(v) for v in row]
    await engine.dispose()
    return "\n".join(found)
