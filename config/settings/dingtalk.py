"""The sections `[dingtalk.<name>]`: internal applications with a robot."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from config.settings.chat import Approvals, Webhooks
from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import AES_KEY, Count, Secret, Section, Text, Token, Url, split


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
        tuple[str, ...], BeforeValidator(split), Field(description="主机名列表 (a list of hosts)")
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
