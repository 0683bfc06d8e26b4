"""Where files' bytes are kept: in a folder, or in a bucket of an S3-compatible store. Both use the
same names, so one can be copied into the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.errors import PermanentError
from bot.messages import StoredFile
from bot.ports import FileStore
from storage.files import FileFolder


class KeptFiles(FileStore, Protocol):
    """A `FileStore` with what only its owner does. All raise FilesAway."""

    @property
    def trouble(self) -> str:
        """Why the last call failed; "" when it did not."""
        ...

    async def delete(self, sha256: str) -> None:
        """The bytes; quiet when they are not there."""
        ...

    async def find_damage(self, file: StoredFile) -> str | None:
        """None when the bytes are there and still the same; else what is wrong."""
        ...

    async def check(self) -> None:
        """Write, read and delete something. Raises PermanentError where a deleted file would
        live on as an older version."""
        ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """How one is reached. prefix: "" or ending in "/". endpoint: "" for AWS itself. access_key,
    secret_key: "" for those of the machine (environment, role of the pod). by_host: the bucket
    stands in the host name, as OSS and COS want it, else in the path. timeout_s: of one call."""

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    by_host: bool = False
    timeout_s: float = 60.0


def open_files(place: Path | Bucket) -> KeptFiles:
    """Nothing is asked yet. Raises PermanentError where the library for buckets is missing."""
    if isinstance(place, Path):
        return FileFolder(place)
    try:
        from storage.bucket_files import BucketFiles
    except ImportError:
        told = "storage.files 是桶的地址，要先运行 pip install 'gendan[s3]' (obstore is missing)"
        raise PermanentError(told) from None
    return BucketFiles(place)
