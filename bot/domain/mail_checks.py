"""What the server that received a mail noted of its sender: `Authentication-Results` (RFC 8601).

A note proves something of the visible sender only if the domain that passed is the sender's own:
anybody can sign with a domain of theirs. Domains belong together if one company owns both, as in
DMARC's relaxed alignment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.identifiers import one_domain

_TOKEN = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s;="()])+|[;=]')  # "a@b"@c is one
_DKIM = ("header.d", "header.i")
_SPF = ("smtp.mailfrom", "smtp.mail")


@dataclass(frozen=True, slots=True)
class MailChecks:
    """What the receiving server noted of a mail's sender. server: who noted it, "" where nobody
    did. dkim: the sender's domain signed the mail. spf: it came from a server that this domain
    names."""

    server: str = ""
    dkim: bool = False
    spf: bool = False


def read_checks(noted: str, sender: str) -> MailChecks:
    """noted: the header's value; what cannot be read proves nothing. sender: an address."""
    server, *results = _statements(_without_comments(noted)) or [[]]
    domain = sender.rpartition("@")[2].casefold()
    passed = [_properties(one) for one in results if _passes(one)]
    return MailChecks(
        server=server[0] if server else "",
        dkim=any(method == "dkim" and _own(told, _DKIM, domain) for method, told in passed),
        spf=any(method == "spf" and _own(told, _SPF, domain) for method, told in passed),
    )


def _without_comments(text: str) -> str:
    """Comments may hold others, and words that look like results; quoted text is none. What does
    not end where it should makes the whole unreadable: ""."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for char in text:
        plain = not escaped
        escaped = plain and char == "\\"
        if plain and char == '"' and not depth:
            quoted = not quoted
        elif plain and char == "(" and not quoted:
            depth += 1
        elif plain and char == ")" and depth:
            depth -= 1
            kept.append(" ")
            continue
        if not depth:
            kept.append(char)
    return "" if quoted or depth else "".join(kept)


def _statements(text: str) -> list[list[str]]:
    """Between semicolons, as tokens in small letters; quoted text is one token."""
    found: list[list[str]] = [[]]
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word == ";":
            found.append([])
        else:
            found[-1].append(word.strip('"').casefold())
    return found


def _passes(statement: list[str]) -> bool:
    return statement[1:3] == ["=", "pass"]


def _properties(statement: list[str]) -> tuple[str, dict[str, str]]:
    """(method, property -> value) of a result; its version is left out."""
    return statement[0].partition("/")[0], dict(_pairs(statement[3:]))


def _pairs(tokens: list[str]) -> Iterator[tuple[str, str]]:
    for name, sign, value in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if sign == "=":
            yield name, value


def _own(told: dict[str, str], names: tuple[str, ...], domain: str) -> bool:
    values = [told[name].rpartition("@")[2] for name in names if name in told]
    return any(_together(value, domain) for value in values)


def _together(one: str, other: str) -> bool:
    if not one or not other:
        return False
    return one == other or (one_domain(one) is not None and one_domain(one) == one_domain(other))
