"""policy.toml -> Policy, and a policy with other numbers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import time
from pathlib import Path
from typing import Any

from bot.domain.policy import Policy
from bot.domain.policy_changes import Value, value_of
from bot.errors import InvalidInput
from config.policy.sections import SECTIONS, read_section
from config.policy.table import ConfigError, Table

HERE = Path(__file__).parents[1]


def load_policy(path: Path = HERE / "policy.toml") -> Policy:
    """Raises ConfigError."""
    root = _read(path)
    policy = Policy(
        actions_library=root.text("actions_library", Policy().actions_library),
        products=root.texts("products"),
        **{name: read_section(name, root.table(name)) for name in SECTIONS},
    )
    root.finish()
    return policy


def change_policy(policy: Policy, changes: Mapping[str, Value]) -> Policy:
    """The policy with other numbers, read by the same rules as the file's.

    changes: key of `SETTINGS` -> value. Raises InvalidInput, in Chinese, with what is wrong.
    """
    for table in dict.fromkeys(key.split(".")[0] for key in changes):
        section = getattr(policy, table)
        raw = {key: _as_in_toml(value_of(policy, f"{table}.{key}")) for key in _keys_of(section)}
        for key, value in changes.items():
            if key.startswith(f"{table}."):
                raw[key.removeprefix(f"{table}.")] = _as_in_toml(value)
        try:
            changed = read_section(table, Table("", raw))
        except ConfigError as error:
            key, _, should_be = str(error).partition("：")
            if f"{table}.{key}" not in changes:
                should_be = f"{key} {should_be}"
            raise InvalidInput(re.sub(r" ?\([^()]*\)", "", should_be)) from None
        policy = replace(policy, **{table: changed})
    return policy


def _keys_of(section: Any) -> list[str]:
    """As policy.toml names them, which says the unit of a duration in the key."""
    renamed = {"group_wait": "group_wait_min", "repeat_after": "repeat_after_h"}
    return [renamed.get(one.name, one.name) for one in fields(section)]


def _as_in_toml(value: Value) -> object:
    is_clock = isinstance(value, str) and _CLOCK.fullmatch(value)
    return time.fromisoformat(str(value)) if is_clock else value


_CLOCK = re.compile(r"[0-2]\d:[0-5]\d")


def _read(path: Path) -> Table:
    try:
        return Table(f"{path.name}: ", tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}：读不到 (cannot be read: {error.strerror})") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, or not TOML in some way
        raise ConfigError(f"{path.name}：不是有效的 TOML (not TOML): {error}") from None
