"""Who takes what of the shared work."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.domain.sharing import HOME, Division, Lease, moves

SALES = ("wecom", "sales")
DIVISION = Division(senders=frozenset({SALES}), home_apps=frozenset({("wecom", "robot")}))


class Town:
    """Leases as several processes see them; nobody's time runs out unless he dies."""

    def __init__(self) -> None:
        self.leases: dict[str, Lease] = {}

    def round(self, *nodes: str) -> None:
        for node in nodes:
            due = moves(node, DIVISION.names, self.leases, nodes=len(nodes))
            self.leases |= {name: Lease(node, is_free=True) for name in due.give}
            self.leases |= {name: Lease(node, is_free=False) for name in due.take}

    def die(self, node: str) -> None:
        for name, lease in self.leases.items():
            if lease.node == node:
                self.leases[name] = Lease(node, is_free=True)

    def held(self) -> Counter[str]:
        return Counter(lease.node for lease in self.leases.values() if not lease.is_free)


def test_one_alone_has_everything() -> None:
    town = Town()
    town.round("a")
    assert town.held() == {"a": len(DIVISION.names)}


def test_newcomers_get_an_even_share_and_connections_stay_where_they_are() -> None:
    town = Town()
    town.round("a")
    for _ in range(3):
        town.round("a", "b", "c")
    shares = town.held()
    assert sum(shares.values()) == len(DIVISION.names)
    assert max(shares.values()) - min(shares.values()) <= 2
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


def test_a_robots_conversations_are_handled_where_its_connection_is() -> None:
    assert DIVISION.of_conversation("wecom:robot:u:zhang3") == HOME
    assert DIVISION.of_conversation("wecom:sales:u:zhang3").startswith("inbox:")
    assert DIVISION.of_conversation("wecom:sales:u:zhang3") in DIVISION.names


@pytest.mark.parametrize("app", [("wecom", "robot"), ("erp", "kingdee")])
def test_what_has_no_sender_of_its_own_is_sent_from_home(app: tuple[str, str]) -> None:
    assert DIVISION.of_sending(app) == HOME
    assert DIVISION.of_sending(SALES) == "send:wecom:sales"
