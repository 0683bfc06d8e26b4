"""The customer's websites: what a page is, who may send signals, and links that say who came.

Two ways to prove that events belong to a site. A *server* signs each request with the site's
secret. A *browser* can keep no secret: its key is only a signature over the site's name, which a
stranger can copy, so its requests must also come from one of the site's origins, and its events
count as unproven. A link in material carries a signature over its number and its end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase, translate
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from bot.domain.signals import PAGE

LINK_PARAMETER = "gdl"
_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Website:
    """One website. origins: "https://www.example.com" without a path. pages: kind of event ->
    patterns of paths ("/products/*/specs"). titles: what people call a page -> patterns of paths.
    materials: title -> URL that a rep may send.
    per_s, per_visitor_min: events that are taken, of all its visitors and of one."""

    name: str
    secret: str = field(repr=False)
    origins: tuple[str, ...]
    pages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    titles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    materials: Mapping[str, str] = field(default_factory=dict)
    per_s: int = 2000
    per_visitor_min: int = 120

    def allows(self, url: str) -> bool:
        """Whether a link of ours may lead there: the site's own addresses and no others."""
        try:
            parts = urlsplit(url)
            has_login = parts.username is not None or parts.password is not None
        except ValueError:
            return False
        strange = re.search(r"[\x00-\x20\x7f\\]", url) is not None
        return not (strange or has_login) and f"{parts.scheme}://{parts.netloc}" in self.origins

    @property
    def browser_key(self) -> str:
        """What stands in the snippet."""
        return f"{self.name}.{_signature(self.secret, 'browser', self.name)}"

    def knows_browser_key(self, key: str) -> bool:
        return hmac.compare_digest(key.encode("utf-8", "replace"), self.browser_key.encode())


class PageKinds:
    """Finds the kind of a page by its path."""

    def __init__(self, pages: Mapping[str, tuple[str, ...]]) -> None:
        self._patterns = [
            (kind, re.compile("|".join(translate(one.lower()) for one in patterns)))
            for kind, patterns in pages.items()
            if patterns
        ]

    def of(self, path: str) -> str:
        """The first that fits, in the order of the configuration; else an ordinary page."""
        lowered = path.lower()
        return next((kind for kind, one in self._patterns if one.match(lowered)), PAGE)


def titles_of(sites: Iterable[Website], paths: Iterable[str]) -> tuple[str, ...]:
    """What people call these pages, without repeats: by the site's titles, else as the material
    they are, else by their path."""
    known = tuple(sites)
    return tuple(dict.fromkeys(_title(known, path) for path in paths if path))


def _title(sites: tuple[Website, ...], path: str) -> str:
    lowered = path.lower()
    for site in sites:
        for title, patterns in site.titles.items():
            if any(fnmatchcase(lowered, one.lower()) for one in patterns):
                return title
    for site in sites:
        for title, url in site.materials.items():
            if urlsplit(url).path == path:
                return title
    readable = unquote(path)
    return readable if readable.isprintable() else path


@dataclass(frozen=True, slots=True)
class MaterialLink:
    """A link made for somebody. contact: whom it was sent to; "" where only the customer is
    known."""

    id: int
    site: str
    account_id: int
    contact: str
    title: str
    url: str
    person_id: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link's signature vouches for."""

    link_id: int
    expires_at: datetime

    def fresh(self, now: datetime) -> bool:
        return now < self.expires_at


def ticket_of(site: Website, link: MaterialLink) -> str:
    """The signed part of a link's address: `<number>.<end>.<signature>`."""
    told = f"{link.id:x}.{int(link.expires_at.timestamp()):x}"
    return f"{told}.{_signature(site.secret, 'link', told)}"


def read_ticket(site: Website, text: str) -> Ticket | None:
    """None for anything that this site did not sign."""
    told, _, signature = text.rpartition(".")
    if not _TOLD.fullmatch(told) or len(signature) > 64:
        return None
    if not hmac.compare_digest(
        signature.encode("utf-8", "replace"), _signature(site.secret, "link", told).encode()
    ):
        return None
    number, _, end = told.partition(".")
    return Ticket(int(number, 16), datetime.fromtimestamp(int(end, 16), UTC))


def with_ticket(url: str, ticket: str) -> str:
    """The target, where our script finds by whom the visitor was invited."""
    parts = urlsplit(url)
    query = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != LINK_PARAMETER
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, (LINK_PARAMETER, ticket)])))


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """What a server puts into `X-Gendan-Signature`. timestamp: whole seconds since 1970."""
    return hmac.new(secret.encode(), f"{timestamp}\n".encode() + body, hashlib.sha256).hexdigest()


def _signature(secret: str, purpose: str, told: str) -> str:
    digest = hmac.new(secret.encode(), f"{purpose}\n{told}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode().rstrip("=")


_TOLD = re.compile(r"[0-9a-f]{1,15}\.[0-9a-f]{1,9}", re.ASCII)
