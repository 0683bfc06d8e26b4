"""Ready signed requests, as the platforms send them, made by the emulators' own crypto."""

from __future__ import annotations

import json
import secrets
import time

from connectors.dingtalk.settings import DingtalkApp
from connectors.sandbox.dingtalk_crypto import sign_robot
from connectors.sandbox.wecom_crypto import Seal
from connectors.wecom.settings import WecomApp

TEXT = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"
AES_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
WECOM = WecomApp(
    name="sales", corp_id="wwbench", agent_id=1000002, secret="s", token="tok", aes_key=AES_KEY
)
DINGTALK = DingtalkApp(
    name="sales",
    corp_id="dingbench",
    client_id="dingrobot",
    client_secret="bench-secret",
    robot_code="dingrobot",
    card_template_id="gendan-card.schema",
)


def _post(path: str, body: bytes, headers: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def wecom(number: int, *, people: int = 1000, text: str = TEXT) -> bytes:
    """One encrypted text callback of WeCom."""
    now = str(int(time.time()))
    inner = (
        f"<xml><ToUserName><![CDATA[{WECOM.corp_id}]]></ToUserName>"
        f"<FromUserName><![CDATA[user{number % people}]]></FromUserName>"
        f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{text}]]></Content><MsgId>{7_000_000_000 + number}</MsgId>"
        "<AgentID>1000002</AgentID></xml>"
    )
    seal = Seal(WECOM.token, WECOM.aes_key, WECOM.corp_id)
    sealed = seal.encrypt(inner.encode())
    nonce = secrets.token_hex(5)
    signature = seal.sign(now, nonce, sealed)
    body = (
        f"<xml><ToUserName><![CDATA[{WECOM.corp_id}]]></ToUserName>"
        f"<AgentID><![CDATA[1000002]]></AgentID><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    )
    path = f"/wecom/sales?msg_signature={signature}&timestamp={now}&nonce={nonce}"
    return _post(path, body.encode(), "Content-Type: text/xml\r\n")


def dingtalk(number: int, *, people: int = 1000, text: str = TEXT) -> bytes:
    """One signed text callback of DingTalk's robot."""
    now = str(int(time.time() * 1000))
    body = {
        "conversationId": f"cid{number % people}==",
        "conversationType": "1",
        "chatbotCorpId": DINGTALK.corp_id,
        "msgId": f"msg{number}==",
        "senderNick": "小王",
        "senderStaffId": f"staff{number % people}",
        "createAt": int(now),
        "robotCode": DINGTALK.robot_code,
        "msgtype": "text",
        "text": {"content": text},
    }
    sign = sign_robot(now, DINGTALK.client_secret)
    headers = f"Content-Type: application/json\r\ntimestamp: {now}\r\nsign: {sign}\r\n"
    return _post("/dingtalk/sales/robot", json.dumps(body, ensure_ascii=False).encode(), headers)
