"""The platforms on a bad day: each fault is played by the emulators, through the control API.

After each: nothing is lost, nothing comes twice, and whoever can mend it hears of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.scenarios.foreign_client import press_dingtalk, press_wecom

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELP = "像平时说话一样"
SEND = {"wecom": "message/send", "dingtalk": "batchSend"}
REPS = {"wecom": "chenjing", "dingtalk": "wulei01"}
EXPIRED = {"wecom": 42001, "dingtalk": "InvalidAuthentication"}
TOO_FAST = {"wecom": 45009, "dingtalk": "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi"}
DOWNLOAD = {"wecom": "media/get", "dingtalk": "v1.0/robot/messageFiles/download"}
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"

both = pytest.mark.parametrize("platform", ["wecom", "dingtalk"])


@pytest_asyncio.fixture(loop_scope="module")
async def speaker(sandbox: Sandbox, platform: str) -> AsyncIterator[Speaker]:
    """A rep on that platform, with nothing half said and no fault left over."""
    person = Speaker(sandbox, platform, REPS[platform])
    await person.say("全部取消")
    yield person
    await sandbox.post("clock", advance=900)
    await person.say("全部取消")


async def fault(sandbox: Sandbox, platform: str, api: str, **how: Any) -> None:
    await sandbox.post("fault", platform=platform, api=api, **how)


async def wait(sandbox: Sandbox, **span: float) -> None:
    await sandbox.post("clock", advance=timedelta(**span).total_seconds())
    await sandbox.quiesce()


async def customer_of(sandbox: Sandbox, name: str, number: int = 0) -> dict[str, Any]:
    world = await sandbox.get("world")
    return [one for one in world["customers"] if one["owner"] == name][number]


async def draft_card(speaker: Speaker) -> dict[str, Any]:
    owner = {"chenjing": "陈静", "wulei01": "吴磊"}[speaker.user_id]
    customer = await customer_of(speaker.sandbox, owner)
    said = f"刚和{customer['name']}通了25分钟电话，嫌价格高，下周三再联系"
    return last_card(await speaker.say(said))


async def entries(sandbox: Sandbox, owner: str) -> list[dict[str, Any]]:
    customer = await customer_of(sandbox, owner)
    return (await sandbox.get("stream", customer=str(customer["id"])))["activities"]


@both
async def test_answers_of_500_for_a_while_delay_the_reply_and_repeat_nothing(
    sandbox: Sandbox, platform: str, speaker: Speaker
) -> None:
    await fault(sandbox, platform, SEND[platform], status=500, times=4)
    assert await speaker.say("帮助") == []
    await wait(sandbox, minutes=2)
    assert words(await speaker.look()).count(HELP) == 1


@both
async def test_a_connection_that_breaks_before_anything_arrived_delays_the_reply(
    sandbox: Sandbox, platform: str, speaker: Speaker
) -> None:
    await fault(sandbox, platform, SEND[platform], drop=True, times=2)
    assert await speaker.say("帮助") == []
    await wait(sandbox, minutes=2)
    assert words(await speaker.look()).count(HELP) == 1


async def test_a_platform_that_hangs_delays_no_other_and_nothing_comes_twice(
    sandbox: Sandbox,
) -> None:
    """It answers two seconds after we have given up, and has taken the message all the same."""
    chen, wu = Speaker(sandbox, "wecom", "chenjing"), Speaker(sandbox, "dingtalk", "wulei01")
    await chen.look()
    await wu.look()
    await fault(sandbox, "wecom", SEND["wecom"], delay=12)
    for who in (chen, wu):
        said = {"platform": who.platform, "from": who.user_id, "chat": None, "text": "帮助"}
        await sandbox.post("say", **said)
    async with asyncio.timeout(9):
        while HELP not in words(heard := await wu.look()):
            known = {"after": heard[-1]["message_id"]} if heard else {}
            await sandbox.get("messages", platform="dingtalk", wait="9", **known)
    await wait(sandbox, minutes=2)
    assert words(await chen.look()).count(HELP) == 1


@both
async def test_a_lost_answer_is_no_lost_message(
    sandbox: Sandbox, platform: str, speaker: Speaker
) -> None:
    """WeCom drops what it took before. DingTalk's plain messages have no key to know them by,
    so there a second copy is the price of losing none."""
    await wait(sandbox, minutes=7)  # the check serves only the first of equal texts
    await fault(sandbox, platform, SEND[platform], drop=True, after=True, times=1)
    seen = await speaker.say("帮助")
    await wait(sandbox, minutes=2)
    count = words(seen + await speaker.look()).count(HELP)
    assert count == (1 if platform == "wecom" else 2)


async def test_a_dingtalk_card_whose_answer_was_lost_comes_once(sandbox: Sandbox) -> None:
    wu = Speaker(sandbox, "dingtalk", "wulei01")
    await fault(sandbox, "dingtalk", "createAndDeliver", drop=True, after=True, times=1)
    customer = await customer_of(sandbox, "吴磊")
    said = await wu.say(f"刚和{customer['name']}通了25分钟电话，嫌价格高，下周三再联系")
    await wait(sandbox, minutes=2)
    cards = [one for one in said + await wu.look() if one["kind"] == "card"]
    assert len(cards) == 1
    await wu.say("取消")


@both
async def test_an_expired_token_is_renewed_without_a_word(
    sandbox: Sandbox, platform: str, speaker: Speaker
) -> None:
    status = {} if platform == "wecom" else {"status": 401}
    await fault(sandbox, platform, SEND[platform], errcode=EXPIRED[platform], times=1, **status)
    assert HELP in words(await speaker.say("帮助"))


@both
async def test_refused_credentials_hold_the_messages_and_administrators_hear_elsewhere(
    sandbox: Sandbox, platform: str, speaker: Speaker
) -> None:
    elsewhere = {"wecom": ("dingtalk", "0147001"), "dingtalk": ("wecom", "zhaoqian")}
    admin = Speaker(sandbox, *elsewhere[platform])
    await admin.look()
    if platform == "wecom":
        await fault(sandbox, platform, SEND[platform], errcode=60020, times=2)
    else:
        refused = {"status": 401, "errcode": "authFailed"}
        await fault(sandbox, platform, SEND[platform], **refused, times=2)
    first = await speaker.say("帮助")
    assert first == []
    assert "修好后会自动补发" in words(await admin.look())
    await speaker.say("待办")
    await wait(sandbox, minutes=20)
    said = await speaker.look()
    assert words(said).count(HELP) == 1
    assert HELP in words(said[:1]), "in the order they were asked"
    assert len(said) > 1
    assert "修好后会自动补发" not in words(await admin.look()), "once an hour is enough"


async def test_one_refused_application_leaves_the_bot_ready(sandbox: Sandbox) -> None:
    """Both are called sales, and the one used to be taken for the other."""
    wu = Speaker(sandbox, "dingtalk", "wulei01")
    await fault(sandbox, "dingtalk", SEND["dingtalk"], errcode="InvalidAuthentication", status=401)
    await fault(sandbox, "dingtalk", "accessToken", errcode="invalidClientIdOrSecret", status=400)
    assert await wu.say("帮助") == []
    async with sandbox.http.get("/readyz") as answer:
        assert answer.status == 200, await answer.text()
    await wait(sandbox, minutes=20)
    assert HELP in words(await wu.look())


@both
async def test_a_platform_that_asks_for_patience_gets_it(
    sandbox: Sandbox, platform: str, speaker: Speaker
) -> None:
    status = {} if platform == "wecom" else {"status": 403}
    await fault(sandbox, platform, SEND[platform], errcode=TOO_FAST[platform], times=1, **status)
    assert await speaker.say("帮助") == []
    await wait(sandbox, seconds=30)
    assert await speaker.look() == []
    await wait(sandbox, minutes=1)
    assert words(await speaker.look()).count(HELP) == 1


async def test_a_card_that_can_no_longer_be_changed_is_followed_by_a_fresh_one(
    sandbox: Sandbox,
) -> None:
    chen = Speaker(sandbox, "wecom", "chenjing")
    before = len(await entries(sandbox, "陈静"))
    card = await draft_card(chen)
    await fault(sandbox, "wecom", "message/update_template_card", errcode=60140)
    pressed = await chen.press(card, "确认")
    fresh = [one for one in pressed[1:] if one["kind"] == "card"]
    assert "已记录" in words(fresh)
    assert len(await entries(sandbox, "陈静")) == before + 1


@both
async def test_a_download_that_fails_once_is_tried_again(
    sandbox: Sandbox, platform: str, speaker: Speaker
) -> None:
    await fault(sandbox, platform, DOWNLOAD[platform], status=500, times=1)
    assert "这是给哪家客户的" in words(await speaker.send_file("方案.pdf", PDF))


@both
async def test_a_file_the_platform_will_not_give_is_told_to_the_sender(
    sandbox: Sandbox, platform: str, speaker: Speaker
) -> None:
    refusal: dict[str, Any] = {"errcode": 40007}
    if platform == "dingtalk":
        refusal = {"errcode": "invalidParameter", "status": 400}
    await fault(sandbox, platform, DOWNLOAD[platform], **refusal, times=1)
    told = words(await speaker.send_file("方案.pdf", PDF))
    assert "没能从平台取下来" in told
    assert "请再发一次" in told


@both
async def test_a_change_in_the_directory_is_read_again_when_reading_failed(
    sandbox: Sandbox, platform: str
) -> None:
    user_id, api = {"wecom": ("liuyang", "user/get"), "dingtalk": ("hejie88", "user/get")}[platform]
    await fault(sandbox, platform, api, status=500, times=1)
    await sandbox.post("member", platform=platform, user_id=user_id, name=f"改名{platform}")
    await sandbox.quiesce()
    admin = Speaker(sandbox, "wecom", "zhaoqian")
    assert f"改名{platform}" in words(await admin.say(f"账号 改名{platform}"))


async def test_a_heat_map_that_cannot_be_uploaded_leaves_the_card_alone(sandbox: Sandbox) -> None:
    """It used to be tried for hours, with everything else for that person behind it."""
    supervisor = Speaker(sandbox, "wecom", "limin")
    known = maps_of(await supervisor.look())
    await fault(sandbox, "wecom", "media/upload", status=500, times=1_000)
    await wait(sandbox, days=11)
    told = await supervisor.look()
    assert "红灯" in words(told)
    assert maps_of(told) <= known, "one of today's may be sent again without an upload"
    assert HELP in words(await supervisor.say("帮助"))


def maps_of(messages: list[dict[str, Any]]) -> set[str]:
    return {one["file"]["name"] for one in messages if one["kind"] == "image"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A sandbox on a folder that survives it."""
    running = Sandbox(Path(tmp_path_factory.mktemp("kept")))
    await running.start()
    yield running
    await running.stop()


@pytest.mark.parametrize(
    ("platform", "end"), [("wecom", signal.SIGTERM), ("dingtalk", signal.SIGKILL)]
)
async def test_what_waited_for_a_platform_goes_out_after_a_restart(
    kept: Sandbox, platform: str, end: signal.Signals
) -> None:
    speaker = Speaker(kept, platform, REPS[platform])
    await fault(kept, platform, SEND[platform], status=500, times=1_000)
    assert await speaker.say("帮助") == []
    await kept.stop(end)
    await kept.start(int(kept.url.rsplit(":", 1)[1]))
    await kept.quiesce()
    await wait(kept, minutes=1)
    assert words(await speaker.all()).count(HELP) == 1


@both
async def test_a_card_of_before_the_restart_is_pressed(kept: Sandbox, platform: str) -> None:
    """The emulators forget their chats when they end, so the press is made as the platform
    makes it; the card cannot be changed any more, and a fresh one tells the outcome."""
    speaker = Speaker(kept, platform, REPS[platform])
    owner = {"wecom": "陈静", "dingtalk": "吴磊"}[platform]
    pressed = {**(await draft_card(speaker))["card"]["buttons"][0], **newest_card(kept.data)}
    before = len(await entries(kept, owner))
    await kept.stop()
    await kept.start(int(kept.url.rsplit(":", 1)[1]))
    press = {"wecom": press_wecom, "dingtalk": press_dingtalk}[platform]
    for _ in range(2):
        assert (
            await press(
                kept,
                speaker.user_id,
                card_id=pressed["card_id"],
                revision=pressed["revision"],
                action=pressed["action"],
            )
            == 200
        )
        await kept.quiesce()
    told = words(await speaker.all())
    assert "计为有效跟进" in told
    assert len(await entries(kept, owner)) == before + 1


def newest_card(data: Path) -> dict[str, Any]:
    """The id and revision under which the bot knows the draft it showed last."""
    with contextlib.closing(sqlite3.connect(data / "gendan.db")) as database:
        card_id, revision = database.execute(
            "SELECT card_id, revision FROM cards WHERE card_id LIKE 'draft-%'"
            " ORDER BY updated_at DESC LIMIT 1"
        ).fetchone()
    return {"card_id": card_id, "revision": revision}
