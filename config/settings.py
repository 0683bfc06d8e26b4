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
    Discriminator,
    Field,
    PlainValidator,
    SecretStr,
    Tag,
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

from config.archive_settings import ArchiveSettings
from config.erp_settings import ErpSettings
from config.mail_settings import MailSettings
from config.mistakes import PREFIX, SECTION_MISTAKE, readable
from config.policy import ConfigError
from config.queue_settings import QueueSettings
from config.sections import (
    AES_KEY,
    AesKey,
    Count,
    Name,
    Secret,
    Section,
    Text,
    Token,
    Url,
    bare,
    plain,
)
from config.site_settings import SiteSettings
from config.telemetry_settings import TelemetrySettings

HERE = Path(__file__).parent

_NOT_SETTINGS = frozenset({"GENDAN_CONFIG"})
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w.-]+)*/?", re.ASCII)
_DATABASE = re.compile(r"^(sqlite(\+aiosqlite)?:///[^:]|postgres(ql)?(\+asyncpg)?://.)")


def _split(given: Any) -> Any:
    """Lists may be one text with commas, which is how the environment carries them."""
    if not isinstance(given, str):
        return given
    return tuple(part.strip() for part in given.split(",") if part.strip())


def _known_database(url: SecretStr) -> SecretStr:
    if not _DATABASE.match(url.get_secret_value()):
        raise ValueError("another scheme")
    return url


def _no_address(key: SecretStr) -> SecretStr:
    """Consoles show a whole address, of which only the key is wanted."""
    if "/" in key.get_secret_value():
        raise ValueError("an address")
    return key


Webhooks = dict[str, Annotated[SecretStr, AfterValidator(_no_address)]]


Approvals = Annotated[
    dict[str, Literal["discount", "contract", "payment", "bonus", "visit", "trip", "other"]],
    Field(
        description="模板编号 = 含义：discount、contract、payment、bonus、visit、trip、other"
        " (template id = meaning)",
    ),
]


class BucketSettings(Section):
    """How the S3-compatible store is reached that storage.files names.

    endpoint: empty for AWS. access_key, secret_key: empty for those of the machine (AWS_… in the
    environment, the role of a pod). by_host: the bucket stands in the host name, as OSS and COS
    want it, else in the path. timeout_s: what one call may take.
    """

    endpoint: Annotated[
        str,
        AfterValidator(bare),
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
    ] = ""
    region: Text = "us-east-1"
    access_key: str = ""
    secret_key: SecretStr = SecretStr("")
    by_host: Annotated[bool, Field(description="true 或 false")] = False
    timeout_s: Count = 60

    @model_validator(mode="after")
    def _keys_come_together(self) -> Self:
        if bool(self.access_key) != bool(self.secret_key.get_secret_value()):
            told = "secret_key：与 access_key 要么都写，要么都不写 (both or neither)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self


def _folder_or_bucket(given: Any) -> Path | str:
    """A path would make "s3:/bucket" of a bucket's URL."""
    if isinstance(given, Path):
        return given
    if not isinstance(given, str) or not given:
        raise ValueError("neither")
    if not given.startswith("s3:"):
        return Path(given)
    if not _BUCKET.fullmatch(given):
        raise ValueError("no bucket")
    return given.rstrip("/")


class StorageSettings(Section):
    """url: SQLAlchemy URL. files: folder of what people send, or a bucket, which `s3` tells how to
    reach. coming: folder of what is not whole yet; empty for one in `files`, or data/coming beside
    a bucket. synchronous: SQLite only; NORMAL is faster and may lose the last moments when the
    power fails. statement_timeout_s: PostgreSQL only; a longer statement is ended, and what it was
    for is tried again. keep_inbox_months: PostgreSQL only; whole months for which deliveries are
    kept as they came, so that they can be replayed; 0: for ever."""

    url: Annotated[
        SecretStr,
        AfterValidator(_known_database),
        Field(description="sqlite:///文件 或 postgresql://用户:密码@主机/库 (a URL)"),
    ] = SecretStr("sqlite:///data/gendan.db")
    files: Annotated[
        Path | str,
        PlainValidator(_folder_or_bucket),
        Field(description="文件夹，或 s3://桶/前缀 (a folder, or a bucket's URL)"),
    ] = Path("data/files")
    s3: BucketSettings = BucketSettings()
    coming: Annotated[Path | None, Field(description="文件夹 (a folder)")] = None
    synchronous: Annotated[Literal["FULL", "NORMAL"], Field(description="FULL 或 NORMAL")] = "FULL"
    statement_timeout_s: Annotated[float, Field(ge=1, le=600, description="1 到 600 秒")] = 30.0
    keep_inbox_months: Annotated[int, Field(ge=0, le=1200, description="0 到 1200 个月")] = 0

    @property
    def bucket(self) -> dict[str, Any] | None:
        """Arguments of `storage.kept_files.Bucket`; None where files lie in a folder."""
        if isinstance(self.files, Path):
            return None
        name, _, prefix = self.files.removeprefix("s3://").partition("/")
        return {"name": name, "prefix": f"{prefix}/" if prefix else "", **self.s3.revealed()}

    @property
    def folder(self) -> Path:
        """What lies on this machine."""
        if self.coming is not None:
            return self.coming
        return self.files / "coming" if isinstance(self.files, Path) else Path("data/coming")


class WecomSettings(Section):
    """One self-built application of WeCom. agent_id and corp_id as the admin page shows.

    token, aes_key: of the message callback. webhooks: name -> key of a group robot.
    menu: whether the bot makes the application's menu when it starts. leaves: whether it may
    read approvals. contacts: whether it reads external contacts and customer groups (客户联系
    must name it among its applications). pages: whether people sign in to pages by it, for which
    public_url must be its trusted domain; open_url, jssdk_url: for that. approvals: own template
    of 审批 -> what it is about. checkins: whether it may read 打卡. group_chats:
    whether it makes groups, which wants a visible range of the whole company. archive: the
    company's chat archive, where it has one.
    """

    kind: Annotated[Literal["app"], Field(description="app 或 aibot")] = "app"
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
    leaves: Annotated[bool, Field(description="true 或 false")] = False
    contacts: Annotated[bool, Field(description="true 或 false")] = False
    pages: Annotated[bool, Field(description="true 或 false")] = False
    open_url: Url = "https://open.weixin.qq.com"
    jssdk_url: Url = "https://wwcdn.weixin.qq.com/node/open/js/wecom-jssdk-2.0.2.js"
    approvals: Approvals = Field(default_factory=dict)
    checkins: Annotated[bool, Field(description="true 或 false")] = False
    group_chats: Annotated[bool, Field(description="true 或 false")] = False
    webhooks: Annotated[
        Webhooks,
        Field(default_factory=dict, description="群机器人地址里 key= 后面的部分 (the key only)"),
    ]

    archive: ArchiveSettings | None = None

    def revealed(self) -> dict[str, Any]:
        """As in every section, without what is not for the connector."""
        not_its = ("kind", "archive")
        return {key: value for key, value in super().revealed().items() if key not in not_its}


class AibotSettings(Section):
    """One intelligent robot of WeCom (智能机器人, API mode).

    mode: http, WeCom calls us, by token and aes_key; websocket, we keep a connection open, by
    bot_id and secret. The console has either, never both. app: name of the self-built
    application of the same company; empty for the only one. robot_name: as people see it.
    """

    kind: Annotated[Literal["aibot"], Field(description="app 或 aibot")]
    mode: Annotated[Literal["http", "websocket"], Field(description="http 或 websocket")] = "http"
    app: str = ""
    robot_name: str = ""
    token: Token = SecretStr("")
    aes_key: Annotated[
        str, Field(pattern=r"^([A-Za-z0-9]{43})?$", repr=False, description=AES_KEY)
    ] = ""
    bot_id: str = ""
    secret: SecretStr = SecretStr("")
    ws_url: Annotated[
        str, Field(pattern=r"^wss?://[^\s?#]+$", description="wss:// 开头的地址 (a URL)")
    ] = "wss://openws.work.weixin.qq.com"

    @model_validator(mode="after")
    def _mode_has_what_it_needs(self) -> Self:
        needed = {"http": ("token", "aes_key"), "websocket": ("bot_id", "secret")}
        for key in needed[self.mode]:
            if not plain(getattr(self, key)):
                told = f'{key}：mode = "{self.mode}" 时必填 (required)'
                raise PydanticCustomError(SECTION_MISTAKE, told)
        return self

    def revealed(self) -> dict[str, Any]:
        """As in every section, without what is not for the connector."""
        not_its = ("kind", "app")
        return {key: value for key, value in super().revealed().items() if key not in not_its}


def _kind_of(given: Any) -> str:
    kind = given.get("kind") if isinstance(given, dict) else getattr(given, "kind", None)
    return "aibot" if kind == "aibot" else "app"


AnyWecom = Annotated[
    Annotated[WecomSettings, Tag("app")] | Annotated[AibotSettings, Tag("aibot")],
    Discriminator(_kind_of),
]


class DingtalkSettings(Section):
    """One internal application of DingTalk with a robot.

    mode: http, DingTalk calls us, or stream, we keep `connections` open to it.
    robot_code, events_owner_key: empty for the client id. card_callback_secret: empty for
    one derived from the client secret. allowed_hosts: empty for DingTalk's own.
    webhooks: name -> "<access_token>:<SEC… secret>" of a group robot; the secret may lack.
    contacts: whether external contacts are read (scope qyapi_ext_read). group_template_id: by
    which groups for customers are made; empty: none are. pages: whether people sign in to pages by
    it, for which public_url must be the home of its web app; jsapi_url, jsapi_digest: for that.
    approvals: processCode -> what it is about. approval_times: what the Z of their times stands
    for, which DingTalk does not say. checkins: whether 考勤 and 签到 are read.
    """

    corp_id: Text
    client_id: Text
    client_secret: Secret
    mode: Annotated[Literal["http", "stream"], Field(description="http 或 stream")] = "http"
    connections: Annotated[int, Field(ge=1, le=4, description="1 到 4 的整数 (1 to 4)")] = 2
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
        Webhooks,
        Field(
            default_factory=dict,
            description="access_token，有加签时接 :SEC… (token or token:secret)",
        ),
    ]
    monthly_calls: Count = 5000
    leaves: Annotated[bool, Field(description="true 或 false")] = False
    contacts: Annotated[bool, Field(description="true 或 false")] = False
    approvals: Approvals = Field(default_factory=dict)
    approval_times: Annotated[
        Literal["utc", "china"], Field(description="utc 或 china (what Z stands for)")
    ] = "utc"
    checkins: Annotated[bool, Field(description="true 或 false")] = False
    group_template_id: str = ""
    pages: Annotated[bool, Field(description="true 或 false")] = False
    jsapi_url: Url = "https://g.alicdn.com/dingding/dingtalk-jsapi/3.0.25/dingtalk.open.js"
    jsapi_digest: Annotated[Literal["sha256", "sha1"], Field(description="sha256 或 sha1")] = (
        "sha256"
    )

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


class LlmSettings(Section):
    """A language model that reads what the rules could not; see docs/understanding.md.

    base_url: of an OpenAI-compatible API, with its /v1. key: empty where none is needed.
    """

    enabled: Annotated[bool, Field(description="true 或 false")] = False
    base_url: Annotated[
        str,
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
        AfterValidator(bare),
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


class SpeechSettings(Section):
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
        AfterValidator(bare),
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


class OcrSettings(Section):
    """Which engine reads contracts on paper. rapidocr: here, with the models of its package.

    threads: of the engine. timeout_s: what one paper may take.
    """

    engine: Annotated[Literal["none", "rapidocr"], Field(description="none 或 rapidocr")] = "none"
    threads: Count = 2
    timeout_s: Count = 120


SupplyGroups = Annotated[
    tuple[Annotated[str, Field(pattern=r"^(wecom|dingtalk):[^:\s]+:[gw]:\S+$")], ...],
    BeforeValidator(_split),
    Field(description='像 "wecom:sales:w:cangku" 的列表 (platform:app:g or w:group)'),
]


class SupplySettings(Section):
    """Groups that hear of large sales: "platform:application:g:group id", or with w the name of
    one of its group robots (webhooks). Empty: groups that said so in chat, else everybody with
    the role."""

    warehouse: SupplyGroups = ()
    planning: SupplyGroups = ()


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
        AfterValidator(bare),
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
    queue: QueueSettings = QueueSettings()
    llm: LlmSettings = LlmSettings()
    speech: SpeechSettings = SpeechSettings()
    ocr: OcrSettings = OcrSettings()
    supply: SupplySettings = SupplySettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    wecom: dict[Name, AnyWecom] = {}
    dingtalk: dict[Name, DingtalkSettings] = {}
    erp: dict[Name, ErpSettings] = {}
    site: dict[Name, SiteSettings] = {}
    mail: dict[Name, MailSettings] = {}

    @model_validator(mode="after")
    def _robots_have_an_application(self) -> Self:
        for name, robot in self.aibots.items():
            if self.application_of(robot) is None:
                told = (
                    f"wecom.{name}.app：应为同一企业自建应用在配置里的名字，"
                    "如 [wecom.sales] 的 sales (the name of a self-built application)"
                )
                raise PydanticCustomError(SECTION_MISTAKE, told)
        return self

    @model_validator(mode="after")
    def _one_archive_a_company(self) -> Self:
        seen: dict[str, str] = {}
        for name in self.archives:
            corp = self.wecom_apps[name].corp_id
            if corp in seen:
                told = (
                    f"wecom.{name}.archive：{seen[corp]} 已经配置了同一企业的会话内容存档，"
                    "只写一处 (one archive for each company)"
                )
                raise PydanticCustomError(SECTION_MISTAKE, told)
            seen[corp] = name
        return self

    @property
    def configured(self) -> bool:
        """Whether any platform is set up."""
        return bool(self.wecom or self.dingtalk)

    @property
    def wecom_apps(self) -> dict[str, WecomSettings]:
        """The self-built applications."""
        return {name: one for name, one in self.wecom.items() if isinstance(one, WecomSettings)}

    @property
    def archives(self) -> dict[str, ArchiveSettings]:
        """By the name of the application beside which they stand."""
        return {name: one.archive for name, one in self.wecom_apps.items() if one.archive}

    @property
    def aibots(self) -> dict[str, AibotSettings]:
        return {name: one for name, one in self.wecom.items() if isinstance(one, AibotSettings)}

    def application_of(self, robot: AibotSettings) -> str | None:
        """The name of the application that works with the robot."""
        names = list(self.wecom_apps)
        if robot.app:
            return robot.app if robot.app in names else None
        return names[0] if len(names) == 1 else None


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
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source}：不是有效的 TOML (not TOML): {error}") from None
