"""The sections `[wecom.<name>]`: self-built applications and intelligent robots."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, SecretStr, Tag, model_validator
from pydantic_core import PydanticCustomError

from config.settings.archive import ArchiveSettings
from config.settings.chat import Approvals, Webhooks
from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import (
    AES_KEY,
    AesKey,
    Count,
    Secret,
    Section,
    Text,
    Token,
    Url,
    plain,
)


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
