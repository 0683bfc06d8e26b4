"""A made-up sales team: reps who exaggerate, sandbag and forget, customers who stall.

What does evidence (levels), behaviour (signals) and a second signature (co-sign) add to reps'
word? The truth of each deal is a Markov chain by weeks, so its chance of being won within the
horizon is known exactly; everything that anybody says or records is that truth through noise.
Assumptions and results: docs/forecast.md. Pure: numpy and a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SEEDS = range(50)
FEWER = range(10)
"""For the other teams, so that a run stays below a minute."""
HORIZON_WEEKS = 13
LEARNING = range(26, 105, 4)
"""Weeks whose snapshots the weights are learnt from, once; all are over before the first origin."""
ORIGINS = range(118, 160, 4)
WEEKS = ORIGINS[-1] + HORIZON_WEEKS + 1
EVIDENCE_WEEKS = 13

TALKING, NEED, TECHNICAL, ORDER = range(4)
MOVING, STALLED, DEAD = range(3)
STATES = 4 * 3
WON, LOST = STATES, STATES + 1


@dataclass(frozen=True, slots=True)
class Team:
    """Every assumption. Rates are chances a week; said chances are biased in log odds."""

    reps: int = 30
    deals_each: int = 20
    exaggerating: float = 0.5
    sandbagging: float = 0.2
    exaggeration: float = 2.3
    understatement: float = 1.0
    drift: float = 0.0
    """By which all reps' words shift together from quarter to quarter, a standard deviation."""
    rep_noise: float = 0.7
    """Of what an honest rep thinks: a standard deviation in log odds."""
    padded_amount: float = 0.2
    """By which those who exaggerate overstate an amount without a purchase order."""
    forgetting: float = 0.3
    """Share of reps who record a third of their evidence and of their contacts."""
    recorded: float = 0.6
    """Of the evidence that is there and not recorded yet."""
    forged: float = 0.0
    """Of the levels, shown one level too high."""
    forged_later: float = 0.0
    """The same, from the first origin on only: nothing of the past has taught it."""
    tracked: float = 0.6
    """Of the customers, seen on the website."""
    csm_knows: float = 0.7
    csm_silent: float = 0.15
    csm_noise: float = 0.9
    csm_bias: float = 0.2
    stalling: float = 1.0
    """Times the rates at which customers stall and die silently."""
    quality: float = 0.6
    """How much deals differ, as a standard deviation in log rates."""


@dataclass(slots=True)
class Snapshot:
    """What is on record of the open deals at the end of a week, and what came of them."""

    deal: Ints
    rep: Ints
    said: Floats
    """Chance, in the rep's words, of being won within the horizon."""
    amount: Floats
    """As told; as ordered where a purchase order is there."""
    level: Ints
    """0 none, 1 L3, 2 L2, 3 L1."""
    silent: Bools
    """No valid contact within the decay's 72 working hours: L2 counts as L2.5."""
    heat: Floats
    tracked: Bools
    csm: Floats
    """The service manager's chance; NaN: unknown customer, or silence (未复评)."""
    came: Floats = field(default_factory=lambda: np.zeros(0))
    """Won within the horizon, in money."""


@cache
def _steps(team: Team) -> Floats:
    """[quality, state, state]: chances of a week. Five qualities of customer."""
    grid = np.exp(team.quality * np.array([-1.4, -0.7, 0.0, 0.7, 1.4]))
    return np.array([_week(team, float(good)) for good in grid])


def _week(team: Team, good: float) -> Floats:
    forward = np.minimum(0.9, good * np.array([0.12, 0.10, 0.12, 0.30]))
    settled = np.array([1.0, 1.0, 0.7, 0.15])
    stall, die = 0.06 * team.stalling, 0.02 * team.stalling / good
    step = np.zeros((STATES + 2, STATES + 2))
    for stage in range(4):
        at = stage * 3
        after = WON if stage == ORDER else at + 3
        leave = settled[stage]
        step[at + MOVING, after] = forward[stage]
        step[at + MOVING, at + STALLED] = stall * leave * (1 - forward[stage])
        step[at + MOVING, at + DEAD] = die * leave * (1 - forward[stage])
        step[at + STALLED, at + MOVING] = 0.10
        step[at + STALLED, at + DEAD] = min(0.5, 0.05 * team.stalling * leave / good)
        step[at + DEAD, LOST] = 0.06
    step += np.diag(1 - step.sum(axis=1))
    return step


class Market:
    """Deals as they are. An open slot is one deal; a closed one is followed by a new deal."""

    def __init__(self, team: Team, dice: np.random.Generator) -> None:
        self.team, self.dice = team, dice
        slots = team.reps * team.deals_each
        self.rep = np.repeat(np.arange(team.reps), team.deals_each)
        kind = dice.random(team.reps)
        self.exaggerates = (kind < team.exaggerating)[self.rep]
        sandbags = (kind >= 1 - team.sandbagging)[self.rep]
        self.bias = team.exaggeration * self.exaggerates - team.understatement * sandbags
        forgets = (dice.random(team.reps) < team.forgetting)[self.rep]
        self.diligence = np.where(forgets, 1 / 3, 1.0)
        steps = _steps(team)
        self.cumulative = np.cumsum(steps, axis=2)
        self.chance = np.linalg.matrix_power(steps, HORIZON_WEEKS)[:, :, WON]
        self.state = np.zeros(slots, dtype=np.int64)
        self.quality = np.zeros(slots, dtype=np.int64)
        self.amount, self.luck, self.csm_luck, self.forgery = np.zeros((4, slots))
        self.proven, self.proven_at = np.zeros((2, slots), dtype=np.int64)
        self.tracked, self.known = np.zeros((2, slots), dtype=bool)
        self.heat = np.zeros((3, slots))
        self.silent = np.zeros(slots, dtype=bool)
        self.deal = np.zeros(slots, dtype=np.int64)
        self.deals = 0
        self.mood = self.forged = 0.0
        self._begin(np.ones(slots, dtype=bool))

    def _begin(self, new: Bools) -> None:
        team, dice, count = self.team, self.dice, int(new.sum())
        self.deal[new] = self.deals + np.arange(count)
        self.deals += count
        self.state[new] = TALKING * 3 + MOVING
        self.quality[new] = dice.integers(0, 5, count)
        self.amount[new] = np.exp(dice.normal(0.0, 0.8, count)) * 300_000
        self.luck[new], self.csm_luck[new] = dice.normal(size=(2, count))
        self.forgery[new] = dice.random(count)
        self.proven[new] = 0
        self.tracked[new] = dice.random(count) < team.tracked
        self.known[new] = dice.random(count) < team.csm_knows
        self.heat[:, new] = 0.0

    def pass_week(self, week: int) -> dict[int, float]:
        """Deals that were won this week, and for how much."""
        self._begin(self.state >= STATES)
        if week % HORIZON_WEEKS == 0:
            self.mood = self.team.drift * float(self.dice.normal())
        is_later = week >= ORIGINS[0]
        self.forged = self.team.forged + self.team.forged_later * is_later
        row = self.cumulative[self.quality, self.state]
        self.state = (self.dice.random(len(row))[:, None] > row).sum(axis=1)
        self._prove(week)
        self._behave()
        won = np.flatnonzero(self.state == WON)
        return dict(zip(self.deal[won].tolist(), self.amount[won].tolist(), strict=True))

    def _prove(self, week: int) -> None:
        """Evidence comes with a stage, is recorded late or never, may be renewed, and expires."""
        dice, alive = self.dice, self.state < STATES
        stage, mood = np.divmod(self.state, 3)
        rate = self.team.recorded * self.diligence
        new = alive & (stage > self.proven) & (dice.random(len(stage)) < rate)
        again = alive & (mood == MOVING) & (dice.random(len(stage)) < 0.1 * self.diligence)
        self.proven = np.where(new, stage, self.proven)
        self.proven_at = np.where(new | again, week, self.proven_at)
        self.proven = np.where(week - self.proven_at > EVIDENCE_WEEKS, 0, self.proven)

    def _behave(self) -> None:
        """Page views, replies and meetings, with the half-lives of the rules; reps' contacts."""
        dice, mood = self.dice, np.where(self.state < STATES, self.state % 3, DEAD)
        rates = np.array([[1.0, 0.3, 0.08], [0.6, 0.15, 0.04], [0.2, 0.03, 0.005]])
        weights, half_lives = np.array([1.0, 2.0, 3.0]), np.array([7.0, 14.0, 30.0])
        events = dice.poisson(rates[:, mood]).astype(np.float64)
        events[0] *= self.tracked
        events[1:] *= self.diligence  # what nobody writes down is not there
        fading = 2.0 ** (-7.0 / half_lives)
        self.heat = self.heat * fading[:, None] + events * weights[:, None]
        reached = np.array([0.9, 0.6, 0.4])[mood] * np.maximum(self.diligence, 0.5)
        self.silent = dice.random(len(mood)) > reached

    def snapshot(self) -> Snapshot:
        team, dice = self.team, self.dice
        rows = np.flatnonzero(self.state < STATES)
        truth = _logit(self.chance[self.quality[rows], self.state[rows]])
        exaggerates, proven = self.exaggerates[rows], self.proven[rows]
        forged = (self.forgery[rows] < self.forged) & (proven > 0)
        level = np.minimum(proven + forged, 3)
        amount = self.amount[rows]
        ordered = level == 3
        csm = _chance(truth + team.csm_bias + team.csm_noise * self._wobble(self.csm_luck[rows]))
        speaks = self.known[rows] & (dice.random(len(rows)) >= team.csm_silent)
        own = truth + self.bias[rows] + self.mood + team.rep_noise * self._wobble(self.luck[rows])
        return Snapshot(
            deal=self.deal[rows],
            rep=self.rep[rows],
            said=_chance(own),
            amount=np.where(ordered, amount, amount * (1 + team.padded_amount * exaggerates)),
            level=level,
            silent=self.silent[rows],
            heat=np.log1p(self.heat[:, rows].sum(axis=0)),
            tracked=self.tracked[rows],
            csm=np.where(speaks, csm, np.nan),
        )

    def _wobble(self, lasting: Floats) -> Floats:
        """Half of an opinion's error stays with the deal, half is new each time."""
        return np.asarray((lasting + self.dice.normal(size=len(lasting))) / np.sqrt(2))


def play(team: Team, seed: int) -> dict[int, Snapshot]:
    """Week -> what was on record then, with what came of it within the horizon."""
    market = Market(team, np.random.default_rng(seed))
    shown: dict[int, Snapshot] = {}
    won: list[dict[int, float]] = []
    for week in range(WEEKS):
        won.append(market.pass_week(week))
        if week in LEARNING or week in ORIGINS:
            shown[week] = market.snapshot()
    for week, one in shown.items():
        ahead: dict[int, float] = {}
        for later in won[week + 1 : week + 1 + HORIZON_WEEKS]:
            ahead |= later
        one.came = np.array([ahead.get(deal, 0.0) for deal in one.deal.tolist()])
    return shown


def _logit(chance: Floats) -> Floats:
    inside = np.clip(chance, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(inside / (1 - inside)))


def _chance(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


Forecaster = Callable[[Snapshot], Floats]
"""Today's snapshot -> what each of its deals is expected to bring within the horizon."""
Learner = Callable[[Sequence[Snapshot]], Forecaster]
"""From past snapshots, with what came of them."""


def called(past: Sequence[Snapshot]) -> Forecaster:
    """What reps call likelier than not, in full."""
    return lambda now: now.amount * (now.said >= 0.5)


def said(past: Sequence[Snapshot]) -> Forecaster:
    """Each amount times the chance its rep gives it."""
    return lambda now: now.amount * now.said


def said_corrected(past: Sequence[Snapshot]) -> Forecaster:
    """The same, times what came of each rep's sums before: a sceptical director's."""
    size = max(int(one.rep.max()) for one in past) + 1
    came, told = np.zeros((2, size))
    for one in past:
        came += np.bincount(one.rep, weights=one.came, minlength=size)
        told += np.bincount(one.rep, weights=one.amount * one.said, minlength=size)
    factor = (came + came.mean()) / (told + told.mean())
    return lambda now: now.amount * now.said * factor[now.rep]


def learnt(*, words: bool = False, signals: bool = False, cosign: bool = False) -> Learner:
    """Chances by level, and by what else is asked, as a logistic regression on the past."""

    def learn(past: Sequence[Snapshot]) -> Forecaster:
        seen = np.concatenate([_features(one, words, signals, cosign) for one in past])
        level, came, told = (
            np.concatenate([getattr(one, name) for one in past])
            for name in ("level", "came", "amount")
        )
        won = came > 0
        weights = _fit(seen, won)
        kept = np.array([_ratio(came, told, won & (level == n)) for n in range(4)])
        return lambda now: (
            _chance(_features(now, words, signals, cosign) @ weights) * now.amount * kept[now.level]
        )

    return learn


def _features(one: Snapshot, words: bool, signals: bool, cosign: bool) -> Floats:
    columns: list[NDArray[np.generic]] = [one.level == n for n in range(4)]
    own, heard = _logit(one.said), ~np.isnan(one.csm)
    if words:
        columns.append(own)
    if signals:
        halved = one.level == 2  # L2 that decayed to L2.5
        columns += [halved & one.silent, ~halved & one.silent]
        columns += [one.heat, one.heat * one.tracked, one.tracked]
    if cosign:
        columns += [heard, np.where(heard, _logit(np.where(heard, one.csm, 0.5)), 0.0)]
    if words and cosign:
        columns.append(np.where(heard, own, 0.0))
    return np.column_stack(columns).astype(np.float64)


def _ratio(came: Floats, told: Floats, rows: Bools) -> float:
    """What won deals paid of what had been told."""
    return float(came[rows].sum() / told[rows].sum()) if rows.any() else 1.0


def _fit(seen: Floats, won: Bools) -> Floats:
    """Newton's steps, with a ridge that keeps rare columns from running away."""
    weights = np.zeros(seen.shape[1])
    ridge = np.eye(seen.shape[1])
    for _ in range(8):
        chance = _chance(seen @ weights)
        slope = seen.T @ (won - chance) - ridge @ weights
        curve = (seen * (chance * (1 - chance))[:, None]).T @ seen + ridge
        weights = weights + np.linalg.solve(curve, slope)
    return weights


ALL_THREE = "levels + signals + co-sign"
WORDS = ("called in full", "said chances")
LEARNERS: Mapping[str, Learner] = {
    "called in full": called,
    "said chances": said,
    "said, corrected by history": said_corrected,
    "levels": learnt(),
    "levels + signals": learnt(signals=True),
    ALL_THREE: learnt(signals=True, cosign=True),
    "all three + words": learnt(words=True, signals=True, cosign=True),
}

TEAMS: Mapping[str, Team] = {
    "as assumed": Team(),
    "5 % of levels forged": Team(forged=0.05),
    "10 % of levels forged": Team(forged=0.10),
    "10 % forged from today on": Team(forged_later=0.10),
    "co-sign silent half the time": Team(csm_silent=0.5),
    "moods: exaggeration drifts": Team(drift=0.7),
    "milder exaggeration (+1)": Team(exaggeration=1.0, understatement=0.5, padded_amount=0.1),
    "nobody exaggerates": Team(exaggerating=0.0, sandbagging=0.0),
    "everybody forgets": Team(forgetting=1.0),
    "stalls twice as often": Team(stalling=2.0),
    "ten reps": Team(reps=10),
}


@dataclass(frozen=True, slots=True)
class Accuracy:
    """1 - WAPE over all origins; 0 where the misses exceed what came."""

    total: float
    by_rep: float


def accuracies(team: Team, seed: int) -> dict[str, Accuracy]:
    """By learner, each taught once, before the first origin."""
    shown = play(team, seed)
    past, today = ([shown[week] for week in weeks] for weeks in (LEARNING, ORIGINS))
    return {name: _score(learner(past), today, team.reps) for name, learner in LEARNERS.items()}


def _score(foresee: Forecaster, today: Sequence[Snapshot], reps: int) -> Accuracy:
    came = total = by_rep = 0.0
    for one in today:
        miss = np.bincount(one.rep, weights=foresee(one) - one.came, minlength=reps)
        came += float(one.came.sum())
        total += abs(float(miss.sum()))
        by_rep += float(np.abs(miss).sum())
    return Accuracy(max(0.0, 1 - total / came), max(0.0, 1 - by_rep / came))


def kept_commits(team: Team, seed: int) -> float:
    """Share of the deals called likelier than not that came: to be held against surveys."""
    shown = play(team, seed)
    came = [(shown[week].came > 0)[shown[week].said >= 0.5] for week in ORIGINS]
    return float(np.concatenate(came).mean())


async def main() -> None:
    kept = np.mean([kept_commits(Team(), seed) for seed in FEWER])
    print(f"   deals called likelier than not that came within 13 weeks: {kept:.2f}")
    for title, team in TEAMS.items():
        seeds = [accuracies(team, seed) for seed in (SEEDS if team == Team() else FEWER)]
        print(f"   {title}, {len(seeds)} seeds: in total / by rep", flush=True)
        for name in LEARNERS:
            total, by_rep = (
                [getattr(one[name], what) for one in seeds] for what in ("total", "by_rep")
            )
            worst = f"(worst seed {min(total):.3f})"
            print(f"      {name:28} {np.mean(total):.3f} {worst} / {np.mean(by_rep):.3f}")
