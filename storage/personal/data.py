"""The way in: personal data of a subject, out and gone: docs/privacy.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import among
from storage.personal import (
    contact_erasure,
    contact_traces,
    customer_erasure,
    customer_traces,
    erasing,
    person_erasure,
    person_traces,
)
from storage.personal.contact_traces import ContactTraces
from storage.personal.customer_traces import Traces
from storage.personal.person_columns import NO_EXPORT
from storage.personal.person_traces import PersonTraces
from storage.personal.told import answers_of, chat_of
from storage.tables import files

Subject = Traces | ContactTraces | PersonTraces
"""What leads to a customer, to one of its people, to one of ours."""

Rows = dict[str, list[dict[str, Any]]]


class _Kind(NamedTuple):
    """rows_of: by table, the condition for the rows that are the subject's. file_hashes: of what
    was sent. erase: how many rows of each table lost something."""

    rows_of: Callable[[AsyncConnection, Any], Awaitable[Sequence[tuple[Table, Any]]]]
    file_hashes: Callable[[AsyncConnection, Any], Awaitable[list[str]]]
    erase: Callable[[AsyncConnection, Any, datetime], Awaitable[erasing.Counts]]


_KINDS: dict[type[Subject], _Kind] = {
    Traces: _Kind(customer_traces.rows_of, customer_traces.file_hashes, customer_erasure.erase),
    ContactTraces: _Kind(contact_traces.rows_of, contact_traces.file_hashes, contact_erasure.erase),
    PersonTraces: _Kind(person_traces.rows_of, person_traces.file_hashes, person_erasure.erase),
}


class PersonalData:
    """Inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def trace(self, account_id: int) -> Traces:
        """A customer. Raises NotFound."""
        return await customer_traces.trace(self._conn, account_id)

    async def trace_contact(self, account_id: int, who: str) -> ContactTraces:
        """Of a customer's people the one of that name, mobile, address or id on a platform. Raises
        NotFound, and Refused where that says it of several."""
        return await contact_traces.trace(self._conn, account_id, who)

    async def trace_person(self, who: str) -> PersonTraces:
        """One of ours, by number, name, mobile, or platform:account. Raises NotFound, and Refused
        where that says it of several."""
        return await person_traces.trace(self._conn, who)

    async def rows(self, subject: Subject) -> Rows:
        """Every row that names the subject, by its table."""
        kind, found = _KINDS[type(subject)], Rows()
        for table, chosen in await kind.rows_of(self._conn, subject):
            found.setdefault(str(table.name), []).extend(await self._dump(table, chosen))
        hashes = await kind.file_hashes(self._conn, subject)
        found["files"] = await self._dump(files, among(self._conn, files.c.sha256, hashes))
        found["inbox"] = [
            {"id": row.id, "at": row.sent_at, "body": bytes(row.body).decode(errors="replace")}
            async for row in chat_of(self._conn, subject)
        ]
        if isinstance(subject, PersonTraces):
            found["outbox"] = [
                {"id": row.id, "at": row.queued_at, "content": row.content}
                async for row in answers_of(self._conn, subject)
            ]
        return {name: rows for name, rows in found.items() if rows}

    async def erase(self, subject: Subject, at: datetime) -> dict[str, int]:
        """How many rows of each table lost something. The bytes of files are the caller's to
        delete, once this is committed: see `let_go`. Raises Refused for one of ours who is still
        with us."""
        return await _KINDS[type(subject)].erase(self._conn, subject, at)

    async def let_go(self) -> list[str]:
        """Hashes of all files that were let go of, by this erasure or by one that was cut short,
        and have not come again."""
        return await erasing.let_go_of(self._conn)

    async def _dump(self, table: Table, chosen: Any) -> list[dict[str, Any]]:
        columns = [column for column in table.c if column not in NO_EXPORT]
        query = select(*columns).where(chosen).order_by(*table.primary_key.columns)
        rows = await self._conn.execute(query)
        return [{str(name): value for name, value in row._asdict().items()} for row in rows]
