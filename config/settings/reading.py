"""The file and the environment -> Settings."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.policy import ConfigError
from config.settings.mistakes import PREFIX, readable
from config.settings.whole import Settings


def load_settings(path: Path | None = None) -> Settings:
    """Settings from `path`, else $GENDAN_CONFIG, else ./gendan.toml if it is there.

    Raises ConfigError with one line for each mistake: which key, where, what it should be.
    """
    source, given = _given(path)
    try:
        return _FromOutside(**given)
    except ValidationError as error:
        raise _mistakes(error, source) from None


def load_configured() -> Settings:
    """Raises ConfigError where no platform is set up, too."""
    settings = load_settings()
    if not settings.configured:
        raise ConfigError("还没有配置平台 (no platform is configured): gendan setup")
    return settings


def load_engines(path: Path | None = None) -> dict[str, BaseModel]:
    """The sections [llm], [speech] and [ocr] alone, for the sandbox, which takes nothing else from
    outside: an engine is no emulated platform's. Raises ConfigError."""
    source, given = _given(path)
    sections = ("llm", "speech", "ocr")
    prefixes = tuple(f"{PREFIX}{section.upper()}__" for section in sections)
    ours = {name: text for name, text in os.environ.items() if name.upper().startswith(prefixes)}
    merged = _overlay({section: given.get(section, {}) for section in sections}, _tree(ours))
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise _mistakes(error, source) from None
    return {section: getattr(settings, section) for section in sections}


def config_path(path: Path | None = None) -> Path:
    """Where the configuration lies, whether or not it is there yet."""
    return path or Path(os.environ.get("GENDAN_CONFIG") or "gendan.toml")


def read_toml(source: Path) -> dict[str, Any]:
    """Raises ConfigError."""
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{source}：读不到 (cannot be read: {error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{source}：不是 UTF-8 文字 (not UTF-8)") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source}：不是有效的 TOML (not TOML): {error}") from None


def _given(path: Path | None) -> tuple[Path, dict[str, Any]]:
    """The file and what stands in it; nothing when none was named and none is there."""
    source = config_path(path)
    named = path is not None or bool(os.environ.get("GENDAN_CONFIG"))
    return source, read_toml(source) if named or source.exists() else {}


def _mistakes(error: ValidationError, source: Path) -> ConfigError:
    variables = {_folded(name): name for name in _ours(os.environ)}
    return ConfigError(readable(error, source, Settings, variables))


class _FromOutside(BaseSettings, Settings):
    """Settings as an operator gives them. Settings itself never looks at the environment,
    or the sandbox would take the real applications' secrets for the emulated ones."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """One source: the file, which arrives as init arguments, with the environment over it.

        Not the library's own reading of the environment: that one cannot know that
        `GENDAN_WECOM__EAST_CHINA__SECRET` means `[wecom.east-china]`, passes silently over
        names it does not know, and wants lists as JSON.
        """
        merged = _overlay(init_settings(), _tree(os.environ))
        return (InitSettingsSource(settings_cls, merged),)


_NOT_SETTINGS = frozenset({"GENDAN_CONFIG"})


def _tree(environ: Mapping[str, str]) -> dict[str, Any]:
    """`GENDAN_A__B__C=x` as {"a": {"b": {"c": "x"}}}."""
    root: dict[str, Any] = {}
    for variable in sorted(_ours(environ)):
        *sections, leaf = variable.upper().removeprefix(PREFIX).lower().split("__")
        table = root
        for section in sections:
            table = table.setdefault(section, {})
            if not isinstance(table, dict):
                raise ConfigError(f"环境变量 {variable}：{section} 已另有一个值 (conflicting)")
        table[leaf] = environ[variable]
    return root


def _ours(environ: Mapping[str, str]) -> list[str]:
    """Names of our variables. An empty one counts as absent: compose files leave such."""
    return [
        name
        for name, value in environ.items()
        if name.upper().startswith(PREFIX) and name.upper() not in _NOT_SETTINGS and value
    ]


def _overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` wins. Its keys are spelt as `below` spells them: most shells cannot export a
    name with "-", and variables know no small letters."""
    merged = dict(below)
    for key, value in above.items():
        name = next((known for known in below if _folded(known) == _folded(key)), key)
        merged.pop(name.removesuffix("_file") if name.endswith("_file") else f"{name}_file", None)
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[name] = _overlay(old, value)
        else:
            merged[name] = value
    return merged


def _folded(key: str) -> str:
    return key.lower().replace("-", "_")
