"""The emulated robots refuse what the platform is documented to refuse; asked by hand, without
our own client."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from wechatpy.crypto import PrpCrypto

from connectors.sandbox.wecom_aibot_state import Robot
from connectors.sandbox.world import App, Chat, Said
from tests.connectors.sandbox import wecom_bed
from tests.connectors.sandbox.wecom_bed import MONDAY, PNG, buttons_card
from tests.engine.parts import until

TOKEN, KEY = "robottoken", "abcdefghijABCDEFGHIJ0123456789abc0123456789"
SINGLE, GROUP = "robot-zhang3", "wrRobotGroup"
CARD = buttons_card()
STREAM = {"msgtype": "stream", "stream": {"id": "s1", "finish": True, "content": "好"}}

Reply = Callable[[dict[str, Any]], dict[str, Any] | None]


@dataclass
class Bed:
    """heard: callbacks as the bot's door opened them. reply: what it answers."""

    platform: wecom_bed.Bed
    heard: list[dict[str, Any]] = field(default_factory=list)
    reply: Reply = lambda _: None
    nonce: str = ""

    @property
    def robot(self) -> Robot:
        return self.platform.emulator.aibots.robot("helper")

    async def receive(self, request: web.Request) -> web.Response:
        encrypted = (await request.json())["encrypt"]
        stamp, nonce = request.query["timestamp"], request.query["nonce"]
        assert request.query["msg_signature"] == _sign(stamp, nonce, encrypted)
        body = json.loads(_crypto().decrypt(encrypted, ""))
        self.heard.append(body)
        told = self.reply(body)
        if told is None:
            return web.Response()
        sealed = _crypto().encrypt(json.dumps(told), "").decode()
        at = int(MONDAY.timestamp())
        nonce = self.nonce or nonce
        signature = _sign(str(at), nonce, sealed)
        return web.json_response(
            {"encrypt": sealed, "msgsignature": signature, "timestamp": at, "nonce": nonce}
        )

    async def say(self, text: str = "你好", chat: str = SINGLE) -> None:
        await self.platform.emulator.say("zhang3", chat, text)
        await self.platform.settled()

    async def answer(self, body: Any) -> int:
        """The errcode of an answer through the last response_url."""
        async with self.platform.http.post(self.heard[-1]["response_url"], json=body) as answer:
            return int((await answer.json())["errcode"])

    def shown(self, chat: str = SINGLE) -> list[Said]:
        said = self.platform.world.said
        return [one for one in said if one.chat == chat and one.sender == "bot:helper"]

    def complaint(self) -> str:
        return str(self.platform.world.attempts[-1]["error"])

    @contextlib.asynccontextmanager
    async def connected(self, **changed: str) -> AsyncIterator[Line]:
        self.robot.app.mode = "websocket"
        url = self.platform.base.removesuffix("/cgi-bin").replace("http", "ws", 1)
        async with self.platform.http.ws_connect(f"{url}/openws") as ws:
            line = Line(ws)
            body = {"bot_id": "aib1", "secret": "robot-secret", **changed}
            line.subscribed = await line.ask("aibot_subscribe", body)
            yield line


@dataclass
class Line:
    ws: aiohttp.ClientWebSocketResponse
    subscribed: int = -1
    number: int = 0

    async def ask(self, cmd: str, body: Any, req_id: str = "") -> int:
        """The errcode of the acknowledgement."""
        return int((await self.whole(cmd, body, req_id))["errcode"])

    async def whole(self, cmd: str, body: Any, req_id: str = "") -> dict[str, Any]:
        self.number += 1
        name = req_id or f"r{self.number}"
        await self.ws.send_json({"cmd": cmd, "headers": {"req_id": name}, "body": body})
        return await self.next()

    async def next(self) -> dict[str, Any]:
        raw = (await self.ws.receive_str()).replace("\x01", "")
        found: dict[str, Any] = json.loads(raw)
        return found


def _crypto() -> PrpCrypto:
    return PrpCrypto(base64.b64decode(KEY + "="))


def _sign(stamp: str, nonce: str, encrypted: str) -> str:
    parts = "".join(sorted((TOKEN, stamp, nonce, encrypted)))
    return hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with wecom_bed.open_bed() as platform:
        one = Bed(platform)
        platform.emulator.aibots.set_base_url(platform.base.removesuffix("/cgi-bin"))
        platform.emulator.aibots.http.poll_every_s = 0.01
        platform.emulator.aibots.socket.heard_within_s = 0.0
        server = web.Application()
        server.router.add_post("/robot", one.receive)
        async with TestServer(server) as running:
            platform.world.apps.append(
                App(
                    "wecom", "helper", "aibot", callback_url=str(running.make_url("/robot")),
                    token=TOKEN, aes_key=KEY, app_key="aib1", app_secret="robot-secret",
                    title="跟单",
                )
            )  # fmt: skip
            platform.world.chats += [
                Chat(SINGLE, "跟单", "wecom", ["zhang3"], "zhang3", "helper"),
                Chat(GROUP, "讨论群", "wecom", ["zhang3", "wang5"], "wang5", "helper"),
            ]
            yield one
            await platform.emulator.aibots.stop()


async def test_a_group_is_named_and_a_single_chat_is_not(bed: Bed) -> None:
    await bed.say()
    await bed.say("@跟单 你好", GROUP)
    single, group = bed.heard
    assert ("chatid" in single, single["chattype"]) == (False, "single")
    assert (group["chatid"], group["text"]["content"]) == (GROUP, "@跟单 你好")


async def test_a_response_url_answers_once_and_for_an_hour(bed: Bed) -> None:
    words = {"msgtype": "markdown", "markdown": {"content": "好"}}
    await bed.say()
    assert [await bed.answer(words), await bed.answer(words)] == [0, 60140]
    await bed.say()
    bed.platform.clock.pass_by(hours=1)
    assert await bed.answer(words) == 60140


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"msgtype": "text", "text": {"content": "好"}}, 40008),
        ({"msgtype": "markdown", "markdown": {"content": " "}}, 93017),
        ({"msgtype": "markdown", "markdown": {"content": "长" * 7000}}, 45002),
        ({"msgtype": "template_card", "template_card": {**CARD, "replace_text": "x"}}, 40058),
        ({"msgtype": "template_card", "template_card": {**CARD, "button_list": []}}, 42039),
    ],
)
async def test_what_a_robot_may_not_say(bed: Bed, body: Any, code: int) -> None:
    await bed.say()
    assert await bed.answer(body) == code


async def test_no_card_is_shown_to_a_group(bed: Bed) -> None:
    await bed.say("@跟单 你好", GROUP)
    assert await bed.answer({"msgtype": "template_card", "template_card": CARD}) == 40008


async def test_a_reply_is_taken_with_the_callbacks_own_nonce_only(bed: Bed) -> None:
    bed.reply = lambda _: STREAM
    bed.nonce = "another"
    await bed.say()
    assert "nonce" in bed.complaint()
    bed.nonce = ""
    await bed.say()
    assert [said.text for said in bed.shown()] == ["好"]


async def test_a_stream_is_asked_for_until_it_is_finished(bed: Bed) -> None:
    texts = iter(["正", "正在", "正在办"])

    def reply(_: dict[str, Any]) -> dict[str, Any]:
        content = next(texts)
        return {
            "msgtype": "stream",
            "stream": {"id": "s1", "finish": content == "正在办", "content": content},
        }

    bed.reply = reply
    await bed.say()
    await until(lambda: bed.shown() and bed.shown()[0].text == "正在办")
    polls = [body for body in bed.heard if body["msgtype"] == "stream"]
    assert [poll["stream"] for poll in polls] == [{"id": "s1"}] * 2
    assert all("response_url" in body for body in bed.heard if body["msgtype"] != "stream")


async def test_a_press_is_told_once_and_its_card_keeps_its_name(bed: Bed) -> None:
    bed.reply = lambda _: {"msgtype": "template_card", "template_card": CARD}
    await bed.say()
    (card,) = bed.shown()
    renamed = {**CARD, "task_id": "other@1"}
    bed.reply = lambda _: {"response_type": "update_template_card", "template_card": renamed}
    await bed.platform.emulator.press(card, "zhang3", "confirm", {})
    assert "42016" in bed.complaint()
    bed.reply = lambda _: {"response_type": "update_template_card", "template_card": CARD}
    await bed.platform.emulator.press(card, "zhang3", "confirm", {"stage": "s2"})
    assert bed.complaint() == ""
    event = bed.heard[-1]["event"]["template_card_event"]
    assert (event["task_id"], event["event_key"]) == ("visit-118@1", "confirm")
    assert event["selected_items"]["selected_item"][0]["option_ids"] == {"option_id": ["s2"]}


async def test_a_files_address_is_good_for_five_minutes_and_its_bytes_are_sealed(bed: Bed) -> None:
    await bed.platform.emulator.say_file("zhang3", SINGLE, "file", "报价.pdf", b"%PDF-1.7")
    await bed.platform.settled()
    url = bed.heard[-1]["file"]["url"]
    async with bed.platform.http.get(url) as answer:
        assert b"PDF" not in await answer.read()
        assert "filename" in answer.headers["Content-Disposition"]
    bed.platform.clock.pass_by(minutes=5)
    async with bed.platform.http.get(url) as answer:
        assert answer.status == 403


async def test_recordings_and_files_of_a_group_are_not_passed_on(bed: Bed) -> None:
    with pytest.raises(ValueError, match="不会发给智能机器人"):
        await bed.platform.emulator.say_file("zhang3", GROUP, "image", "a.png", PNG)


async def test_the_first_frame_subscribes_or_nothing_works(bed: Bed) -> None:
    async with bed.connected(secret="wrong") as line:
        assert line.subscribed == 40001
        assert await line.ask("aibot_send_msg", {"chatid": "zhang3"}) == 846609
        assert await line.ask("ping", {}) == 0
    async with bed.connected(bot_id="other") as line:
        assert line.subscribed == 93019


async def test_a_second_subscription_evicts_the_first(bed: Bed) -> None:
    async with bed.connected() as first, bed.connected() as second:
        told = await first.next()
        assert told["body"]["event"] == {"eventtype": "disconnected_event"}
        assert (await first.ws.receive()).type in (
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSED,
        )
        assert await second.ask("ping", {}) == 0


async def test_pushes_want_a_first_contact_and_the_exact_id(bed: Bed) -> None:
    words = {"chat_type": 1, "msgtype": "markdown", "markdown": {"content": "好"}}
    async with bed.connected() as line:
        assert await line.ask("aibot_send_msg", {"chatid": "zhang3", **words}) == 93001
        await bed.say()
        await line.next()
        assert await line.ask("aibot_send_msg", {"chatid": "zhang3", **words}) == 0
        assert await line.ask("aibot_send_msg", {"chatid": "Zhang3", **words}) == 93006
        assert await line.ask("aibot_send_msg", {"chatid": f"group:{GROUP}", **words}) == 93006


async def test_a_callback_is_replied_to_once_and_by_its_kind(bed: Bed) -> None:
    words = {"msgtype": "markdown", "markdown": {"content": "好"}}
    async with bed.connected() as line:
        await bed.say()
        req_id = (await line.next())["headers"]["req_id"]
        assert await line.ask("aibot_respond_update_msg", {"template_card": CARD}, req_id) == 846605
        assert await line.ask("aibot_respond_msg", words, req_id) == 0
        assert await line.ask("aibot_respond_msg", words, req_id) == 846605
        assert await line.ask("aibot_respond_msg", words, "made up") == 846605


async def test_a_stream_grows_for_six_minutes(bed: Bed) -> None:
    def body(content: str, finish: bool) -> dict[str, Any]:
        stream = {"id": "s1", "finish": finish, "content": content}
        return {"msgtype": "stream", "stream": stream}

    async with bed.connected() as line:
        await bed.say()
        req_id = (await line.next())["headers"]["req_id"]
        assert await line.ask("aibot_respond_msg", body("正", False), req_id) == 0
        assert await line.ask("aibot_respond_msg", body("正在", False), req_id) == 0
        bed.platform.clock.pass_by(minutes=6)
        assert await line.ask("aibot_respond_msg", body("正在办", True), req_id) == 846608


async def test_thirty_a_minute_to_one_conversation(bed: Bed) -> None:
    words = {"chatid": "zhang3", "msgtype": "markdown", "markdown": {"content": "好"}}
    async with bed.connected() as line:
        await bed.say()
        await line.next()
        codes = [await line.ask("aibot_send_msg", words) for _ in range(31)]
        assert codes == [0] * 30 + [45009]


async def test_an_upload_is_whole_or_nothing(bed: Bed) -> None:
    begin = {"type": "file", "filename": "a.bin", "total_size": 6, "total_chunks": 2}
    wrong = hashlib.md5(b"other", usedforsecurity=False).hexdigest()
    async with bed.connected() as line:
        begun = await line.whole("aibot_upload_media_init", {**begin, "md5": wrong})
        upload_id = begun["body"]["upload_id"]

        async def chunk(index: int, data: bytes) -> int:
            body = {"upload_id": upload_id, "chunk_index": index,
                    "base64_data": base64.b64encode(data).decode()}  # fmt: skip
            return await line.ask("aibot_upload_media_chunk", body)

        assert await chunk(1, b"def") == 0
        assert await line.ask("aibot_upload_media_finish", {"upload_id": upload_id}) == 40058
        assert [await chunk(0, b"abc"), await chunk(0, b"abc"), await chunk(2, b"x")] == [
            0,
            0,
            40058,
        ]
        assert await line.ask("aibot_upload_media_finish", {"upload_id": upload_id}) == 40058
        bed.platform.clock.pass_by(minutes=31)
        assert await chunk(0, b"abc") == 40007
