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
    lead somewhere. menu: whether the application's menu is ours to make. slack_s: how far a
    callback's timestamp may be from now; a replay within it is caught by its delivery id.
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
    slack_s: int = 24 * 3600
