"""A customer-facing website, as small as can be: pages of a product, a white paper to download,
and the script that every such site would carry."""

from __future__ import annotations

import base64
import hashlib
import hmac
from html import escape

from aiohttp import web

SITE = "demo"
SECRET = "a secret of the emulated website"  # worthless: nothing outside trusts it
WHITE_PAPER = b"%PDF-1.4\n% an emulated white paper\n"
PRODUCTS = {"r10": "R10 减速机", "s20": "S20 伺服电机"}
PARAMETERS = {f"/sandbox/site/{key}/parameters": name for key, name in PRODUCTS.items()}


def browser_key() -> str:
    """As the bot's administrator is told it."""
    digest = hmac.new(SECRET.encode(), f"browser\n{SITE}".encode(), hashlib.sha256).digest()
    return f"{SITE}.{base64.urlsafe_b64encode(digest[:16]).decode().rstrip('=')}"


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.get("/sandbox/site", _home),
        web.get("/sandbox/site/{product}/parameters", _parameters),
        web.get("/sandbox/site/files/white-paper.pdf", _white_paper),
    ]


async def _home(_: web.Request) -> web.Response:
    products = "".join(
        f'<li><a href="/sandbox/site/{key}/parameters">{escape(name)} 参数</a></li>'
        for key, name in PRODUCTS.items()
    )
    paper = '<p><a href="/sandbox/site/files/white-paper.pdf" download>下载白皮书</a></p>'
    return _page("精密传动", f"<ul>{products}</ul>{paper}")


async def _parameters(request: web.Request) -> web.Response:
    name = PRODUCTS.get(request.match_info["product"])
    if name is None:
        raise web.HTTPNotFound
    back = '<p><a href="/sandbox/site">返回</a></p>'
    return _page(f"{name} 参数", f"<p>额定扭矩 10–120 N·m</p>{back}")


async def _white_paper(_: web.Request) -> web.Response:
    return web.Response(body=WHITE_PAPER, content_type="application/pdf")


def _page(title: str, body: str) -> web.Response:
    script = f'<script async src="/track.js" data-key="{browser_key()}"></script>'
    consent = (
        '<p><button onclick="gendan.consent(true)">同意记录我的浏览</button> '
        '<button onclick="gendan.consent(false)">不同意</button></p>'
    )
    html = (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"{script}<h1>{escape(title)}</h1>{body}{consent}</html>"
    )
    return web.Response(text=html, content_type="text/html")
