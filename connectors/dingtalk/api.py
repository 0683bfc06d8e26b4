"""Calls to DingTalk: the token in its place, one pace, one count, one reading of failures."""

from __future__ import annotations

import io
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiolimiter import AsyncLimiter

from bot.clock import Clock
from bot.errors import BotError, RateLimited, Unavailable
from bot.ports import CallCounter, TokenStore
from connectors.dingtalk.crypto import sign_robot
from connectors.dingtalk.errors import BAN_S, QuotaUsedUp, TokenRefused, failure_of, is_ban
from connectors.dingtalk.quota import Quota
from connectors.dingtalk.read import Body, number, text
from connectors.dingtalk.settings import DingtalkApp
from connectors.http import Http, NotJson, NotSent, part_name
from connectors.tokens import TokenKeeper

_UPLOAD_TIMEOUT_S = 60.0

# 20 calls a second of one API are allowed (notes 9.1): a burst of 4 and 15 a second stay
# below in every second.
_BURST, _BURST_S = 4, 4 / 15

# Signing in, the directory and external contacts are outside the monthly quota (notes 6).
_FREE = (
    "v1.0/oauth2/",
    "topapi/v2/department/",
    "topapi/v2/user/",
    "topapi/extcontact/",
    "auth/scopes",
)

log = logging.getLogger(__name__)


class Api:
    """One application's calls.

    Every call raises RateLimited, Unavailable or TimedOut when another try may help, and
    AuthFailed, QuotaUsedUp or DingtalkRejected when it cannot.
    """

    def __init__(
        self, app: DingtalkApp, http: Http, tokens: TokenStore, counter: CallCounter, clock: Clock
    ) -> None:
        self.quota = Quota(app.name, app.monthly_calls, counter, clock)
        self._app = app
        self._http = http
        self._clock = clock
        self._token = TokenKeeper(f"dingtalk:{app.name}", tokens, self._fetch_token, clock)
        self._pace: dict[str, AsyncLimiter] = {}
        self._banned_until: datetime | None = None

    async def new(
        self, method: str, path: str, body: Body, *, params: Mapping[str, str] | None = None
    ) -> Body:
        """A call of api.dingtalk.com: the token goes into a header. params: of a GET, which has
        no body."""

        async def ask(token: str) -> Body:
            headers = {"x-acs-dingtalk-access-token": token, "Accept": "application/json"}
            url = f"{self._app.api_url}/{path}"
            json = None if method == "GET" else body
            return await self._ask(method, url, path, json=json, params=params, headers=headers)

        return await self._with_token(path, ask)

    async def old(self, path: str, body: Body) -> Body:
        """A call of oapi.dingtalk.com: the token goes into the query. `result` of the answer."""
        result = (await self.old_answer(path, body)).get("result")
        return result if isinstance(result, dict) else {"list": result}

    async def old_answer(self, path: str, body: Body) -> Body:
        """The same, and the answer whole."""

        async def ask(token: str) -> Body:
            params = {"access_token": token}
            return await self._ask("POST", self._old(path), path, json=body, params=params)

        return await self._with_token(path, ask)

    async def scopes(self) -> Body:
        """Which departments and users the application may see."""
        return await self._get_old("auth/scopes")

    async def failed_events(self) -> Body:
        """Events that could not be delivered; the call strikes off what the one before it
        told (protocol notes 5.5)."""
        return await self._get_old("call_back/get_call_back_failed_result")

    async def check_credentials(self) -> None:
        """Ask for a token, whether or not there is one."""
        await self._fetch_token()

    async def platform_time(self) -> datetime:
        """To the second, UTC."""
        return (await self._http.probe(self._old("gettoken"), what="dingtalk:gettoken"))[1]

    @property
    def refusal(self) -> str:
        """Why there is no token; "" while there is nothing to complain of."""
        return self._token.refusal

    async def upload(self, kind: str, data: bytes, name: str) -> str:
        """The media id of an uploaded file; kind: image, voice, video or file."""

        async def ask(token: str) -> Body:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("type", kind)
            file = io.BytesIO(data)  # bytes of this size would be sent in one go
            octets = "application/octet-stream"
            form.add_field("media", file, filename=part_name(name), content_type=octets)
            # Without the type in the query as well, some files are refused with 40004.
            params = {"access_token": token, "type": kind}
            url = self._old("media/upload")
            return await self._ask(
                "POST", url, "media/upload", data=form, params=params, timeout_s=_UPLOAD_TIMEOUT_S
            )

        return text(await self._with_token("media/upload", ask), "media_id")

    async def webhook(self, access_token: str, secret: str, body: Body) -> None:
        """A message of a custom group robot; its calls count in another quota than ours."""
        params = {"access_token": access_token}
        if secret:
            stamp = str(int(self._clock.now().timestamp() * 1000))
            params |= {"timestamp": stamp, "sign": sign_robot(stamp, secret)}
        self._check_ban()
        await self._ask("POST", self._old("robot/send"), "robot/send", json=body, params=params)

    async def session(self, url: str, body: Body) -> None:
        """An answer through the session of a message; `url` is a secret of that message."""
        self._check_ban()
        await self._ask("POST", url, "robot/sendBySession", json=body)

    async def get_old(self, path: str, params: Mapping[str, str]) -> Body:
        """A GET of oapi.dingtalk.com, and the answer whole."""
        return await self._get_old(path, params)

    async def _get_old(self, path: str, more: Mapping[str, str] | None = None) -> Body:
        async def ask(token: str) -> Body:
            params = {**(more or {}), "access_token": token}
            return await self._ask("GET", self._old(path), path, params=params)

        return await self._with_token(path, ask)

    async def _with_token(self, path: str, ask: Callable[[str], Awaitable[Body]]) -> Body:
        """One call: paced, counted if it is paid for, and once more with a fresh token."""
        paid = not path.startswith(_FREE)
        if paid:
            self.quota.check()
        self._check_ban()
        await self._pace.setdefault(path, AsyncLimiter(_BURST, _BURST_S)).acquire()
        token = await self._token.get()
        try:
            try:
                answer = await ask(token)
            except TokenRefused:
                answer = await ask(await self._token.renew(token))
        except (NotSent, RateLimited):
            raise  # what never arrived or was turned away for its pace is not counted
        except QuotaUsedUp:
            self.quota.note_refusal()
            raise
        except BotError:
            await self._count(paid)
            raise
        await self._count(paid)
        return answer

    async def _count(self, paid: bool) -> None:
        """A count that fails must not make a message that was sent look unsent."""
        if not paid:
            return
        try:
            await self.quota.count()
        except Exception:
            fields = {"action": "dingtalk_quota", "channel": f"dingtalk:{self._app.name}"}
            log.exception("a call could not be counted", extra=fields)

    async def _ask(
        self,
        method: str,
        url: str,
        path: str,
        *,
        json: Body | None = None,
        data: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> Body:
        what = f"dingtalk:{path}"
        try:
            status, body = await self._http.request_json(
                method,
                url,
                json=json,
                data=data,
                params=params,
                headers=headers,
                timeout_s=timeout_s,
                what=what,
            )
        except NotJson as page:
            if not is_ban(page.snippet):
                raise
            self._note_ban()
            banned = f"{what}: this address is banned"
            raise RateLimited(banned, retry_after_s=BAN_S) from page
        failure = failure_of(status, body, what=what)
        if failure is not None:
            if is_ban(body):
                self._note_ban()
            raise failure
        if not isinstance(body, dict):
            # Taken for an empty success it would lose a message.
            raise Unavailable(f"{what}: HTTP {status}, an answer of another shape")
        return body

    def _note_ban(self) -> None:
        """Every further call would prolong it."""
        self._banned_until = self._clock.now() + timedelta(seconds=BAN_S)
        fields = {"action": "dingtalk_ban", "channel": f"dingtalk:{self._app.name}"}
        log.error("DingTalk shut this address out; all calls rest", extra=fields)

    def _check_ban(self) -> None:
        if self._banned_until is None:
            return
        left_s = (self._banned_until - self._clock.now()).total_seconds()
        if left_s > 0:
            raise RateLimited("this address is banned by DingTalk", retry_after_s=left_s)
        self._banned_until = None

    async def _fetch_token(self) -> tuple[str, int]:
        path = "v1.0/oauth2/accessToken"
        body = {"appKey": self._app.client_id, "appSecret": self._app.client_secret}
        answer = await self._ask("POST", f"{self._app.api_url}/{path}", path, json=body)
        return text(answer, "accessToken"), number(answer, "expireIn") or 7200

    def _old(self, path: str) -> str:
        return f"{self._app.oapi_url}/{path}"
