"""The sections `[mail.<name>]`: mailboxes that are read."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import Count, Secret, Section, Text

_USUAL_PORT = {"tls": 993, "starttls": 143, "none": 143}
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def _split(given: Any) -> Any:
    return [one.strip() for one in given.split(",")] if isinstance(given, str) else given


class MailSettings(Section):
    """One folder of one mailbox. host, port, tls: of its IMAP server; tls from the first byte,
    starttls, or none, which sends the password readable. port: 0 for the usual one. password: the
    code for mail clients (授权码). owner: whose own mailbox it is, "wecom:zhangsan"; empty for one
    of the company's. addresses: that it is written to, besides `user`. first_days: how far back
    the first look goes. keep_days: how long the head of a mail is kept that is nobody's.
    max_mb: of larger mails only the head is taken.
    """

    host: Text
    port: Annotated[int, Field(ge=0, le=65535, description="0 到 65535 的整数 (a port)")] = 0
    tls: Annotated[
        Literal["tls", "starttls", "none"], Field(description="tls、starttls 或 none")
    ] = "tls"
    user: Text
    password: Secret
    folder: Text = "INBOX"
    owner: Annotated[
        str,
        Field(
            pattern=r"^((wecom|dingtalk):\S+)?$",
            description='像 "wecom:zhangsan"，公共邮箱留空 (platform:user id)',
        ),
    ] = ""
    addresses: Annotated[
        tuple[str, ...], BeforeValidator(_split), Field(description="邮箱地址的列表 (addresses)")
    ] = ()
    poll_s: Annotated[float, Field(ge=10, le=86400, description="10 到 86400 的秒数 (seconds)")] = (
        60.0
    )
    timeout_s: Annotated[
        float, Field(gt=0, le=120, description="大于 0、至多 120 的秒数 (seconds)")
    ] = 30.0
    first_days: Annotated[int, Field(ge=0, le=365, description="0 到 365 的整数 (days)")] = 7
    keep_days: Count = 30
    max_mb: Annotated[int, Field(ge=1, le=100, description="1 到 100 的整数 (MB)")] = 25

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if "://" in self.host or "/" in self.host or ":" in self.host:
            told = "host：只写主机名，如 imap.exmail.qq.com，端口写在 port (a host name only)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        if self.tls == "starttls" and self.port == _USUAL_PORT["tls"]:
            told = 'port：993 是 tls = "tls" 的端口，starttls 一般用 143 (993 wants tls)'
            raise PydanticCustomError(SECTION_MISTAKE, told)
        for address in self.addresses:
            if not _ADDRESS.fullmatch(address):
                told = f"addresses：{address} 不是邮箱地址 (no mail address)"
                raise PydanticCustomError(SECTION_MISTAKE, told)
        if not self.own_addresses:
            told = "addresses：user 不是邮箱地址时，要写出这个邮箱的地址 (whose address is it?)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """That mails to and from this mailbox carry, in small letters."""
        named = [self.user, *self.addresses] if _ADDRESS.fullmatch(self.user) else self.addresses
        return tuple(dict.fromkeys(one.casefold() for one in named))

    def access(self) -> dict[str, Any]:
        """Of `revealed`, what the connector wants, with the port in figures."""
        plain = self.revealed()
        wanted = ("host", "tls", "user", "password", "folder", "timeout_s")
        port = self.port or _USUAL_PORT[self.tls]
        return {**{key: plain[key] for key in wanted}, "port": port, "is_own": bool(self.owner)}
