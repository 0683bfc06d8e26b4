"""The control API: what people, tests and the chat page drive the sandbox with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from connectors.sandbox.app import routes
from tests.connectors.sandbox.wecom_bed import (
    GROUP,
    MONDAY,
    PNG,
    Bed,
    buttons_card,
    open_bed,
)


@dataclass
class Control:
    """The control API of a company whose bot is a fake."""

    bed: Bed
    base: str
    jumps: list[datetime] = field(default_factory=list)
    drained: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self, path: str, **query: str) -> tuple[int, dict[str, Any]]:
        async with self.bed.http.get(f"{self.base}/api/{path}", params=query) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        async with self.bed.http.post(f"{self.base}/api/{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def messages(self, **query: str) -> list[dict[str, Any]]:
        status, answer = await self.get("messages", **query)
        assert status == 200, answer
        return answer["messages"]

    async def jump(self, moment: datetime) -> datetime:
        self.jumps.append(moment)
        self.bed.clock.at = moment
        return moment

    async def quiesce(self, timeout_s: float) -> bool:
        try:
            await asyncio.wait_for(self.drained.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def stream(self, customer: int) -> dict[str, Any]:
        if customer != 7:
            raise LookupError(customer)
        files = [{"name": "方案.pdf", "sha256": "ab" * 32}]
        first = {"at": MONDAY, "text": "首次电话", "files": files}
        return {"customer": {"id": 7}, "activities": [first]}

    async def evidence(self, sha256: str) -> tuple[bytes, str, str]:
        if sha256 != "ab" * 32:
            raise LookupError(sha256)
        return b"%PDF-1.7", "方案.pdf", "application/pdf"

    async def customers(self) -> list[dict[str, Any]]:
        return [{"id": 7, "name": "恒锐机电", "owner": "张三"}]


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    async with open_bed() as bed:
        app = web.Application()
        app.add_routes(routes(bed.world, {"wecom": bed.emulator}))
        async with TestServer(app) as server:
            control = Control(bed, str(server.make_url("/sandbox")))
            control.drained.set()
            hooks = bed.world.hooks
            hooks.jump, hooks.quiesce = control.jump, control.quiesce
            hooks.stream, hooks.customers = control.stream, control.customers
            hooks.evidence = control.evidence
            yield control


HELLO = {"platform": "wecom", "from": "zhang3", "chat": None, "text": "你好"}


async def test_world_shows_people_chats_customers_and_credentials(control: Control) -> None:
    status, world = await control.get("world")
    assert status == 200
    assert world["now"] == MONDAY.isoformat()
    zhang = world["people"][0]
    assert (zhang["user_id"], zhang["name"], zhang["platform"], zhang["roles"]) == (
        "zhang3",
        "张三",
        "wecom",
        ["rep"],
    )
    assert world["chats"][0] == {
        "chat_id": GROUP,
        "name": "华东一区",
        "platform": "wecom",
        "members": ["zhang3", "wang5"],
    }
    assert world["customers"] == [{"id": 7, "name": "恒锐机电", "owner": "张三"}]
    [app] = world["apps"]
    assert {
        "platform", "name", "kind", "callback_url", "token", "aes_key", "corp_id", "agent_id",
        "app_key", "app_secret",
    } <= app.keys()  # fmt: skip


async def test_what_is_said_is_listed_and_reaches_the_bot(control: Control) -> None:
    status, said = await control.post("say", HELLO)
    assert status == 200
    [message] = await control.messages()
    assert message == {
        "message_id": said["message_id"],
        "platform": "wecom",
        "chat": None,
        "from": "zhang3",
        "to": "zhang3",
        "kind": "text",
        "text": "你好",
        "at": MONDAY.isoformat(),
    }
    await control.bed.settled()
    assert [post.text("Content") for post in control.bed.door.said("text")] == ["你好"]


async def test_wecom_delivers_no_quoted_message(control: Control) -> None:
    _, said = await control.post("say", HELLO)
    status, answer = await control.post("say", {**HELLO, "reply_to": said["message_id"]})
    assert (status, "不会把引用的消息" in answer["error"]) == (400, True)


def upload(name: str = "现场.png", **parts: Any) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    for field_name, value in {"platform": "wecom", "from": "zhang3", **parts}.items():
        filename = name if field_name == "file" else None
        form.add_field(field_name, value, filename=filename)
    return form


async def test_file_is_said_listed_and_can_be_fetched(control: Control) -> None:
    form = upload(kind="image", file=PNG)
    async with control.bed.http.post(f"{control.base}/api/say", data=form) as answer:
        assert answer.status == 200, await answer.text()
    [message] = await control.messages()
    assert (message["kind"], message["file"]["name"]) == ("image", "现场.png")
    url = f"{control.base.removesuffix('/sandbox')}{message['file']['url']}"
    async with control.bed.http.get(url) as answer:
        assert await answer.read() == PNG
        assert answer.content_type == "image/png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_uploaded_page_is_never_shown_as_a_page(control: Control) -> None:
    form = upload("a.html", kind="file", file=b"<script>alert(1)</script>")
    async with control.bed.http.post(f"{control.base}/api/say", data=form) as answer:
        assert answer.status == 200
    key = (await control.messages())[0]["file"]["url"].rsplit("/", 1)[1]
    async with control.bed.http.get(f"{control.base}/api/files/{key}") as answer:
        disposition = answer.content_disposition
        assert disposition is not None
        assert (disposition.type, disposition.filename) == ("attachment", "a.html")
    assert (await control.get("files/nothing"))[0] == 404


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"kind": "film", "file": PNG}, 400),
        ({"kind": "image"}, 400),
        ({"kind": "image", "file": b""}, 400),
        ({"kind": "image", "file": PNG, "from": "ghost1"}, 404),
        ({"kind": "image", "file": PNG, "platform": "qq"}, 400),
    ],
)
async def test_file_is_refused(control: Control, parts: dict[str, Any], status: int) -> None:
    async with control.bed.http.post(f"{control.base}/api/say", data=upload(**parts)) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("say", [], 400),
        ("say", {**HELLO, "text": 5}, 400),
        ("say", {**HELLO, "text": ""}, 400),
        ("say", {**HELLO, "from": None}, 400),
        ("say", {**HELLO, "from": "ghost1"}, 404),
        ("say", {**HELLO, "from": "gone7"}, 400),
        ("say", {**HELLO, "platform": "qq"}, 400),
        ("say", {**HELLO, "reply_to": "nowhere"}, 404),
        ("say", {**HELLO, "chat": "nowhere"}, 404),
        ("say", {**HELLO, "chat": GROUP}, 400),
        ("press", {"message_id": "nothing", "from": "zhang3", "action": "ok"}, 404),
        ("clock", {}, 400),
        ("clock", {"advance": 1, "now": "2026-03-03T00:00:00Z"}, 400),
        ("clock", {"advance": -1}, 400),
        ("clock", {"advance": "60"}, 400),
        ("clock", {"advance": True}, 400),
        ("clock", {"advance": 1e12}, 400),
        ("clock", {"now": "tomorrow"}, 400),
        ("clock", {"now": "2026-03-01T00:00:00Z"}, 400),
        ("fault", {"platform": "wecom"}, 400),
        ("fault", {"platform": "wecom", "api": "*", "times": 0}, 400),
        ("fault", {"platform": "wecom", "api": "*", "status": "502"}, 400),
        ("fault", {"platform": "wecom", "api": "*", "errcode": [1]}, 400),
        ("fault", {"platform": "wecom", "api": "*", "drop": "yes"}, 400),
        ("fault", {"platform": "wecom", "api": "*", "delay": -1}, 400),
        ("enter", {"platform": "wecom", "from": "ghost1"}, 400),
        ("menu", {"platform": "wecom", "from": "zhang3", "key": "nothing"}, 400),
        ("member", {"platform": "wecom", "user_id": "zhang3", "department": "99"}, 400),
        ("member", {"platform": "wecom", "user_id": "zhang3", "status": "5"}, 400),
    ],
)
async def test_request_that_makes_no_sense_is_refused_with_the_reason(
    control: Control, path: str, body: Any, status: int
) -> None:
    answered, answer = await control.post(path, body)
    assert answered == status
    assert isinstance(answer["error"], str)
    assert answer["error"]
    assert not control.bed.world.said
    assert not control.bed.world.faults


async def test_body_that_is_not_json_is_refused(control: Control) -> None:
    async with control.bed.http.post(f"{control.base}/api/say", data=b"{") as answer:
        assert (answer.status, await answer.json()) == (400, {"error": "the body must be JSON"})


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("messages", {"after": "nothing"}, 400),
        ("messages", {"wait": "long"}, 400),
        ("messages", {"wait": "nan"}, 400),
        ("stream", {}, 400),
        ("stream", {"customer": "x"}, 400),
        ("stream", {"customer": "8"}, 404),
        ("quiesce", {"timeout": "-1"}, 400),
    ],
)
async def test_query_that_makes_no_sense_is_refused_with_the_reason(
    control: Control, path: str, query: dict[str, str], status: int
) -> None:
    answered, answer = await control.get(path, **query)
    assert (answered, bool(answer["error"])) == (status, True)


async def test_card_is_pressed_and_answered_as_it_now_stands(control: Control) -> None:
    await control.bed.send("template_card", buttons_card())
    [message] = await control.messages(to="ZHANG3")
    assert message["card"]["fields"][0]["key"] == "stage"
    body = {
        "message_id": message["message_id"],
        "from": "zhang3",
        "action": "confirm",
        "values": {"stage": "s2"},
    }
    status, answer = await control.post("press", body)
    assert (status, answer["ok"], answer["card"]["title"]) == (200, True, "拜访 #118")
    [event] = control.bed.door.said("template_card_event")
    assert event.text("SelectedItems/SelectedItem/OptionIds/OptionId") == "s2"
    assert (await control.post("press", {**body, "action": "dance"}))[0] == 400
    assert (await control.post("press", {**body, "values": {"stage": 2}}))[0] == 400


async def test_press_the_bot_does_not_answer_is_not_ok(control: Control) -> None:
    await control.bed.send("template_card", buttons_card())
    [message] = await control.messages()
    control.bed.world.app("wecom").callback_url = ""
    body = {"message_id": message["message_id"], "from": "zhang3", "action": "confirm"}
    status, answer = await control.post("press", body)
    assert (status, answer["ok"], answer["card"]) == (200, False, message["card"])


async def test_messages_are_filtered_and_oldest_first(control: Control) -> None:
    bed = control.bed
    await bed.send_text("一")
    await bed.send_text("二", to="Li4")
    body = {"chatid": GROUP, "msgtype": "text", "text": {"content": "三"}}
    await bed.post("appchat/send", body)

    async def texts(**query: str) -> list[str]:
        return [message["text"] for message in await control.messages(**query)]

    assert await texts() == ["一", "二", "三"]
    assert await texts(to="li4") == ["二"]
    assert await texts(chat=GROUP) == ["三"]
    assert await texts(platform="dingtalk") == []
    first = (await control.messages())[0]["message_id"]
    assert await texts(after=first) == ["二", "三"]


async def test_messages_after_a_time_include_cards_changed_since(control: Control) -> None:
    bed = control.bed
    await bed.send("template_card", buttons_card())
    bed.clock.pass_by(minutes=1)
    since = bed.clock.now().isoformat()
    assert await control.messages(after=since) == []
    bed.clock.pass_by(minutes=1)
    await bed.emulator.state.grey_buttons(bed.world.said[0], "已处理")
    [message] = await control.messages(after=since)
    assert message["card"]["closed"] == "已处理"
    assert message["updated_at"] == bed.clock.now().isoformat()


async def test_messages_can_be_waited_for(control: Control) -> None:
    waiting = asyncio.create_task(control.messages(to="zhang3", wait="30"))
    await control.messages()  # the waiting request was sent before this one was answered
    await control.bed.send_text("别人的", to="Li4")
    await control.bed.send_text("你好")
    assert [message["text"] for message in await waiting] == ["你好"]
    assert await control.messages(chat=GROUP, wait="0.01") == []


async def test_clock_moves_by_seconds_and_to_a_moment(control: Control) -> None:
    status, answer = await control.post("clock", {"advance": 90})
    moved = MONDAY + timedelta(seconds=90)
    assert (status, answer) == (200, {"now": moved.isoformat()})
    assert (await control.post("clock", {"now": "2026-03-03T09:00:00+08:00"}))[0] == 200
    assert (await control.post("clock", {"now": "2026-03-03T10:00:00"}))[0] == 200
    assert control.jumps == [
        moved,
        MONDAY + timedelta(days=1),
        MONDAY + timedelta(days=1, hours=1),
    ]


async def test_fault_is_played(control: Control) -> None:
    body = {"platform": "wecom", "api": "message/send", "errcode": 45009, "times": 1}
    assert (await control.post("fault", body))[0] == 200
    assert (await control.bed.send_text("你好"))["errcode"] == 45009
    assert (await control.bed.send_text("你好"))["errcode"] == 0


async def test_quiesce_waits_for_callbacks_and_for_the_bot(control: Control) -> None:
    control.drained.clear()
    assert await control.get("quiesce", timeout="0.02") == (200, {"quiet": False})
    await control.post("say", HELLO)
    control.drained.set()
    assert await control.get("quiesce", timeout="5") == (200, {"quiet": True})
    assert len(control.bed.door.said("text")) == 1


async def test_stream_of_a_customer_is_passed_on(control: Control) -> None:
    status, answer = await control.get("stream", customer="7")
    assert (status, answer["activities"][0]["at"]) == (200, MONDAY.isoformat())


async def test_a_file_of_the_stream_can_be_fetched_as_an_attachment(control: Control) -> None:
    _, answer = await control.get("stream", customer="7")
    (file,) = answer["activities"][0]["files"]
    async with control.bed.http.get(control.base.removesuffix("/sandbox") + file["url"]) as shown:
        disposition = shown.content_disposition
        assert disposition is not None
        assert (disposition.type, disposition.filename) == ("attachment", "方案.pdf")
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert (shown.content_type, await shown.read()) == ("application/pdf", b"%PDF-1.7")
    assert (await control.get("evidence/nothing"))[0] == 404


@pytest.mark.parametrize("path", ["", "/assets/app.js", "/assets/base.css"])
async def test_the_page_is_asked_for_anew_and_runs_nothing_foreign(
    control: Control, path: str
) -> None:
    async with control.bed.http.get(control.base + path) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["api.py", "..%2fapi.py", "..%2f..%2f..%2frun_bot.py", "x"])
async def test_only_the_pages_own_files_are_served(control: Control, name: str) -> None:
    url = URL(f"{control.base}/assets/{name}", encoded=True)
    async with control.bed.http.get(url) as answer:
        assert answer.status == 404


async def test_opening_the_chat_and_its_menu_reach_the_bot(control: Control) -> None:
    bed = control.bed
    menu = {"button": [{"type": "click", "name": "待办", "key": "todo"}]}
    await bed.post("menu/create", menu, agentid="1000002")
    assert (await control.get("world"))[1]["menus"] == {"wecom": menu}
    person = {"platform": "wecom", "from": "zhang3"}
    assert (await control.post("enter", person))[0] == 200
    assert (await control.post("menu", {**person, "key": "todo"}))[0] == 200
    await bed.settled()
    assert [post.text("Event") for post in bed.door.posts] == ["subscribe", "enter_agent", "click"]


async def test_changed_member_is_told_to_the_bot(control: Control) -> None:
    body = {"platform": "wecom", "user_id": "zhang3", "name": "张叁", "department": "2"}
    status, answer = await control.post("member", body)
    assert (status, answer["member"]["name"], answer["member"]["department"]) == (200, "张叁", "2")
    await control.bed.settled()
    [event] = control.bed.door.said("change_contact")
    assert event.text("Name") == "张叁"


async def test_callbacks_made_are_listed(control: Control) -> None:
    await control.post("say", HELLO)
    await control.bed.settled()
    status, answer = await control.get("attempts")
    assert status == 200
    assert [(one["about"], one["status"], one["tries"]) for one in answer["attempts"]] == [
        ("subscribe", 200, 1),
        ("text", 200, 1),
    ]


async def test_upload_beyond_the_limit_is_refused(control: Control) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(31):
            yield b"\x00" * (1 << 20)

    form = aiohttp.FormData()
    form.add_field("platform", "wecom")
    form.add_field("file", endless(), filename="a.bin")
    async with control.bed.http.post(f"{control.base}/api/say", data=form) as answer:
        assert (answer.status, await answer.json()) == (413, {"error": "more than 30 MB"})


async def test_page_and_its_parts_are_served(control: Control) -> None:
    async with control.bed.http.get(control.base) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
    async with control.bed.http.get(f"{control.base}/assets/index.html") as answer:
        assert answer.status == 200
    async with control.bed.http.get(f"{control.base}/assets/../world.py") as answer:
        assert answer.status == 404


async def test_a_chat_is_archived_and_the_bot_is_told(control: Control) -> None:
    status, said = await control.post(
        "archive", {"from": "wmWang", "to": ["li4"], "text": "报价单收到了"}
    )
    assert (status, said["msgid"].endswith("_external")) == (200, True)
    await control.bed.emulator.callbacks.settle()
    (post,) = control.bed.door.said("msgaudit_notify")
    assert post.text("FromUserName") == "sys"
    (archived,) = control.bed.emulator.state.archive.messages
    assert archived.content["text"] == {"content": "报价单收到了"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"from": "wmWang", "to": [], "text": "x"}, "本企业成员"),
        ({"from": "wmWang", "to": ["wmLin"], "text": "x"}, "本企业成员"),
        ({"from": "wmWang", "to": "li4", "text": "x"}, "to must be a list"),
        ({"from": "wmWang", "to": ["li4"], "content": []}, "content must be"),
    ],
)
async def test_what_cannot_be_archived(control: Control, body: dict[str, Any], why: str) -> None:
    status, answer = await control.post("archive", body)
    assert status == 400
    assert why in answer["error"]
