"""Pages inside WeCom's client: who opened one, and the signatures its script wants.

Sources: developer.work.weixin.qq.com/document/path/91022 and 96442 (OAuth2), 90506 (tickets and
signatures), 98416 (ww).
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

from bot.clock import Clock
from bot.domain.sign_in import Caller
from bot.messages import Platform
from bot.ports import TokenStore
from connectors.tokens import Fetch, TokenKeeper
from connectors.wecom.api import Api
from connectors.wecom.errors import CODE_USED, WecomRejected
from connectors.wecom.settings import WecomApp

# What our pages call (web/src/client.js).
FUNCTIONS = (
    "getContext", "getCurExternalContact", "getCurExternalChat", "openEnterpriseChat",
)  # fmt: skip


class Webview:
    """connectors.web.clients.Client of one application."""

    platform = str(Platform.WECOM)

    def __init__(self, app: WecomApp, api: Api, tokens: TokenStore, clock: Clock) -> None:
        self.app = app.name
        self.script_url = app.jssdk_url
        self._settings = app
        self._api = api
        self._clock = clock

        def ticket(name: str, fetch: Fetch) -> TokenKeeper:
            return TokenKeeper(f"wecom:{app.name}:{name}", tokens, fetch, clock)

        self._corp_ticket = ticket("jsapi_ticket", self._fetch_corp_ticket)
        self._agent_ticket = ticket("agent_ticket", self._fetch_agent_ticket)

    def shows(self, user_agent: str) -> bool:
        return "wxwork/" in user_agent.lower()

    def sign_in_url(self, back: str, state: str) -> str | None:
        """In the order in which the documentation has the parameters: WeChat once insisted."""
        query = {
            "appid": self._settings.corp_id,
            "redirect_uri": back,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
            "agentid": str(self._settings.agent_id),
        }
        url = f"{self._settings.open_url}/connect/oauth2/authorize"
        return f"{url}?{urlencode(query)}#wechat_redirect"

    async def who(self, code: str) -> Caller | None:
        """None for a code that is unknown, used or too old. Raises as `Api` does."""
        try:
            told = await self._api.get("auth/getuserinfo", code=code)
        except WecomRejected as refusal:
            if refusal.errcode in CODE_USED:
                return None
            raise
        user_id = str(told.get("userid") or "")
        if user_id and "/" not in user_id:  # a linked company's members come as CorpId/userid
            return Caller(self.platform, user_id.lower())
        outsider = user_id or str(told.get("external_userid") or told.get("openid") or "")
        return Caller(self.platform, "", outsider)

    def facts(self) -> dict[str, Any]:
        app = self._settings
        return {"corpId": app.corp_id, "agentId": app.agent_id, "functions": FUNCTIONS}

    async def signatures(self, url: str) -> dict[str, Any]:
        """For `ww.register`. url: of the page, without its fragment. Raises as `Api` does."""
        return {
            "config": self._signed(await self._corp_ticket.get(), url),
            "agentConfig": self._signed(await self._agent_ticket.get(), url),
        }

    async def check(self) -> None:
        """Raises where pages could not be signed."""
        await self.signatures("")

    def _signed(self, ticket: str, url: str) -> dict[str, Any]:
        nonce, timestamp = secrets.token_hex(8), int(self._clock.now().timestamp())
        return {
            "timestamp": timestamp,
            "nonceStr": nonce,
            "signature": sign(ticket, nonce, timestamp, url),
        }

    async def _fetch_corp_ticket(self) -> tuple[str, int]:
        told = await self._api.get("get_jsapi_ticket")
        return str(told["ticket"]), int(told["expires_in"])

    async def _fetch_agent_ticket(self) -> tuple[str, int]:
        told = await self._api.get("ticket/get", type="agent_config")
        return str(told["ticket"]), int(told["expires_in"])


def sign(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Lower-case names in this order, nothing encoded."""
    plain = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(plain.encode(), usedforsecurity=False).hexdigest()
