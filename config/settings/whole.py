"""All sections together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from config.settings.archive import ArchiveSettings
from config.settings.dingtalk import DingtalkSettings
from config.settings.engines import LlmSettings, OcrSettings, SpeechSettings
from config.settings.erp import ErpSettings
from config.settings.mail import MailSettings
from config.settings.mistakes import SECTION_MISTAKE
from config.settings.queue import QueueSettings
from config.settings.sections import Name, Text, bare, split
from config.settings.site import SiteSettings
from config.settings.storage import StorageSettings
from config.settings.supply import SupplySettings
from config.settings.telemetry import TelemetrySettings
from config.settings.wecom import AibotSettings, AnyWecom, WecomSettings

HERE = Path(__file__).parents[1]


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
        tuple[Path, ...], BeforeValidator(split), Field(description="文件列表 (a list of files)")
    ] = ()
    admins: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(wecom|dingtalk):\S+$")], ...],
        BeforeValidator(split),
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
