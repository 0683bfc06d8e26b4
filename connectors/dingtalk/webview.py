"""Pages inside DingTalk's client: who opened one, and the signature its script wants.

Sources: open.dingtalk.com enterprise-internal-application-logon-free, jsapi-request-auth-code,
create-a-jsapi-ticket, jsapi-authentication.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any
from urllib.parse import unquote

from bot.clock import Clock
from bot.domain.sign_in import Caller
from bot.errors import Rejected
from bot.messages import Platform
from bot.ports import TokenStore
from connectors.dingtalk.api import Api
from connectors.dingtalk.errors import CODE_USED, DingtalkRejected
from connectors.dingtalk.read import number, text
from connectors.dingtalk.settings import DingtalkApp
from connectors.tokens import TokenKeeper

# What our pages call (web/src/client.js).
FUNCTIONS = ("openChatByConversationId",)


class Webview:
    """connectors.web.clients.Client of one application."""

    platform = str(Platform.DINGTALK)

    def __init__(self, app: DingtalkApp, api: Api, tokens: TokenStore, clock: Clock) -> None:
        self.app = app.name
        self.script_url = app.jsapi_url
        self._settings = app
        self._api = api
        self._clock = clock
        self._ticket = TokenKeeper(
            f"dingtalk:{app.name}:jsapi_ticket", tokens, self._fetch_ticket, clock
        )

    def shows(self, user_agent: str) -> bool:
        return "dingtalk" in user_agent.lower()

    def sign_in_url(self, back: str, state: str) -> str | None:
        """None: here the page's own script asks the client for a code."""
        return None

    async def who(self, code: str) -> Caller | None:
        """None for a code that is unknown, used or too old. Raises as `Api` does."""
        try:
            told = await self._api.old("topapi/v2/user/getuserinfo", {"code": code})
        except DingtalkRejected as refusal:
            if refusal.code in CODE_USED:
                return None
            raise
        return Caller(self.platform, text(told, "userid"), text(told, "unionid"))

    def facts(self) -> dict[str, Any]:
        app = self._settings
        return {
            "corpId": app.corp_id,
            "clientId": app.client_id,
            "agentId": app.agent_id,
            "functions": FUNCTIONS,
        }

    async def signatures(self, url: str) -> dict[str, Any]:
        """For `dd.config`. url: of the page, without its fragment. Raises as `Api` does."""
        nonce, stamp = secrets.token_hex(8), int(self._clock.now().timestamp() * 1000)
        ticket = await self._ticket.get()
        return {
            "timeStamp": stamp,
            "nonceStr": nonce,
            "signature": sign(ticket, nonce, stamp, url, digest=self._settings.jsapi_digest),
        }

    async def check(self) -> None:
        """Raises where pages could not be signed."""
        if not self._settings.agent_id:
            raise Rejected("没有写 agent_id：在「凭证与基础信息」里查看")
        await self.signatures("")

    async def _fetch_ticket(self) -> tuple[str, int]:
        told = await self._api.new("POST", "v1.0/oauth2/jsapiTickets", {})
        return text(told, "jsapiTicket"), number(told, "expireIn") or 7200


def sign(ticket: str, nonce: str, timestamp: int, url: str, *, digest: str) -> str:
    """timestamp: milliseconds. digest: sha256, or the older sha1 (protocol notes 8.2). The query
    of the address is signed as it reads, decoded."""
    page, mark, query = url.partition("?")
    read = f"{page}{mark}{unquote(query)}"
    plain = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={read}"
    return hashlib.new(digest, plain.encode(), usedforsecurity=False).hexdigest()
