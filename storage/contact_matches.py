"""Unbound contacts that have something in common with a customer.

Both sides are filed under the same keys (`account_keys`, `external_keys`), so the answer is
always that of this moment, whichever side changed last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bindings import BoundBy
from bot.domain.people import Identity
from storage.dialects import AnyRow, pairs_among
from storage.tables import (
    account_keys,
    chat_bindings,
    chat_groups,
    chat_members,
    external_follows,
    external_keys,
)

_BOUND = exists().where(
    chat_bindings.c.platform == external_keys.c.platform,
    chat_bindings.c.chat_key == external_keys.c.external_id,
    chat_bindings.c.ended_at.is_(None),
)
_PLACE = (external_keys.c.platform, external_keys.c.external_id)


@dataclass(frozen=True, slots=True)
class KeyInCommon:
    """A key that an unbound contact shares with a customer."""

    platform: str
    external_id: str
    how: BoundBy
    account_id: int


class ContactMatches:
    """Queries of unbound contacts by what they share with customers, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def page(
        self,
        members: Sequence[Identity] | None,
        *,
        after: tuple[str, str] = ("", ""),
        limit: int,
    ) -> tuple[list[KeyInCommon], tuple[str, str] | None]:
        """All that some contacts have in common with customers, in order of (platform, external
        id), and where the next page begins. members: contacts of these only; None: all.
        limit: of keys; a contact is never told in part."""
        query = (
            self._common(members)
            .where(tuple_(*_PLACE) > after)
            .order_by(*_PLACE, external_keys.c.how, account_keys.c.account_id)
            .limit(limit)
        )
        rows = (await self._conn.execute(query)).all()
        found = [_to_key(row) for row in rows]
        if len(found) < limit:
            return found, None
        last = (found[-1].platform, found[-1].external_id)
        whole = [one for one in found if (one.platform, one.external_id) != last]
        if not whole:  # one contact alone has more in common than a page holds
            return found, last
        return whole, (whole[-1].platform, whole[-1].external_id)

    async def of(
        self, members: Sequence[Identity] | None, contacts: Sequence[tuple[str, str]]
    ) -> list[KeyInCommon]:
        """The same of these alone: (platform, external id)."""
        rows = await self._conn.execute(
            self._common(members)
            .where(pairs_among(self._conn, _PLACE, contacts))
            .order_by(*_PLACE, external_keys.c.how, account_keys.c.account_id)
        )
        return [_to_key(row) for row in rows]

    async def groups(
        self,
        owners: Sequence[Identity] | None,
        *,
        among: Sequence[tuple[str, str]] | None = None,
        limit: int,
    ) -> list[tuple[str, str, int]]:
        """(platform, chat id, customer) of living unbound groups of these owners (None: of
        anybody), in which all bound contacts are that customer's. among: only these."""
        query = _GROUPS.limit(limit)
        if owners is not None:
            pair = (chat_groups.c.platform, chat_groups.c.owner)
            query = query.where(pairs_among(self._conn, pair, _keys(owners)))
        if among is not None:
            place = (chat_groups.c.platform, chat_groups.c.chat_id)
            query = query.where(pairs_among(self._conn, place, among))
        rows = await self._conn.execute(query)
        return [(row.platform, row.chat_id, row.account_id) for row in rows]

    def _common(self, members: Sequence[Identity] | None) -> Select[Any]:
        query = (
            select(*_PLACE, external_keys.c.how, account_keys.c.account_id)
            .distinct()
            .join(account_keys, account_keys.c.key == external_keys.c.key)
            .where(~_BOUND)
        )
        if members is None:
            return query
        follower = (external_follows.c.platform, external_follows.c.user_id)
        theirs = select(external_follows.c.platform, external_follows.c.external_id).where(
            pairs_among(self._conn, follower, _keys(members))
        )
        return query.where(tuple_(*_PLACE).in_(theirs))


_of_member = chat_bindings.alias("of_member")
_of_group = chat_bindings.alias("of_group")
_GROUPS = (
    select(
        chat_groups.c.platform,
        chat_groups.c.chat_id,
        func.min(_of_member.c.account_id).label("account_id"),
    )
    .join(chat_members, and_(
        chat_members.c.platform == chat_groups.c.platform,
        chat_members.c.chat_id == chat_groups.c.chat_id,
        chat_members.c.is_staff.is_(False),
    ))
    .join(_of_member, and_(
        _of_member.c.platform == chat_members.c.platform,
        _of_member.c.chat_key == chat_members.c.member_id,
        _of_member.c.ended_at.is_(None),
    ))
    .where(
        chat_groups.c.gone_at.is_(None),
        ~exists().where(
            _of_group.c.platform == chat_groups.c.platform,
            _of_group.c.chat_key == chat_groups.c.chat_id,
            _of_group.c.ended_at.is_(None),
        ),
    )
    .group_by(chat_groups.c.platform, chat_groups.c.chat_id)
    .having(func.count(_of_member.c.account_id.distinct()) == 1)
    .order_by(chat_groups.c.platform, chat_groups.c.chat_id)
)  # fmt: skip


def _keys(identities: Sequence[Identity]) -> list[tuple[str, str]]:
    return [(one.platform, one.user_id) for one in identities]


def _to_key(row: AnyRow) -> KeyInCommon:
    return KeyInCommon(row.platform, row.external_id, BoundBy(row.how), row.account_id)
