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
        "wecom": {
            wecom.name: {
                "corp_id": wecom.corp_id,
                "agent_id": int(wecom.agent_id),
                "secret": wecom.app_secret,
                "token": wecom.token,
                "aes_key": wecom.aes_key,
                "base_url": f"{base_url}/sandbox/wecom",
                "leaves": True,
                "approvals": {"tpl-discount": "discount", "tpl-contract": "contract"},
                "checkins": True,
                "group_chats": True,
                "archive": {
                    "secret": wecom_archive.SECRET,
                    "adapter": "connectors.sandbox.archive_library:EmulatedLibrary",
                    "library": f"{base_url}/sandbox/wecom",
                    "keys": {1: DEMO_KEY},
                    "poll_s": _ONLY_WHEN_TOLD_S,
                },
                "contacts": True,
                "pages": True,
                "open_url": f"{base_url}/sandbox/wecom",
                "jssdk_url": f"{base_url}/sandbox/wecom/js/wecom-jssdk.js",
            },
            **robots,
        },
        "dingtalk": {
            dingtalk.name: {
                "corp_id": dingtalk.corp_id,
                "client_id": dingtalk.app_key,
                "client_secret": dingtalk.app_secret,
                "mode": dingtalk.mode,
                "card_template_id": "gendan-card.schema",
                "card_callback_secret": dingtalk.card_secret,
                "events_token": dingtalk.token,
                "events_aes_key": dingtalk.aes_key,
                "api_url": f"{base_url}/sandbox/dingtalk",
                "oapi_url": f"{base_url}/sandbox/dingtalk",
                "allowed_hosts": ("127.0.0.1",),
                "leaves": True,
                "contacts": True,
                "group_template_id": "gendan-group",
                "agent_id": int(dingtalk.agent_id),
                "pages": True,
                "jsapi_url": f"{base_url}/sandbox/dingtalk/js/dingtalk.open.js",
            }
        },
        "site": {
            site.SITE: {
                "origins": (base_url,),
                "secret": site.SECRET,
                "pages": {
                    "parameters": ("/sandbox/site/*/parameters",),
                    "white_paper": ("/sandbox/site/*.pdf",),
                },
                "titles": {f"{name}参数": (path,) for path, name in site.PARAMETERS.items()},
                "materials": {"白皮书": f"{base_url}/sandbox/site"},
            }
        },
        "erp": {
            "kingdee": {
                "kind": "kingdee",
                "base_url": f"{base_url}/sandbox/kingdee/k3cloud",
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
        },
    }


def _robot(app: App, base_url: str) -> dict[str, Any]:
    """A robot's console shows either the one or the other."""
    shown = {"kind": "aibot", "mode": app.mode, "robot_name": app.title}
    if app.mode == "http":
        return {**shown, "token": app.token, "aes_key": app.aes_key}
    ws_url = f"{base_url.replace('http', 'ws', 1)}/sandbox/wecom/openws"
    return {**shown, "bot_id": app.app_key, "secret": app.app_secret, "ws_url": ws_url}
