"""The client towards a DingTalk that answers what the test wants."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from bot.errors import (
    AuthFailed,
    BotError,
    PermanentError,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)
from bot.messages import (
    Attachment,
    Button,
    Card,
    CardUpdate,
    FileContent,
    Markdown,
    Text,
)
from connectors.dingtalk.crypto import sign_robot
from connectors.dingtalk.errors import QuotaUsedUp
from connectors.dingtalk.quota import QuotaLevel, foretell
from tests.connectors.dingtalk.dingtalk_bed import (
    CREATE_CARD,
    DOWNLOAD,
    EAST,
    GROUP,
    NOW,
    PERSON,
    REGISTER,
    TO_GROUP,
    TO_PERSON,
    UPDATE_CARD,
    UPLOAD,
    WEBHOOK,
    Bed,
    envelope,
    open_bed,
    recorded,
)

CARD = Card("draft-1", "请确认", lines=("客户嫌价格高",), buttons=(Button("ok", "确认"),))
CALLBACK = "https://bot.example.com/dingtalk/sales/cards"
SESSION = "/robot/sendBySession"
OVER = (403, {"code": "Forbidden.AccessDenied.ApiCountLimitForOrg", "message": "用完"})


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


@pytest.fixture
async def card_bed(bed: Bed) -> Bed:
    await bed.client.register_card_callback(CALLBACK)
    return bed


def refusal(code: str, status: int = 400, **more: Any) -> tuple[int, dict[str, Any]]:
    return status, {"code": code, "message": "说明", "requestid": "R", **more}


async def said_in_private(bed: Bed, **more: Any) -> None:
    """Somebody says something, so that the chat has a session to answer in."""
    body = (
        json.loads(recorded("text")) | {"sessionWebhook": f"{bed.url}{SESSION}?session=s1"} | more
    )
    bed.client.parse(envelope("robot", json.dumps(body).encode()))


async def use_up(bed: Bed, calls: int) -> None:
    await bed.memory.add_calls("dingtalk:sales:api", "2025-10", calls)


async def test_text_goes_to_a_person(bed: Bed) -> None:
    receipt = await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    (call,) = bed.dingtalk.at(TO_PERSON)
    assert call.headers["x-acs-dingtalk-access-token"] == "token-1"
    assert call.body["userIds"] == ["0147001"]
    assert call.body["robotCode"] == "dingrobot01"
    assert (call.body["msgKey"], call.param) == ("sampleText", {"content": "你好"})
    assert receipt.handle == "zq/+1="


async def test_markdown_goes_to_a_group(bed: Bed) -> None:
    receipt = await bed.client.send(GROUP, Markdown("红灯", "# 红灯"), dedupe_key="k")
    (call,) = bed.dingtalk.at(TO_GROUP)
    assert call.body["openConversationId"] == "cidAbC123=="
    assert (call.body["msgKey"], call.param) == (
        "sampleMarkdown",
        {"title": "红灯", "text": "# 红灯"},
    )
    assert receipt.handle == "zq/+2="


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("invalidStaffIdList", Rejected),
        ("filteredStaffIdList", Rejected),
        ("flowControlledStaffIdList", RateLimited),
    ],
)
async def test_a_success_that_reached_nobody_is_none(
    bed: Bed, name: str, kind: type[BotError]
) -> None:
    bed.dingtalk.answer(TO_PERSON, (200, {"processQueryKey": "k", name: ["0147001"]}))
    with pytest.raises(kind):
        await bed.client.send(PERSON, Text("你好"), dedupe_key="k")


async def test_one_token_serves_many_calls(bed: Bed) -> None:
    for _ in range(3):
        await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    assert bed.dingtalk.tokens == 1
    bed.pass_time(hours=2)
    await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    assert bed.dingtalk.tokens == 2


async def test_a_refused_token_is_fetched_anew_once(bed: Bed) -> None:
    bed.dingtalk.answer(TO_PERSON, refusal("InvalidAuthentication"))
    await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    tokens = [call.headers["x-acs-dingtalk-access-token"] for call in bed.dingtalk.at(TO_PERSON)]
    assert tokens == ["token-1", "token-2"]


async def test_a_token_refused_again_is_given_up(bed: Bed) -> None:
    bed.dingtalk.always[TO_PERSON] = refusal("InvalidAuthentication")
    with pytest.raises(AuthFailed):
        await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    assert len(bed.dingtalk.at(TO_PERSON)) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal("system.error", 500), Unavailable),
        (refusal("Forbidden.AccessDenied.QpsLimitForApi", 403), RateLimited),
        (refusal("Forbidden.AccessDenied.AccessTokenPermissionDenied", 403), AuthFailed),
        (refusal("ServiceUnavailable", 504), TimedOut),
        (refusal("contain.notAllowed.content"), Rejected),
        ((502, "<html>Bad Gateway</html>"), Unavailable),
        ((200, b"\x00not json"), Unavailable),
    ],
)
async def test_failures_say_whether_to_try_again(
    bed: Bed, answer: Any, kind: type[BotError]
) -> None:
    bed.dingtalk.answer(TO_PERSON, answer)
    with pytest.raises(kind) as caught:
        await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    assert "token-1" not in str(caught.value)


@pytest.mark.parametrize(
    "page",
    [(200, {"status": 1111, "punish": "deny"}), (200, "<html>punish?x5secdata</html>")],
    ids=["json", "page"],
)
async def test_a_banned_address_rests_for_five_minutes(bed: Bed, page: Any) -> None:
    bed.dingtalk.answer(TO_PERSON, page)
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
        assert caught.value.retry_after_s == 300
    with pytest.raises(RateLimited):
        await bed.client.send(EAST, Text("你好"), dedupe_key="k")
    assert len(bed.dingtalk.at(TO_PERSON) + bed.dingtalk.at(WEBHOOK)) == 1
    bed.pass_time(minutes=5)
    await bed.client.send(PERSON, Text("你好"), dedupe_key="k")


async def test_a_group_gets_twenty_messages_a_minute(bed: Bed) -> None:
    for _ in range(20):
        await bed.client.send(GROUP, Text("你好"), dedupe_key="k")
    with pytest.raises(RateLimited):
        await bed.client.send(GROUP, Text("你好"), dedupe_key="k")
    assert len(bed.dingtalk.at(TO_GROUP)) == 20
    bed.pass_time(seconds=61)
    await bed.client.send(GROUP, Text("你好"), dedupe_key="k")


async def test_a_group_robot_signs_and_names_its_message(bed: Bed) -> None:
    await bed.client.send(EAST, Markdown("红灯", "三条"), dedupe_key="push-1")
    (call,) = bed.dingtalk.at(WEBHOOK)
    stamp = str(int(NOW.timestamp() * 1000))
    assert call.query == {
        "access_token": "token-east",
        "timestamp": stamp,
        "sign": sign_robot(stamp, "SECdemo"),
    }
    assert call.body["msgUuid"] == "push-1"
    assert call.body["markdown"]["text"] == "三条"
    assert bed.dingtalk.tokens == 0
    assert bed.counted == 0


async def test_a_group_robot_stays_below_its_limit(bed: Bed) -> None:
    for _ in range(18):
        await bed.client.send(EAST, Text("你好"), dedupe_key="k")
    with pytest.raises(RateLimited):
        await bed.client.send(EAST, Text("你好"), dedupe_key="k")


async def test_a_blocked_group_robot_waits_ten_minutes(bed: Bed) -> None:
    bed.dingtalk.answer(WEBHOOK, (200, {"errcode": 410100, "errmsg": "too fast"}))
    with pytest.raises(RateLimited) as caught:
        await bed.client.send(EAST, Text("你好"), dedupe_key="k")
    assert caught.value.retry_after_s == 600


async def test_a_group_robot_shows_cards_as_text_and_refuses_files(bed: Bed) -> None:
    await bed.client.send(EAST, CARD, dedupe_key="a")
    await bed.client.send(EAST, CardUpdate(CARD), dedupe_key="b")
    assert all("请确认" in call.body["markdown"]["text"] for call in bed.dingtalk.at(WEBHOOK))
    with pytest.raises(Rejected):
        await bed.client.send(EAST, FileContent("file", "ab", "a.pdf"), dedupe_key="c")
    with pytest.raises(PermanentError):
        await bed.client.send(type(EAST)(EAST.platform, "sales", webhook="x"), CARD, dedupe_key="d")


async def test_a_card_is_created_where_it_belongs(card_bed: Bed) -> None:
    receipt = await card_bed.client.send(PERSON, CARD, dedupe_key="k")
    await card_bed.client.send(GROUP, CARD, dedupe_key="k")
    private, group = (call.body for call in card_bed.dingtalk.at(CREATE_CARD))
    (registered,) = card_bed.dingtalk.at(REGISTER)
    assert registered.body["callbackUrl"] == CALLBACK
    assert registered.body["apiSecret"] == "demo-card-secret"
    assert private["callbackRouteKey"] == registered.body["callbackRouteKey"]
    assert private["openSpaceId"] == "dtv1.card//IM_ROBOT.0147001"
    assert group["openSpaceId"] == "dtv1.card//IM_GROUP.cidAbC123=="
    assert group["imGroupOpenDeliverModel"] == {"robotCode": "dingrobot01"}
    assert private["cardData"]["cardParamMap"]["body"] == "客户嫌价格高"
    assert receipt.handle == "draft-1"


async def test_a_card_that_exists_was_sent_before(card_bed: Bed) -> None:
    card_bed.dingtalk.answer(CREATE_CARD, refusal("param.cardAlreadyExist"))
    assert (await card_bed.client.send(PERSON, CARD, dedupe_key="k")).handle == "draft-1"


async def test_a_card_that_was_not_delivered_is_no_success(card_bed: Bed) -> None:
    failed = [{"spaceType": "IM_ROBOT", "success": False, "errorMsg": "spaceId is invalid"}]
    card_bed.dingtalk.answer(
        CREATE_CARD, (200, {"success": True, "result": {"deliverResults": failed}})
    )
    with pytest.raises(Rejected, match="spaceId is invalid"):
        await card_bed.client.send(PERSON, CARD, dedupe_key="k")


async def test_an_update_changes_the_card_by_key(card_bed: Bed) -> None:
    closed = Card("draft-1", "请确认", revision=2, closed="已确认")
    await card_bed.client.send(PERSON, CardUpdate(closed), dedupe_key="k")
    (call,) = card_bed.dingtalk.at(UPDATE_CARD)
    assert (call.method, call.body["outTrackId"]) == ("PUT", "draft-1")
    assert call.body["cardUpdateOptions"]["updateCardDataByKey"] is True
    assert call.body["cardData"]["cardParamMap"]["closed"] == "已确认"


async def test_an_update_of_a_card_that_is_gone_shows_it_anew(card_bed: Bed) -> None:
    card_bed.dingtalk.answer(UPDATE_CARD, refusal("param.cardNotExist"))
    await card_bed.client.send(PERSON, CardUpdate(CARD), dedupe_key="k")
    assert len(card_bed.dingtalk.at(CREATE_CARD)) == 1


async def test_a_registration_that_failed_is_made_up_for_by_the_next_card(bed: Bed) -> None:
    bed.dingtalk.answer(REGISTER, refusal("system.error", 500))
    with pytest.raises(Unavailable):
        await bed.client.register_card_callback(CALLBACK)
    await bed.client.send(PERSON, CARD, dedupe_key="k")
    assert len(bed.dingtalk.at(REGISTER)) == 2
    assert len(bed.dingtalk.at(CREATE_CARD)) == 1


async def test_without_a_template_cards_are_messages() -> None:
    async with open_bed(card_template_id="") as bed:
        await bed.client.register_card_callback(CALLBACK)
        (part,) = bed.client.split(CARD)
        await bed.client.send(PERSON, part, dedupe_key="a")
        await bed.client.send(PERSON, CardUpdate(CARD), dedupe_key="b")
        assert ["请确认" in call.param["text"] for call in bed.dingtalk.at(TO_PERSON)] == [True] * 2
        assert bed.dingtalk.at(CREATE_CARD) == []


async def test_a_picture_is_uploaded_once_for_everybody(bed: Bed) -> None:
    stored = await bed.memory.put(b"\x89PNG" + b"x" * 2_000_000, name="热图.png")
    for to in (PERSON, GROUP):
        await bed.client.send(to, FileContent("image", stored.sha256, "热图.png"), dedupe_key="k")
    (upload,) = bed.dingtalk.at(UPLOAD)
    assert upload.query == {"access_token": "token-1", "type": "image"}
    assert b"\x89PNG" in upload.raw
    assert 'filename="热图.png"'.encode() in upload.raw
    (call,) = bed.dingtalk.at(TO_PERSON)
    assert (call.body["msgKey"], call.param) == ("sampleImageMsg", {"photoURL": "@lALmedia"})


async def test_a_document_keeps_its_name_and_type(bed: Bed) -> None:
    stored = await bed.memory.put(b"%PDF-1.7", name="报价单.PDF")
    await bed.client.send(PERSON, FileContent("file", stored.sha256, "报价单.PDF"), dedupe_key="k")
    (call,) = bed.dingtalk.at(TO_PERSON)
    assert call.param == {"mediaId": "@lALmedia", "fileName": "报价单.PDF", "fileType": "pdf"}


async def test_what_dingtalk_cannot_show_travels_in_a_zip(bed: Bed) -> None:
    stored = await bed.memory.put("客户,金额\n".encode(), name="客户.csv")
    await bed.client.send(PERSON, FileContent("file", stored.sha256, "客户.csv"), dedupe_key="k")
    (call,) = bed.dingtalk.at(TO_PERSON)
    assert (call.param["fileName"], call.param["fileType"]) == ("客户.csv.zip", "zip")
    raw = bed.dingtalk.at(UPLOAD)[0].raw
    packed = raw[raw.index(b"PK\x03\x04") :]
    with zipfile.ZipFile(io.BytesIO(packed[: packed.rindex(b"\r\n--")])) as archive:
        assert archive.read("客户.csv").decode() == "客户,金额\n"


async def test_a_file_that_is_gone_or_too_large_is_rejected(bed: Bed) -> None:
    large = await bed.memory.put(b"0" * (20 * 1024 * 1024 + 1), name="大.zip")
    for sha256 in ("0" * 64, large.sha256):
        with pytest.raises(Rejected):
            await bed.client.send(PERSON, FileContent("file", sha256, "大.zip"), dedupe_key="k")
    assert bed.dingtalk.at(UPLOAD) == []


async def test_an_attachment_is_fetched_by_its_code(bed: Bed) -> None:
    bed.dingtalk.answer(DOWNLOAD, (200, {"downloadUrl": f"{bed.url}/files/x.file?Expires=1"}))
    bed.dingtalk.answer("/files/x.file", (200, b"#!AMR\n" + b"\x00" * 64))
    data, name = await bed.client.download(Attachment("voice", "voice1"))
    assert bed.dingtalk.at(DOWNLOAD)[0].body == {
        "downloadCode": "voice1",
        "robotCode": "dingrobot01",
    }
    assert data.startswith(b"#!AMR")
    assert name == "voice.amr"


async def test_an_attachment_keeps_the_name_its_sender_gave_it(bed: Bed) -> None:
    bed.dingtalk.answer(DOWNLOAD, (200, {"downloadUrl": f"{bed.url}/files/x.file"}))
    bed.dingtalk.answer("/files/x.file", (200, b"%PDF-1.7"))
    assert (await bed.client.download(Attachment("file", "f", name="报价单.pdf")))[
        1
    ] == "报价单.pdf"


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "file:///etc/passwd", "https://evil.example/a.file", ""],
)
async def test_a_file_elsewhere_is_not_fetched(bed: Bed, url: str) -> None:
    bed.dingtalk.answer(DOWNLOAD, (200, {"downloadUrl": url}))
    with pytest.raises(Rejected):
        await bed.client.download(Attachment("file", "f"))


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "https://evil.example/a.file", "file:///etc/passwd"]
)
async def test_a_trusted_host_cannot_lead_us_elsewhere(bed: Bed, url: str) -> None:
    bed.dingtalk.answer(DOWNLOAD, (200, {"downloadUrl": f"{bed.url}/files/x.file"}))
    bed.dingtalk.answer("/files/x.file", (302, url))
    with pytest.raises(Rejected, match="no host that we allow"):
        await bed.client.download(Attachment("file", "f"))


async def test_a_redirect_among_hosts_that_we_allow_is_followed(bed: Bed) -> None:
    bed.dingtalk.answer(DOWNLOAD, (200, {"downloadUrl": f"{bed.url}/files/x.file"}))
    bed.dingtalk.answer("/files/x.file", (302, "/store/x.file?sig=1"))
    bed.dingtalk.answer("/store/x.file", (200, b"%PDF-1.7"))
    assert (await bed.client.download(Attachment("file", "f")))[0] == b"%PDF-1.7"


async def test_redirects_come_to_an_end(bed: Bed) -> None:
    bed.dingtalk.answer(DOWNLOAD, (200, {"downloadUrl": f"{bed.url}/files/x.file"}))
    bed.dingtalk.always["/files/x.file"] = (302, "/files/x.file")
    with pytest.raises(Rejected, match="too often"):
        await bed.client.download(Attachment("file", "f"))


async def test_without_an_address_or_a_template_no_presses_are_asked_for(bed: Bed) -> None:
    await bed.client.introduce("")
    assert bed.dingtalk.at(REGISTER) == []
    async with open_bed(card_template_id="") as plain:
        await plain.client.introduce("https://bot.example.com")
        assert plain.dingtalk.at(REGISTER) == []


async def test_presses_are_asked_for_at_the_public_address(bed: Bed) -> None:
    await bed.client.introduce("https://bot.example.com")
    (call,) = bed.dingtalk.at(REGISTER)
    assert call.body["callbackUrl"] == "https://bot.example.com/dingtalk/sales/cards"


async def test_undelivered_events_are_not_asked_for_when_calls_are_dear(bed: Bed) -> None:
    bed.memory.counts["dingtalk:sales:api", "2025-10"] = 4_600
    assert await bed.client.read_failed_events() == ()
    assert bed.dingtalk.calls == []


async def test_an_expired_code_is_final(bed: Bed) -> None:
    bed.dingtalk.answer(DOWNLOAD, refusal("invalidParameter.robotCode.downloadCode"))
    with pytest.raises(Rejected):
        await bed.client.download(Attachment("file", "f"))


async def test_paid_calls_are_counted_by_the_month_in_china(bed: Bed) -> None:
    await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    await bed.client.read_users([])
    state = await bed.client.quota()
    assert (state.month, state.used, state.limit) == ("2025-10", 1, 5000)
    bed.clock.at = NOW.replace(month=10, day=31, hour=17)  # 1 November there
    await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    assert (await bed.client.quota()).month == "2025-11"
    assert (await bed.client.quota()).used == 1


async def test_throttled_calls_are_not_counted_and_refused_ones_are(bed: Bed) -> None:
    bed.dingtalk.answer(
        TO_PERSON,
        refusal("Forbidden.AccessDenied.QpsLimitForApi", 403),
        refusal("contain.notAllowed.content"),
    )
    for kind in (RateLimited, Rejected):
        with pytest.raises(kind):
            await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    assert bed.counted == 1


@pytest.mark.parametrize(
    ("used", "level"),
    [
        (0, QuotaLevel.NORMAL),
        (2999, QuotaLevel.NORMAL),
        (3000, QuotaLevel.WATCH),
        (4000, QuotaLevel.SAVING),
        (4750, QuotaLevel.SPARING),
        (5000, QuotaLevel.USED_UP),
    ],
)
async def test_the_quota_tells_how_tight_it_is(bed: Bed, used: int, level: QuotaLevel) -> None:
    await use_up(bed, used)
    assert (await bed.client.quota()).level == level


async def test_from_eighty_percent_answers_use_the_session_of_the_message(bed: Bed) -> None:
    await use_up(bed, 4000)
    await said_in_private(bed)
    await bed.client.send(PERSON, Text("收到"), dedupe_key="k")
    (call,) = bed.dingtalk.at(SESSION)
    assert call.query == {"session": "s1"}
    assert call.body["text"] == {"content": "收到"}
    assert bed.dingtalk.at(TO_PERSON) == []


async def test_from_eighty_percent_closed_cards_are_left_as_they_stand(card_bed: Bed) -> None:
    await use_up(card_bed, 4000)
    assert (await card_bed.client.quota()).is_saving
    closed = Card("draft-1", "请确认", closed="已确认")
    await card_bed.client.send(PERSON, CardUpdate(closed), dedupe_key="a")
    assert card_bed.dingtalk.at(UPDATE_CARD) == []
    await card_bed.client.send(PERSON, CardUpdate(CARD), dedupe_key="b")
    assert len(card_bed.dingtalk.at(UPDATE_CARD)) == 1


@pytest.mark.parametrize(("used", "spares"), [(4000, False), (4749, False), (4750, True)])
async def test_digests_are_left_out_long_after_the_first_savings(
    bed: Bed, used: int, spares: bool
) -> None:
    await use_up(bed, used)
    await bed.client.quota()
    assert bed.client.spares_digests == spares
    bed.pass_time(days=31)
    assert not bed.client.spares_digests


async def test_once_the_platform_refuses_digests_are_left_out_too(bed: Bed) -> None:
    bed.dingtalk.always[TO_PERSON] = OVER
    with pytest.raises(QuotaUsedUp):
        await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    await bed.client.quota()
    assert bed.client.spares_digests


@pytest.mark.parametrize(
    ("at", "used", "foretold"),
    [
        ("2026-02-03T23:00:00+08:00", 300, None),
        ("2026-02-08T00:00:00+08:00", 700, 2800),
        ("2026-02-28T23:59:59+08:00", 5000, 5000),
        ("2026-03-31T17:00:00+00:00", 90, None),  # 1 April in China
        ("2026-12-16T12:00:00+08:00", 1550, 3100),
    ],
)
def test_the_months_end_is_foretold_at_its_pace_so_far(
    at: str, used: int, foretold: int | None
) -> None:
    assert foretell(used, datetime.fromisoformat(at)) == foretold


async def test_an_ended_session_falls_back_to_the_api(bed: Bed) -> None:
    await use_up(bed, 4000)
    await said_in_private(bed)
    bed.dingtalk.answer(SESSION, (200, {"errcode": 300001, "errmsg": "session 不存在"}))
    await bed.client.send(PERSON, Text("收到"), dedupe_key="a")
    bed.pass_time(hours=2)
    await said_in_private(bed)
    await bed.client.send(PERSON, Text("收到"), dedupe_key="b")
    assert (len(bed.dingtalk.at(SESSION)), len(bed.dingtalk.at(TO_PERSON))) == (1, 2)


async def test_once_the_platform_refuses_nothing_is_tried_until_the_month_turns(bed: Bed) -> None:
    bed.dingtalk.always[TO_PERSON] = OVER
    for _ in range(3):
        with pytest.raises(QuotaUsedUp):
            await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    assert len(bed.dingtalk.at(TO_PERSON)) == 1
    assert (await bed.client.quota()).level == QuotaLevel.REFUSED
    await bed.client.send(EAST, Text("群机器人照常"), dedupe_key="k")
    del bed.dingtalk.always[TO_PERSON]
    bed.pass_time(days=31)
    await bed.client.send(PERSON, Text("你好"), dedupe_key="k")


async def test_whoever_just_spoke_is_answered_even_then(card_bed: Bed) -> None:
    card_bed.dingtalk.always[TO_PERSON] = card_bed.dingtalk.always[CREATE_CARD] = OVER
    await said_in_private(card_bed)
    await card_bed.client.send(PERSON, Text("收到"), dedupe_key="a")
    await card_bed.client.send(PERSON, CARD, dedupe_key="b")
    first, second = card_bed.dingtalk.at(SESSION)
    assert first.body["text"]["content"] == "收到"
    assert "回复：确认" in second.body["markdown"]["text"]


async def test_somebody_who_is_no_employee_is_answered_in_their_session(bed: Bed) -> None:
    body = json.loads(recorded("outsider")) | {"sessionWebhook": f"{bed.url}{SESSION}?session=s2"}
    message = bed.client.parse(envelope("robot", json.dumps(body).encode()))
    await bed.client.send(message.origin, Text("请联系管理员"), dedupe_key="k")
    assert len(bed.dingtalk.at(SESSION)) == 1


async def test_a_session_elsewhere_is_never_called(bed: Bed) -> None:
    await use_up(bed, 4000)
    await said_in_private(bed, sessionWebhook="https://evil.example/robot/sendBySession?session=s")
    await bed.client.send(PERSON, Text("收到"), dedupe_key="k")
    assert len(bed.dingtalk.at(TO_PERSON)) == 1


async def test_a_count_that_fails_does_not_unsend_a_message(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bed.client.quota()
    await bed.client.send(PERSON, Text("你好"), dedupe_key="k")

    async def broken(name: str, month: str, calls: int) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(bed.memory, "add_calls", broken)
    assert (await bed.client.send(PERSON, Text("你好"), dedupe_key="k")).handle == "zq/+1="


async def test_a_wrong_secret_is_the_administrators_matter(bed: Bed) -> None:
    bed.dingtalk.answer("/v1.0/oauth2/accessToken", refusal("invalidClientIdOrSecret"))
    with pytest.raises(AuthFailed) as caught:
        await bed.client.send(PERSON, Text("你好"), dedupe_key="k")
    assert "demo-app-secret" not in str(caught.value)
