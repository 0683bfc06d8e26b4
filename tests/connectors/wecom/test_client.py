"""Sending through one application: bodies, receipts, and what each refusal leads to."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web

from bot.errors import AuthFailed, BotError, RateLimited, Rejected, TimedOut, Unavailable
from bot.messages import (
    Address,
    Attachment,
    Button,
    Card,
    CardUpdate,
    Content,
    Markdown,
    Platform,
    Receipt,
    Text,
)
from connectors.wecom.client import MenuEntry
from tests.connectors.wecom.wecom_bed import AMR, LI4, PNG, Bed, open_bed
from tests.connectors.wecom.wecom_door import APP

GROUP = Address(Platform.WECOM, "sales", chat_id="Proj118")
ROBOT = Address(Platform.WECOM, "sales", webhook="east")
CARD = Card("draft-1", "拜访", lines=("恒锐机电",), buttons=(Button("ok", "确认", "primary"),))
HELLO = Text("你好")
SEND, UPDATE = "message/send", "message/update_template_card"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def failure(bed: Bed, content: Content = HELLO, to: Address = LI4) -> BotError:
    with pytest.raises(BotError) as raised:
        await bed.send(content, to)
    assert "token-" not in str(raised.value)
    return raised.value


async def test_text_goes_to_the_member_under_the_duplicate_check(bed: Bed) -> None:
    receipt = await bed.send(Text("今日待跟进 3 家"))
    assert receipt == Receipt(handle="MSG2")
    assert bed.api.bodies(SEND) == [
        {
            "touser": "li4",
            "agentid": 1000002,
            "msgtype": "text",
            "text": {"content": "今日待跟进 3 家"},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 300,
        }
    ]


async def test_markdown_goes_as_markdown(bed: Bed) -> None:
    await bed.send(Markdown("周报", "**3** 家"))
    [body] = bed.api.bodies(SEND)
    assert (body["msgtype"], body["markdown"]) == ("markdown", {"content": "**3** 家"})


async def test_card_brings_back_its_response_code(bed: Bed) -> None:
    bed.api.script(SEND, {"errcode": 0, "msgid": "M", "response_code": "RC"})
    assert await bed.send(CARD) == Receipt(handle="M", response_code="RC")
    [body] = bed.api.bodies(SEND)
    assert body["template_card"]["task_id"] == "draft-1@1"


async def test_retry_of_a_text_is_checked_for_duplicates_and_its_equal_is_not(bed: Bed) -> None:
    for key in ("a", "a", "b", "b", "a"):
        await bed.send(Text("请问是哪家客户？"), key=key)
    checks = [body.get("enable_duplicate_check") for body in bed.api.bodies(SEND)]
    assert checks == [1, 1, None, None, 1]


async def test_equal_text_is_checked_again_once_the_platform_has_forgotten(bed: Bed) -> None:
    await bed.send(Text("早"), key="a")
    bed.pass_by(seconds=299)
    await bed.send(Text("早"), key="b")
    bed.pass_by(seconds=299)
    await bed.send(Text("早"), key="c")
    bed.pass_by(seconds=361)
    await bed.send(Text("早"), key="d")
    checks = [body.get("enable_duplicate_check") for body in bed.api.bodies(SEND)]
    assert checks == [1, None, None, 1]


async def test_refused_receivers_of_a_successful_call_are_told(bed: Bed) -> None:
    answer = {"errcode": 0, "invaliduser": "Ghost1|ghost2", "unlicenseduser": "x3"}
    bed.api.script(SEND, answer)
    assert (await bed.send(Text("你好"))).undelivered == ("ghost1", "ghost2", "x3")


async def test_nobody_left_to_receive_is_rejected(bed: Bed) -> None:
    bed.api.script(SEND, 81013)
    error = await failure(bed)
    assert isinstance(error, Rejected)
    assert "可见范围" in str(error)


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_token_that_died_early_is_renewed_and_the_call_repeated(
    bed: Bed, errcode: int
) -> None:
    await bed.send(Text("一"))
    bed.api.script(SEND, errcode)
    await bed.send(Text("二"))
    assert (bed.api.count("gettoken"), bed.api.count(SEND)) == (2, 3)


async def test_forty_calls_with_a_dead_token_renew_it_once(bed: Bed) -> None:
    await bed.send(Text("一"))
    bed.api.revoke()
    people = [replace(LI4, user_id=f"u{number}") for number in range(40)]
    await asyncio.gather(*(bed.send(Text("二"), to) for to in people))
    assert bed.api.count("gettoken") == 2


async def test_token_refused_twice_is_an_alarm_and_not_a_loop(bed: Bed) -> None:
    bed.api.script(SEND, 40014, 40014)
    assert isinstance(await failure(bed), AuthFailed)
    assert (bed.api.count("gettoken"), bed.api.count(SEND)) == (2, 2)


async def test_wrong_secret_is_asked_about_once_a_minute(bed: Bed) -> None:
    bed.api.script("gettoken", 40001)
    for _ in range(3):
        error = await failure(bed)
        assert isinstance(error, AuthFailed)
        assert "Secret" in str(error)
    assert (bed.api.count("gettoken"), bed.api.count(SEND)) == (1, 0)


@pytest.mark.parametrize(
    ("answer", "cls"),
    [
        (-1, Unavailable),
        (45009, RateLimited),
        (60020, AuthFailed),
        (48002, AuthFailed),
        (40058, Rejected),
    ],
)
async def test_error_code_says_whether_to_try_again(
    bed: Bed, answer: int, cls: type[BotError]
) -> None:
    bed.api.script(SEND, answer)
    assert isinstance(await failure(bed), cls)


async def test_gateway_page_is_worth_another_try(bed: Bed) -> None:
    bed.api.script(SEND, web.Response(status=502, text="<html>"))
    assert isinstance(await failure(bed), Unavailable)
    await bed.send(Text("好了"))


@pytest.mark.parametrize("answer", [[], "ok", None, 1])
async def test_answer_in_another_format_is_unavailable(bed: Bed, answer: object) -> None:
    bed.api.script(SEND, web.json_response(answer))
    assert isinstance(await failure(bed), Unavailable | TimedOut)


async def test_thirty_first_message_of_a_minute_waits_on_our_side(bed: Bed) -> None:
    """The platform would drop it with errcode 0."""
    for number in range(30):
        await bed.send(Text(f"第 {number} 条"))
    error = await failure(bed)
    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 60.0
    await bed.send(Text("别人不受影响"), replace(LI4, user_id="wang5"))
    bed.pass_by(seconds=60)
    await bed.send(Text("第 31 条"))


async def test_thousand_and_first_message_of_an_hour_waits_on_our_side(bed: Bed) -> None:
    for number in range(1000):
        if number % 30 == 0:
            bed.pass_by(seconds=60)
        await bed.send(Text(f"第 {number} 条"))
    bed.pass_by(seconds=60)
    assert isinstance(await failure(bed), RateLimited)


@pytest.mark.parametrize(
    ("kind", "data", "name", "wire"),
    [
        ("image", PNG, "热力图.png", "image"),
        ("image", b"GIF89a......", "动图.gif", "file"),
        ("image", PNG + b"\x00" * (10 << 20), "大图.png", "file"),
        ("voice", AMR, "v.amr", "voice"),
        ("voice", b"ID3 an mp3 it is", "v.mp3", "file"),
        ("file", b"%PDF-1.7", '方案 "V2".pdf', "file"),
    ],
)
async def test_file_is_uploaded_as_what_the_platform_can_show(
    bed: Bed, kind: str, data: bytes, name: str, wire: str
) -> None:
    await bed.send(await bed.file(kind, data, name))
    [(uploaded_name, uploaded)] = bed.api.bodies("media/upload")
    assert (uploaded_name, uploaded) == (name.replace('"', ""), data)
    [body] = bed.api.bodies(SEND)
    assert body["msgtype"] == wire
    assert body[wire]["media_id"].startswith("MEDIA")


async def test_file_name_cannot_end_a_header(bed: Bed) -> None:
    await bed.send(await bed.file("file", b"%PDF-1.7", "../a\r\nX-Evil: 1\r\n\r\n/b.pdf"))
    [(name, _)] = bed.api.bodies("media/upload")
    assert name == "..aX-Evil: 1b.pdf"


async def test_same_file_is_uploaded_once_in_two_and_a_half_days(bed: Bed) -> None:
    content = await bed.file("file", b"%PDF-1.7", "方案.pdf")
    await bed.send(content)
    bed.pass_by(days=2)
    await bed.send(content)
    assert bed.api.count("media/upload") == 1
    bed.pass_by(hours=12)
    await bed.send(content)
    assert bed.api.count("media/upload") == 2


async def test_file_the_platform_has_forgotten_is_uploaded_again(bed: Bed) -> None:
    content = await bed.file("file", b"%PDF-1.7", "方案.pdf")
    await bed.send(content)
    bed.api.script(SEND, 40007)
    await bed.send(content)
    assert (bed.api.count("media/upload"), bed.api.count(SEND)) == (2, 3)
    bed.api.script(SEND, 40007, 40007)
    assert isinstance(await failure(bed, content), Rejected)


@pytest.mark.parametrize("data", [b"tiny", b"\x00" * (20 * 1024 * 1024 + 1)])
async def test_file_of_a_size_the_platform_refuses_is_not_uploaded(bed: Bed, data: bytes) -> None:
    content = await bed.file("file", data, "方案.pdf")
    assert isinstance(await failure(bed, content), Rejected)
    assert bed.api.count("media/upload") == 0


async def test_file_that_is_not_in_the_store_is_rejected(bed: Bed) -> None:
    content = replace(await bed.file("file", b"%PDF-1.7", "方案.pdf"), sha256="0" * 64)
    assert isinstance(await failure(bed, content), Rejected)


async def test_pressed_card_is_replaced_in_place(bed: Bed) -> None:
    await bed.send(CardUpdate(replace(CARD, revision=2), "RC-press"))
    [body] = bed.api.bodies(UPDATE)
    assert (body["userids"], body["agentid"]) == (["li4"], 1000002)
    assert body["response_code"] == "RC-press"
    assert body["template_card"]["task_id"] == "draft-1@2"
    assert bed.api.count(SEND) == 0


async def test_closed_card_stays_in_place_with_its_note(bed: Bed) -> None:
    await bed.send(CardUpdate(replace(CARD, revision=2, closed="已确认"), "RC"))
    assert bed.api.bodies(UPDATE)[0]["template_card"]["replace_text"] == "已确认"


async def test_card_with_a_used_up_code_is_sent_anew(bed: Bed) -> None:
    bed.api.script(UPDATE, {"errcode": 0}, 60140)
    await bed.send(CardUpdate(CARD, "RC"))
    receipt = await bed.send(CardUpdate(replace(CARD, revision=2), "RC"))
    assert receipt.handle
    assert bed.api.bodies(SEND)[0]["template_card"]["task_id"] == "draft-1@2"


async def test_update_whose_answer_was_lost_is_not_shown_twice(bed: Bed) -> None:
    bed.api.script(UPDATE, 60140)
    bed.api.script(SEND, 42014)
    assert await bed.send(CardUpdate(CARD, "RC")) == Receipt()


async def test_a_closed_card_whose_answer_was_lost_is_known_by_its_id_too(bed: Bed) -> None:
    bed.api.script(UPDATE, 60140)
    bed.api.script(SEND, 42014)
    closed = replace(CARD, revision=2, closed="已确认")
    assert await bed.send(CardUpdate(closed, "RC")) == Receipt()
    assert bed.api.bodies(SEND)[0]["template_card"]["task_id"] == "draft-1@2"


async def test_card_update_without_a_code_is_a_new_card(bed: Bed) -> None:
    await bed.send(CardUpdate(replace(CARD, revision=2)))
    assert bed.api.count(UPDATE) == 0
    assert bed.api.bodies(SEND)[0]["template_card"]["task_id"] == "draft-1@2"


async def test_update_refused_for_another_reason_is_an_error(bed: Bed) -> None:
    bed.api.script(UPDATE, 42039)
    assert isinstance(await failure(bed, CardUpdate(CARD, "RC")), Rejected)


async def test_group_of_the_application_gets_cards_as_markdown(bed: Bed) -> None:
    await bed.send(CARD, GROUP)
    await bed.send(CardUpdate(CARD, "RC"), GROUP)
    first, second = bed.api.bodies("appchat/send")
    assert (first["chatid"], first["msgtype"]) == ("Proj118", "markdown")
    assert "恒锐机电" in first["markdown"]["content"]
    assert second == first


async def test_group_robot_needs_no_token(bed: Bed) -> None:
    await bed.send(Text("红灯 3 家"), ROBOT)
    await bed.send(Markdown("周报", "**3** 家"), ROBOT)
    assert [call.api for call in bed.api.calls] == ["webhook/send"] * 2
    assert bed.api.calls[0].query == {"key": "robot-key-east"}


async def test_group_robot_shows_pictures_and_passes_on_files(bed: Bed) -> None:
    await bed.send(await bed.file("image", PNG, "热力图.png"), ROBOT)
    await bed.send(await bed.file("file", b"%PDF-1.7", "方案.pdf"), ROBOT)
    picture, document = bed.api.bodies("webhook/send")
    assert base64.b64decode(picture["image"]["base64"]) == PNG
    assert len(picture["image"]["md5"]) == 32
    assert document["file"]["media_id"].startswith("ROBOT")


async def test_twenty_first_message_of_a_minute_through_a_robot_waits(bed: Bed) -> None:
    for _ in range(20):
        await bed.send(Text("红灯"), ROBOT)
    assert isinstance(await failure(bed, to=ROBOT), RateLimited)


async def test_robot_that_is_not_configured_is_rejected(bed: Bed) -> None:
    error = await failure(bed, to=replace(ROBOT, webhook="west"))
    assert isinstance(error, Rejected)
    assert "west" in str(error)


async def test_removed_robot_tells_the_admin(bed: Bed) -> None:
    bed.api.script("webhook/send", 93000)
    error = await failure(bed, to=ROBOT)
    assert isinstance(error, AuthFailed)
    assert "robot-key" not in str(error)


def media(data: bytes, disposition: str | None = None, kind: str = "audio/amr") -> web.Response:
    headers = {"Content-Disposition": disposition} if disposition else {}
    return web.Response(body=data, content_type=kind, headers=headers)


@pytest.mark.parametrize(
    ("disposition", "told", "name"),
    [
        ('attachment; filename="a.amr"', "", "a.amr"),
        ("attachment; filename*=UTF-8''%E6%96%B9%E6%A1%88.pdf", "", "方案.pdf"),
        ('attachment; filename="../../etc/passwd"', "", "passwd"),
        ('attachment; filename="a.amr"', "方案.pdf", "方案.pdf"),
        (None, "", "voice"),
    ],
)
async def test_download_brings_bytes_and_a_harmless_name(
    bed: Bed, disposition: str | None, told: str, name: str
) -> None:
    bed.api.script("media/get", media(AMR, disposition))
    found = await bed.client.download(Attachment("voice", "MEDIA_1", name=told))
    assert found == (AMR, name)
    assert bed.api.calls[-1].query["media_id"] == "MEDIA_1"


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_error_in_place_of_the_file_is_an_error(bed: Bed, kind: str) -> None:
    body = b'{"errcode":40007,"errmsg":"invalid media_id"}'
    bed.api.script("media/get", media(body, kind=kind))
    with pytest.raises(Rejected, match="40007"):
        await bed.client.download(Attachment("voice", "GONE"))


async def test_download_with_a_dead_token_is_repeated(bed: Bed) -> None:
    error = media(b'{"errcode":42001,"errmsg":"expired"}', kind="text/plain")
    bed.api.script("media/get", error, media(AMR))
    assert (await bed.client.download(Attachment("voice", "M")))[0] == AMR


async def test_json_file_that_somebody_sent_is_a_file(bed: Bed) -> None:
    data = b'{"errcode":40007}'
    named = media(data, 'attachment; filename="a.json"', "application/json")
    bed.api.script("media/get", named, media(b"{not json}"))
    assert await bed.client.download(Attachment("file", "M")) == (data, "a.json")
    assert (await bed.client.download(Attachment("file", "M")))[0] == b"{not json}"


async def test_file_larger_than_the_platform_allows_is_not_read_on(bed: Bed) -> None:
    bed.api.script("media/get", media(b"\x00" * (25 * 1024 * 1024 + 1)))
    with pytest.raises(Rejected, match="over"):
        await bed.client.download(Attachment("file", "M"))


async def test_menu_is_written_for_the_application(bed: Bed) -> None:
    board = MenuEntry("看板", url="https://bot.example.com")
    await bed.client.create_menu(
        [MenuEntry("待办", key="todo"), MenuEntry("更多", entries=(board,))]
    )
    call = bed.api.calls[-1]
    assert (call.api, call.query["agentid"]) == ("menu/create", "1000002")
    assert call.body["button"] == [
        {"type": "click", "name": "待办", "key": "todo"},
        {
            "name": "更多",
            "sub_button": [{"type": "view", "name": "看板", "url": "https://bot.example.com"}],
        },
    ]


def test_secrets_do_not_show_in_the_settings() -> None:
    shown = repr(APP)
    assert "sales" in shown
    for secret in (APP.secret, APP.token, APP.aes_key, "robot-key-east"):
        assert secret not in shown
