"""The configuration an operator would write for the emulated applications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import kingdee, site, wecom_archive
from .wecom_archive_key import DEMO_KEY
from .world import App, World

_ONLY_WHEN_TOLD_S = 3600
"""The emulator never forgets to tell, and a worker process that nobody needs is not started."""


def configuration(world: World, *, base_url: str, files: Path) -> dict[str, Any]:
    """As `gendan.toml` would say it. base_url: where the sandbox is reached."""
    wecom, dingtalk = world.app("wecom"), world.app("dingtalk")
    robots = {
        app.name: _robot(app, base_url)
        for app in world.apps
        if (app.platform, app.kind) == ("wecom", "aibot")
    }
    return {
        "host": "127.0.0.1",
        "public_url": base_url,
        "storage": {"files": files},
        "wecom": {wecom.name: _wecom(wecom, f"{base_url}/sandbox/wecom"), **robots},
        "dingtalk": {dingtalk.name: _dingtalk(dingtalk, f"{base_url}/sandbox/dingtalk")},
        "site": {site.SITE: _site(base_url)},
        "erp": {"kingdee": _kingdee(f"{base_url}/sandbox/kingdee/k3cloud")},
    }


def _wecom(app: App, api: str) -> dict[str, Any]:
    return {
        "corp_id": app.corp_id,
        "agent_id": int(app.agent_id),
        "secret": app.app_secret,
        "token": app.token,
        "aes_key": app.aes_key,
        "base_url": api,
        "leaves": True,
        "approvals": {"tpl-discount": "discount", "tpl-contract": "contract"},
        "checkins": True,
        "group_chats": True,
        "archive": {
            "secret": wecom_archive.SECRET,
            "adapter": "connectors.sandbox.archive_library:EmulatedLibrary",
            "library": api,
            "keys": {1: DEMO_KEY},
            "poll_s": _ONLY_WHEN_TOLD_S,
        },
        "contacts": True,
        "pages": True,
        "open_url": api,
        "jssdk_url": f"{api}/js/wecom-jssdk.js",
    }


def _robot(app: App, base_url: str) -> dict[str, Any]:
    """A robot's console shows either the one or the other."""
    shown = {"kind": "aibot", "mode": app.mode, "robot_name": app.title}
    if app.mode == "http":
        return {**shown, "token": app.token, "aes_key": app.aes_key}
    ws_url = f"{base_url.replace('http', 'ws', 1)}/sandbox/wecom/openws"
    return {**shown, "bot_id": app.app_key, "secret": app.app_secret, "ws_url": ws_url}


def _dingtalk(app: App, api: str) -> dict[str, Any]:
    return {
        "corp_id": app.corp_id,
        "client_id": app.app_key,
        "client_secret": app.app_secret,
        "mode": app.mode,
        "card_template_id": "gendan-card.schema",
        "card_callback_secret": app.card_secret,
        "events_token": app.token,
        "events_aes_key": app.aes_key,
        "api_url": api,
        "oapi_url": api,
        "allowed_hosts": ("127.0.0.1",),
        "leaves": True,
        "contacts": True,
        "group_template_id": "gendan-group",
        "agent_id": int(app.agent_id),
        "pages": True,
        "jsapi_url": f"{api}/js/dingtalk.open.js",
    }


def _site(base_url: str) -> dict[str, Any]:
    return {
        "origins": (base_url,),
        "secret": site.SECRET,
        "pages": {
            "parameters": ("/sandbox/site/*/parameters",),
            "white_paper": ("/sandbox/site/*.pdf",),
        },
        "titles": {f"{name}参数": (path,) for path, name in site.PARAMETERS.items()},
        "materials": {"白皮书": f"{base_url}/sandbox/site"},
    }


def _kingdee(base_url: str) -> dict[str, Any]:
    return {
        "kind": "kingdee",
        "base_url": base_url,
        "account_id": kingdee.ACCOUNT_ID,
        "user": kingdee.USER,
        "app_id": kingdee.APP_ID,
        "app_secret": kingdee.APP_SECRET,
        "notice_secret": kingdee.NOTICE_SECRET,
        "customers": {},
        "orders": {"contract": "F_CONTRACT_NO"},
        "forecasts": {
            "form": kingdee.FORECASTS,
            "key": "F_GD_KEY",
            "customer": "F_GD_CUST",
            "amount": "F_GD_AMOUNT",
            "expected_on": "F_GD_DATE",
            "level": "F_GD_LEVEL",
            "evidence": "F_GD_EVIDENCE",
            "opportunity": "F_GD_DEAL",
            "state": "F_GD_STATE",
            "fixed": {"F_GD_ORG.FNumber": "100"},
        },
    }
