"""`gendan export-customer` and `erase-customer`: a customer's personal data, out and gone."""

from __future__ import annotations

import asyncio
import os
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from bot.errors import PermanentError
from storage import beside
from storage.kept_files import KeptFiles

KEPT = (
    "企业名称、税号、行业；商机的阶段和金额；合同、回款（会计档案）",
    "跟进的时间、类型、时长和有效性，由谁完成（工资发放依据）",
    "审计链：条目的散列保留，内容已删除",
)
NOT_OURS = (
    "已发到企业微信、钉钉的消息，ERP 里的资料，早先的备份，"
    "以及开着版本控制的对象存储里文件的旧版本，需另行删除"
)


async def export(url: str, files: KeptFiles, customer: int, file: Path, *, at: datetime) -> None:
    """Everything that names the customer, as JSON by tables; a .zip holds it as customer.json
    with the files' bytes under files/. Raises NotFound, PermanentError when the file exists."""
    if await asyncio.to_thread(file.exists):
        raise PermanentError(f"{file} 已经存在 (exists already)：导出不覆盖文件")
    async with beside.opened(url) as database, database.read() as tx:
        rows = await tx.personal_data.rows(await tx.personal_data.trace(customer))
    told = {"customer_id": customer, "exported_at": at.isoformat(), "tables": rows}
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        if file.suffix.lower() == ".zip":
            await _pack(unfinished, told, rows.get("files", []), files)
        else:
            await asyncio.to_thread(unfinished.write_bytes, _to_json(told))
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


async def erase(url: str, files: KeptFiles, customer: int, *, at: datetime) -> str:
    """Erase it; the certificate as JSON. Files go after the database has let them go: a crash
    in between leaves bytes without a name, and doing it again removes them. Raises NotFound."""
    async with beside.opened(url) as database:
        async with database.begin() as tx:
            traces = await tx.personal_data.trace(customer)
            counts, hashes = await tx.personal_data.erase(traces, at)
            seq, head = await tx.audit.head()
        for sha256 in hashes:
            await files.delete(sha256)
    await beside.sweep_out(url)
    certificate = {
        "certificate": "个人信息删除证明",
        "customer_id": customer,
        "erased_at": at.isoformat(),
        "rows": counts,
        "kept": KEPT,
        "not_reached": NOT_OURS,
        "audit": {"entry": seq, "hash": head},
    }
    return orjson.dumps(certificate, option=orjson.OPT_INDENT_2).decode()


async def _pack(
    target: Path, told: dict[str, Any], rows: list[dict[str, Any]], files: KeptFiles
) -> None:
    missing = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        for row in rows:
            name = f"files/{row['sha256'][:16]}-{os.path.basename(row['name'])}"
            try:
                pack.writestr(name, await files.get(row["sha256"]))
            except FileNotFoundError:
                missing.append(row["sha256"])
        pack.writestr("customer.json", _to_json(told | {"missing_files": missing}))


def _to_json(told: object) -> bytes:
    return orjson.dumps(told, default=_plain, option=orjson.OPT_INDENT_2)


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    raise TypeError(type(value).__name__)
