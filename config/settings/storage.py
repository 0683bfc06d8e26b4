"""The section `[storage]`: the database, and where files are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import Count, Section, Text, bare

_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w.-]+)*/?", re.ASCII)

_DATABASE = re.compile(r"^(sqlite(\+aiosqlite)?:///[^:]|postgres(ql)?(\+asyncpg)?://.)")


def _known_database(url: SecretStr) -> SecretStr:
    if not _DATABASE.match(url.get_secret_value()):
        raise ValueError("another scheme")
    return url


class BucketSettings(Section):
    """How the S3-compatible store is reached that storage.files names.

    endpoint: empty for AWS. access_key, secret_key: empty for those of the machine (AWS_… in the
    environment, the role of a pod). by_host: the bucket stands in the host name, as OSS and COS
    want it, else in the path. timeout_s: what one call may take.
    """

    endpoint: Annotated[
        str,
        AfterValidator(bare),
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
    ] = ""
    region: Text = "us-east-1"
    access_key: str = ""
    secret_key: SecretStr = SecretStr("")
    by_host: Annotated[bool, Field(description="true 或 false")] = False
    timeout_s: Count = 60

    @model_validator(mode="after")
    def _keys_come_together(self) -> Self:
        if bool(self.access_key) != bool(self.secret_key.get_secret_value()):
            told = "secret_key：与 access_key 要么都写，要么都不写 (both or neither)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self


def _folder_or_bucket(given: Any) -> Path | str:
    """A path would make "s3:/bucket" of a bucket's URL."""
    if isinstance(given, Path):
        return given
    if not isinstance(given, str) or not given:
        raise ValueError("neither")
    if not given.startswith("s3:"):
        return Path(given)
    if not _BUCKET.fullmatch(given):
        raise ValueError("no bucket")
    return given.rstrip("/")


class StorageSettings(Section):
    """Where the database and the files are. url: SQLAlchemy URL. files: folder of what people send,
    or a bucket, which `s3` tells how to reach. coming: folder of what is not whole yet; empty for
    one in `files`, or data/coming beside a bucket. synchronous: SQLite only; NORMAL is faster and
    may lose the last moments when the power fails. statement_timeout_s: PostgreSQL only; a longer
    statement is ended, and what it was for is tried again. keep_inbox_months: PostgreSQL only;
    whole months for which deliveries are kept as they came, so that they can be replayed; 0: for
    ever."""

    url: Annotated[
        SecretStr,
        AfterValidator(_known_database),
        Field(description="sqlite:///文件 或 postgresql://用户:密码@主机/库 (a URL)"),
    ] = SecretStr("sqlite:///data/gendan.db")
    files: Annotated[
        Path | str,
        PlainValidator(_folder_or_bucket),
        Field(description="文件夹，或 s3://桶/前缀 (a folder, or a bucket's URL)"),
    ] = Path("data/files")
    s3: BucketSettings = BucketSettings()
    coming: Annotated[Path | None, Field(description="文件夹 (a folder)")] = None
    synchronous: Annotated[Literal["FULL", "NORMAL"], Field(description="FULL 或 NORMAL")] = "FULL"
    statement_timeout_s: Annotated[float, Field(ge=1, le=600, description="1 到 600 秒")] = 30.0
    keep_inbox_months: Annotated[int, Field(ge=0, le=1200, description="0 到 1200 个月")] = 0

    @property
    def bucket(self) -> dict[str, Any] | None:
        """Arguments of `storage.kept_files.Bucket`; None where files lie in a folder."""
        if isinstance(self.files, Path):
            return None
        name, _, prefix = self.files.removeprefix("s3://").partition("/")
        return {"name": name, "prefix": f"{prefix}/" if prefix else "", **self.s3.revealed()}

    @property
    def folder(self) -> Path:
        """What lies on this machine."""
        if self.coming is not None:
            return self.coming
        return self.files / "coming" if isinstance(self.files, Path) else Path("data/coming")
