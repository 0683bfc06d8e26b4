"""The platform's server API as one application sees it: token, errors, counting.

Source: developer.work.weixin.qq.com/document/path/91039 (token), 90313 (codes).
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import aiohttp
import orjson
from prometheus_client import Counter

from bot.clock import Clock
from bot.errors import Rejected, Unavailable
from bot.ports import TokenStore
from connectors.http import Http, part_name
from connectors.tokens import TokenKeeper
from connectors.wecom.errors import TokenRefused, in_shape, to_error
from connectors.wecom.settings import WecomApp

_PAGES = frozenset({"application/json", "text/html"})  # of a gateway; a file has a disposition
_MEDIA_TIMEOUT_S = 60.0
_ERROR_BODY_BYTES = 4096

_REFUSALS = Counter(
    "gendan_wecom_refusals_total",
    "Calls the platform answered with an error code.",
    ["app", "api", "errcode"],
)

_T = TypeVar("_T")


class Api:
    """Calls below /cgi-bin with a live token. Every method raises TransientError or
    PermanentError; a call whose token was refused is repeated once with a new one."""

    def __init__(self, app: WecomApp, http: Http, tokens: TokenStore, clock: Clock) -> None:
        self._app = app
        self._http = http
        self._tokens = TokenKeeper(f"wecom:{app.name}", tokens, self._fetch_token, clock)

    async def get(self, api: str, **params: str) -> dict[str, Any]:
        return await self._with_token(
            lambda token: self._call("GET", api, {**params, "access_token": token})
        )

    async def post(self, api: str, body: Mapping[str, Any], **params: str) -> dict[str, Any]:
        return await self._with_token(
            lambda token: self._call("POST", api, {**params, "access_token": token}, body=body)
        )

    async def upload(self, kind: str, data: bytes, name: str) -> str:
        """The media_id, good for three days. kind: image, voice, video or file."""
        answer = await self._with_token(
            lambda token: self._call(
                "POST",
                "media/upload",
                {"access_token": token, "type": kind},
                form=_media_form(data, name),
            )
        )
        with in_shape("media/upload"):
            return str(answer["media_id"])

    async def download(self, media_id: str, *, limit_bytes: int) -> tuple[bytes, str]:
        """Bytes and file name ("" when the platform tells none)."""
        return await self._with_token(lambda token: self._download(token, media_id, limit_bytes))

    async def post_webhook(self, key: str, body: Mapping[str, Any]) -> None:
        """Through a group robot, which has a key instead of a token."""
        await self._call("POST", "webhook/send", {"key": key}, body=body)

    async def upload_webhook(self, key: str, data: bytes, name: str) -> str:
        """A media_id that only this robot may send."""
        params = {"key": key, "type": "file"}
        form = _media_form(data, name)
        answer = await self._call("POST", "webhook/upload_media", params, form=form)
        with in_shape("media/upload"):
            return str(answer["media_id"])

    async def check_credentials(self) -> None:
        """Ask for a token, whether or not there is one."""
        await self._fetch_token()

    async def platform_time(self) -> datetime:
        """To the second, UTC."""
        return (await self._http.probe(self._url("gettoken"), what="wecom:gettoken"))[1]

    @property
    def refusal(self) -> str:
        """Why there is no token; "" while there is nothing to complain of."""
        return self._tokens.refusal

    async def _with_token(self, attempt: Callable[[str], Awaitable[_T]]) -> _T:
        """A second refusal goes out as it is: repeating it further would exhaust gettoken."""
        token = await self._tokens.get()
        try:
            return await attempt(token)
        except TokenRefused:
            renewed = await self._tokens.renew(token)
        return await attempt(renewed)

    async def _fetch_token(self) -> tuple[str, int]:
        params = {"corpid": self._app.corp_id, "corpsecret": self._app.secret}
        answer = await self._call("GET", "gettoken", params)
        with in_shape("gettoken"):
            return str(answer["access_token"]), int(answer["expires_in"])

    async def _call(
        self,
        method: str,
        api: str,
        params: Mapping[str, str],
        *,
        body: Mapping[str, Any] | None = None,
        form: aiohttp.FormData | None = None,
    ) -> dict[str, Any]:
        status, answer = await self._http.request_json(
            method,
            self._url(api),
            params=params,
            json=body,
            data=form,
            timeout_s=_MEDIA_TIMEOUT_S if form else 10.0,
            what=f"wecom:{api}",
        )
        return self._checked(api, status, answer)

    async def _download(self, token: str, media_id: str, limit_bytes: int) -> tuple[bytes, str]:
        data, headers = await self._http.download(
            self._url("media/get"),
            params={"access_token": token, "media_id": media_id},
            limit_bytes=limit_bytes,
            timeout_s=_MEDIA_TIMEOUT_S,
            what="wecom:media/get",
        )
        disposition = headers.get("Content-Disposition")
        if disposition is None and len(data) <= _ERROR_BODY_BYTES and data.startswith(b"{"):
            self._check_media(data)
        if not data or (disposition is None and _kind(headers) in _PAGES):
            # Whoever stands between would otherwise be filed as what the customer sent.
            raise Unavailable("wecom:media/get: HTTP 200, not the platform's format")
        return data, file_name(disposition or "")

    def _check_media(self, data: bytes) -> None:
        """An error comes in place of the file, as JSON with status 200."""
        try:
            answer = orjson.loads(data)
        except orjson.JSONDecodeError:
            return
        if "errcode" in answer:
            self._checked("media/get", 200, answer)

    def _checked(self, api: str, status: int, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise Unavailable(f"wecom:{api}: HTTP {status}, not the platform's format")
        with in_shape(api):
            errcode = int(answer.get("errcode", 0))
        if errcode == 0 and status == 200:
            return answer
        _REFUSALS.labels(self._app.name, api, str(errcode)).inc()
        raise to_error(f"wecom:{api}", status, errcode, str(answer.get("errmsg", "")))

    def _url(self, api: str) -> str:
        return f"{self._app.base_url.rstrip('/')}/cgi-bin/{api}"


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _media_form(data: bytes, name: str) -> aiohttp.FormData:
    if len(data) <= 5:
        raise Rejected(f"wecom:media/upload: {len(data)} bytes; the platform takes 6 or more")
    form = aiohttp.FormData(quote_fields=False)
    file = io.BytesIO(data)
    octets = "application/octet-stream"
    form.add_field("media", file, filename=part_name(name), content_type=octets)
    return form


def file_name(disposition: str) -> str:
    """The name in a Content-Disposition, without any folder it may claim."""
    if not disposition:
        return ""
    _, parameters = aiohttp.multipart.parse_content_disposition(disposition)
    name = aiohttp.multipart.content_disposition_filename(parameters) or ""
    return name.replace("\\", "/").rpartition("/")[2]
