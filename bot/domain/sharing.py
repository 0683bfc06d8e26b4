"""How several processes share the work of one bot: what is shared out, and who takes what.

Each thing that one process at a time must do has a name: HOME (the clock's ticks, long
connections, polling, and the robots that answer over them), a sending channel for each
application, and the partitions of the inbox, into which conversations fall by their hash.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

HOME = "home"
PARTITIONS = 32
"""Of the inbox. Every process of a deployment must reckon with the same number."""

_INBOX = "inbox:"
_SEND = "send:"

AppKey = tuple[str, str]
"""Platform and name of an application."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Which process has one of the names. node: who has it, or had it last. is_free: it has run out
    or was given back."""

    node: str
    is_free: bool


@dataclass(frozen=True, slots=True)
class Moves:
    """What a process is to take of the free ones, and to give back of its own."""

    take: tuple[str, ...] = ()
    give: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Division:
    """Which name stands for what. senders: applications whose sending has a name of its own;
    all others send from HOME, where their connections are. home_apps: whose conversations are
    handled there, too, since they are answered over the connection that they came by."""

    senders: frozenset[AppKey]
    home_apps: frozenset[AppKey] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the dearest first."""
        home, *partitions = self.inboxes
        return (home, *sorted(f"{_SEND}{':'.join(app)}" for app in self.senders), *partitions)

    @property
    def inboxes(self) -> tuple[str, ...]:
        """Those under which conversations are handled."""
        return (HOME, *(f"{_INBOX}{number:02}" for number in range(PARTITIONS)))

    def of_conversation(self, conversation: str) -> str:
        """conversation: begins with platform and application, "wecom:sales:…"."""
        platform, _, rest = conversation.partition(":")
        if (platform, rest.partition(":")[0]) in self.home_apps:
            return HOME
        return f"{_INBOX}{zlib.crc32(conversation.encode()) % PARTITIONS:02}"

    def of_sending(self, app: AppKey) -> str:
        return f"{_SEND}{':'.join(app)}" if app in self.senders else HOME


def moves(node: str, names: Collection[str], leases: Mapping[str, Lease], *, nodes: int) -> Moves:
    """What `node`, one of so many living ones, does now. Everybody takes an even share of the
    partitions, which are the work, and of the few other names up to an even share of all. Only
    partitions are given back to make room for a newcomer: they cost nothing to move, while a
    connection that moves is deaf meanwhile and a sender forgets its pace.

    With an even share of the partitions, but not of all names, a process takes one more at a time.
    During an upgrade some processes may be of a version that knew the latter share only; what they
    leave would be nobody's otherwise."""
    mine = [name for name in names if name in leases and _is_of(leases[name], node)]
    free = [name for name in names if name not in leases or leases[name].is_free]
    room = math.ceil(len(names) / max(nodes, 1)) - len(mine)
    others = [name for name in free if not name.startswith(_INBOX)][: max(room, 0)]
    held = _partitions(mine)
    room_of_partitions = math.ceil(len(_partitions(names)) / max(nodes, 1)) - len(held)
    one_more = min(max(room - len(others), 0), 1)
    surplus = max(min(-room, -room_of_partitions), 0)
    return Moves(
        take=(*others, *_partitions(free)[: max(room_of_partitions, one_more)]),
        give=tuple(held[len(held) - surplus :]),
    )


def _partitions(names: Collection[str]) -> list[str]:
    return [name for name in names if name.startswith(_INBOX)]


def _is_of(lease: Lease, node: str) -> bool:
    return lease.node == node and not lease.is_free
