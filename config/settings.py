"""Environment and files -> one frozen Settings, read once at start.

`gendan.toml` holds what may be read by everybody; secrets come from the environment
(`GENDAN_WECOM__SALES__SECRET`) or from files named in it (`secret_file = "/run/…"`).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.mistakes import PREFIX, SECTION_MISTAKE, readable
from config.policy import ConfigError

HERE = Path(__file__).parent

_NOT_SETTINGS = frozenset({"GENDAN_CONFIG"})
_DATABASE = re.compile(r"^(sqlite(\+aiosqlite)?:///[^:]|postgres(ql)?(\+asyncpg)?://.)")


def _split(given: Any) -> Any:
    """Lists may be one text with commas, which is how the environment carries them."""
    if not isinstance(given, str):
        return given
    return tuple(part.strip() for part in given.split(",") if part.strip())


def _bare(url: str) -> str:
    return url.rstrip("/")


def _known_database(url: SecretStr) -> SecretStr:
    if not _DATABASE.match(url.get_secret_value()):
        raise ValueError("another scheme")
    return url


def _no_address(key: SecretStr) -> SecretStr:
    """Consoles show a whole address, of which only the key is wanted."""
    if "/" in key.get_secret_value():
        raise ValueError("an address")
    return key


# Descriptions are what a mistake's line says after 应为.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", max_length=32)]
Text = Annotated[str, Field(min_length=1, description="非空文字 (text)")]
Secret = Annotated[SecretStr, Field(min_length=1, description="非空文字 (text)")]
Token = Annotated[
    SecretStr, Field(max_length=64, description="至多 64 位的文字 (at most 64 characters)")
]
AES_KEY = "43 位字母和数字 (43 letters or digits)"
AesKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{43}$", repr=False, description=AES_KEY)]
Url = Annotated[
    str,
    Field(pattern=r"^https?://[^\s?#]+$", description="http(s):// 开头、不带参数的地址 (a URL)"),
    AfterValidator(_bare),
]
Count = Annotated[int, Field(gt=0, description="正整数 (a whole number above 0)")]
Webhooks = dict[str, Annotated[SecretStr, AfterValidator(_no_address)]]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, given: Any) -> Any:
        """`x_file = "path"` stands for `x` with the file's content, without its newline."""
        if not isinstance(given, dict):
            return given
        read = dict(given)
        for key in given:
            name = key.removesuffix("_file")
            if name == key or name not in cls.model_fields:
                continue
            if name in given:
                raise PydanticCustomError(SECTION_MISTAKE, f"{key}：与 {name} 只能写一个")
            read[name] = _content(key, read.pop(key))
        return read

    def revealed(self) -> dict[str, Any]:
        """Plain keyword arguments with the secrets in clear: hand them on, never log them."""
        return {name: _plain(getattr(self, name)) for name in type(self).model_fields}


def _content(key: str, path: Any) -> str:
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, TypeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise PydanticCustomError(SECTION_MISTAKE, f"{key}：文件读不到 ({why})") from None
    if not content:
        raise PydanticCustomError(SECTION_MISTAKE, f"{key}：文件是空的 (the file is empty)")
    return content


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


class StorageSettings(_Section):
    """url: SQLAlchemy URL. files: folder of what people send. synchronous: SQLite only;
    NORMAL is faster and may lose the last moments when the power fails."""

    url: Annotated[
        SecretStr,
        AfterValidator(_known_database),
        Field(description="sqlite:///文件 或 postgresql://用户:密码@主机/库 (a URL)"),
    ] = SecretStr("sqlite:///data/gendan.db")
    files: Path = Path("data/files")
    synchronous: Annotated[Literal["FULL", "NORMAL"], Field(description="FULL 或 NORMAL")] = "FULL"


class WecomSettings(_Section):
    """One self-built application of WeCom. agent_id and corp_id as the admin page shows.

    token, aes_key: of the message callback. webhooks: name -> key of a group robot.
    menu: whether the bot makes the application's menu when it starts.
    """

    corp_id: Text
    agent_id: Count
    secret: Secret
    token: Annotated[
        SecretStr,
        Field(min_length=1, max_length=32, description="1 到 32 位字母和数字 (letters or digits)"),
    ]
    aes_key: AesKey
    base_url: Url = "https://qyapi.weixin.qq.com"
    menu: Annotated[bool, Field(description="true 或 false")] = True
    webhooks: Annotated[
        Webhooks, Field(description="群机器人地址里 key= 后面的部分 (the key only)")
    ] = {}


class DingtalkSettings(_Section):
    """One internal application of DingTalk with a robot in HTTP mode.

    robot_code, events_owner_key: empty for the client id. card_callback_secret: empty for
    one derived from the client secret. allowed_hosts: empty for DingTalk's own.
    webhooks: name -> "<access_token>:<SEC… secret>" of a group robot; the secret may lack.
    """

    corp_id: Text
    client_id: Text
    client_secret: Secret
    robot_code: str = ""
    agent_id: Annotated[int, Field(ge=0, description="整数 (a whole number)")] = 0
    card_template_id: str = ""
    card_callback_secret: Token = SecretStr("")
    events_token: Token = SecretStr("")
    events_aes_key: Annotated[
        str, Field(pattern=r"^([A-Za-z0-9]{43})?$", repr=False, description=AES_KEY)
    ] = ""
    events_owner_key: str = ""
    api_url: Url = "https://api.dingtalk.com"
    oapi_url: Url = "https://oapi.dingtalk.com"
    allowed_hosts: Annotated[
        tuple[str, ...], BeforeValidator(_split), Field(description="主机名列表 (a list of hosts)")
    ] = ()
    webhooks: Annotated[
        Webhooks, Field(description="access_token，有加签时接 :SEC… (token or token:secret)")
    ] = {}
    monthly_calls: Count = 5000

    @model_validator(mode="after")
    def _events_need_both(self) -> Self:
        if bool(self.events_token.get_secret_value()) != bool(self.events_aes_key):
            told = "events_token：与 events_aes_key 要么都写，要么都不写 (both or neither)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self

    def revealed(self) -> dict[str, Any]:
        """As in every section; webhooks as pairs of access token and secret."""
        plain = super().revealed()
        pairs = {name: text.partition(":") for name, text in plain["webhooks"].items()}
        return plain | {"webhooks": {name: (pair[0], pair[2]) for name, pair in pairs.items()}}


class LlmSettings(_Section):
    """A language model that reads what the rules could not; see docs/understanding.md.

    base_url: of an OpenAI-compatible API, with its /v1. key: empty where none is needed.
    """

    enabled: Annotated[bool, Field(description="true 或 false")] = False
    base_url: Annotated[
        str,
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
        AfterValidator(_bare),
    ] = ""
    model: str = ""
    key: SecretStr = SecretStr("")
    timeout_s: Annotated[
        float, Field(gt=0, le=20, description="大于 0、至多 20 的秒数 (seconds, at most 20)")
    ] = 4.0

    @model_validator(mode="after")
    def _enabled_needs_a_model(self) -> Self:
        if self.enabled and not (self.base_url and self.model):
            told = "enabled：要同时写 base_url 和 model (base_url and model are needed)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self


class SpeechSettings(_Section):
    """Which engine makes recordings text. sherpa, whisper: here, from the model in `folder`.
    openai: the server at base_url (up to and with /v1), by its `model`.

    threads: of a local engine. timeout_s: what a recording may take besides three times its
    own length.
    """

    engine: Annotated[
        Literal["none", "sherpa", "whisper", "openai"],
        Field(description="none、sherpa、whisper 或 openai"),
    ] = "none"
    folder: Annotated[Path | None, Field(description="模型的文件夹 (a folder)")] = None
    threads: Count = 2
    base_url: Annotated[
        str,
        AfterValidator(_bare),
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
    ] = ""
    model: str = ""
    api_key: SecretStr = SecretStr("")
    timeout_s: Count = 30

    @model_validator(mode="after")
    def _engine_has_what_it_needs(self) -> Self:
        needed = {"sherpa": ("folder",), "whisper": ("folder",), "openai": ("base_url", "model")}
        for key in needed.get(self.engine, ()):
            if not getattr(self, key):
                told = f'{key}：engine = "{self.engine}" 时必填 (required)'
                raise PydanticCustomError(SECTION_MISTAKE, told)
        return self


class KingdeeFormSettings(_Section):
    """One kind of Kingdee's bills and the keys of its fields, as the BOS designer shows them."""

    form: Text = "AR_RECEIVEBILL"
    number: Text = "FBillNo"
    line: Text = "FRECEIVEBILLENTRY_FEntryID"
    contract: Text = "FSALEORDERNUMBER"
    amount: Text = "FRECTOTALAMOUNTFOR"
    currency: Text = "FCURRENCYID.FNumber"
    received_on: Text = "FDATE"
    payer: Text = "FCONTACTUNIT.FName"
    changed_at: Text = "FModifyDate"
    status: Text = "FDocumentStatus"


class U9cEntitySettings(_Section):
    """The entity of U9C that holds a receipt's lines, and the paths of its fields."""

    entity: Text
    number: Text
    line: Text
    contract: Text
    amount: Text
    currency: Text
    received_on: Text
    payer: Text
    changed_at: Text = "ModifiedOn"
    status: Text
    audited: Text
    since_operator: Text = "ge"
    first_page: Annotated[int, Field(ge=0, le=1, description="0 或 1")] = 1


class ErpSettings(_Section):
    """One ERP. kingdee, u9c: asked over its API. folder: writes CSV files. push: it tells us
    by POST /erp/<name>, which the others may as well.

    notice_secret: signs what it tells by POST; without one that door is shut. receipts,
    refunds: of Kingdee; without refunds they are negative receipts. entity: of U9C.
    """

    kind: Annotated[
        Literal["kingdee", "u9c", "folder", "push"],
        Field(description="kingdee、u9c、folder 或 push"),
    ]
    folder: Annotated[Path | None, Field(description="收款文件的文件夹 (a folder)")] = None
    notice_secret: Annotated[
        SecretStr, Field(description="至少 16 位的文字 (at least 16 characters)")
    ] = SecretStr("")
    base_url: Annotated[
        str,
        AfterValidator(_bare),
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
    ] = ""
    account_id: str = ""
    user: str = ""
    app_id: str = ""
    app_secret: SecretStr = SecretStr("")
    language: Count = 2052
    organisation: Annotated[int, Field(ge=0, description="整数 (a whole number)")] = 0
    enterprise: str = ""
    organisation_code: str = ""
    home_currency: Text = "PRE001"
    receipts: KingdeeFormSettings = KingdeeFormSettings()
    refunds: KingdeeFormSettings | None = None
    entity: U9cEntitySettings | None = None

    @model_validator(mode="after")
    def _kind_has_what_it_needs(self) -> Self:
        asked = ("base_url", "user", "app_id", "app_secret")
        needed = {
            "kingdee": (*asked, "account_id"),
            "u9c": (*asked, "enterprise", "organisation_code", "entity"),
            "folder": ("folder",),
            "push": ("notice_secret",),
        }
        for key in needed[self.kind]:
            if not _plain(getattr(self, key)):
                told = f'{key}：kind = "{self.kind}" 时必填 (required)'
                raise PydanticCustomError(SECTION_MISTAKE, told)
        if 0 < len(self.notice_secret.get_secret_value()) < 16:
            told = "notice_secret：至少 16 位 (at least 16 characters)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self


class Settings(BaseModel):
    """Everything an operator can set; docs/operations.md explains each key.

    policy: the business numbers. actions: folder of the action libraries, of which the
    policy names one. calendars: holiday tables for years that the package does not know.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Text = "0.0.0.0"  # noqa: S104 - a server behind a proxy listens on every interface
    port: Annotated[int, Field(ge=0, le=65535, description="0 到 65535 的整数 (a port)")] = 8080
    public_url: Annotated[
        str,
        AfterValidator(_bare),
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的外网地址 (a URL)"),
    ] = ""
    policy: Path = HERE / "policy.toml"
    actions: Path = HERE / "actions"
    calendars: Annotated[
        tuple[Path, ...], BeforeValidator(_split), Field(description="文件列表 (a list of files)")
    ] = ()
    admins: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(wecom|dingtalk):\S+$")], ...],
        BeforeValidator(_split),
        Field(description='像 "wecom:zhaoqian" 的列表 (a list of platform:user id)'),
    ] = ()
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description="DEBUG、INFO、WARNING 或 ERROR"),
    ] = "INFO"
    storage: StorageSettings = StorageSettings()
    llm: LlmSettings = LlmSettings()
    speech: SpeechSettings = SpeechSettings()
    wecom: dict[Name, WecomSettings] = {}
    dingtalk: dict[Name, DingtalkSettings] = {}
    erp: dict[Name, ErpSettings] = {}

    @property
    def configured(self) -> bool:
        """Whether any platform is set up."""
        return bool(self.wecom or self.dingtalk)


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


def load_settings(path: Path | None = None) -> Settings:
    """Settings from `path`, else $GENDAN_CONFIG, else ./gendan.toml if it is there.

    Raises ConfigError with one line for each mistake: which key, where, what it should be.
    """
    source, given = _given(path)
    try:
        return _FromOutside(**given)
    except ValidationError as error:
        raise _mistakes(error, source) from None


def load_engines(path: Path | None = None) -> dict[str, BaseModel]:
    """The sections [llm] and [speech] alone, for the sandbox, which takes nothing else from
    outside: an engine is no emulated platform's. Raises ConfigError."""
    source, given = _given(path)
    sections = ("llm", "speech")
    prefixes = tuple(f"{PREFIX}{section.upper()}__" for section in sections)
    ours = {name: text for name, text in os.environ.items() if name.upper().startswith(prefixes)}
    merged = _overlay({section: given.get(section, {}) for section in sections}, _tree(ours))
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise _mistakes(error, source) from None
    return {section: getattr(settings, section) for section in sections}


def _given(path: Path | None) -> tuple[Path, dict[str, Any]]:
    """The file and what stands in it; nothing when none was named and none is there."""
    source = config_path(path)
    named = path is not None or bool(os.environ.get("GENDAN_CONFIG"))
    return source, read_toml(source) if named or source.exists() else {}


def _mistakes(error: ValidationError, source: Path) -> ConfigError:
    variables = {_folded(name): name for name in _ours(os.environ)}
    return ConfigError(readable(error, source, Settings, variables))


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
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}：不是有效的 TOML (not TOML): {error}") from None
