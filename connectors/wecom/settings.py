"""What one self-built application (自建应用) of WeCom needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WecomApp:
    """One application as configured; its repr shows no secret.

    name: ours, in channels and in the callback path /wecom/{name}. secret: for the access
    token; token and aes_key (EncodingAESKey): of "接收消息". webhooks: group robot name ->
    key. card_url: where a card without buttons leads, since WeCom wants every such card to
    lead somewhere. menu: whether the application's menu is ours to make. leaves: whether it
    may read approvals. contacts: whether it may read 客户联系. pages: whether our address is its
    trusted domain, so that pages sign in by it and use the script at jssdk_url.
    approvals: id of an own template -> what it is about. checkins: whether it may read 打卡.
    group_chats: whether it makes groups, for which its visible range must be the whole company.
    slack_s: how far a callback's timestamp may be from now; a replay within it is caught by its
    delivery id.
    """

    name: str
    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    base_url: str = "https://qyapi.weixin.qq.com"
    webhooks: Mapping[str, str] = field(default_factory=dict, repr=False)
    card_url: str = "https://work.weixin.qq.com"
    menu: bool = True
    leaves: bool = False
    contacts: bool = False
    pages: bool = False
    open_url: str = "https://open.weixin.qq.com"
    jssdk_url: str = "https://wwcdn.weixin.qq.com/node/open/js/wecom-jssdk-2.0.2.js"
    approvals: Mapping[str, str] = field(default_factory=dict)
    checkins: bool = False
    group_chats: bool = False
    slack_s: int = 24 * 3600


@dataclass(frozen=True, slots=True)
class Aibot:
    """One intelligent robot (智能机器人) as configured; its repr shows no secret.

    name: ours, in channels and in the callback path /wecom/{name}/aibot. mode: "http", where
    the platform calls us, wants token and aes_key; "websocket", where we keep a connection
    open, wants bot_id and secret. robot_name: what people call it after "@" in a group.
    card_url, slack_s: as for an application.
    """

    name: str
    mode: str = "http"
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    bot_id: str = ""
    secret: str = field(default="", repr=False)
    robot_name: str = ""
    ws_url: str = "wss://openws.work.weixin.qq.com"
    card_url: str = "https://work.weixin.qq.com"
    slack_s: int = 24 * 3600

    @property
    def channel(self) -> str:
        return f"wecom:{self.name}:aibot"

    @property
    def is_called(self) -> bool:
        return self.mode == "http"
