"""Changes to a TOML file's text that leave everything else, comments included, as it was.

Simple on purpose: it understands tables that begin on a line of their own and keys that fit
on one line. The result is parsed and compared, so what it does not understand is refused.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence

Value = str | int | Sequence[str] | Mapping[str, str]

_HEADER = re.compile(r"^\s*\[", re.MULTILINE)


class NotUnderstood(ValueError):
    """The text cannot be changed safely; somebody has to do it by hand."""


def with_keys(text: str, values: Mapping[str, Value]) -> str:
    """Keys of the file itself, set or replaced. Raises NotUnderstood."""
    first_table = _HEADER.search(text)
    end = first_table.start() if first_table else len(text)
    head, rest = text[:end], text[end:]
    for key, value in values.items():
        line = f"{key} = {_literal(value)}"
        present = re.compile(rf"^[ \t]*{re.escape(key)}[ \t]*=.*$", re.MULTILINE)
        if match := present.search(head):
            head = head[: match.start()] + line + head[match.end() :]
        else:
            head = f"{head.rstrip()}\n{line}\n".lstrip() + ("\n" if rest else "")
    return _checked(head + rest, {**tomllib.loads(text), **values})


def with_table(text: str, table: Sequence[str], values: Mapping[str, Value]) -> str:
    """The table [kind.name], or [kind], with exactly these values. Raises NotUnderstood."""
    kept = _without_table(text, table).rstrip()
    header = ".".join(table)
    lines = [f"[{header}]", *(f"{key} = {_literal(value)}" for key, value in values.items())]
    expected = tomllib.loads(text)
    *outer, name = table
    parent = expected
    for kind in outer:
        parent = parent.setdefault(kind, {})
    parent[name] = values
    return _checked("\n".join([*([kept, ""] if kept else []), *lines, ""]), expected)


def _without_table(text: str, table: Sequence[str]) -> str:
    path = r"\s*\.\s*".join(map(re.escape, table))
    own = re.compile(rf"^\s*\[\s*{path}\s*[.\]]")
    kept, inside = [], False
    for line in text.splitlines():
        if _HEADER.match(line):
            inside = own.match(line) is not None
        if not inside:
            kept.append(line)
    return "\n".join(kept)


def _literal(value: Value) -> str:
    """JSON's texts, numbers and lists of texts are TOML's too; its objects are not."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_literal(k)} = {_literal(v)}" for k, v in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _checked(text: str, expected: Mapping[str, object]) -> str:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        found = {}
    if found != expected:
        raise NotUnderstood("the file is written in a way that is not understood")
    return text
