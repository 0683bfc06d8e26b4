"""Lights: what is due to be judged, and the episodes. Reads and writes go in batches, so
that a sweep costs what changes and not what exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.lights import Cleared, Episode, Judgement, Lead, Move
from bot.domain.notifying import Step
from bot.domain.opportunities import Light, Opportunity, OpportunityState
from storage.dialects import fixed, in_chunks
from storage.light_pushes import LightPushes
from storage.opportunities import Opportunities
from storage.tables import accounts, activities, light_episodes, opportunities, people, pushes

_OPPORTUNITY = [field.name for field in fields(Opportunity) if field.name != "account_name"]
_EPISODE = [
    field.name for field in fields(Episode) if field.name not in ("opportunity_id", "number")
]

CHUNK = 500
"""Ids in one IN list, below what any database refuses."""
_SAVE = (
    update(opportunities)
    .where(opportunities.c.id == bindparam("of_id"))
    .values(
        light=bindparam("new_light"),
        stuck=bindparam("new_stuck"),
        light_due_at=bindparam("due_at"),
        episode=bindparam("number"),
        last_valid_at=bindparam("valid_at"),
    )
)
_MARK_BACKFILLED = (
    update(light_episodes)
    .where(
        light_episodes.c.opportunity_id == bindparam("of_id"),
        light_episodes.c.yellow_at > bindparam("acted_at"),
        light_episodes.c.cleared_at.is_not(None),
    )
    .values(cleared_reason=str(Cleared.BACKFILLED))
)


@dataclass(frozen=True, slots=True)
class PastLight:
    """One light as it was or is. cleared_reason: of `Cleared`, "" while it is on. Times in
    UTC."""

    opportunity_id: int
    owner_id: int
    yellow_at: datetime
    red_at: datetime | None
    cleared_at: datetime | None
    cleared_reason: str
    acked_at: datetime | None
    acked_by: int | None


class Lights:
    """Light state of opportunities, inside one transaction. `pushes`: who was told what."""

    def __init__(self, conn: AsyncConnection, *, deals: Opportunities) -> None:
        self._conn = conn
        self._deals = deals
        self.pushes = LightPushes(conn)

    async def list_due(self, at: datetime, *, limit: int) -> list[Lead]:
        """Leads whose light or mark may have changed by `at`, longest due first; locked."""
        query = (
            lead_query()
            .where(opportunities.c.light_due_at <= at)
            .order_by(opportunities.c.light_due_at, opportunities.c.id)
            .limit(limit)
            .with_for_update(of=opportunities)
        )
        return [to_lead(row) for row in await self._conn.execute(query)]

    async def list_leads(self, opportunity_ids: Iterable[int], *, lock: bool = True) -> list[Lead]:
        """These leads; unknown ids are left out. lock: until the transaction ends, for who
        changes them; lists are only read."""
        ids = sorted(set(opportunity_ids))
        found: list[Lead] = []
        for start in range(0, len(ids), CHUNK):
            query = _THESE_FOR_UPDATE if lock else _THESE
            rows = await self._conn.execute(query, {"ids": ids[start : start + CHUNK]})
            found += [to_lead(row) for row in rows]
        return found

    async def list_steps_due(self, at: datetime, *, limit: int) -> list[Lead]:
        """Leads whose episode owes its next step by `at`."""
        query = (
            lead_query(open_only=True)
            .where(light_episodes.c.next_push_at <= at)
            .order_by(light_episodes.c.next_push_at, light_episodes.c.id)
            .limit(limit)
            .with_for_update(of=opportunities)
        )
        return [to_lead(row) for row in await self._conn.execute(query)]

    async def list_red(self, *, limit: int) -> list[Lead]:
        """Leads with a red light, the longest red first."""
        query = (
            lead_query(open_only=True)
            .where(light_episodes.c.red_at.is_not(None))
            .order_by(light_episodes.c.red_at, light_episodes.c.id)
            .limit(limit)
        )
        return [to_lead(row) for row in await self._conn.execute(query)]

    async def list_told(self, before: datetime) -> list[Lead]:
        """Leads with a light that somebody was told about before that moment, and nobody
        since."""
        told = select(pushes.c.id).where(
            pushes.c.opportunity_id == light_episodes.c.opportunity_id,
            pushes.c.episode == light_episodes.c.episode,
        )
        query = lead_query(open_only=True).where(
            told.where(pushes.c.pushed_at < before).exists(),
            ~told.where(pushes.c.pushed_at >= before).exists(),
        )
        return [to_lead(row) for row in await self._conn.execute(query)]

    async def list_ended(self, opportunity_id: int) -> list[tuple[int, Cleared]]:
        """A lead's past lights: number and why it ended, oldest first."""
        query = (
            select(light_episodes.c.episode, light_episodes.c.cleared_reason)
            .where(
                light_episodes.c.opportunity_id == opportunity_id,
                light_episodes.c.cleared_at.is_not(None),
            )
            .order_by(light_episodes.c.episode)
        )
        return [
            (row.episode, Cleared(row.cleared_reason)) for row in await self._conn.execute(query)
        ]

    async def history(self, opportunity_ids: Iterable[int], *, since: datetime) -> list[PastLight]:
        """The lights of these leads that were on at some time since then, oldest first."""
        found: list[PastLight] = []
        for chunk in in_chunks(opportunity_ids):
            query = (
                select(*(light_episodes.c[field.name] for field in fields(PastLight)))
                .where(
                    light_episodes.c.opportunity_id.in_(chunk),
                    or_(light_episodes.c.cleared_at.is_(None), light_episodes.c.cleared_at > since),
                )
                .order_by(light_episodes.c.yellow_at, light_episodes.c.id)
            )
            found += [PastLight(*row) for row in await self._conn.execute(query)]
        return found

    async def lead_of(self, deal: Opportunity, *, owner_leave_until: datetime | None) -> Lead:
        """Of a deal that is locked. What shows no light has no open episode to ask for."""
        episode = None
        if deal.light is not Light.GREEN:
            row = (await self._conn.execute(_THESE, {"ids": [deal.id]})).one()
            episode = to_lead(row).episode
        return Lead(deal, owner_leave_until, episode)

    async def save(self, judgements: Sequence[Judgement], *, whole: bool = False) -> None:
        """Write down what was judged: standing, due time, episode, and the last valid action that
        was judged by. The leads are locked. whole: write the deals back as they were judged, with
        whatever else has changed of them."""
        await self._end_episodes([judgement for judgement in judgements if judgement.ends])
        await self._begin_episodes([judgement for judgement in judgements if judgement.rises])
        await self._redden([item for item in judgements if item.move is Move.REDDEN])
        judged = [_judged(one) for one in judgements]
        if whole:
            for deal in judged:
                await self._deals.save(deal)
            return
        with self._deals.changing(*judged):
            await self._write(
                _SAVE,
                [
                    {
                        "of_id": deal.id,
                        "new_light": str(deal.light),
                        "new_stuck": deal.stuck,
                        "due_at": deal.light_due_at,
                        "number": deal.episode,
                        "valid_at": deal.last_valid_at,
                    }
                    for deal in judged
                ],
            )

    async def recount_valid_actions(self, opportunity_id: int) -> None:
        """Set the last valid action from the stream, after one was taken back. What was done
        before the present owner got the deal is not theirs."""
        taken_back = select(activities.c.retracts_id).where(activities.c.retracts_id.is_not(None))
        assigned_at = (
            select(opportunities.c.assigned_at)
            .where(opportunities.c.id == opportunity_id)
            .scalar_subquery()
        )
        last = select(func.max(activities.c.occurred_at)).where(
            activities.c.opportunity_id == opportunity_id,
            activities.c.valid,
            activities.c.id.not_in(taken_back),
            activities.c.occurred_at >= assigned_at,
        )
        last_valid_at = (await self._conn.execute(last)).scalar()
        await self._conn.execute(
            update(opportunities)
            .where(opportunities.c.id == opportunity_id)
            .values(last_valid_at=last_valid_at)
        )

    async def mark_backfilled(self, opportunity_id: int, occurred_at: datetime) -> None:
        """Ended episodes that rose after an action which was recorded only later: they stay,
        and say so."""
        await self._conn.execute(
            _MARK_BACKFILLED, {"of_id": opportunity_id, "acted_at": occurred_at}
        )

    async def make_due(self, at: datetime, *, owner_id: int | None = None) -> None:
        """Have every living lead (of one owner) judged anew by the next sweep: the calendar
        came, the policy changed, somebody goes on leave."""
        living = opportunities.c.state.in_([OpportunityState.OPEN, OpportunityState.ON_HOLD])
        of_owner = [] if owner_id is None else [opportunities.c.owner_id == owner_id]
        await self._conn.execute(
            update(opportunities).where(living, *of_owner).values(light_due_at=at)
        )

    async def acknowledge(self, leads: Sequence[Lead], *, by: int, at: datetime) -> None:
        """Nobody is reminded of these episodes any more."""
        await self._write(
            _of_episode(update(light_episodes)).values(
                acked_at=at, acked_by=by, next_step="", next_push_at=None
            ),
            _keys(leads),
        )

    async def snooze(self, lead: Lead, *, until: datetime, reason: str) -> None:
        waits = light_episodes.c.next_push_at < until
        await self._write(
            _of_episode(update(light_episodes)).values(snoozed_until=until, snooze_reason=reason),
            _keys([lead]),
        )
        await self._write(
            _of_episode(update(light_episodes)).where(waits).values(next_push_at=until),
            _keys([lead]),
        )

    async def plan_steps(self, steps: Sequence[tuple[Lead, Step | None, datetime | None]]) -> None:
        """What each episode owes next, and when; None: nothing more."""
        await self._write(
            _of_episode(update(light_episodes)).values(
                next_step=bindparam("step"), next_push_at=bindparam("push_at")
            ),
            [
                {**_key(lead), "step": str(step or ""), "push_at": push_at}
                for lead, step, push_at in steps
            ],
        )

    async def next_due_at(self) -> datetime | None:
        return await self._earliest(opportunities.c.light_due_at)

    async def next_step_at(self) -> datetime | None:
        return await self._earliest(light_episodes.c.next_push_at)

    async def _earliest(self, column: Any) -> datetime | None:
        query = select(column).where(column.is_not(None)).order_by(column).limit(1)
        moment: datetime | None = (await self._conn.execute(query)).scalar()
        return moment

    async def _end_episodes(self, ended: Sequence[Judgement]) -> None:
        rows = [
            {**_key(item.lead), "ended_at": item.at, "reason": str(item.reason)} for item in ended
        ]
        await self._write(_END, rows)
        await self._write(_DROP_OWED, [_key(item.lead) for item in ended])

    async def _begin_episodes(self, risen: Sequence[Judgement]) -> None:
        await self._write(
            _BEGIN,
            [
                {
                    "opportunity_id": item.lead.opportunity.id,
                    "episode": item.number,
                    "owner_id": item.lead.opportunity.owner_id,
                    "yellow_at": item.at,
                    "red_at": item.at if item.standing.light is Light.RED else None,
                }
                for item in risen
            ],
        )

    async def _redden(self, reddened: Sequence[Judgement]) -> None:
        await self._write(_REDDEN, [{**_key(item.lead), "turned_at": item.at} for item in reddened])

    async def _write(self, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            await self._conn.execute(statement, rows)


def lead_query(*, open_only: bool = False) -> Select[Any]:
    """Columns for `to_lead`. open_only: leads with an open episode."""
    episode_is_open = and_(
        light_episodes.c.opportunity_id == opportunities.c.id,
        light_episodes.c.cleared_at.is_(None),
    )
    source = (
        opportunities.join(accounts, accounts.c.id == opportunities.c.account_id)
        .join(people, people.c.id == opportunities.c.owner_id)
        .join(light_episodes, episode_is_open, isouter=not open_only)
    )
    return select(
        *(opportunities.c[name] for name in _OPPORTUNITY),
        accounts.c.name.label("account_name"),
        people.c.on_leave_until.label("owner_leave_until"),
        light_episodes.c.episode.label("episode_number"),
        *(light_episodes.c[name].label(f"episode_{name}") for name in _EPISODE),
    ).select_from(source)


_THESE = lead_query().where(opportunities.c.id.in_(bindparam("ids", expanding=True)))
_THESE_FOR_UPDATE = _THESE.with_for_update(of=opportunities)


def to_lead(row: Row[Any]) -> Lead:
    values = row._mapping
    known = {name: values[name] for name in _OPPORTUNITY}
    known |= {"state": OpportunityState(known["state"]), "light": Light(known["light"])}
    opportunity = Opportunity(**known, account_name=values["account_name"])
    episode = None
    if values["episode_number"] is not None:
        episode = Episode(
            opportunity_id=opportunity.id,
            number=values["episode_number"],
            **{name: values[f"episode_{name}"] for name in _EPISODE},
        )
    return Lead(opportunity, values["owner_leave_until"], episode)


def _judged(judgement: Judgement) -> Opportunity:
    standing = judgement.standing
    return replace(
        judgement.lead.opportunity,
        light=standing.light,
        stuck=standing.stuck,
        light_due_at=standing.next_change_at,
        episode=judgement.number,
    )


def _of_episode(statement: Any) -> Any:
    return statement.where(
        light_episodes.c.opportunity_id == bindparam("of_opportunity"),
        light_episodes.c.episode == bindparam("of_episode"),
    )


_BEGIN = insert(light_episodes)
_END = _of_episode(update(light_episodes)).values(
    cleared_at=bindparam("ended_at"),
    cleared_reason=bindparam("reason"),
    next_step="",
    next_push_at=None,
)
_DROP_OWED = (
    update(pushes)
    .where(
        pushes.c.opportunity_id == bindparam("of_opportunity"),
        pushes.c.episode == bindparam("of_episode"),
        pushes.c.state == fixed("owed"),
    )
    .values(state="dropped", reason="cleared_before")
)
_REDDEN = _of_episode(update(light_episodes)).values(
    red_at=bindparam("turned_at"), acked_at=None, acked_by=None, next_step="", next_push_at=None
)


def _key(lead: Lead) -> dict[str, Any]:
    if lead.episode is None:
        raise ValueError(f"opportunity {lead.opportunity.id} shows no light")
    return {"of_opportunity": lead.opportunity.id, "of_episode": lead.episode.number}


def _keys(leads: Iterable[Lead]) -> list[dict[str, Any]]:
    return [_key(lead) for lead in leads]
