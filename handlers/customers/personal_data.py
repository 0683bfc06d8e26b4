"""`gendan export-…` and `erase-…`: personal data of a subject, out and gone: docs/privacy.md."""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from bot.errors import PermanentError
from handlers.texts import personal_data as texts
from storage import beside
from storage.database import Database
from storage.kept_files import KeptFiles
from storage.personal.data import PersonalData, Subject


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose data is asked for. kind: as the file in an archive is called. named: how the export and
    the certificate say who it is. kept, out_of_reach: what a certificate of such a subject says."""

    kind: str
    named: dict[str, Any]
    trace: Callable[[PersonalData], Awaitable[Subject]]
    kept: Sequence[str]
    out_of_reach: str


def of_customer(number: int) -> Asked:
    return Asked(
        "customer",
        {"customer_id": number},
        lambda data: data.trace(number),
        texts.KEPT_OF_CUSTOMER,
        texts.OUT_OF_REACH,
    )


def of_contact(customer: int, who: str) -> Asked:
    """One of a customer's people. who: a name, mobile, address, or id on a platform."""
    return Asked(
        "contact",
        {"customer_id": customer, "contact": who},
        lambda data: data.trace_contact(customer, who),
        texts.KEPT_OF_CONTACT,
        texts.OUT_OF_REACH_OF_CONTACT,
    )


def of_person(who: str) -> Asked:
    """One of ours. who: a number, name, mobile, or platform:account."""
    return Asked(
        "person",
        {"person": who},
        lambda data: data.trace_person(who),
        texts.KEPT_OF_PERSON,
        texts.OUT_OF_REACH_OF_PERSON,
    )


async def export(url: str, files: KeptFiles, asked: Asked, file: Path, *, at: datetime) -> None:
    """Everything that names the subject, as JSON by tables; a .zip holds it with the files' bytes
    under files/. Raises NotFound, Refused, and PermanentError when the file exists."""
    if await asyncio.to_thread(file.exists):
        raise PermanentError(f"{file} 已经存在 (exists already)：导出不覆盖文件")
    async with beside.opened(url) as database, database.read() as tx:
        rows = await tx.personal_data.rows(await asked.trace(tx.personal_data))
    told = asked.named | {"exported_at": at.isoformat(), "tables": rows}
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        if file.suffix.lower() == ".zip":
            await _pack(unfinished, f"{asked.kind}.json", told, rows.get("files", []), files)
        else:
            await asyncio.to_thread(unfinished.write_bytes, _to_json(told))
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


async def erase(url: str, files: KeptFiles, asked: Asked, *, at: datetime) -> str:
    """Erase it; the certificate as JSON. Files go after the database has let them go: a crash in
    between leaves bytes without a name, and whatever is erased next removes them first. Raises
    NotFound, and Refused for one of ours who is still with us."""
    async with beside.opened(url) as database:
        await _delete_let_go(database, files)
        async with database.begin() as tx:
            subject = await asked.trace(tx.personal_data)
            counts = await tx.personal_data.erase(subject, at)
            seq, head = await tx.audit.head()
        await _delete_let_go(database, files)
    await beside.sweep_out(url)
    certificate = {
        "certificate": texts.TITLE,
        **asked.named,
        "erased_at": at.isoformat(),
        "rows": counts,
        "kept": asked.kept,
        "not_reached": asked.out_of_reach,
        "audit": {"entry": seq, "hash": head},
    }
    if shared := texts.shared(subject.shared_names):
        certificate["not_searched"] = shared
    return orjson.dumps(certificate, option=orjson.OPT_INDENT_2).decode()


async def _delete_let_go(database: Database, files: KeptFiles) -> None:
    async with database.read() as tx:
        hashes = await tx.personal_data.let_go()
    for sha256 in hashes:
        await files.delete(sha256)


async def _pack(
    target: Path,
    name: str,
    told: dict[str, Any],
    rows: list[dict[str, Any]],
    files: KeptFiles,
) -> None:
    missing = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        for row in rows:
            place = f"files/{row['sha256'][:16]}-{os.path.basename(row['name'])}"
            try:
                pack.writestr(place, await files.get(row["sha256"]))
            except FileNotFoundError:
                missing.append(row["sha256"])
        pack.writestr(name, _to_json(told | {"missing_files": missing}))


def _to_json(told: object) -> bytes:
    return orjson.dumps(told, default=_plain, option=orjson.OPT_INDENT_2)


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    raise TypeError(type(value).__name__)
