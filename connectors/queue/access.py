"""How the stream is reached, and what it is to be like."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Access:
    """How NATS is reached. url: "nats://host:4222" or "tls://…", several with commas, each with
    user:password@ if it must be. creds: file with a user's JWT and key. ca: of a private authority;
    cert, key: ours, where the server asks for one. replicas: copies of each message in a cluster.
    max_mb: of what may wait; beyond it platforms are told to send again."""

    url: str = field(repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    creds: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    stream: str = "GENDAN"
    replicas: int = 1
    max_mb: int = 1024

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(one.strip() for one in self.url.split(",") if one.strip())

    @property
    def root(self) -> str:
        """The first word of all subjects."""
        return self.stream.lower()

    def options(self) -> dict[str, Any]:
        """What the client wants to know besides the server."""
        given = {"user": self.user, "password": self.password, "token": self.token}
        options: dict[str, Any] = {key: text for key, text in given.items() if text}
        if self.creds is not None:
            options["user_credentials"] = str(self.creds)
        if self.ca is not None or self.cert is not None or self.url.startswith("tls://"):
            context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
            options["tls"] = context
        return options
