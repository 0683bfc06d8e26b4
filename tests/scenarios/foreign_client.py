"""Calls at the bot's doors as the platforms make them, with their own published libraries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import time
from typing import Any

from wechatpy.enterprise.crypto import WeChatCrypto

from tests.scenarios.driver import Sandbox


async def app_of(sandbox: Sandbox, platform: str) -> dict[str, str]:
    world = await sandbox.get("world")
    return next(app for app in world["apps"] if app["platform"] == platform)


def text_xml(app: dict[str, str], text: str, number: int, user: str = "chenjing") -> str:
    return (
        f"<xml><ToUserName><![CDATA[{app['corp_id']}]]></ToUserName>"
        f"<FromUserName><![CDATA[{user}]]></FromUserName><CreateTime>{int(time.time())}</CreateTime>"
        f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>"
        f"<MsgId>{number}</MsgId><AgentID>{app['agent_id']}</AgentID></xml>"
    )


async def post_wecom(
    sandbox: Sandbox, inner: str, *, change: dict[str, str] | None = None, junk: int = 0
) -> int:
    """Encrypt and post as the platform does; `change` overwrites credentials or the query."""
    app = {**await app_of(sandbox, "wecom"), **(change or {})}
    crypto = WeChatCrypto(app["token"], app["aes_key"], app["corp_id"])
    stamp, nonce = str(int(time.time())), "nonce1"
    body = crypto.encrypt_message(inner, nonce, stamp)
    signature = body.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    query = {"msg_signature": signature, "timestamp": stamp, "nonce": nonce}
    query.update({key: app[key] for key in ("msg_signature",) if key in (change or {})})
    url = app["callback_url"]
    async with sandbox.http.post(
        url, params=query, data=io.BytesIO(f"{body}{' ' * junk}".encode())
    ) as answer:
        return answer.status


async def post_dingtalk(
    sandbox: Sandbox, body: Any, *, stamp_ms: int | None = None, secret: str | None = None
) -> int:
    app = await app_of(sandbox, "dingtalk")
    stamp = str(stamp_ms or int(time.time() * 1000))
    key = secret or app["app_secret"]
    digest = hmac.new(key.encode(), f"{stamp}\n{key}".encode(), hashlib.sha256).digest()
    headers = {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = app["callback_url"]
    async with sandbox.http.post(url, data=io.BytesIO(data), headers=headers) as answer:
        return answer.status


async def press_wecom(
    sandbox: Sandbox, user: str, *, card_id: str, revision: int, action: str
) -> int:
    """A press on a card that the emulator no longer knows, as the platform tells it."""
    app = await app_of(sandbox, "wecom")
    return await post_wecom(
        sandbox,
        f"<xml><ToUserName><![CDATA[{app['corp_id']}]]></ToUserName>"
        f"<FromUserName><![CDATA[{user}]]></FromUserName><CreateTime>{int(time.time())}</CreateTime>"
        f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event>"
        f"<EventKey><![CDATA[{action}]]></EventKey><TaskId><![CDATA[{card_id}@{revision}]]></TaskId>"
        f"<CardType><![CDATA[button_interaction]]></CardType>"
        f"<ResponseCode><![CDATA[of-before]]></ResponseCode><AgentID>{app['agent_id']}</AgentID></xml>",
    )


async def press_dingtalk(
    sandbox: Sandbox, user: str, *, card_id: str, revision: int, action: str
) -> int:
    """The same on DingTalk, at the door for cards."""
    app = await app_of(sandbox, "dingtalk")
    pressed = {"actionIds": [action], "params": {"revision": str(revision)}}
    body = {
        "type": "actionCallback",
        "outTrackId": card_id,
        "corpId": app["corp_id"],
        "userId": user,
        "userIdType": 1,
        "spaceType": "IM_ROBOT",
        "spaceId": user,
        "extension": "{}",
        "content": json.dumps({"cardPrivateData": pressed}),
    }
    stamp = str(int(time.time() * 1000))
    key = app["card_secret"]
    digest = hmac.new(key.encode(), stamp.encode(), hashlib.sha256).digest()
    headers = {
        "x-ddpaas-signature-timestamp": stamp,
        "x-ddpaas-signature": base64.b64encode(digest).decode(),
    }
    url = app["callback_url"].replace("/robot", "/cards")
    data = io.BytesIO(json.dumps(body).encode())
    async with sandbox.http.post(url, data=data, headers=headers) as answer:
        return answer.status
