"""A language model helps in a running bot; without it, or when it fails, the rules go on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.scenarios.driver import Sandbox, Speaker, words

PUZZLE = "磨了大半天，对方说价格得再降降，等他们那边消息吧"
NOTE = "语言模型"


class Model:
    """A server that finds an objection, once it is told to work."""

    works = True
    asked = 0

    async def serve(self, _: web.Request) -> web.Response:
        self.asked += 1
        objections = [{"value": "price_high", "words": "价格得再降降"}]
        said = json.dumps({"intent": "log_visit", "objections": objections})
        answer = {"choices": [{"message": {"role": "assistant", "content": said}}]}
        return web.json_response(answer, status=200 if self.works else 500)


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Model]:
    model = Model()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.serve)
    async with TestServer(app) as server:
        monkeypatch.setenv("GENDAN_LLM__ENABLED", "true")
        monkeypatch.setenv("GENDAN_LLM__BASE_URL", str(server.make_url("/v1")))
        monkeypatch.setenv("GENDAN_LLM__MODEL", "small")
        yield model


async def test_a_puzzling_message_gets_help_and_a_failing_model_is_not_missed(
    tmp_path: Path, model: Model
) -> None:
    sandbox = Sandbox(tmp_path / "data")
    await sandbox.start()
    try:
        zhang = Speaker(sandbox, "wecom", "zhangwei")
        said = words(await zhang.say(PUZZLE))
        assert NOTE in said
        assert "价格高" in said
        assert NOTE not in words(await zhang.say("取消"))
        model.works = False
        said = words(await zhang.say(PUZZLE))
        assert said
        assert NOTE not in said
        assert model.asked == 2
    finally:
        await sandbox.stop()
