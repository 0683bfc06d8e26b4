"""The numbers in force: those of policy.toml, and above them what was changed in chat. All
handlers read them here, through `Office.policy`, `Watch.policy`, or `of` a person."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.policy import LightPolicy, Policy
from bot.domain.policy_changes import PolicyChange, Value
from bot.errors import UserError
from bot.messages import OutboundMessage
from bot.router import Job
from storage.unit_of_work import UnitOfWork

ChangePolicy = Callable[[Policy, Mapping[str, Value]], Policy]
"""A policy and changes by key -> the policy with them. Raises InvalidInput."""

Changes = Mapping[str, Value]

FRESH_FOR = timedelta(seconds=1)
"""So long another process may not have heard of a change; asking costs a twentieth of what a
message costs."""

PLACES_FOR = timedelta(minutes=10)
"""So long it may take until who changed teams works by the new team's numbers."""

_REFUSED = (UserError, KeyError, AttributeError)  # the last two: a key that is no more

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _State:
    """Of one version. teams: leader -> what the team has of its own. places: person -> the
    leaders with numbers of their own that are above, nearest first, themselves before all."""

    version: int
    organisation: Policy
    own: Changes = field(default_factory=dict)
    teams: Mapping[int, Changes] = field(default_factory=dict)
    places: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    policies: Mapping[tuple[int, ...], Policy] = field(default_factory=dict)
    placed_at: datetime | None = None


class PolicyBook:
    """The policy in force, of the organisation and each team. One per program. A transaction begins
    by asking the database for the newest version (`follow`), at most once in FRESH_FOR. So a change
    is in force with the next message or tick where it was made, and in every other process no later
    than that; what is under way ends by the numbers that it began with."""

    def __init__(self, base: Policy, change: ChangePolicy | None = None) -> None:
        """base: of policy.toml. Without `change` it holds for ever."""
        self.base = base
        self._change = change
        self._state = _State(0, base)
        self._asked_at: datetime | None = None

    @property
    def organisation(self) -> Policy:
        return self._state.organisation

    def of(self, person_id: int) -> Policy:
        """What somebody works by: their team's numbers, else those of the teams above, else the
        organisation's."""
        state = self._state
        return state.policies.get(state.places.get(person_id, ()), state.organisation)

    def of_team(self, team_id: int | None) -> Policy:
        """team_id: of its leader; None: the organisation."""
        return self.organisation if team_id is None else self.of(team_id)

    def own(self, team_id: int | None) -> Changes:
        """What was changed for the organisation, or for that team."""
        return self._state.own if team_id is None else self._state.teams.get(team_id, {})

    def teams_with(self, key: str) -> list[int]:
        """The leaders whose teams have a number of their own for this key."""
        return [team_id for team_id, changes in self._state.teams.items() if key in changes]

    def numbers_of_lights(self) -> list[LightPolicy]:
        """All that leads are judged by: the organisation's, then the teams'."""
        state = self._state
        return [
            self.organisation.lights,
            *(state.policies[one].lights for one in sorted(state.policies)),
        ]

    async def follow(self, tx: UnitOfWork, at: datetime | None = None) -> None:
        """Take over what the database has, if that is newer. At the beginning of a transaction:
        nothing is seen that was not committed. at: what was asked just before that is not asked
        again; and who belongs to which team is, if that is long ago. None: ask in any case."""
        asked_at = self._asked_at
        fresh = at is not None and asked_at is not None and asked_at <= at < asked_at + FRESH_FOR
        if self._change is None or fresh:
            return
        self._asked_at = at
        state, version = self._state, await tx.policy_changes.version()
        placed_at = state.placed_at
        stale = at is not None and (placed_at is None or at >= placed_at + PLACES_FOR)
        if version == state.version and not (state.teams and stale):
            return
        found = await self._read(tx, version, await tx.policy_changes.in_force())
        if version >= self._state.version:
            self._state = replace(found, placed_at=at)

    def forget(self) -> None:
        """Something was changed here, and committed: the next transaction asks."""
        self._asked_at = None

    def followed(self, job: Job[UnitOfWork]) -> Job[UnitOfWork]:
        """The same job, which begins each tick, and each look ahead, by following."""

        async def run(tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
            await self.follow(tx, at)
            return await job.run(tx, at)

        async def next_due(tx: UnitOfWork) -> datetime | None:
            await self.follow(tx)
            return await job.next_due(tx) if job.next_due is not None else None

        return replace(job, run=run, next_due=next_due if job.next_due is not None else None)

    async def try_change(self, tx: UnitOfWork, team_id: int | None, changes: Changes) -> None:
        """Whether the numbers go together with all others, also where a team within has its own.
        Raises InvalidInput."""
        state, teams = self._state, dict(self._state.teams)
        own = changes if team_id is None else state.own
        if team_id is not None:
            teams[team_id] = changes
        chains = {places for places in (await _places(tx, teams)).values() if places}
        organisation = self._changed(self.base, own)
        for chain in chains:
            self._changed(organisation, _layered(teams, chain))

    async def _read(self, tx: UnitOfWork, version: int, in_force: Iterable[PolicyChange]) -> _State:
        own: dict[str, Value] = {}
        teams: dict[int, dict[str, Value]] = defaultdict(dict)
        for one in in_force:
            if one.after is not None:
                changes = own if one.team_id is None else teams[one.team_id]
                changes[one.key] = one.after
        organisation = self._known(self.base, own, whose="organisation")
        places = await _places(tx, teams) if teams else {}
        policies = {
            chain: self._known(organisation, _layered(teams, chain), whose=f"team:{chain[0]}")
            for chain in set(places.values())
            if chain
        }
        return _State(version, organisation, own, dict(teams), places, policies)

    def _known(self, policy: Policy, changes: Changes, *, whose: str) -> Policy:
        """A change that today's rules refuse, as after an upgrade, is left out and logged."""
        try:
            return self._changed(policy, changes)
        except _REFUSED:
            kept: dict[str, Value] = {}
        for key, value in changes.items():
            try:
                self._changed(policy, kept | {key: value})
            except _REFUSED as error:
                fields = {"action": "load policy", "whose": whose, "key": key, "error": str(error)}
                log.error("a changed number is refused", extra=fields)
                continue
            kept[key] = value
        return self._changed(policy, kept)

    def _changed(self, policy: Policy, changes: Changes) -> Policy:
        assert self._change is not None
        return self._change(policy, changes)


def _layered(teams: Mapping[int, Changes], chain: Sequence[int]) -> dict[str, Value]:
    """chain: nearest first; what is nearer goes before."""
    return {key: value for team in reversed(chain) for key, value in teams[team].items()}


async def _places(tx: UnitOfWork, teams: Mapping[int, Changes]) -> dict[int, tuple[int, ...]]:
    own = {team_id for team_id, changes in teams.items() if changes}
    lines = await tx.libraries.leaders_of_everybody()
    everybody = {**{team_id: [] for team_id in own}, **lines}
    return {
        person: tuple(one for one in line_of(everybody, person) if one in own)
        for person in everybody
    }


def line_of(leaders: Mapping[int, Sequence[int]], person: int) -> list[int]:
    """Somebody and all above them, nearest first. leaders: as the directory names them, of whom
    some have leaders of their own that it does not name there."""
    line = [person]
    for one in line:
        line += [above for above in leaders.get(one, ()) if above not in line]
    return line
