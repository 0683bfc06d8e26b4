"""The pages of the whole program, as the sandbox opens them with one click."""

from __future__ import annotations

import aiohttp
import pytest

from connectors.web.assets import BUILD
from tests.scenarios.driver import Sandbox, Speaker, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

needs_front_end = pytest.mark.skipif(
    not (BUILD / "manifest.json").exists(), reason="the front end is not built"
)


async def _open_as(sandbox: Sandbox, user: str, path: str) -> tuple[int, str]:
    """What that person sees there."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(sandbox.url, cookie_jar=jar) as http:
        asked = {"platform": "wecom", "user": user, "path": path}
        async with http.get("/sandbox/open", params=asked, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
            ticket = answer.headers["Location"].removeprefix("/in/")
        async with http.post("/in", data={"ticket": ticket}) as answer:
            return answer.status, await answer.text()


@needs_front_end
async def test_a_click_opens_a_page_as_that_person_sees_it(sandbox: Sandbox) -> None:
    world = await sandbox.get("world")
    number = next(one["id"] for one in world["customers"] if "恒锐机电" in one["name"])
    status, page = await _open_as(sandbox, "zhangwei", f"/customers/{number}")
    assert status == 200
    assert "伺服产线改造" in page
    assert "首次电话" in page
    assert (await _open_as(sandbox, "chenjing", f"/customers/{number}"))[0] == 404
    status, page = await _open_as(sandbox, "wangjianguo", "/")
    assert status == 200
    assert "李敏团队" in page


async def test_the_link_in_the_chat_leads_to_the_sandbox_itself(
    sandbox: Sandbox, rep: Speaker
) -> None:
    told = words(await rep.say("网页 恒锐机电"))
    assert f"({sandbox.url}/in/" in told


async def test_a_page_of_elsewhere_or_of_a_stranger_is_not_opened(sandbox: Sandbox) -> None:
    for user, path in (("zhangwei", "//elsewhere.example"), ("nobody", "/")):
        asked = {"platform": "wecom", "user": user, "path": path}
        async with sandbox.http.get("/sandbox/open", params=asked) as answer:
            assert answer.status == 404
