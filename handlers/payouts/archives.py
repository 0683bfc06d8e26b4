"""A pack's zip, opened with distrust: its entries are read into memory, bounded, never onto the
disk, and only the names of the format are let in."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from handlers.payouts.packs import FOLDER, JSON_PARTS, MANIFEST, READABLE

MAX_ENTRIES = 1_000
MAX_PART_BYTES = 64 * 1024 * 1024
MAX_TOTAL_BYTES = 256 * 1024 * 1024

_ATTACHMENT = re.compile(re.escape(FOLDER) + r"[0-9a-f]{64}")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class ArchiveRefused(Exception):
    """Not a zip that a pack can be; the text is Chinese and says why."""


def read_parts(content: bytes) -> dict[str, bytes]:
    """Name -> bytes of every entry. Raises ArchiveRefused."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check(entries)
            return {entry.filename: _read(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as problem:
        raise ArchiveRefused(f"不是完好的 zip 文件 ({problem})") from None


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise ArchiveRefused(f"条目超过 {MAX_ENTRIES} 个")
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        if name not in (MANIFEST, *JSON_PARTS, *READABLE) and not _ATTACHMENT.fullmatch(name):
            raise ArchiveRefused(f"有不属于证据包的条目 {name!r}")
        if name in seen:
            raise ArchiveRefused(f"条目 {name} 出现两次")
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
            raise ArchiveRefused(f"条目 {name} 加了密，或用了别的压缩方法")
        if entry.file_size > MAX_PART_BYTES:
            raise ArchiveRefused(f"条目 {name} 超过 {MAX_PART_BYTES // 1024 // 1024} MB")
        seen.add(name)
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise ArchiveRefused(f"解开后超过 {MAX_TOTAL_BYTES // 1024 // 1024} MB")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Never more than the entry claims, which `_check` has bounded."""
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ArchiveRefused(f"条目 {entry.filename} 的大小与它写的不符")
    return content
