"""What platforms, robots, ERPs and websites push: each door with its lock, and what reads it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import HttpVersion11, web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from multidict import CIMultiDict, MultiDict

from benchmarks.fuzzing.mutating import JSON, TABLE, XML
from benchmarks.fuzzing.target import AT, CLOCK, FIXTURES, ZONE, Target, at_once, files, text, told
from bot.domain.websites import Website, sign
from bot.errors import BotError
from bot.messages import Envelope
from bot.ports import Accept, Release
from connectors.dingtalk import webhook as dingtalk
from connectors.dingtalk.crypto import EventCrypto, sign_card, sign_robot
from connectors.dingtalk.parse import parse_envelope
from connectors.dingtalk.read import read_object
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream import frames
from connectors.dingtalk.stream.intake import Intake
from connectors.doors import NotTaken
from connectors.erp import notices
from connectors.queue import wire
from connectors.track.door import TrackDoor
from connectors.wecom import aibot_frames, aibot_read
from connectors.wecom import webhook as wecom
from connectors.wecom.archive import read as archive
from connectors.wecom.crypto import Crypto, decrypt_file
from connectors.wecom.gate import encrypted_in_json
from connectors.wecom.parse import parse as parse_wecom
from connectors.wecom.settings import Aibot, WecomApp

STAMP, STAMP_MS = str(int(AT.timestamp())), str(int(AT.timestamp() * 1000))
AES_KEY = "k" * 43
WECOM = WecomApp("sales", "ww1", 1000002, "s", "t", AES_KEY)
ROBOT = Aibot(name="robot", mode="http", token="t", aes_key=AES_KEY)
DINGTALK = DingtalkApp(
    "sales", "dingcorp01", "dingrobot01", "s", events_token="t", events_aes_key=AES_KEY
)
SITE = Website(
    "shop",
    secret="s",
    origins=("https://www.example.com",),
    pages={"price": ("/price*",)},
    per_s=10**9,
    per_visitor_min=10**9,
)


class Knock:
    """As much of a request as doors look at; its body came together with its head."""

    version = HttpVersion11
    keep_alive = True

    def __init__(
        self,
        body: bytes = b"",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._body = body
        self.query = MultiDict(query or {})
        self.headers = CIMultiDict(headers or {})
        self.content = self.transport = self
        self.content_length = len(body)

    def is_eof(self) -> bool:
        return True

    def read_nowait(self) -> bytes:
        return self._body

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        pass


class Doors:
    """The doors of `routes`, and `read` for what they take in."""

    def __init__(
        self,
        routes: Callable[[Accept], list[web.RouteDef]],
        read: Callable[[Envelope], object] = lambda _: None,
    ) -> None:
        self._kept: list[Envelope] = []
        self._read = read
        self._handlers: Mapping[tuple[str, str], Callable[..., Any]] = {
            (one.method, one.path): one.handler for one in routes(self._accept)
        }

    def knock(self, path: str, knock: Knock, *, method: str = "POST") -> None:
        """Any answer below 500 will do. Raises what `read` raises."""
        self._kept.clear()
        try:
            response: web.StreamResponse = at_once(self._handlers[method, path](knock))
        except web.HTTPException as refused:
            response = refused
        assert response.status < 500, response.status
        for envelope in self._kept:
            if envelope.unreadable is None:
                self._read(envelope)

    async def _accept(self, envelope: Envelope) -> Release:
        self._kept.append(envelope)
        return lambda: None


_wecom = Crypto(token=WECOM.token, aes_key=AES_KEY, receive_id=WECOM.corp_id)
_wecom_doors = Doors(lambda accept: wecom.routes(WECOM, accept, CLOCK), parse_wecom)
_dingtalk_doors = Doors(lambda accept: dingtalk.routes(DINGTALK, accept, [CLOCK]), parse_envelope)
_events = EventCrypto(DINGTALK.events_token, AES_KEY, DINGTALK.events_owner_key)
_notices = Doors(
    lambda accept: notices.Door("erp", "s", accept, [CLOCK]).routes(),
    notices.NoticeReader("erp").parse,
)


async def _nobody(_: int) -> None:
    return None


async def _signals(_: object) -> None:
    return None


_website = Doors(lambda _: TrackDoor([SITE], _signals, _nobody, [CLOCK], None).routes())


def wecom_message(data: bytes) -> None:
    """Signed and encrypted with our key, as it comes from the platform."""
    _wecom_signed(b"<xml><Encrypt><![CDATA[%b]]></Encrypt></xml>", _wecom.encrypt(data))


def wecom_frame(data: bytes) -> None:
    """What stands inside the encryption may be broken as well: lengths, padding, receiver."""
    _wecom_signed(b"<xml><Encrypt>%b</Encrypt></xml>", base64.b64encode(_encrypted(data)))


def wecom_envelope(data: bytes) -> None:
    """What nobody has signed."""
    query = {"msg_signature": "0" * 40, "timestamp": STAMP, "nonce": "n"}
    _wecom_doors.knock("/wecom/sales", Knock(data, query=query))


def wecom_query(data: bytes) -> None:
    """The parameters of an address, at the check of the admin page and at the door."""
    query = dict(parse_qsl(text(data), keep_blank_values=True))
    for method in ("GET", "POST"):
        _wecom_doors.knock("/wecom/sales", Knock(b"<Encrypt>x", query=query), method=method)


def _wecom_signed(envelope: bytes, encrypted: bytes) -> None:
    signature = _wecom.sign(timestamp=STAMP, nonce="n", encrypted=encrypted)
    query = {"msg_signature": signature, "timestamp": STAMP, "nonce": "n"}
    _wecom_doors.knock("/wecom/sales", Knock(envelope % encrypted, query=query))


def _encrypted(data: bytes) -> bytes:
    key = base64.b64decode(AES_KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return encryptor.update(data + bytes(-len(data) % 16)) + encryptor.finalize()


def dingtalk_robot(data: bytes) -> None:
    headers = {"timestamp": STAMP_MS, "sign": sign_robot(STAMP_MS, DINGTALK.client_secret)}
    _dingtalk_doors.knock("/dingtalk/sales/robot", Knock(data, headers=headers))


def dingtalk_press(data: bytes) -> None:
    sign = sign_card(STAMP_MS, DINGTALK.card_callback_secret)
    headers = {"x-ddpaas-signature-timestamp": STAMP_MS, "x-ddpaas-signature": sign}
    _dingtalk_doors.knock("/dingtalk/sales/cards", Knock(data, headers=headers))


def dingtalk_event(data: bytes) -> None:
    sealed = _events.seal(text(data), timestamp=STAMP_MS)
    _dingtalk_event(json.dumps({"encrypt": sealed["encrypt"]}).encode(), sealed)


def dingtalk_sealed(data: bytes) -> None:
    """The body as it comes, whose signature holds wherever it has anything to sign."""
    body = read_object(data) or {}
    encrypted = body.get("encrypt")
    signed = encrypted if isinstance(encrypted, str) else ""
    joined = "".join(sorted([DINGTALK.events_token, STAMP_MS, "n", signed]))
    signature = hashlib.sha1(joined.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    _dingtalk_event(data, {"msg_signature": signature, "timeStamp": STAMP_MS, "nonce": "n"})


def _dingtalk_event(body: bytes, sealed: Mapping[str, str]) -> None:
    query = {
        "msg_signature": sealed["msg_signature"],
        "timestamp": sealed["timeStamp"],
        "nonce": sealed["nonce"],
    }
    _dingtalk_doors.knock("/dingtalk/sales/events", Knock(body, query=query))


def dingtalk_frame(data: bytes) -> None:
    """A push over Stream, as it is stored and then read."""
    frame = frames.read_frame(text(data))
    if frame is None:
        return
    frames.echo(frame)
    kept: list[Envelope] = []

    async def accept(envelope: Envelope) -> Release:
        kept.append(envelope)
        return lambda: None

    at_once(Intake(DINGTALK, accept, CLOCK).take(frame))
    for envelope in kept:
        if envelope.unreadable is None:
            parse_envelope(envelope)


def robot_message(data: bytes) -> None:
    kept = aibot_read.to_envelope(ROBOT, data, AT)
    if kept.unreadable is None:
        aibot_read.parse(ROBOT, kept)


def robot_frame(data: bytes) -> None:
    """Over the connection; and the same bytes as a body at its HTTP door."""
    frame = aibot_frames.read_frame(data)
    if frame is not None and not frame.is_eviction:
        robot_message(orjson.dumps(frame.body))
    encrypted_in_json(data)


def notice(data: bytes) -> None:
    headers = {"X-Gendan-Timestamp": STAMP, "X-Gendan-Signature": notices.sign("s", STAMP, data)}
    _notices.knock("/erp/erp", Knock(data, headers=headers))


def track(data: bytes) -> None:
    """As a server's, which proves by a signature; a browser's differs in its key."""
    headers = {
        "X-Gendan-Site": SITE.name,
        "X-Gendan-Timestamp": STAMP,
        "X-Gendan-Signature": sign(SITE.secret, STAMP, data),
    }
    _website.knock("/track", Knock(data, headers=headers))


XML_MESSAGE = b"<xml><FromUserName>a</FromUserName><MsgType>text</MsgType></xml>"
ARCHIVED = """{"msgid":"1_2","action":"send","from":"chenjing","tolist":["wm1"],"roomid":"wr1",
"msgtime":1772413200000,"msgtype":"mixed","mixed":{"item":[{"type":"text","content":
"{\\"content\\":\\"报价38万\\"}"},{"type":"file","content":"{\\"md5sum\\":\\"a\\",\\"filename\\":
\\"a.pdf\\",\\"fileext\\":\\"pdf\\",\\"filesize\\":5,\\"sdkfileid\\":\\"x\\"}"}]}}"""
RECORD = """{"msgid":"2","action":"send","from":"wm1","tolist":["chenjing"],"msgtime":1772413200000,
"msgtype":"chatrecord","chatrecord":{"title":"记录","item":[{"type":"ChatRecordText","msgtime":
1772413200,"content":"{\\"content\\":\\"好\\"}","from_chatroom":false}]}}"""
VOTE = """{"msgid":"3","action":"send","from":"a","tolist":["b"],"msgtime":1772413200000,"msgtype":
"vote","vote":{"votetitle":"去哪","voteitem":["甲","乙"],"votetype":101,"voteid":"v"}}"""
CALL = """{"msgid":"4","action":"send","from":"a","tolist":["b"],"msgtime":1772413200000,"msgtype":
"meeting_voice_call","voiceid":"grb","meeting_voice_call":{"endtime":1594197635,"sdkfileid":"C",
"demofiledata":[{"filename":"65eb1cdd.ppt","demooperator":"a","starttime":1594197599,"endtime":
1594197609}],"sharescreendata":[{"share":"a","starttime":1594197624,"endtime":1594197624}]}}"""
SAID_TO_ROBOT = """{"msgid":"m","aibotid":"b","chattype":"group","chatid":"wr1","create_time":
1772413200,"from":{"userid":"u"},"msgtype":"mixed","mixed":{"msg_item":[{"msgtype":"text","text":
{"content":"@跟 好"}},{"msgtype":"image","image":{"url":"https://x.example/a","aeskey":"k"}}]},
"quote":{"msgtype":"text","text":{"content":"旧"}},"response_url":"https://x"}"""
PRESSED_AT_ROBOT = """{"msgid":"p","aibotid":"b","chattype":"single","from":{"userid":"u"},
"msgtype":"event","create_time":1772413200,"event":{"eventtype":"template_card_event",
"template_card_event":{"card_type":"button_interaction","event_key":"draft:confirm","task_id":
"draft-1@5","selected_items":{"selected_item":[{"question_key":"q","option_ids":{"option_id":
["1"]}}]}}}}"""
FRAME = """{"cmd":"aibot_msg_callback","headers":{"req_id":"r"},"body":%s,"errcode":0}"""
NOTICE = """{"receipts":[{"number":"S-1","line":"1","contract":"HT-1","amount":"204000.00",
"currency":"CNY","received_on":"2026-12-01"}],"complete_until":"2026-12-01T15:00:00+08:00","customers":[{
"code":"C1","name":"恒锐机电","phone":"13800000000","active":"no"}],"orders":[{"number":"O-1",
"customer":"C1","amount":10,"line_amount":"10","currency":"CNY","ordered_on":"2026-12-01","status":"confirmed",
"delivery_on":"2027-01-01"}]}"""
VISITS = """{"visitor":"visitor-1","consent":true,"link":"1.2.x","events":[{"id":"event-0001",
"kind":"price","page":"/price?a=1","ago":1200,"seconds":40.5},{"id":"event-0002","page":"/","at":
"2026-03-02T13:00:00+08:00"}]}"""
EVENT_SEALED = json.dumps({"encrypt": _events.seal("{}", timestamp=STAMP_MS)["encrypt"]})
PLAIN_FRAME = b"r" * 16 + len(XML_MESSAGE).to_bytes(4, "big") + XML_MESSAGE + b"ww1" + b"\x09" * 9
STREAM_FRAME = """{"specVersion":"1.0","type":"%s","headers":{"topic":"%s","messageId":"m","time":
"1772413200000","eventType":"user_add_org","eventBornTime":"1772413200000","eventCorpId":
"dingcorp01","eventId":"e"},"data":%s}"""


def _frames() -> list[bytes]:
    kinds = (
        ("CALLBACK", frames.ROBOT, "text"),
        ("CALLBACK", frames.CARDS, "card_press"),
        ("EVENT", "*", "event_user_add"),
        ("SYSTEM", "ping", "text"),
    )
    return [
        (STREAM_FRAME % (kind, topic, json.dumps(recorded.read_text("utf-8")))).encode()
        for kind, topic, name in kinds
        for recorded in FIXTURES.glob(f"dingtalk/{name}.json")
    ]


TARGETS: Mapping[str, Target] = {
    "wecom-message": Target(wecom_message, files("wecom/*.xml"), form=XML, share=30),
    "wecom-frame": Target(wecom_frame, lambda: [PLAIN_FRAME], share=30),
    "wecom-envelope": Target(
        wecom_envelope, told("<xml><Encrypt><![CDATA[eA==]]></Encrypt></xml>", '{"encrypt":"eA=="}')
    ),
    "wecom-query": Target(
        wecom_query, told(f"msg_signature=abc&timestamp={STAMP}&nonce=n&echostr=eA%3D%3D")
    ),
    "wecom-file": Target(
        partial(decrypt_file, AES_KEY), lambda: [_encrypted(b"file" + b"\x1c" * 28)]
    ),
    "robot-message": Target(robot_message, told(SAID_TO_ROBOT, PRESSED_AT_ROBOT), form=JSON),
    "robot-frame": Target(
        robot_frame,
        told(FRAME % SAID_TO_ROBOT, FRAME % PRESSED_AT_ROBOT, '{"encrypt":"eA=="}'),
        (BotError, NotTaken),
        form=JSON,
    ),
    "archive": Target(
        lambda raw: archive.read(text(raw), ZONE), told(ARCHIVED, RECORD, VOTE, CALL), form=JSON
    ),
    "dingtalk-robot": Target(dingtalk_robot, files("dingtalk/[!ce]*.json"), form=JSON, share=30),
    "dingtalk-cards": Target(dingtalk_press, files("dingtalk/card_*.json"), form=JSON, share=30),
    "dingtalk-events": Target(dingtalk_event, files("dingtalk/event_*.json"), form=JSON, share=10),
    "dingtalk-sealed": Target(dingtalk_sealed, told(EVENT_SEALED), form=JSON, share=30),
    "dingtalk-frame": Target(dingtalk_frame, _frames, form=JSON),
    "erp-notice": Target(notice, told(NOTICE), form=JSON, share=30),
    "erp-table": Target(
        notice,
        told("number,line,contract,amount,currency,received_on\nS,1,H,2.50,CNY,2026-01-02\n"),
        form=TABLE,
        share=30,
    ),
    "track": Target(track, told(VISITS), form=JSON),
    "queue": Target(
        wire.unpack,
        lambda: [wire.pack(Envelope("wecom:a:app", "d", "lane", AT, AT, b"<xml/>"))],
        (ValueError,),
        form=JSON,
    ),
}
