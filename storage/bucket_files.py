"""Files' bytes in a bucket of an S3-compatible store (AWS, OSS, COS, MinIO, Ceph …)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from bot.errors import FilesAway, PermanentError
from bot.messages import StoredFile
from storage.files import CHANGED, MAX_BYTES, describe, place_of
from storage.kept_files import Bucket

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

AT_ONCE = 4  # so that at most that many files of 100 MB, twice each, are in memory for this
CONNECT = timedelta(seconds=5)
CHUNK = 1024 * 1024
_PROBE = b"gendan was here"
_WHY = 300

log = logging.getLogger(__name__)


class BucketFiles:
    """A `storage.kept_files.KeptFiles`. An object is written by one request, so it is whole or not
    there; one that is there already is not written again."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._store = _open(bucket)
        self._reading, self._writing = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE)
        self.trouble = ""

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        """Stored when it returns. Raises InvalidInput above 100 MB, FilesAway."""
        file = await asyncio.to_thread(describe, data, name)
        place = place_of(file.sha256)
        async with self._asking("put"):
            if await self._size(place) != file.size:
                await self._write(place, data)
        return file

    async def get(self, sha256: str) -> bytes:
        """Raises FileNotFoundError, also for bytes that are not those any more; FilesAway."""
        place, data = place_of(sha256), bytearray()
        async with self._asking("get"):
            found = await obstore.get_async(self._store, place)
            if found.meta["size"] <= MAX_BYTES:
                async for chunk in found.stream(min_chunk_size=CHUNK):
                    data += chunk
        whole = bytes(data)
        if await asyncio.to_thread(_hash, whole) != sha256:
            log.error("a file has changed", extra={"action": "get file", "sha256": sha256})
            raise FileNotFoundError(f"{sha256}: {CHANGED}")
        return whole

    async def delete(self, sha256: str) -> None:
        """The bytes; quiet when they are not there. Raises FilesAway."""
        async with self._asking("delete"):
            await self._drop(place_of(sha256))

    async def find_damage(self, file: StoredFile) -> str | None:
        """None when the bytes are there and still the same; else what is wrong. Raises
        FilesAway."""
        digest = hashlib.sha256()
        try:
            async with self._asking("verify"):
                found = await obstore.get_async(self._store, place_of(file.sha256))
                async for chunk in found.stream(min_chunk_size=CHUNK):
                    digest.update(chunk)
        except FileNotFoundError:
            return "not there"
        return None if digest.hexdigest() == file.sha256 else CHANGED

    async def check(self) -> None:
        """Write, read and delete something. Raises FilesAway, and PermanentError where a deleted
        file would live on as an older version."""
        place = f"check/{uuid.uuid4().hex}"
        async with self._asking("check"):
            version = await self._write(place, _PROBE)
            back = await (await obstore.get_async(self._store, place)).bytes_async()
            await self._drop(place)
            is_gone = await self._size(place) is None
        if bytes(back) != _PROBE or not is_gone:
            raise PermanentError(f"{self._told}读回的内容和写入的不一样，或删不掉")
        if version:
            raise PermanentError(
                f"{self._told}开着版本控制，删除客户资料后旧版本仍在：请关掉版本控制，"
                "或设一条生命周期规则清除历史版本"
            )

    @property
    def _told(self) -> str:
        return f"对象存储 s3://{self._bucket.name}/{self._bucket.prefix} "

    async def _write(self, place: str, data: bytes) -> str | None:
        """The version, where the bucket keeps them. In one request: parts of a larger upload that
        broke off would lie in the bucket, paid for and unseen."""
        written = await obstore.put_async(self._store, place, data, use_multipart=False)
        return written["version"]

    async def _size(self, place: str) -> int | None:
        try:
            return (await obstore.head_async(self._store, place))["size"]
        except FileNotFoundError:
            return None

    async def _drop(self, place: str) -> None:
        try:
            await obstore.delete_async(self._store, place)
        except FileNotFoundError:
            return  # S3 itself is quiet about it, others are not

    @asynccontextmanager
    async def _asking(self, action: str) -> AsyncIterator[None]:
        """One of the few at a time; whatever the store answers becomes an error of ours."""
        limit_s = self._bucket.timeout_s * 2  # with the further tries
        # Messages that wait to be stored keep no page from being shown.
        slots = self._writing if action == "put" else self._reading
        try:
            async with slots, asyncio.timeout(limit_s):
                yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._away(action, "没有这个存储桶", error) from None
            self.trouble = ""
            raise
        except TimeoutError:
            raise self._away(action, f"{limit_s:g} 秒内没有答复") from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise self._away(action, "拒绝访问，请管理员核对密钥和权限", error) from None
        except BaseError as error:
            raise self._away(action, "没有应答或出错", error) from None
        self.trouble = ""

    def _away(self, action: str, why: str, error: Exception | None = None) -> FilesAway:
        """Details go to the log alone: they name hosts and the owner of the bucket."""
        self.trouble = f"{self._told}{why}"
        detail = " ".join(str(error or "").split())[:_WHY]
        fields = {"action": f"{action} file", "error": detail}
        log.info("the store of files is away", extra=fields)
        return FilesAway(f"文件存储暂时用不了（{why}），恢复后会自动重试")


def _open(bucket: Bucket) -> S3Store:
    """With the bucket in the host name the library wants it in the endpoint too."""
    timeout = timedelta(seconds=bucket.timeout_s)
    client: ClientConfig = {"connect_timeout": CONNECT, "timeout": timeout}
    retry: RetryConfig = {"max_retries": 2, "retry_timeout": timeout}
    config: S3Config = {
        "bucket": bucket.name,
        "region": bucket.region,
        "virtual_hosted_style_request": bucket.by_host,
    }
    if bucket.access_key:
        config["access_key_id"] = bucket.access_key
        config["secret_access_key"] = bucket.secret_key
    if bucket.endpoint:
        url = urlsplit(bucket.endpoint)
        client["allow_http"] = url.scheme == "http"
        host = f"{bucket.name}.{url.netloc}" if bucket.by_host else url.netloc
        config["endpoint"] = f"{url.scheme}://{host}{url.path}"
    return S3Store(
        prefix=bucket.prefix or None, config=config, client_options=client, retry_config=retry
    )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
