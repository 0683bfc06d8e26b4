"""The pages of bonus rules: list, versions, changes, and the canvas with what its script calls."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.domain.page_sessions import Visitor
from bot.errors import InvalidInput, NotAllowed, NotFound, UserError
from connectors.web.assets import Assets
from connectors.web.guard import Guard, Open
from connectors.web.rules_site import RuleSite

MOST_BYTES = 256_000
CANVAS = ("canvas.js", "canvas.css")
_NUMBER = r"/rules/{number:\d{1,18}}"
_STATUS = {NotFound: 404, NotAllowed: 403, InvalidInput: 400}
_STALE = "这一页放得太久了，请刷新后再试一次。"

Answer = Callable[[Visitor, int, bytes], Awaitable[tuple[int, dict[str, Any]]]]

log = logging.getLogger(__name__)


class RulePages:
    """Every page about rules of one program."""

    def __init__(self, site: RuleSite, guard: Guard, assets: Assets) -> None:
        self._site = site
        self._guard = guard
        self._assets = assets

    def routes(self) -> list[web.RouteDef]:
        guard = self._guard
        return [
            web.get("/rules", guard.known(self._list)),
            web.post("/rules", guard.form(self._start)),
            web.get("/rules/versions", guard.known(self._versions)),
            web.get(_NUMBER, guard.known(self._change)),
            web.post(_NUMBER, guard.form(self._move)),
            web.get(f"{_NUMBER}/edit", guard.known(self._canvas)),
            web.get(f"{_NUMBER}/graph.json", guard.known(self._graph)),
            web.post(f"{_NUMBER}/check", self._called(self._examine)),
            web.post(f"{_NUMBER}/save", self._called(self._site.save)),
            web.post(f"{_NUMBER}/graph", self._called(self._take_graph)),
        ]

    async def _list(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        page = await self._site.listed(visitor)
        return self._guard.show(request, "rules.html", visitor, page=page)

    async def _start(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        rule_id = str((await request.post()).get("rule", ""))
        number = await self._site.start(visitor, rule_id)
        return self._guard.send_to(f"/rules/{number}/edit")

    async def _versions(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        page = await self._site.versions(
            request.query.get("rule", ""),
            old=_version(request, "old"),
            new=_version(request, "new"),
            before=_version(request, "before"),
        )
        return self._guard.show(request, "rule_versions.html", visitor, page=page)

    async def _change(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        page = await self._site.change(visitor, _number(request))
        return self._guard.show(request, "rule_change.html", visitor, page=page)

    async def _move(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """What is refused is said above the buttons; somebody without the right gets their own
        page, and it is noted."""
        number, status = _number(request), 200
        try:
            words = await self._site.move(visitor, number, str((await request.post()).get("move", "")))
            if not words:
                return self._guard.send_to(f"/rules/{number}")
        except (NotAllowed, NotFound):
            raise
        except UserError as error:
            words, status = str(error), 409
        page = await self._site.change(visitor, number, trouble=words)
        return self._guard.show(request, "rule_change.html", visitor, status=status, page=page)

    async def _canvas(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        board = await self._site.board(visitor, _number(request))
        built = all(name in self._assets.names for name in CANVAS)
        return self._guard.show(request, "rule_edit.html", visitor, board=board, built=built)

    async def _graph(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        number = _number(request)
        graph = await self._site.graph(visitor, number)
        headers = {
            **self._guard.headers(),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'奖金规则-{number}.json')}",
        }
        text = json.dumps(graph, ensure_ascii=False, indent=1)
        return web.Response(text=text, content_type="application/json", headers=headers)

    async def _examine(
        self, visitor: Visitor, number: int, data: bytes
    ) -> tuple[int, dict[str, Any]]:
        return 200, await self._site.examine(visitor, number, data)

    async def _take_graph(
        self, visitor: Visitor, number: int, data: bytes
    ) -> tuple[int, dict[str, Any]]:
        return 200, await self._site.take_graph(visitor, number, data)

    def _called(self, act: Answer) -> Open:
        """A POST of our own script: JSON in, JSON out, the form key in a header."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visitor = await self._guard.visitor(request)
            if visitor is None:
                return self._tell(401, {"words": "登录已过期，请从聊天里重新打开。"})
            try:
                return self._tell(*await act(visitor, _number(request), await self._body(request, visitor)))
            except UserError as error:
                kinds = (code for kind, code in _STATUS.items() if isinstance(error, kind))
                status = next(kinds, 409)
                if status in (403, 404):
                    await self._guard.site.note_denial(visitor, request.path, type(error).__name__)
                return self._tell(status, {"words": str(error)})
            except web.HTTPException:
                raise
            except Exception:
                log.exception("a call of the canvas failed", extra={"path": request.path})
                return self._tell(500, {"words": "没有成功，问题已经记下。请稍后再试。"})

        return handle

    async def _body(self, request: web.Request, visitor: Visitor) -> bytes:
        key = request.headers.get("X-Form-Key", "")
        ours = hmac.compare_digest(key.encode(), visitor.session.form_key.encode())
        if not ours or not self._guard.same_site(request):
            raise NotAllowed(_STALE)
        data = await request.content.read(MOST_BYTES + 1)
        while len(data) <= MOST_BYTES and not request.content.at_eof():
            data += await request.content.read(MOST_BYTES + 1 - len(data))
        if len(data) > MOST_BYTES:
            raise InvalidInput("内容太大，没有存下。")
        return data

    def _tell(self, status: int, body: dict[str, Any]) -> web.Response:
        text = json.dumps(body, ensure_ascii=False)
        return web.Response(
            text=text, status=status, content_type="application/json", headers=self._guard.headers()
        )


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])


def _version(request: web.Request, name: str) -> int | None:
    told = request.query.get(name, "")
    if not told:
        return None
    if not told.isdecimal() or len(told) > 18:
        raise NotFound("没有这一版。")
    return int(told)
