"""External contacts and which of our members have them, made what a platform says.

A large company has half a million of them and few change in a night, so what is told is
compared by digest first, and only what is new is written.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.external import (
    ContactKey,
    ContactNews,
    ExternalContact,
    Follow,
    keys_of_contact,
    keys_of_follow,
)
from bot.domain.people import Identity
from storage.dialects import AnyRow, by_no_index, in_chunks, insert_into, pairs_among
from storage.tables import chat_bindings, external_contacts, external_follows, external_keys

_CONTACT = ("platform", "external_id", "name", "title", "company", "mobile", "union_id")
_FOLLOW = (
    "platform", "user_id", "external_id", "remark", "description", "company", "mobiles", "tags",
    "state", "add_way", "since",
)  # fmt: skip
_BOUND = exists().where(
    chat_bindings.c.platform == external_follows.c.platform,
    chat_bindings.c.chat_key == external_follows.c.external_id,
    chat_bindings.c.ended_at.is_(None),
)


class ExternalContacts:
    """Repository of external contacts, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def save(self, news: ContactNews, *, places: Set[str], at: datetime) -> int:
        """How many contacts and follows were new or changed. places: see
        `company_names.take_apart`. Only of `of_contacts` anything is taken away: whoever is
        missing from a long list may have come while it was read."""
        changed = await self._save_contacts(news, places)
        changed += await self._save_follows(news, places)
        if news.of_contacts:
            await self._drop_untold(news, at)
        return changed

    async def look_how_many(self) -> None:
        """Have PostgreSQL plan by how much there is now, which it would find out by itself only
        after a while. SQLite plans by the keys alone, and would read all to count."""
        if self._conn.dialect.name != "postgresql":
            return
        for table in (external_contacts, external_follows, external_keys):
            await self._conn.execute(text(f"ANALYZE {table.name}"))

    async def untold(self, platform: str, told: Mapping[str, Set[str]]) -> list[str]:
        """Member -> all the contacts that they were told to have: the external ids of others
        that one of them has here."""
        found: dict[str, None] = {}
        for users in in_chunks(told):
            rows = await self._conn.execute(
                select(external_follows.c.user_id, external_follows.c.external_id).where(
                    external_follows.c.platform == platform,
                    external_follows.c.user_id.in_(users),
                )
            )
            found |= {
                row.external_id: None for row in rows if row.external_id not in told[row.user_id]
            }
        return list(found)

    async def move(
        self, platform: str, external_id: str, *, of: str, to: str, at: datetime
    ) -> None:
        """A transfer that the platform carried out, of which it sends no event."""
        known = {one.user_id: one for one in await self.follows_of(platform, external_id)}
        if of in known and to not in known:
            moved = {**_follow_row(known[of]), "user_id": to, "since": at}
            await self._conn.execute(insert(external_follows), [_with_digest(moved)])
            here = _here(external_keys, platform, external_id)
            rows = await self._conn.execute(
                select(external_keys).where(here, external_keys.c.user_id == of)
            )
            if keys := [{**row._mapping, "user_id": to} for row in rows]:
                await self._conn.execute(insert(external_keys), keys)
        await self._drop(platform, [(of, external_id)], at)

    async def known(self, platform: str, external_ids: Iterable[str]) -> dict[str, ExternalContact]:
        """By external id, also those whom nobody has any more."""
        found: dict[str, ExternalContact] = {}
        for chunk in in_chunks(external_ids):
            rows = await self._conn.execute(
                select(*(external_contacts.c[name] for name in _CONTACT)).where(
                    external_contacts.c.platform == platform,
                    external_contacts.c.external_id.in_(chunk),
                )
            )
            found |= {row.external_id: ExternalContact(**row._mapping) for row in rows}
        return found

    async def follows_of(self, platform: str, external_id: str) -> list[Follow]:
        """Who of our members has the contact, in order of their ids."""
        return (await self.follows_of_all(platform, [external_id]))[external_id]

    async def follows_of_all(
        self, platform: str, external_ids: Iterable[str]
    ) -> dict[str, list[Follow]]:
        """Each contact's in order of their ids. Sorted here: for an order that its key has, SQLite
        would read all of the platform."""
        found: dict[str, list[Follow]] = defaultdict(list)
        for chunk in in_chunks(external_ids):
            rows = await self._conn.execute(
                select(*(external_follows.c[name] for name in _FOLLOW)).where(
                    external_follows.c.platform == platform,
                    external_follows.c.external_id.in_(chunk),
                )
            )
            for row in sorted(rows, key=lambda row: row.user_id):
                found[row.external_id].append(_to_follow(row))
        return found

    async def members(self, platform: str) -> list[str]:
        """User ids of the members who have any contacts."""
        rows = await self._conn.execute(
            select(external_follows.c.user_id)
            .distinct()
            .where(external_follows.c.platform == platform)
        )
        return list(rows.scalars())

    async def of_member(self, member: Identity) -> list[str]:
        """The external ids of all that somebody has."""
        rows = await self._conn.execute(
            select(external_follows.c.external_id)
            .where(self._of_members([member]))
            .order_by(by_no_index(self._conn, external_follows.c.external_id))
        )
        return list(rows.scalars())

    async def unbound(
        self, members: Sequence[Identity] | None, *, limit: int, after: tuple[str, str] = ("", "")
    ) -> list[tuple[ExternalContact, Follow]]:
        """Contacts that belong to no customer, in order of (platform, external id), once for
        each of these members who has them; None: whoever has them."""
        place = tuple_(external_follows.c.platform, external_follows.c.external_id)
        rows = await self._conn.execute(
            select(
                *(external_follows.c[name] for name in _FOLLOW),
                *(
                    external_contacts.c[name].label(f"of_{name}")
                    for name in _CONTACT
                ),
            )
            .join(external_contacts, and_(
                external_contacts.c.platform == external_follows.c.platform,
                external_contacts.c.external_id == external_follows.c.external_id,
            ))
            .where(self._of_members(members), place > after, ~_BOUND)
            .order_by(
                external_follows.c.platform if members is None
                else by_no_index(self._conn, external_follows.c.platform),  # they have few
                external_follows.c.external_id,
                external_follows.c.user_id,
            )
            .limit(limit)
        )  # fmt: skip
        return [
            (
                ExternalContact(*(getattr(row, f"of_{name}") for name in _CONTACT)),
                _to_follow(row),
            )
            for row in rows
        ]

    async def named(self, members: Sequence[Identity], name: str) -> list[tuple[str, str]]:
        """(platform, external id) of contacts that one of these members has and who are called
        so, or noted so by them."""
        rows = await self._conn.execute(
            select(external_follows.c.platform, external_follows.c.external_id)
            .distinct()
            .join(external_contacts, and_(
                external_contacts.c.platform == external_follows.c.platform,
                external_contacts.c.external_id == external_follows.c.external_id,
            ))
            .where(
                self._of_members(members),
                or_(external_follows.c.remark == name, external_contacts.c.name == name),
            )
            .order_by(
                by_no_index(self._conn, external_follows.c.platform), external_follows.c.external_id
            )
        )  # fmt: skip
        return [(row.platform, row.external_id) for row in rows]

    async def _save_contacts(self, news: ContactNews, places: Set[str]) -> int:
        rows = {
            one.external_id: _with_digest({name: getattr(one, name) for name in _CONTACT})
            for one in news.contacts
        }
        known = await self._digests_of_contacts(news.platform, rows)
        fresh = {key: row for key, row in rows.items() if known.get(key) != row["digest"]}
        await self._upsert(external_contacts, [{**row, "gone_at": None} for row in fresh.values()])
        keys = {
            (one.external_id, ""): keys_of_contact(one, places)
            for one in news.contacts
            if one.external_id in fresh
        }
        await self._replace_keys(news.platform, keys, those_known=known)
        return len(fresh)

    async def _save_follows(self, news: ContactNews, places: Set[str]) -> int:
        rows = {
            (one.user_id, one.external_id): _with_digest(_follow_row(one)) for one in news.follows
        }
        ids = {external_id for _, external_id in rows}
        known = await self._digests_of_follows(news.platform, ids)
        fresh = {key: row for key, row in rows.items() if known.get(key) != row["digest"]}
        await self._upsert(external_follows, list(fresh.values()))
        keys = {
            (one.external_id, one.user_id): keys_of_follow(one, places)
            for one in news.follows
            if (one.user_id, one.external_id) in fresh
        }
        seen = {external_id for _, external_id in known}
        await self._replace_keys(news.platform, keys, those_known=seen)
        return len(fresh)

    async def _drop_untold(self, news: ContactNews, at: datetime) -> None:
        told = {(one.user_id, one.external_id) for one in news.follows}
        known = await self._digests_of_follows(news.platform, set(news.of_contacts))
        await self._drop(news.platform, sorted(known.keys() - told), at)

    async def _drop(self, platform: str, pairs: Sequence[tuple[str, str]], at: datetime) -> None:
        """(member, contact). Whom nobody has any more is gone, and nothing finds them."""
        for chunk in in_chunks(pairs):
            for table in (external_follows, external_keys):
                pair = pairs_among(self._conn, (table.c.user_id, table.c.external_id), chunk)
                await self._conn.execute(delete(table).where(table.c.platform == platform, pair))
            ids = list({external_id for _, external_id in chunk})
            held = exists().where(
                external_follows.c.platform == external_contacts.c.platform,
                external_follows.c.external_id == external_contacts.c.external_id,
            )
            gone = await self._conn.execute(
                update(external_contacts)
                .where(
                    external_contacts.c.platform == platform,
                    external_contacts.c.external_id.in_(ids),
                    ~held,
                )
                .values(gone_at=at)
                .returning(external_contacts.c.external_id)
            )
            await self._conn.execute(
                delete(external_keys).where(
                    external_keys.c.platform == platform,
                    external_keys.c.external_id.in_(list(gone.scalars())),
                )
            )

    async def _digests_of_contacts(self, platform: str, ids: Iterable[str]) -> dict[str, str]:
        """Of those that are gone none fits, so that they are written anew."""
        table = external_contacts
        found: dict[str, str] = {}
        for chunk in in_chunks(ids):
            rows = await self._conn.execute(
                select(table.c.external_id, table.c.digest, table.c.gone_at).where(
                    table.c.platform == platform, table.c.external_id.in_(chunk)
                )
            )
            found |= {row.external_id: "" if row.gone_at else row.digest for row in rows}
        return found

    async def _digests_of_follows(
        self, platform: str, external_ids: Set[str]
    ) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for chunk in in_chunks(external_ids):
            rows = await self._conn.execute(
                select(
                    external_follows.c.user_id,
                    external_follows.c.external_id,
                    external_follows.c.digest,
                ).where(
                    external_follows.c.platform == platform,
                    external_follows.c.external_id.in_(chunk),
                )
            )
            found |= {(row.user_id, row.external_id): row.digest for row in rows}
        return found

    async def _upsert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        if not rows:
            return
        statement = insert_into(self._conn, table)
        told = statement.excluded
        keys = list(table.primary_key.columns)
        rest = [column.name for column in table.columns if column not in keys]
        await self._conn.execute(
            statement.on_conflict_do_update(
                index_elements=keys, set_={name: told[name] for name in rest}
            ),
            rows,
        )

    async def _replace_keys(
        self,
        platform: str,
        keys: Mapping[tuple[str, str], Iterable[ContactKey]],
        *,
        those_known: Iterable[str],
    ) -> None:
        """(contact, member or "") -> its keys. those_known: contacts that may have some."""
        known = set(those_known)
        for chunk in in_chunks(pair for pair in keys if pair[0] in known):
            pair = external_keys.c.external_id, external_keys.c.user_id
            await self._conn.execute(
                delete(external_keys).where(
                    external_keys.c.platform == platform, pairs_among(self._conn, pair, chunk)
                )
            )
        rows = [
            {
                "platform": platform, "external_id": external_id, "user_id": user_id,
                "how": str(one.how), "key": one.key,
            }
            for (external_id, user_id), found in keys.items()
            for one in found
        ]  # fmt: skip
        if rows:
            await self._conn.execute(
                insert_into(self._conn, external_keys).on_conflict_do_nothing(), rows
            )

    def _of_members(self, members: Sequence[Identity] | None) -> ColumnElement[bool]:
        if members is None:
            return external_follows.c.platform.is_not(None)
        pair = (external_follows.c.platform, external_follows.c.user_id)
        return pairs_among(self._conn, pair, [(one.platform, one.user_id) for one in members])


def _here(table: Table, platform: str, external_id: str) -> ColumnElement[bool]:
    return and_(table.c.platform == platform, table.c.external_id == external_id)


def _follow_row(follow: Follow) -> dict[str, Any]:
    row = {name: getattr(follow, name) for name in _FOLLOW}
    return row | {"mobiles": list(follow.mobiles), "tags": list(follow.tags)}


def _with_digest(row: dict[str, Any]) -> dict[str, Any]:
    said = repr(sorted(row.items())).encode()
    return row | {"digest": hashlib.blake2b(said, digest_size=8).hexdigest()}


def _to_follow(row: AnyRow) -> Follow:
    told = {name: getattr(row, name) for name in _FOLLOW}
    return Follow(**told | {"mobiles": tuple(row.mobiles), "tags": tuple(row.tags)})
