"""Heat maps: small PNGs of the right size, whatever the data."""

from __future__ import annotations

import asyncio
import io
from datetime import date, timedelta

import pytest
from PIL import Image

from bot.domain.opportunities import Light
from handlers.lights.heatmap import HeatMap, LeadHeat, Painter, Signal
from handlers.lights.heatmap_drawing import draw

TODAY = date(2026, 2, 26)
DAYS = tuple(TODAY - timedelta(days=3, weeks=5) + timedelta(days=n) for n in range(42))
BUSY = {
    (kind, day): n % 6 for row, kind in enumerate(Signal) for n, day in enumerate(DAYS)
    if (n + row) % 4 == 0
}  # fmt: skip


def lead(name: str = "苏州恒锐机电科技有限公司", light: Light = Light.RED) -> LeadHeat:
    return LeadHeat(name, "张伟", light, gap_days=6, counts=BUSY)


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return picture


@pytest.mark.parametrize("light", list(Light))
def test_one_lead_fills_the_width_of_a_phone(light: Light) -> None:
    png = draw(HeatMap(DAYS, TODAY, (lead(light=light),), frozenset(DAYS[5::7])))
    picture = opened(png)
    assert picture.width == 1080
    assert picture.mode == "P"
    assert len(png) <= 60_000


def test_fifteen_leads_still_fit() -> None:
    leads = tuple(lead(f"第{n}机床厂有限责任公司" * 3) for n in range(15))
    png = draw(HeatMap(DAYS[-20:], TODAY, leads, more=5))
    assert opened(png).height > 1000
    assert len(png) <= 60_000


def test_the_light_gives_the_picture_its_colour() -> None:
    red, yellow = (
        opened(draw(HeatMap(DAYS, TODAY, (lead(light=light),)))).convert("RGB").getpixel((60, 124))
        for light in (Light.RED, Light.YELLOW)
    )
    assert red == (0xD6, 0x45, 0x45)
    assert yellow == (0xE0, 0xA1, 0x1B)


@pytest.mark.parametrize("name", ["$x^2$ 公司", "\\frac{", "A", "名" * 80, "🔴 机电"])
def test_any_name_can_be_drawn(name: str) -> None:
    drawn = draw(HeatMap(DAYS, TODAY, (lead(name),)))
    assert opened(drawn).width == 1080
    assert drawn != draw(HeatMap(DAYS, TODAY, (lead(""),)))


async def test_painting_leaves_the_event_loop_free() -> None:
    painter = Painter()
    painting = asyncio.create_task(painter.paint(HeatMap(DAYS, TODAY, (lead(),))))
    turns = 0
    while not painting.done():
        await asyncio.sleep(0)
        turns += 1
    painter.close()
    assert opened(await painting).width == 1080
    assert turns > 10
