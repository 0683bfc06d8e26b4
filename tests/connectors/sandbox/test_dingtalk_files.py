"""Media from the bot to people, and files from people to the bot."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest

from tests.connectors.sandbox.dingtalk_bed import KEY, Bed, open_bed

WANG = "0147001"
DOWNLOAD = "v1.0/robot/messageFiles/download"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def upload(bed: Bed, kind: str, name: str, data: bytes) -> dict[str, Any]:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("type", kind)
    form.add_field(
        "media", io.BytesIO(data), filename=name, content_type="application/octet-stream"
    )
    params = {"access_token": await bed.token()}
    async with bed.http.post(f"{bed.base}/media/upload", params=params, data=form) as answer:
        return await answer.json()


async def sent_code(bed: Bed, name: str = "报价.pdf", data: bytes = b"%PDF-1.7") -> str:
    await bed.emulator.say_file(WANG, None, "file", name, data)
    await bed.drained()
    return bed.door.at("robot")[-1].body["content"]["downloadCode"]


async def fetch(bed: Bed, code: str, robot: str = KEY) -> tuple[int, dict[str, Any]]:
    return await bed.new("POST", DOWNLOAD, {"downloadCode": code, "robotCode": robot})


@pytest.mark.parametrize(
    ("kind", "name", "data", "errcode"),
    [
        ("image", "heat.png", b"\x89PNG", 0),
        ("file", "报价.pdf", b"x" * (3 << 20), 0),
        ("voice", "a.amr", b"x" * (2 << 20), 0),
        ("voice", "a.amr", b"x" * ((2 << 20) + 1), 40006),
        ("image", "a.webp", b"x", 40005),
        ("file", "noending", b"x", 40005),
        ("sticker", "a.png", b"x", 40004),
        ("file", "a.pdf", b"", 41005),
    ],
)
async def test_upload_limits(bed: Bed, kind: str, name: str, data: bytes, errcode: int) -> None:
    body = await upload(bed, kind, name, data)
    assert body["errcode"] == errcode
    assert ("media_id" in body) is (errcode == 0)


async def test_uploaded_file_can_be_sent_again_and_again(bed: Bed) -> None:
    media_id = (await upload(bed, "file", "报价.pdf", b"%PDF"))["media_id"]
    param = {"mediaId": media_id, "fileName": "报价（恒锐）.pdf", "fileType": "pdf"}
    for _ in range(2):
        assert (await bed.send("sampleFile", param, [WANG]))[0] == 200
    said = bed.world.said[-1]
    assert (said.kind, said.file["name"], said.file["size"]) == ("file", "报价（恒锐）.pdf", 4)
    assert said.file["media_type"] == "application/pdf"
    key = unquote(said.file["url"].removeprefix("/sandbox/api/files/"))
    assert bed.world.files[key] == (b"%PDF", "报价.pdf", "application/pdf")


async def test_picture_is_shown_from_a_media_id_or_an_address(bed: Bed) -> None:
    media_id = (await upload(bed, "image", "a.png", b"\x89PNG"))["media_id"]
    for photo in (media_id, "https://example.com/heat.png?x=1"):
        assert (await bed.send("sampleImageMsg", {"photoURL": photo}, [WANG]))[0] == 200
    assert [said.file["name"] for said in bed.world.said] == ["a.png", "heat.png"]
    status, body = await bed.send("sampleImageMsg", {"photoURL": "@unknown"}, [WANG])
    assert (status, body["code"]) == (400, "invalidParameter.msgParam.invalid")


async def test_download_link_serves_the_bytes_once(bed: Bed) -> None:
    _, body = await fetch(bed, await sent_code(bed, data=b"%PDF-1.7 x"))
    assert ".file?" in body["downloadUrl"]
    async with bed.http.get(body["downloadUrl"]) as answer:
        assert (answer.status, await answer.read()) == (200, b"%PDF-1.7 x")
    async with bed.http.get(body["downloadUrl"]) as answer:
        assert answer.status == 403


async def test_download_link_ends_after_ten_minutes(bed: Bed) -> None:
    _, body = await fetch(bed, await sent_code(bed))
    bed.clock.pass_by(minutes=10)
    async with bed.http.get(body["downloadUrl"]) as answer:
        assert answer.status == 403


async def test_expired_wrong_and_foreign_codes_are_told_apart(bed: Bed) -> None:
    code = await sent_code(bed)
    assert (await fetch(bed, code, robot="dingother"))[1]["code"].endswith(".auth")
    assert (await fetch(bed, ""))[1]["code"].endswith(".empty")
    assert (await fetch(bed, "nonsense"))[1]["code"].endswith(".downloadCode")
    bed.clock.pass_by(hours=2)
    status, body = await fetch(bed, code)
    assert (status, body["code"]) == (400, "invalidParameter.robotCode.downloadCode")


async def test_upload_without_a_form_is_refused(bed: Bed) -> None:
    assert (await bed.old("media/upload", {}))["errcode"] == 41005
