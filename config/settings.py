"""Environment and files -> one frozen Settings, read once at start.

`gendan.toml` holds what may be read by everybody; secrets come from the environment
(`GENDAN_WECOM__SALES__SECRET`) or from files named in it (`secret_file = "/run/…"`).
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.policy import ConfigError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
AesKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{43}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, given: Any) -> Any:
        """`x_file = "path"` stands for `x` with the file's content, without its newline."""
        if not isinstance(given, dict):
            return given
        read: dict[str, Any] = {}
        for key, value in given.items():
            name = key.removesuffix("_file")
            if name == key or name not in cls.model_fields:
                read[key] = value
                continue
            try:
                read[name] = Path(value).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ValueError(f"{key}: cannot read {value} ({error.strerror})") from None
        return read


class StorageSettings(_Section):
    """url: SQLAlchemy URL; sqlite+aiosqlite:///… or postgresql+asyncpg://…"""

    url: SecretStr = SecretStr("sqlite+aiosqlite:///data/gendan.db")
    files: Path = Path("data/files")
    synchronous: Annotated[str, Field(pattern="^(FULL|NORMAL)$")] = "FULL"


class WecomSettings(_Section):
    """One self-built application of WeCom. agent_id and corp_id as the admin page shows."""

    corp_id: Annotated[str, Field(min_length=1)]
    agent_id: Annotated[int, Field(gt=0)]
    secret: SecretStr
    token: Annotated[SecretStr, Field(min_length=1, max_length=32)]
    aes_key: AesKey
    base_url: str = "https://qyapi.weixin.qq.com"
    webhooks: dict[str, SecretStr] = {}


class DingtalkSettings(_Section):
    """One internal application of DingTalk with a robot in HTTP mode."""

    corp_id: Annotated[str, Field(min_length=1)]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr
    robot_code: str = ""  # empty: the client_id
    agent_id: int = 0
    card_template_id: str = ""
    card_callback_secret: SecretStr = SecretStr("")
    events_token: SecretStr = SecretStr("")
    events_aes_key: Annotated[str, Field(pattern=r"^([A-Za-z0-9]{43})?$")] = ""
    events_owner_key: str = ""  # empty: the client_id
    api_url: str = "https://api.dingtalk.com"
    oapi_url: str = "https://oapi.dingtalk.com"
    allowed_hosts: tuple[str, ...] = ()
    webhooks: dict[str, SecretStr] = {}  # name -> "<access_token>:<SEC secret>"
    monthly_calls: Annotated[int, Field(gt=0)] = 5000


class Settings(BaseSettings):
    """Everything an operator can set. See gendan.toml.example in docs/operations.md."""

    model_config = SettingsConfigDict(
        env_prefix="GENDAN_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    host: str = "0.0.0.0"  # noqa: S104 - a server behind a proxy listens on every interface
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: str = ""
    zone: str = "Asia/Shanghai"
    policy: Path = Path("config/policy.toml")
    library: Path = Path("config/actions/manufacturing.toml")
    calendars: tuple[Path, ...] = ()
    admins: tuple[str, ...] = ()  # "wecom:zhaoqian", "dingtalk:0147001"
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    storage: StorageSettings = StorageSettings()
    wecom: dict[Name, WecomSettings] = {}
    dingtalk: dict[Name, DingtalkSettings] = {}

    _file: dict[str, Any] = {}

    @model_validator(mode="after")
    def _admins_name_a_platform(self) -> Self:
        for admin in self.admins:
            if not admin.startswith(("wecom:", "dingtalk:")):
                raise ValueError(f"admins: {admin!r} should be like 'wecom:zhaoqian'")
        return self

    @property
    def configured(self) -> bool:
        """Whether any platform is set up."""
        return bool(self.wecom or self.dingtalk)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file (which arrives as init arguments)."""
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> Settings:
    """Settings from `path`, else $GENDAN_CONFIG, else ./gendan.toml if it is there.

    Raises ConfigError with one line for each mistake: which key, where, what it should be.
    """
    named = path or (Path(os.environ["GENDAN_CONFIG"]) if "GENDAN_CONFIG" in os.environ else None)
    source = named or Path("gendan.toml")
    if named is None and not source.exists():
        given: dict[str, Any] = {}
    else:
        given = _read_toml(source)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise ConfigError(_readable(error, source)) from None


def _read_toml(source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{source}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: is not valid TOML: {error}") from None


def _readable(error: ValidationError, source: Path) -> str:
    """One line a mistake; never the value, which may be a secret."""
    lines = []
    for mistake in error.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in mistake["loc"]) or "settings"
        variable = "GENDAN_" + "__".join(str(part).upper() for part in mistake["loc"])
        told = mistake["msg"].removeprefix("Value error, ")
        lines.append(f"{key}: {told} (in {source} or in the environment as {variable})")
    return "; ".join(lines)
