"""What the emulated WeCom knows of external contacts, their groups, tags and transfers."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

TRANSFER_TAKES = timedelta(hours=24)
BETWEEN_TRANSFERS = timedelta(days=90)
MOST_TRANSFERS = 2


@dataclass(slots=True)
class Outsider:
    """kind: 1 a user of WeChat, 2 one of WeCom at another company."""

    external_id: str
    name: str
    kind: int = 1
    position: str = ""
    corp_name: str = ""
    union_id: str = ""


@dataclass(slots=True)
class Bond:
    """A member has a contact. tag_ids: of the corp's tags; own_tags: names of the member's."""

    user_id: str
    external_id: str
    since: datetime
    remark: str = ""
    description: str = ""
    company: str = ""
    mobiles: list[str] = field(default_factory=list)
    tag_ids: list[str] = field(default_factory=list)
    own_tags: list[str] = field(default_factory=list)
    add_way: int = 1
    state: str = ""


@dataclass(slots=True)
class CustomerGroup:
    """members: user id or external id -> when they came. version rises with each change."""

    chat_id: str
    name: str
    owner: str
    created_at: datetime
    members: dict[str, datetime]
    version: int = 1
    notice: str = ""


@dataclass(slots=True)
class Moving:
    """A transfer on its way. outcome: 2 waiting, 1 done, 3 refused, 4 too many."""

    external_id: str
    of: str
    to: str
    asked_at: datetime
    has_left: bool
    outcome: int = 2
    ended_at: datetime | None = None


@dataclass(slots=True)
class ContactBook:
    """Members are keyed in lower case. allowed: who has the right of 客户联系; None: everybody.
    unlicensed: of whom batches tell nothing. refusing: contacts who say no to a transfer.
    page_gaps: every second page of a list comes empty, with a cursor."""

    outsiders: dict[str, Outsider] = field(default_factory=dict)
    bonds: dict[str, dict[str, Bond]] = field(default_factory=lambda: defaultdict(dict))
    holders: dict[str, dict[str, Bond]] = field(default_factory=lambda: defaultdict(dict))
    groups: dict[str, CustomerGroup] = field(default_factory=dict)
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)  # id -> group's name, name
    allowed: set[str] | None = None
    unlicensed: set[str] = field(default_factory=set)
    refusing: set[str] = field(default_factory=set)
    moving: list[Moving] = field(default_factory=list)
    page_gaps: bool = False
    lists_underway: int = 0
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def may(self, user_id: str) -> bool:
        return self.allowed is None or user_id.lower() in self.allowed

    def bind(self, bond: Bond) -> None:
        self.bonds[bond.user_id.lower()][bond.external_id] = bond
        self.holders[bond.external_id][bond.user_id.lower()] = bond

    def part(self, user_id: str, external_id: str) -> Bond | None:
        self.holders[external_id].pop(user_id.lower(), None)
        return self.bonds[user_id.lower()].pop(external_id, None)

    def tag(self, name: str, group: str = "客户") -> str:
        """The id of the corp's tag of that name, which is made where there is none."""
        known = next((key for key, (_, told) in self.tags.items() if told == name), None)
        if known is None:
            known = f"et{next(self.numbers):06d}"
            self.tags[known] = (group, name)
        return known

    def times_moved(self, external_id: str) -> list[Moving]:
        return [one for one in self.moving if one.external_id == external_id and one.outcome == 1]

    def carry_out(self, now: datetime) -> list[Moving]:
        """Transfers that are a day old; those that failed, of which members hear."""
        failed = []
        for one in self.moving:
            if one.outcome != 2 or now < one.asked_at + TRANSFER_TAKES:
                continue
            one.ended_at = now
            if one.external_id in self.refusing:
                one.outcome = 3
                failed.append(one)
                continue
            one.outcome = 1
            bond = self.part(one.of, one.external_id)
            if bond is not None:
                bond.user_id, bond.since, bond.add_way = one.to, now, 202
                self.bind(bond)
        return failed
