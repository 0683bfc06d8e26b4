"""A rep sends a recording instead of typing, with an engine and without one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from speech import audio
from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.speech.recordings import SECONDS, recording
from tests.speech.stub_server import StubServer, gives, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMPANY = "杭州恒锐机电有限公司"
MISHEARD = "刚和恒瑞基殿王总通了25分钟电话 嫌價格高 下周三再联系"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[StubServer]:
    stub = StubServer()
    await stub.start()
    yield stub
    await stub.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listening(
    server: StubServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sandbox]:
    async with _sandbox(
        tmp_path_factory.mktemp("listening"), ENGINE="openai", BASE_URL=server.url, MODEL="m"
    ) as running:
        yield running


async def test_a_recording_becomes_a_draft_and_stays_playable_in_the_stream(
    listening: Sandbox, server: StubServer
) -> None:
    rep = Speaker(listening, "wecom", "zhangwei")
    server.answer = says(MISHEARD)
    answers = await rep.send_file("voice.amr", recording("call-dtx.amr"), kind="voice")
    heard = audio.decode(server.got[-1]["file"])
    assert audio.seconds(heard) == pytest.approx(SECONDS["call-dtx.amr"], abs=0.1)
    card = words([last_card(answers)])
    for part in (COMPANY, "25分钟", "价格高", "周三"):
        assert part in card
    assert "已记录" in words(await rep.press(last_card(answers), "确认"))
    entry = await _newest(listening)
    assert entry["text"] == "刚和恒锐机电王总通了25分钟电话 嫌价格高 下周三再联系"
    assert entry["valid"]
    await _can_be_played(listening, entry, recording("call-dtx.amr"))


async def test_silk_as_wechat_records_is_heard_too(listening: Sandbox, server: StubServer) -> None:
    rep = Speaker(listening, "wecom", "zhangwei")
    server.answer = says("今天上午拜访了宁波永江州城，客户说预算没批，下周五再约")
    answers = await rep.send_file("voice.amr", recording("visit.silk"), kind="voice")
    assert "宁波甬江轴承有限公司" in words([last_card(answers)])
    await rep.say("取消")


@pytest.mark.parametrize("answer", [gives(400, {"error": "no"}), says("")])
async def test_what_the_engine_cannot_hear_is_kept_and_asked_for_in_writing(
    listening: Sandbox, server: StubServer, answer: Any
) -> None:
    rep = Speaker(listening, "wecom", "zhangwei")
    server.answer = answer
    answers = await rep.send_file("voice.amr", recording("call.amr"), kind="voice")
    assert "打字" in words(answers)


async def test_a_broken_recording_is_asked_for_in_writing(
    listening: Sandbox, server: StubServer
) -> None:
    rep = Speaker(listening, "wecom", "zhangwei")
    before = len(server.got)
    answers = await rep.send_file("voice.amr", b"#!AMR\n\x04\x00", kind="voice")
    assert "打字" in words(answers)
    assert len(server.got) == before


async def test_without_an_engine_it_is_kept_and_goes_with_what_is_typed(
    sandbox: Sandbox, rep: Speaker
) -> None:
    answers = await rep.send_file("voice.amr", recording("call.amr"), kind="voice")
    assert "打字" in words(answers)
    answers = await rep.say("刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系")
    assert "已记录" in words(await rep.press(last_card(answers), "确认"))
    await _can_be_played(sandbox, await _newest(sandbox), recording("call.amr"))


@pytest.mark.asr
async def test_a_real_engine_hears_a_phones_recording(
    whisper_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("whispering")
    async with _sandbox(folder, ENGINE="whisper", FOLDER=str(whisper_folder)) as running:
        rep = Speaker(running, "wecom", "zhangwei")
        answers = await rep.send_file("voice.amr", recording("call-dtx.amr"), kind="voice")
        card = words([last_card(answers)])
    for part in ("25分钟", "价格高", "周三"):
        assert part in card
    # Not every processor hears the name; then it is asked for.
    assert COMPANY in card or "这是哪家客户的" in card


@asynccontextmanager
async def _sandbox(data: Path, **speech: str) -> AsyncIterator[Sandbox]:
    """A sandbox of its own with these keys of [speech]."""
    running = Sandbox(data)
    with pytest.MonkeyPatch.context() as environment:
        for key, value in speech.items():
            environment.setenv(f"GENDAN_SPEECH__{key}", value)
        await running.start()
    yield running
    await running.stop()


async def _newest(sandbox: Sandbox) -> dict[str, Any]:
    world = await sandbox.get("world")
    number = next(one["id"] for one in world["customers"] if one["name"] == COMPANY)
    entry: dict[str, Any] = (await sandbox.get("stream", customer=str(number)))["activities"][0]
    return entry


async def _can_be_played(sandbox: Sandbox, entry: dict[str, Any], original: bytes) -> None:
    (file,) = [one for one in entry["files"] if one["media_type"].startswith("audio/")]
    async with sandbox.http.get(file["url"]) as answer:
        assert await answer.read() == original
    async with sandbox.http.get(file["url"], params={"play": ""}) as answer:
        assert answer.content_type == "audio/wav"
        played = audio.decode(await answer.read())
    assert played == audio.decode(original)
