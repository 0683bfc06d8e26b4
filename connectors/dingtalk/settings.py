"""One DingTalk application, as configured."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from yarl import URL

# A leading dot admits every host below. What people send lies in DingTalk's own storage
# or in Alibaba's object store, under host names that are not documented one by one.
DINGTALK_HOSTS = (".dingtalk.com", ".aliyuncs.com")


@dataclass(frozen=True, slots=True)
class DingtalkApp:
    """An internal application with a robot.

    mode: "http", DingTalk calls us, or "stream", we keep `connections` open to it.
    robot_code, events_owner_key: empty for the client id, which is what they usually are.
    card_template_id: empty means cards go out as plain messages. card_callback_secret: empty
    for one derived from the client secret. allowed_hosts: whom we may call at addresses that
    come from outside (files, sessionWebhook); empty for DingTalk's own.
    webhooks: name -> (access_token, secret) of custom group robots; secret "" for none.
    monthly_calls: the organisation's monthly quota of paid API calls. leaves: whether it may
    read attendance. contacts: whether external contacts are read, which wants the scope
    qyapi_ext_read. group_template_id: of a scene group with the robot in it; empty: no groups are
    made. pages: whether our address is the home of its web app, so that pages sign in by it and
    use the script at jsapi_url. jsapi_digest: sha256 or sha1, by which calls of pages are signed.
    approvals: processCode -> what it is about. approval_times: "utc" or "china", what the Z of
    their times stands for. checkins: whether 考勤 and 签到 are read.
    """

    name: str
    corp_id: str
    client_id: str
    client_secret: str = field(repr=False)
    mode: str = "http"
    connections: int = 2
    robot_code: str = ""
    agent_id: int = 0
    card_template_id: str = ""
    card_callback_secret: str = field(default="", repr=False)
    events_token: str = field(default="", repr=False)
    events_aes_key: str = field(default="", repr=False)
    events_owner_key: str = ""
    api_url: str = "https://api.dingtalk.com"
    oapi_url: str = "https://oapi.dingtalk.com"
    allowed_hosts: tuple[str, ...] = ()
    webhooks: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    monthly_calls: int = 5000
    leaves: bool = False
    contacts: bool = False
    approvals: Mapping[str, str] = field(default_factory=dict)
    approval_times: str = "utc"
    checkins: bool = False
    group_template_id: str = ""
    pages: bool = False
    jsapi_url: str = "https://g.alicdn.com/dingding/dingtalk-jsapi/3.0.25/dingtalk.open.js"
    jsapi_digest: str = "sha256"

    def __post_init__(self) -> None:
        defaults = {
            "robot_code": self.client_id,
            "events_owner_key": self.client_id,
            "card_callback_secret": _derived(self.client_secret),
            "allowed_hosts": DINGTALK_HOSTS,
        }
        for name, value in defaults.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)
        for name in ("api_url", "oapi_url"):
            object.__setattr__(self, name, getattr(self, name).rstrip("/"))

    @property
    def is_streamed(self) -> bool:
        return self.mode == "stream"

    @property
    def takes_events(self) -> bool:
        return bool(self.events_token and self.events_aes_key)

    def trusts(self, url: str) -> bool:
        """Whether an address from outside may be called.

        Read by the parser that the HTTP client uses too, so both see the same host.
        """
        try:
            parsed = URL(url)
        except ValueError:
            return False
        if parsed.scheme not in ("http", "https") or not parsed.host:
            return False
        if parsed.host in (URL(self.api_url).host, URL(self.oapi_url).host):
            return True
        named = (parsed.host, f"{parsed.host}:{parsed.port}")
        return any(
            parsed.host.endswith(host) if host.startswith(".") else host in named
            for host in self.allowed_hosts
        )


def _derived(client_secret: str) -> str:
    return hmac.digest(client_secret.encode(), b"gendan card callback", hashlib.sha256).hex()
