"""Action libraries: the versions that were sent, which is used by whom, and moving deals over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.library import ActionLibrary, LibraryUse
from bot.domain.opportunities import OpportunityState
from storage.dialects import fixed
from storage.report_lines import leaders_of_everybody
from storage.tables import drafts, library_uses, library_versions, opportunities, stage_events

CHUNK = 500
_LIVING = opportunities.c.state.in_((str(OpportunityState.OPEN), str(OpportunityState.ON_HOLD)))


@dataclass(frozen=True, slots=True)
class LibraryVersion:
    """A library as it was sent. source: the file, byte for byte."""

    key: str
    version: int
    file_name: str
    source: bytes
    person_id: int
    added_at: datetime


@dataclass(frozen=True, slots=True)
class DealCount:
    """How many living deals stand at a stage of a library."""

    library: str
    stage: str
    count: int


class Libraries:
    """Versions and uses of action libraries, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def add_version(
        self, key: str, *, file_name: str, source: bytes, person_id: int, at: datetime
    ) -> int:
        """Keep it under the next number, which is answered."""
        last = select(func.max(library_versions.c.version)).where(library_versions.c.key == key)
        version = int((await self._conn.scalar(last)) or 0) + 1
        await self._conn.execute(
            insert(library_versions).values(
                key=key,
                version=version,
                file_name=file_name[:120],
                source=source,
                person_id=person_id,
                added_at=at,
            )
        )
        return version

    async def list_versions(self) -> list[LibraryVersion]:
        """All, by key, the oldest first."""
        columns = [library_versions.c[name] for name in LibraryVersion.__dataclass_fields__]
        query = select(*columns).order_by(library_versions.c.key, library_versions.c.version)
        return [LibraryVersion(*row) for row in await self._conn.execute(query)]

    async def use(self, use: LibraryUse, *, by: int, at: datetime) -> None:
        """From now on; what was in force before stays on record."""
        await self._conn.execute(
            insert(library_uses).values(
                team_id=use.team_id, library=use.ref, person_id=by, since=at
            )
        )

    async def list_uses(self) -> list[LibraryUse]:
        """What is in force: the newest for the organisation, and for each team."""
        newest = select(func.max(library_uses.c.id)).group_by(library_uses.c.team_id)
        query = select(library_uses.c.team_id, library_uses.c.library).where(
            library_uses.c.id.in_(newest)
        )
        return [LibraryUse(*row) for row in await self._conn.execute(query)]

    async def owners_of_living(self) -> list[int]:
        """Everybody with a living deal or an open draft."""
        owners = select(opportunities.c.owner_id).where(_LIVING)
        writers = select(drafts.c.person_id).where(drafts.c.state == fixed("open"))
        return [row[0] for row in await self._conn.execute(owners.union(writers))]

    async def leaders_of_everybody(self) -> dict[int, list[int]]:
        """Person -> everybody above, nearest first."""
        return await leaders_of_everybody(self._conn)

    async def count_deals(self, owner_ids: Iterable[int]) -> list[DealCount]:
        """The living deals of these people, by library and stage."""
        counts: dict[tuple[str, str], int] = {}
        columns = (opportunities.c.library, opportunities.c.stage)
        for chunk in _chunks(owner_ids):
            query = (
                select(*columns, func.count())
                .where(_LIVING, opportunities.c.owner_id.in_(chunk))
                .group_by(*columns)
            )
            for library, stage, count in await self._conn.execute(query):
                counts[library, stage] = counts.get((library, stage), 0) + count
        return [DealCount(*key, count) for key, count in sorted(counts.items())]

    async def count_drafts(self, person_ids: Iterable[int]) -> int:
        total = 0
        for chunk in _chunks(person_ids):
            query = select(func.count()).where(
                drafts.c.state == fixed("open"), drafts.c.person_id.in_(chunk)
            )
            total += int((await self._conn.scalar(query)) or 0)
        return total

    async def move_deals(
        self,
        owner_ids: Iterable[int],
        *,
        old: str,
        new: ActionLibrary,
        stages: Mapping[str, str],
        by: int,
        at: datetime,
    ) -> None:
        """Write these people's living deals in another library. Each is an event, and its
        light due; how long it has been where it is stays, as nothing happened to the deal."""
        for chunk in _chunks(owner_ids):
            for stage, mapped in stages.items():
                which = (
                    _LIVING,
                    opportunities.c.owner_id.in_(chunk),
                    opportunities.c.library == old,
                    opportunities.c.stage == stage,
                )
                await self._note_moves(which, stage=stage, mapped=mapped, new=new, by=by, at=at)
                await self._conn.execute(
                    update(opportunities)
                    .where(*which)
                    .values(library=new.ref, stage=mapped, furthest=mapped, light_due_at=at)
                )

    async def _note_moves(
        self,
        which: Sequence[ColumnElement[bool]],
        *,
        stage: str,
        mapped: str,
        new: ActionLibrary,
        by: int,
        at: datetime,
    ) -> None:
        columns = (
            "opportunity_id", "account_id", "kind", "library", "came_from", "went_to", "at",
            "person_id", "required_filled", "slots", "reason", "rank",
        )  # fmt: skip
        types = stage_events.c
        values: tuple[Any, ...] = (
            "remapped", new.ref, stage, mapped, at, by, 0, {}, "", new.rank(mapped),
        )  # fmt: skip
        moved = select(
            opportunities.c.id,
            opportunities.c.account_id,
            *(
                literal(value, types[name].type)
                for name, value in zip(columns[2:], values, strict=True)
            ),
        ).where(*which)
        # Nobody may move one of them between its event and its change.
        moved = moved.with_for_update(of=opportunities)
        await self._conn.execute(insert(stage_events).from_select(columns, moved))


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(sorted(set(ids)))
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
