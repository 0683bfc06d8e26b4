"""Groups with customers in them, as their platforms tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.external import INTERNAL, ChatGroup, GroupMember
from bot.domain.people import Identity
from storage.dialects import AnyRow, by_no_index, in_chunks, insert_into, pairs_among
from storage.tables import chat_bindings, chat_groups, chat_members

_NAMES = [field.name for field in fields(ChatGroup) if field.name != "members"]
_COLUMNS = [chat_groups.c[name] for name in _NAMES]
_BOUND = exists().where(
    chat_bindings.c.platform == chat_groups.c.platform,
    chat_bindings.c.chat_key == chat_groups.c.chat_id,
    chat_bindings.c.ended_at.is_(None),
)


class ChatGroups:
    """Repository of groups with customers in them, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def save(self, group: ChatGroup, *, at: datetime) -> None:
        """As it is now; without members in it, those that are known stay."""
        values: dict[str, Any] = {name: getattr(group, name) for name in _NAMES}
        statement = insert_into(self._conn, chat_groups).values(**values, seen_at=at, gone_at=None)
        rest = {
            name: value for name, value in values.items() if name not in ("platform", "chat_id")
        }
        kept = {name: value for name, value in rest.items() if value not in ("", None)}
        await self._conn.execute(
            statement.on_conflict_do_update(
                index_elements=[chat_groups.c.platform, chat_groups.c.chat_id],
                set_={**kept, "seen_at": at, "gone_at": None},
            )
        )
        if group.members is not None:
            await self._save_members(group, group.members)

    async def mark_gone(self, platform: str, chat_id: str, *, at: datetime) -> None:
        """Dismissed. What was said in it stays with its customer."""
        await self._conn.execute(
            update(chat_groups)
            .where(
                chat_groups.c.platform == platform,
                chat_groups.c.chat_id == chat_id,
                chat_groups.c.gone_at.is_(None),
            )
            .values(gone_at=at)
        )

    async def get(self, platform: str, chat_id: str) -> ChatGroup | None:
        """With its members."""
        row = (
            await self._conn.execute(
                select(*_COLUMNS).where(
                    chat_groups.c.platform == platform, chat_groups.c.chat_id == chat_id
                )
            )
        ).one_or_none()
        if row is None:
            return None
        members = await self._conn.execute(
            select(
                chat_members.c.member_id,
                chat_members.c.is_staff,
                chat_members.c.name,
                chat_members.c.joined_at,
            )
            .where(chat_members.c.platform == platform, chat_members.c.chat_id == chat_id)
            .order_by(chat_members.c.member_id)
        )
        return ChatGroup(**row._mapping, members=tuple(GroupMember(*one) for one in members))

    async def names(self, platform: str, chat_ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for chunk in in_chunks(chat_ids):
            rows = await self._conn.execute(
                select(chat_groups.c.chat_id, chat_groups.c.name).where(
                    chat_groups.c.platform == platform, chat_groups.c.chat_id.in_(chunk)
                )
            )
            found |= {row.chat_id: row.name for row in rows}
        return found

    async def of_owners(self, owners: Sequence[Identity]) -> list[ChatGroup]:
        """Living groups that these own."""
        rows = await self._conn.execute(
            select(*_COLUMNS)
            .where(chat_groups.c.gone_at.is_(None), self._owned_by(owners))
            .order_by(by_no_index(self._conn, chat_groups.c.platform), chat_groups.c.chat_id)
        )
        return [_to_group(row) for row in rows]

    async def living(self, platform: str) -> list[str]:
        """Ids of those with customers that are not gone."""
        rows = await self._conn.execute(
            select(chat_groups.c.chat_id).where(
                chat_groups.c.platform == platform,
                chat_groups.c.gone_at.is_(None),
                chat_groups.c.version != INTERNAL,
            )
        )
        return list(rows.scalars())

    async def unbound(
        self, owners: Sequence[Identity] | None, *, limit: int, after: tuple[str, str] = ("", "")
    ) -> list[ChatGroup]:
        """Living groups that belong to no customer, of these owners; None: of anybody. In order
        of (platform, chat id)."""
        place = tuple_(chat_groups.c.platform, chat_groups.c.chat_id)
        query = select(*_COLUMNS).where(chat_groups.c.gone_at.is_(None), ~_BOUND, place > after)
        platform: ColumnElement[str] = chat_groups.c.platform
        if owners is not None:
            query = query.where(self._owned_by(owners))
            platform = by_no_index(self._conn, platform)
        rows = await self._conn.execute(
            query.order_by(platform, chat_groups.c.chat_id).limit(limit)
        )
        return [_to_group(row) for row in rows]

    def _owned_by(self, owners: Sequence[Identity]) -> ColumnElement[bool]:
        pair = (chat_groups.c.platform, chat_groups.c.owner)
        return pairs_among(self._conn, pair, [(one.platform, one.user_id) for one in owners])

    async def _save_members(self, group: ChatGroup, members: Sequence[GroupMember]) -> None:
        await self._conn.execute(
            delete(chat_members).where(
                chat_members.c.platform == group.platform, chat_members.c.chat_id == group.chat_id
            )
        )
        rows = [
            {
                "platform": group.platform, "chat_id": group.chat_id, "member_id": one.member_id,
                "is_staff": one.is_staff, "name": one.name, "joined_at": one.joined_at,
            }
            for one in {one.member_id: one for one in members}.values()
        ]  # fmt: skip
        if rows:
            await self._conn.execute(insert(chat_members), rows)


def _to_group(row: AnyRow) -> ChatGroup:
    return ChatGroup(**row._mapping)
