"""`/supply`: large sales that warehouse and planning were told of, and who has taken note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.people import Person
from bot.domain.supply import Notice, NoticeKind, Station
from bot.errors import NotAllowed
from handlers.desk import Office
from handlers.supply.acknowledging import MAY_SEE
from handlers.texts import pages as page_texts
from handlers.texts import supply as texts
from handlers.texts.customers import when
from handlers.texts.money import amount_words
from storage.supply import Ack
from storage.unit_of_work import UnitOfWork

MOST_STANDING, MOST_WITHDRAWN = 100, 20


@dataclass(frozen=True, slots=True)
class SupplyRow:
    """changed: what the last change was, "" for none. stations: (name, who and when, "" while
    nobody has)."""

    evidence_id: str
    customer: str
    deal: str
    amount: str
    changed: str
    when: str
    rep: str
    stations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SupplyPage:
    """standing, withdrawn: the newest first, as far as they are listed. total: worth of what is
    listed as standing. more, more_withdrawn: there are older ones."""

    limit: str
    total: str
    waiting: int
    standing: tuple[SupplyRow, ...]
    withdrawn: tuple[SupplyRow, ...]
    more: bool
    more_withdrawn: bool


async def page(tx: UnitOfWork, office: Office, reader: Person, at: datetime) -> SupplyPage:
    """Raises NotAllowed."""
    if not reader.roles & MAY_SEE:
        raise NotAllowed(texts.MAY_SEE_ROLES)
    found = await tx.supply.newest(standing=True, limit=MOST_STANDING + 1)
    gone = await tx.supply.newest(standing=False, limit=MOST_WITHDRAWN + 1)
    standing, withdrawn = found[:MOST_STANDING], gone[:MOST_WITHDRAWN]
    acks = await tx.supply.acks_of([one.id for one in (*standing, *withdrawn)])
    names = await tx.people.names({one.person_id for one in acks})
    marks = {(one.notice_id, one.station): _mark(office, one, names) for one in acks}
    rows = await _rows(tx, office, [*standing, *withdrawn], marks, at)
    return SupplyPage(
        limit=amount_words(office.policy.supply.above_fen),
        total=amount_words(sum(one.amount_fen for one in standing)),
        waiting=sum(any((one.id, of) not in marks for of in Station) for one in standing),
        standing=tuple(rows[: len(standing)]),
        withdrawn=tuple(rows[len(standing) :]),
        more=len(found) > len(standing),
        more_withdrawn=len(gone) > len(withdrawn),
    )


def _mark(office: Office, ack: Ack, names: Mapping[int, str]) -> str:
    return f"{names.get(ack.person_id, '')} {when(ack.at.astimezone(office.zone))}"


async def _rows(
    tx: UnitOfWork,
    office: Office,
    listed: Sequence[Notice],
    marks: Mapping[tuple[int, Station], str],
    at: datetime,
) -> list[SupplyRow]:
    deals = await tx.opportunities.list_some(one.opportunity_id for one in listed)
    owners = await tx.people.names({one.owner_id for one in deals.values()})
    today = office.calendar.day_of(at)
    rows = []
    for notice in listed:
        deal = deals[notice.opportunity_id]
        rows.append(
            SupplyRow(
                evidence_id=notice.evidence_id,
                customer=deal.account_name,
                deal=deal.name if deal.name != deal.account_name else "",
                amount=amount_words(notice.amount_fen),
                changed="；".join(_changed(notice)),
                when=page_texts.moment(notice.at.astimezone(office.zone), today),
                rep=owners.get(deal.owner_id, ""),
                stations=tuple(
                    (texts.STATIONS[one], marks.get((notice.id, one), "")) for one in Station
                ),
            )
        )
    return rows


def _changed(notice: Notice) -> Sequence[str]:
    before = amount_words(notice.before_fen) if notice.before_fen is not None else ""
    told = [f"原为 {before}"] if notice.kind is NoticeKind.CHANGE and before else []
    return [*told, notice.reason] if notice.reason else told
