"""Accounts and their contacts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.opportunities import Account, Contact, OpportunityState
from bot.errors import NotFound, Refused
from storage.dialects import AnyRow, among, fixed, in_chunks, insert_into, prepared_insert
from storage.prepared import prepared
from storage.remembering import memory_of
from storage.tables import accounts, contacts, light_episodes, opportunities, people

_COLUMNS = (
    accounts.c.id, accounts.c.name, accounts.c.owner_id, accounts.c.created_at,
    accounts.c.aliases, accounts.c.industry, accounts.c.credit_code, accounts.c.phone,
    accounts.c.domain, accounts.c.in_pool_since, accounts.c.pool_reason,
)  # fmt: skip
_ONE = select(*_COLUMNS, accounts.c.merged_into_id)
_BY_ID = prepared(_ONE.where(accounts.c.id == bindparam("key")))
_BY_NAME = prepared(_ONE.where(accounts.c.name == bindparam("key")))
_STANDS = accounts.c.merged_into_id.is_(None)
_LIVING = (str(OpportunityState.OPEN), str(OpportunityState.ON_HOLD))
_ADD_CONTACT = prepared_insert(
    contacts,
    lambda new: new.on_conflict_do_update(
        index_elements=[contacts.c.account_id, contacts.c.name],
        set_={
            "title": func.coalesce(func.nullif(new.excluded.title, ""), contacts.c.title),
            "mobile": func.coalesce(new.excluded.mobile, contacts.c.mobile),
            "external_id": func.coalesce(
                func.nullif(new.excluded.external_id, ""), contacts.c.external_id
            ),
        },
    ).returning(*contacts.c),
)


class Accounts:
    """Customers, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._known: dict[int | str, Account | None] = memory_of(conn, accounts)

    async def get(self, account_id: int) -> Account:
        """The customer, or the one that it was merged into. Raises NotFound."""
        found = await self._one(_BY_ID, account_id)
        if found is None:
            raise NotFound("没有这个客户。")
        return found

    async def find_by_name(self, name: str) -> Account | None:
        """By the full name, also that of one merged into it; aliases are the business of
        whoever reads sentences."""
        return await self._one(_BY_NAME, name.strip())

    async def list_all(self) -> list[Account]:
        """Every account, for dictionaries in memory; none that was merged into another."""
        return await self._list(_STANDS)

    async def list_some(self, account_ids: Sequence[int]) -> dict[int, Account]:
        """These, as far as they stand, by id."""
        found = await self._list(among(self._conn, accounts.c.id, account_ids), _STANDS)
        return {account.id: account for account in found}

    async def list_of_owner(self, owner_id: int) -> list[Account]:
        """Whom somebody looks after; what lies in the pool is nobody's."""
        return await self._list(
            accounts.c.owner_id == owner_id, _STANDS, accounts.c.in_pool_since.is_(None)
        )

    async def page_of_owners(
        self, owner_ids: Iterable[int], *, limit: int, after_id: int
    ) -> list[Account]:
        """Whom these people look after, in order of id; go on with the last id seen."""
        found: list[Account] = []
        for chunk in in_chunks(owner_ids):
            rows = await self._conn.execute(
                select(*_COLUMNS)
                .where(
                    accounts.c.owner_id.in_(chunk),
                    accounts.c.id > after_id,
                    _STANDS,
                    accounts.c.in_pool_since.is_(None),
                )
                .order_by(accounts.c.id)
                .limit(limit)
            )
            found += [_to_account(row) for row in rows]
        return sorted(found, key=lambda account: account.id)[:limit]

    async def add(
        self,
        *,
        name: str,
        owner_id: int,
        at: datetime,
        industry: str = "",
        aliases: Sequence[str] = (),
        credit_code: str = "",
        phone: str = "",
        domain: str = "",
    ) -> Account:
        """credit_code, phone, domain: in one spelling, see `Account`. Raises Refused, naming
        the owner, when the name is taken."""
        name = name.strip()
        values = {
            "name": name,
            "owner_id": owner_id,
            "created_at": at,
            "industry": industry,
            "aliases": _distinct(aliases, besides=name),
            "credit_code": credit_code,
            "phone": phone,
            "domain": domain,
            "pool_due_at": at,
        }
        added = await self._conn.execute(
            insert_into(self._conn, accounts)
            .values(values)
            .on_conflict_do_nothing()
            .returning(*_COLUMNS)
        )
        row = added.one_or_none()
        if row is None:
            raise Refused(f"客户「{name}」已经在册，负责人是{await self._owner_of(name)}。")
        return _to_account(row)

    async def add_alias(self, account_id: int, alias: str) -> Account:
        """Another name people use. A known one changes nothing. Raises NotFound."""
        account = await self.get(account_id)
        return await self._name(account, [*account.aliases, alias])

    async def remove_alias(self, account_id: int, alias: str) -> Account:
        """One that nobody uses any more; an unknown one changes nothing. Raises NotFound."""
        account = await self.get(account_id)
        return await self._name(account, [known for known in account.aliases if known != alias])

    async def identify(self, account_id: int, **numbers: str) -> Account:
        """numbers: credit_code, phone, domain, each in one spelling. Raises NotFound."""
        account = await self.get(account_id)
        await self._conn.execute(
            update(accounts).where(accounts.c.id == account.id).values(**numbers, keyed_at=None)
        )
        return await self.get(account.id)

    async def _name(self, account: Account, aliases: Sequence[str]) -> Account:
        changed = await self._conn.execute(
            update(accounts)
            .where(accounts.c.id == account.id)
            .values(aliases=_distinct(aliases, besides=account.name), keyed_at=None)
            .returning(*_COLUMNS)
        )
        return _to_account(changed.one())

    async def transfer(self, account_id: int, new_owner_id: int, at: datetime) -> None:
        """Hand the account and its living opportunities over. The new owner's clock starts
        now; an open light episode moves along. Raises NotFound."""
        if (await self.get(account_id)).owner_id == new_owner_id:
            return
        await self._conn.execute(
            update(accounts)
            .where(accounts.c.id == account_id)
            .values(owner_id=new_owner_id, pool_due_at=at, pool_warned_at=None)
        )
        moved = await self._conn.execute(
            update(opportunities)
            .where(opportunities.c.account_id == account_id, opportunities.c.state.in_(_LIVING))
            .values(owner_id=new_owner_id, assigned_at=at, last_valid_at=None, light_due_at=at)
            .returning(opportunities.c.id)
        )
        await self._conn.execute(
            update(light_episodes)
            .where(
                among(self._conn, light_episodes.c.opportunity_id, moved.scalars()),
                light_episodes.c.cleared_at.is_(None),
            )
            .values(owner_id=new_owner_id)
        )

    async def contacts(self, account_id: int) -> list[Contact]:
        """In the order in which they became known."""
        rows = await self._conn.execute(
            select(contacts).where(contacts.c.account_id == account_id).order_by(contacts.c.id)
        )
        return [_to_contact(row) for row in rows]

    async def add_contact(
        self,
        account_id: int,
        name: str,
        title: str = "",
        mobile: str | None = None,
        external_id: str = "",
    ) -> Contact:
        """One contact for each name; what is newly told about a known one is kept."""
        values = {
            "account_id": account_id,
            "name": name.strip(),
            "title": title,
            "mobile": mobile or None,
            "external_id": external_id,
        }
        kept = await self._conn.execute(_ADD_CONTACT(self._conn), values)
        if mobile or external_id:
            await self._conn.execute(
                update(accounts).where(accounts.c.id == account_id).values(keyed_at=None)
            )
        return _to_contact(kept.one())

    async def with_contact(self, owner_id: int, name: str) -> list[int]:
        """Ids of the owner's customers where somebody is called so."""
        found = await self._conn.execute(
            select(accounts.c.id)
            .join(contacts, contacts.c.account_id == accounts.c.id)
            .where(accounts.c.owner_id == owner_id, contacts.c.name == name)
            .order_by(accounts.c.id)
        )
        return list(found.scalars())

    async def contacts_called(self, external_ids: Iterable[str]) -> list[Contact]:
        """Contacts by their ids on a platform, as in `Contact.external_id`."""
        found: list[Contact] = []
        for chunk in in_chunks(external_ids):
            query = select(contacts).where(
                contacts.c.external_id.in_(chunk), contacts.c.external_id != fixed("")
            )
            found += [_to_contact(row) for row in await self._conn.execute(query)]
        return found

    async def _one(self, query: Select[Any], key: int | str) -> Account | None:
        """Along the merges to the one that stands."""
        if key in self._known:
            return self._known[key]
        row = (await self._conn.execute(query, {"key": key})).one_or_none()
        if row is None:
            found = None
        elif row.merged_into_id is not None:
            found = await self._one(_BY_ID, row.merged_into_id)
        else:
            found = self._known[row.id] = _to_account(row)
        self._known[key] = found
        return found

    async def _list(self, *which: Any) -> list[Account]:
        rows = await self._conn.execute(select(*_COLUMNS).where(*which).order_by(accounts.c.id))
        return [_to_account(row) for row in rows]

    async def _owner_of(self, name: str) -> str:
        owner = await self._conn.scalar(
            select(people.c.name)
            .join(accounts, accounts.c.owner_id == people.c.id)
            .where(accounts.c.name == name)
        )
        return str(owner)


def _distinct(aliases: Sequence[str], *, besides: str) -> list[str]:
    stripped = dict.fromkeys(alias.strip() for alias in aliases)
    return [alias for alias in stripped if alias and alias != besides]


def _to_account(row: AnyRow) -> Account:
    return Account(
        row.id,
        row.name,
        row.owner_id,
        row.created_at,
        tuple(row.aliases),
        row.industry,
        row.credit_code,
        row.phone,
        row.domain,
        row.in_pool_since,
        row.pool_reason,
    )


def _to_contact(row: AnyRow) -> Contact:
    return Contact(row.id, row.account_id, row.name, row.title, row.mobile, row.external_id)
