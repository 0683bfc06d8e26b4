"""Media: types, sizes, three days, and what a download says of the file."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.connectors.sandbox.wecom_bed import AMR, PNG, ROBOT, Bed, open_bed


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def download(bed: Bed, media_id: str, **headers: str) -> tuple[int, bytes, str]:
    """Status, bytes and Content-Disposition."""
    params = {"access_token": await bed.token(), "media_id": media_id}
    async with bed.http.get(f"{bed.base}/media/get", params=params, headers=headers) as answer:
        name = answer.content_disposition.filename if answer.content_disposition else ""
        return answer.status, await answer.read(), name or ""


async def test_upload_comes_back_with_its_name(bed: Bed) -> None:
    media = await bed.upload("image", "热力图.png", PNG)
    assert (media["type"], media["created_at"]) == ("image", "1772413200")
    assert await download(bed, media["media_id"]) == (200, PNG, "热力图.png")


async def test_part_of_a_file_can_be_asked_for(bed: Bed) -> None:
    media = await bed.upload("image", "a.png", PNG)
    status, data, _ = await download(bed, media["media_id"], Range="bytes=1-3")
    assert (status, data) == (206, PNG[1:4])
    assert (await download(bed, media["media_id"], Range="lines=1"))[0] == 416


async def test_media_id_ends_after_three_days(bed: Bed) -> None:
    media = await bed.upload("image", "a.png", PNG)
    bed.clock.pass_by(days=3, seconds=-1)
    assert (await download(bed, media["media_id"]))[1] == PNG
    bed.clock.pass_by(seconds=1)
    assert (await bed.get("media/get", media_id=media["media_id"]))["errcode"] == 40007


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("film", PNG, 40004),
        ("file", b"12345", 44001),
        ("image", b"GIF89a....", 40005),
        ("voice", b"RIFF....WAVE", 40005),
        ("video", PNG, 40005),
        ("voice", AMR + b"\x00" * (2 << 20), 45001),
        ("image", PNG + b"\x00" * (10 << 20), 45001),
    ],
)
async def test_upload_is_refused(bed: Bed, kind: str, data: bytes, code: int) -> None:
    assert (await bed.upload(kind, "a", data))["errcode"] == code


async def test_upload_without_the_part_is_told(bed: Bed) -> None:
    params = {"access_token": await bed.token(), "type": "file"}
    form = aiohttp.FormData()
    form.add_field("file", b"123456", filename="a.txt")
    for body in (form, b"123456"):
        async with bed.http.post(f"{bed.base}/media/upload", params=params, data=body) as answer:
            assert (await answer.json())["errcode"] == 41005


async def test_file_of_a_robot_is_its_own(bed: Bed) -> None:
    path = "webhook/upload_media"
    media = await bed.upload("file", "a.pdf", b"%PDF-1.7", path=path, key=ROBOT)
    assert media["errcode"] == 0
    assert (await bed.send("file", {"media_id": media["media_id"]}))["errcode"] == 40007
    body = {"msgtype": "file", "file": {"media_id": media["media_id"]}}
    assert (await bed.post("webhook/send", body, token="", key=ROBOT))["errcode"] == 0


async def test_file_is_looked_at_before_the_robots_key(bed: Bed) -> None:
    path = "webhook/upload_media"
    assert (await bed.upload("file", "a", b"", path=path, key="wrong"))["errcode"] == 44001
    assert (await bed.upload("file", "a", PNG, path=path, key="wrong"))["errcode"] == 93000
    assert (await bed.upload("image", "a", PNG, path=path, key=ROBOT))["errcode"] == 40004
