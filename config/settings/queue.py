"""The section [queue]: the inbox on NATS JetStream; see docs/scaling.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import Count, Section

_SERVER = re.compile(r"^(nats|tls)://[^\s?#]+$")


def _servers(url: SecretStr) -> SecretStr:
    given = url.get_secret_value()
    if given and not all(_SERVER.match(one.strip()) for one in given.split(",")):
        raise ValueError("another scheme")
    return url


class QueueSettings(Section):
    """The inbox on NATS JetStream. url: empty: doors store into the database. Several servers of a
    cluster with commas. user and password, token, or creds (a file with a user's JWT and key): if
    not in the url. ca: of a private authority; cert, key: ours, where the server asks for one.
    stream: its name, another for each deployment on one NATS. replicas: of each message in a
    cluster. max_mb: of what may wait; beyond it platforms are told to send again."""

    url: Annotated[
        SecretStr,
        AfterValidator(_servers),
        Field(description="nats://主机:4222 或 tls://主机:4222，多台用逗号隔开 (URLs)"),
    ] = SecretStr("")
    user: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    creds: Annotated[Path | None, Field(description="凭证文件 (a file)")] = None
    ca: Annotated[Path | None, Field(description="证书文件 (a file)")] = None
    cert: Annotated[Path | None, Field(description="证书文件 (a file)")] = None
    key: Annotated[Path | None, Field(description="密钥文件 (a file)")] = None
    stream: Annotated[
        str,
        Field(
            pattern=r"^[A-Z][A-Z0-9_-]{0,31}$",
            description="大写字母和数字 (capital letters and digits)",
        ),
    ] = "GENDAN"
    replicas: Annotated[int, Field(ge=1, le=5, description="1 到 5 的整数 (1 to 5)")] = 1
    max_mb: Count = 1024

    @model_validator(mode="after")
    def _cert_needs_key(self) -> Self:
        if (self.cert is None) != (self.key is None):
            told = "cert：与 key 要么都写，要么都不写 (both or neither)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self
