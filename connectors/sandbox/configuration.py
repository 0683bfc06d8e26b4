"""The configuration an operator would write for the emulated applications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import kingdee
from .world import World


def configuration(world: World, *, base_url: str, files: Path) -> dict[str, Any]:
    """As `gendan.toml` would say it. base_url: where the sandbox is reached."""
    wecom, dingtalk = world.app("wecom"), world.app("dingtalk")
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
            }
        },
        "dingtalk": {
            dingtalk.name: {
                "corp_id": dingtalk.corp_id,
                "client_id": dingtalk.app_key,
                "client_secret": dingtalk.app_secret,
                "card_template_id": "gendan-card.schema",
                "card_callback_secret": dingtalk.card_secret,
                "events_token": dingtalk.token,
                "events_aes_key": dingtalk.aes_key,
                "api_url": f"{base_url}/sandbox/dingtalk",
                "oapi_url": f"{base_url}/sandbox/dingtalk",
                "allowed_hosts": ("127.0.0.1",),
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
            }
        },
    }
