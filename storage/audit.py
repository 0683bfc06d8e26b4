"""Who did what, when, from what to what. Append only, each entry sealed with the one before.

The chain shows an edited, removed or inserted entry. Cutting off its end shows only against
a `head` that was written down elsewhere.

What an entry says (before, after) is sealed by a salted hash of its own. So a person's data can
be erased: the content and its salt go, the hash and the chain stay. Who erases must say so in a
later entry that names the erased ones; erased without that counts as tampering.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Text, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialects import ONE, AnyRow, in_chunks
from storage.prepared import prepared
from storage.tables import audit

START = "0" * 64
PAGE = 1_000
ERASURE = "erase_personal_data"

_ADD = prepared(insert(audit))
_HEAD = prepared(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(ONE))
_SEALED = (
    "at", "actor", "action", "subject", "before", "after", "salt", "content_hash", "told"
)  # fmt: skip
_SEAL_THERE = prepared(
    select(
        func.gendan_seal(
            *(
                bindparam(
                    name, type_=postgresql.ARRAY(audit.c[name].type if name in audit.c else Text)
                )
                for name in _SEALED
            )
        )
    )
)
"""On PostgreSQL (migration 0039): all who append wait for each other, and the server does in one
call what `seal` does for SQLite, whose one writer needs no lock."""


class Audit:
    """The chain, inside one transaction. What is appended is written when the transaction ends:
    on PostgreSQL others wait from then on until it is committed, and should not for long."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._unsealed: list[dict[str, Any]] = []

    async def append(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """actor: "person:5", "system" or "admin:cli". before and after: JSON values."""
        salt, told = secrets.token_hex(16), (_canonical(before), _canonical(after))
        self._unsealed.append(
            {
                "at": at,
                "actor": actor,
                "action": action,
                "subject": subject,
                "before": told[0],
                "after": told[1],
                "salt": salt,
                "content_hash": _content_hash(salt, *told),
            }
        )

    @property
    def unsealed(self) -> int:
        """How many entries are not yet written."""
        return len(self._unsealed)

    def drop_unsealed(self, *, besides: int) -> None:
        """All but the first ones: what they tell of was undone."""
        del self._unsealed[besides:]

    async def seal(self) -> None:
        """Write what was appended. Called by whoever commits."""
        if not self._unsealed:
            return
        entries, self._unsealed = self._unsealed, []
        if self._conn.dialect.name == "postgresql":
            told = [{**entry, "told": _told(entry)} for entry in entries]
            columns = {name: [entry[name] for entry in told] for name in _SEALED}
            await self._conn.execute(_SEAL_THERE, columns)
            return
        seq, seal = await self._head()
        for number, entry in enumerate(entries, seq + 1):
            entry |= {"seq": number, "previous_hash": seal}
            seal = entry["hash"] = _seal(entry)
        await self._conn.execute(_ADD, entries)

    async def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry; worth keeping where nobody can edit it."""
        await self.seal()
        return await self._head()

    async def _head(self) -> tuple[int, str]:
        row = (await self._conn.execute(_HEAD)).one_or_none()
        return (0, START) if row is None else (row.seq, row.hash)

    async def holds_head(self, seq: int, seal: str) -> bool:
        """Whether a `head` that was once told is still in the chain, which may have grown."""
        await self.seal()
        if seq == 0:
            return seal == START
        return seal == await self._conn.scalar(select(audit.c.hash).where(audit.c.seq == seq))

    async def verify(self) -> int | None:
        """The number of the first entry that does not fit; None when all do."""
        await self.seal()
        seq, seal = 0, START
        erased: set[int] = set()
        while True:
            page = await self._page(after=seq)
            for row in page:
                seq += 1
                entry = row._asdict()
                fits = row.seq == seq and row.previous_hash == seal and row.hash == _seal(entry)
                if not fits or not _holds(entry):
                    return min(erased | {seq})
                if _is_erased(entry):
                    erased.add(seq)
                elif row.action == ERASURE:
                    erased.difference_update(json.loads(row.after)["audit_entries"])
                seal = row.hash
            if len(page) < PAGE:
                return min(erased, default=None)

    async def erase(self, seqs: Sequence[int]) -> None:
        """What these entries tell. Whoever does it appends an ERASURE whose `after` names them
        as `audit_entries`."""
        for some in in_chunks(seqs):
            await self._conn.execute(
                update(audit).where(audit.c.seq.in_(some)).values(before="", after="", salt="")
            )

    async def _page(self, *, after: int) -> list[AnyRow]:
        rows = await self._conn.execute(
            select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(PAGE)
        )
        return list(rows)


def fits(entry: Mapping[str, Any]) -> bool:
    """Whether an entry is as it was sealed; looks at nothing before it."""
    return bool(entry["hash"] == _seal(entry)) and _holds(entry)


def _canonical(value: Mapping[str, Any] | None) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _content_hash(salt: str, before: str, after: str) -> str:
    """Salted, so that nobody finds erased content by trying names and numbers."""
    return hashlib.sha256(f"{salt}\n{before}\n{after}".encode()).hexdigest()


def _is_erased(entry: Mapping[str, Any]) -> bool:
    return bool(entry["content_hash"]) and not (entry["salt"] or entry["before"] or entry["after"])


def _holds(entry: Mapping[str, Any]) -> bool:
    """Whether the content is what was sealed; entries of before 0008 seal it themselves."""
    if not entry["content_hash"] or _is_erased(entry):
        return True
    sealed: str = entry["content_hash"]
    return _content_hash(entry["salt"], entry["before"], entry["after"]) == sealed


def _seal(entry: Mapping[str, Any]) -> str:
    """SHA-256 over the entry and the seal of the one before, as canonical JSON."""
    previous = json.dumps(entry["previous_hash"], ensure_ascii=False)
    text = f"[{entry['seq']},{_told(entry)},{previous}]"
    return hashlib.sha256(text.encode()).hexdigest()


def _told(entry: Mapping[str, Any]) -> str:
    """What is sealed between the number and the seal of the one before."""
    content = ["content_hash"] if entry["content_hash"] else ["before", "after"]
    sealed = [
        entry["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        *(entry[name] for name in ("actor", "action", "subject", *content)),
    ]
    return json.dumps(sealed, ensure_ascii=False, separators=(",", ":"))[1:-1]
