"""Talk tracks of our own, to whom which were shown, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, any_, bindparam, case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.coaching import Result, Tally
from bot.domain.opportunities import OpportunityState
from bot.domain.tracks import Track, read, to_row
from storage.dialects import ONE, AnyRow, fixed, insert_into, prepared_insert
from storage.merges import FAMILY
from storage.prepared import prepared
from storage.tables import customer_profiles, opportunities, talk_tracks, track_showings

_FILE = ("file", "file_name")


@dataclass(frozen=True, slots=True)
class OwnTrack:
    """The version of a track that holds. active: whether it is offered."""

    track: Track
    version: int
    active: bool


@dataclass(frozen=True, slots=True)
class Showing:
    """One track shown to one rep. place: on its card, from 1; 0 for a hint in words."""

    card_id: str
    place: int
    code: str
    account_id: int
    opportunity_id: int
    person_id: int
    industry: str
    segment: str
    objections: tuple[str, ...]
    shown_at: datetime
    result: Result = Result.SHOWN


@dataclass(frozen=True, slots=True)
class Profile:
    """What reps told of a customer. yearly_fen: bought from us in a year."""

    employees: int | None = None
    yearly_fen: int | None = None


_COLUMNS = [track_showings.c[field.name] for field in fields(Showing)]
_SHOW = prepared_insert(
    track_showings,
    lambda new: new.on_conflict_do_nothing(
        index_elements=[track_showings.c.card_id, track_showings.c.place]
    ),
    unread=True,
)
_OF_ACCOUNT = prepared(
    select(*_COLUMNS)
    .where(track_showings.c.account_id == bindparam("account_id"))
    .order_by(track_showings.c.shown_at.desc(), track_showings.c.id.desc())
    .limit(bindparam("most"))
)
_IS_OWN = customer_profiles.c.account_id == bindparam("account_id")
_PROFILES = select(customer_profiles.c.employees, customer_profiles.c.yearly_fen).order_by(
    case((_IS_OWN, 0), else_=1), customer_profiles.c.told_at.desc()
)
_PROFILE = {
    "sqlite": prepared(_PROFILES.where(customer_profiles.c.account_id.in_(FAMILY)).limit(ONE)),
    "postgresql": prepared(  # which takes every family for a large one, and would read all
        _PROFILES.where(
            customer_profiles.c.account_id == any_(func.array(FAMILY.scalar_subquery()))
        ).limit(ONE)
    ),
}


class Tracks:
    """Talk tracks, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def own(self) -> dict[str, OwnTrack]:
        """By code, the newest version of each."""
        rows = await self._conn.execute(
            select(talk_tracks).order_by(talk_tracks.c.code, talk_tracks.c.version)
        )
        return {row.code: OwnTrack(_to_track(row.body), row.version, row.active) for row in rows}

    async def put(self, track: Track, *, active: bool, author_id: int, at: datetime) -> None:
        """Add the track's next version; the older ones stay."""
        newest = await self._conn.scalar(
            select(func.max(talk_tracks.c.version)).where(talk_tracks.c.code == track.code)
        )
        body = {**to_row(track), **{key: getattr(track, key) for key in _FILE}}
        await self._conn.execute(
            insert(talk_tracks).values(
                code=track.code,
                version=(newest or 0) + 1,
                body=body,
                active=active,
                author_id=author_id,
                written_at=at,
            )
        )

    async def show(self, showings: Iterable[Showing]) -> None:
        """Once for each place of a card."""
        rows = [_to_row(showing) for showing in showings]
        if rows:
            await self._conn.execute(_SHOW(self._conn), rows)

    async def judge(self, card_id: str, place: int, result: Result) -> bool:
        """Whether it was not judged before."""
        done = await self._conn.execute(
            update(track_showings)
            .where(
                track_showings.c.card_id == card_id,
                track_showings.c.place == place,
                track_showings.c.result == str(Result.SHOWN),
            )
            .values(result=str(result))
            .returning(track_showings.c.id)
        )
        return done.first() is not None

    async def on_card(self, card_id: str) -> list[Showing]:
        """In the order of the card."""
        query = select(*_COLUMNS).where(track_showings.c.card_id == card_id)
        return await self._list(query.order_by(track_showings.c.place))

    async def last_card_of(self, person_id: int) -> str | None:
        """The card that this person was shown last."""
        card_id: str | None = await self._conn.scalar(
            select(track_showings.c.card_id)
            .where(track_showings.c.person_id == person_id, track_showings.c.place > 0)
            .order_by(track_showings.c.shown_at.desc(), track_showings.c.id.desc())
            .limit(1)
        )
        return card_id

    async def of_account(self, account_id: int, *, limit: int) -> list[Showing]:
        """Newest first."""
        return await self._list(_OF_ACCOUNT, {"account_id": account_id, "most": limit})

    async def evidence(self, industry: str, *, since: datetime) -> dict[tuple[str, str], Tally]:
        """(code, segment) -> what became of it. Won and lost are read from the deals as they
        are now, so a win that was taken back is none."""
        tallied = (track_showings.c.code, track_showings.c.segment)
        rows = await self._conn.execute(
            select(*tallied, *_COUNTS)
            .join(opportunities, opportunities.c.id == track_showings.c.opportunity_id)
            .where(
                track_showings.c.industry == industry,
                track_showings.c.shown_at >= since,
                track_showings.c.result != fixed("shown"),
            )
            .group_by(*tallied)
        )
        return {
            (row.code, row.segment): Tally(row.used, row.unfit, row.won, row.lost) for row in rows
        }

    async def shown_counts(self, *, since: datetime) -> dict[str, int]:
        """By code, how often it stood on a card."""
        rows = await self._conn.execute(
            select(track_showings.c.code, func.count())
            .where(track_showings.c.place > 0, track_showings.c.shown_at >= since)
            .group_by(track_showings.c.code)
        )
        return {code: count for code, count in rows}

    async def tallies(self, *, since: datetime) -> dict[str, Tally]:
        """By code, over all industries and segments."""
        rows = await self._conn.execute(
            select(track_showings.c.code, *_COUNTS)
            .join(opportunities, opportunities.c.id == track_showings.c.opportunity_id)
            .where(
                track_showings.c.shown_at >= since,
                track_showings.c.result != fixed("shown"),
            )
            .group_by(track_showings.c.code)
        )
        return {row.code: Tally(row.used, row.unfit, row.won, row.lost) for row in rows}

    async def profile(self, account_id: int) -> Profile:
        """What was told of the customer, else last of one that was merged into it."""
        query = _PROFILE[self._conn.dialect.name]
        row = (await self._conn.execute(query, {"account_id": account_id})).one_or_none()
        return Profile() if row is None else Profile(row.employees, row.yearly_fen)

    async def save_profile(self, account_id: int, profile: Profile, at: datetime) -> None:
        values = {
            "employees": profile.employees,
            "yearly_fen": profile.yearly_fen,
            "told_at": at,
        }
        await self._conn.execute(
            insert_into(self._conn, customer_profiles)
            .values(account_id=account_id, **values)
            .on_conflict_do_update(index_elements=[customer_profiles.c.account_id], set_=values)
        )

    async def _list(self, query: Select[Any], key: dict[str, Any] | None = None) -> list[Showing]:
        return [_to_showing(row) for row in await self._conn.execute(query, key)]


def _count(result: Result, *states: OpportunityState) -> Any:
    names = [str(state) for state in states]
    holds = and_(track_showings.c.result == str(result), opportunities.c.state.in_(names))
    return func.sum(case((holds, 1), else_=0))


_ENDED = (OpportunityState.WON, OpportunityState.LOST)
_COUNTS = (
    _count(Result.USED, *(state for state in OpportunityState if state not in _ENDED)).label(
        "used"
    ),
    _count(Result.UNFIT, *OpportunityState).label("unfit"),
    _count(Result.USED, OpportunityState.WON).label("won"),
    _count(Result.USED, OpportunityState.LOST).label("lost"),
)


def _to_track(body: dict[str, Any]) -> Track:
    row = {key: value for key, value in body.items() if key not in _FILE}
    return replace(read(row), file=body["file"], file_name=body["file_name"])


def _to_row(showing: Showing) -> dict[str, Any]:
    values = {field.name: getattr(showing, field.name) for field in fields(Showing)}
    return values | {"objections": list(showing.objections), "result": str(showing.result)}


def _to_showing(row: AnyRow) -> Showing:
    values = row._asdict()
    values |= {"objections": tuple(row.objections), "result": Result(row.result)}
    return Showing(**values)
