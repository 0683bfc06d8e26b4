"""Who takes what of the shared work."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.sharing import HOME, Division, Lease, Moves, moves

SALES = ("wecom", "sales")
DIVISION = Division(senders=frozenset({SALES}), home_apps=frozenset({("wecom", "robot")}))
ROUNDS = 40
"""Enough for any company of four to have shared everything out."""

Rule = Callable[..., Moves]


class Town:
    """Leases as several processes see them; nobody's time runs out unless he dies. rules: how
    those decide that are of another version."""

    def __init__(self, rules: Mapping[str, Rule] | None = None) -> None:
        self.leases: dict[str, Lease] = {}
        self._rules = rules or {}

    def round(self, *nodes: str) -> None:
        for node in nodes:
            rule = self._rules.get(node, moves)
            due = rule(node, DIVISION.names, self.leases, nodes=len(nodes))
            self.leases |= {name: Lease(node, is_free=True) for name in due.give}
            self.leases |= {name: Lease(node, is_free=False) for name in due.take}

    def die(self, node: str) -> None:
        for name, lease in self.leases.items():
            if lease.node == node:
                self.leases[name] = Lease(node, is_free=True)

    def held(self) -> Counter[str]:
        return Counter(lease.node for lease in self.leases.values() if not lease.is_free)

    def partitions(self) -> list[int]:
        """How many each process has, the fewest first."""
        held = Counter(
            lease.node
            for name, lease in self.leases.items()
            if name.startswith("inbox:") and not lease.is_free
        )
        return sorted(held.values())


def test_one_alone_has_everything() -> None:
    town = Town()
    town.round("a")
    assert town.held() == {"a": len(DIVISION.names)}


@pytest.mark.parametrize(
    ("nodes", "partitions"), [("ab", [16, 16]), ("abc", [10, 11, 11]), ("abcd", [8, 8, 8, 8])]
)
def test_newcomers_get_as_many_partitions_and_connections_stay_where_they_are(
    nodes: str, partitions: list[int]
) -> None:
    town = Town()
    town.round("a")
    for _ in range(3):
        town.round(*nodes)
    assert town.partitions() == partitions
    assert sum(town.held().values()) == len(DIVISION.names)
    assert town.leases[HOME].node == "a"
    assert town.leases["send:wecom:sales"].node == "a"


def test_when_all_is_shared_out_nothing_moves() -> None:
    town = Town()
    for _ in range(4):
        town.round("a", "b", "c")
    before = dict(town.leases)
    town.round("a", "b", "c")
    assert town.leases == before


def test_the_dead_are_replaced_by_all_others() -> None:
    town = Town()
    for _ in range(4):
        town.round("a", "b", "c")
    town.die("a")
    town.round("b", "c")
    assert town.held().keys() == {"b", "c"}
    assert sum(town.held().values()) == len(DIVISION.names)


@given(comings=st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=8))
def test_whoever_comes_and_goes_nothing_stays_free(comings: list[set[str]]) -> None:
    town = Town({"c": alike, "d": alike})
    living: set[str] = set()
    for present in comings:
        for gone in living - present:
            town.die(gone)
        living = present
        for _ in range(ROUNDS):
            town.round(*sorted(living))
        assert sum(town.held().values()) == len(DIVISION.names)
        before = dict(town.leases)
        town.round(*sorted(living))
        assert town.leases == before


def alike(node: str, names: Collection[str], leases: Mapping[str, Lease], *, nodes: int) -> Moves:
    """As an earlier version did it, which may run beside this one during an upgrade: all names
    count the same."""
    share = math.ceil(len(names) / nodes)
    mine = [name for name in names if name in leases and leases[name] == Lease(node, is_free=False)]
    free = [name for name in names if name not in leases or leases[name].is_free]
    surplus = max(len(mine) - share, 0)
    partitions = [name for name in mine if name.startswith("inbox:")]
    return Moves(
        take=tuple(free[: max(share - len(mine), 0)]),
        give=tuple(partitions[len(partitions) - surplus :]) if surplus else (),
    )


def test_a_robots_conversations_are_handled_where_its_connection_is() -> None:
    assert DIVISION.of_conversation("wecom:robot:u:zhang3") == HOME
    assert DIVISION.of_conversation("wecom:sales:u:zhang3").startswith("inbox:")
    assert DIVISION.of_conversation("wecom:sales:u:zhang3") in DIVISION.names


@pytest.mark.parametrize("app", [("wecom", "robot"), ("erp", "kingdee")])
def test_what_has_no_sender_of_its_own_is_sent_from_home(app: tuple[str, str]) -> None:
    assert DIVISION.of_sending(app) == HOME
    assert DIVISION.of_sending(SALES) == "send:wecom:sales"
