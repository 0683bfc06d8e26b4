"""Draws a heat map: one lead by kind of action, or several leads as rows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date

import pylopdf_fonts_zh_cn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.patches import FancyBboxPatch, Rectangle
from PIL import Image

from bot.domain.opportunities import Light
from handlers.lights.heatmap import HeatMap, LeadHeat, Signal


def draw(heat_map: HeatMap) -> bytes:
    """The map as a PNG with a palette. Blocks; must not run in two threads at once."""
    if len(heat_map.leads) == 1:
        canvas = _draw_one(heat_map, heat_map.leads[0])
    else:
        canvas = _draw_several(heat_map)
    return canvas.png()


_FONT = pylopdf_fonts_zh_cn.sans_path()
_WIDTH = 1080  # pixels: one to one on most phones
_DPI = 100
_MARGIN = 40
_INK, _GREY, _FAINT, _PAPER = "#1f2d3d", "#6b7a8c", "#b4bec9", "#ffffff"
_EMPTY, _OFF = "#e3e9ef", "#f3f5f8"
_SCALE = ("#b7dcd6", "#6bb8ae", "#2a8f86", "#0c5f5b")  # one, two, three, four and more
_LIGHTS = {Light.RED: "#d64545", Light.YELLOW: "#e0a11b", Light.GREEN: "#3f9b5f"}
_BANDS = {Light.RED: "#f7d4d0", Light.YELLOW: "#fae6b4", Light.GREEN: "#e3f3e8"}
_WORDS = {Light.RED: "红灯", Light.YELLOW: "黄灯", Light.GREEN: "正常"}


class _Canvas:
    """A drawing surface measured in pixels from the top left corner."""

    def __init__(self, height: int) -> None:
        self._figure = Figure(figsize=(_WIDTH / _DPI, height / _DPI), dpi=_DPI, facecolor=_PAPER)
        self._axes: Axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_xlim(0, _WIDTH)
        self._axes.set_ylim(height, 0)
        self._axes.axis("off")

    def text(
        self, x: float, y: float, text: str, *, size: float, color: str = _INK, align: str = "left"
    ) -> None:
        """y: of the middle. size: in pixels."""
        font = FontProperties(fname=_FONT, size=size * 72 / _DPI)
        self._axes.text(
            x, y, _drawable(text), color=color, fontproperties=font,
            ha=align, va="center_baseline",
        )  # fmt: skip

    def box(
        self, x: float, y: float, width: float, height: float, color: str, *, frame: str = "none"
    ) -> None:
        self._axes.add_patch(
            Rectangle((x, y), width, height, facecolor=color, edgecolor=frame, linewidth=1.6)
        )

    def pill(self, x: float, y: float, width: float, height: float, color: str) -> None:
        style = f"round,pad=0,rounding_size={height / 2}"
        self._axes.add_patch(
            FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=color, linewidth=0)
        )

    def png(self) -> bytes:
        """With a palette, at a third of the size."""
        drawn = io.BytesIO()
        self._figure.savefig(drawn, format="png", dpi=_DPI, pil_kwargs={"compress_level": 1})
        palette = Image.new("P", (1, 1))
        palette.putpalette(_PALETTE)
        small = Image.open(drawn).convert("RGB").quantize(palette=palette, dither=_NO_DITHER)
        out = io.BytesIO()
        small.save(out, "PNG", optimize=True)
        return out.getvalue()


def _palette() -> list[int]:
    """Every colour in use exactly, and what smooth edges of letters need in between."""
    edges = [(_INK, _PAPER), (_GREY, _PAPER), (_INK, _SCALE[0])]
    edges += [(_PAPER, color) for color in (*_SCALE[1:], *_LIGHTS.values())]
    used = {_EMPTY, _OFF, _FAINT, *_BANDS.values()}
    colors = dict.fromkeys(_rgb(color) for color in sorted(used))
    for one, other in edges:
        pairs = list(zip(_rgb(one), _rgb(other), strict=True))
        for step in range(_EDGE_STEPS + 1):
            mixed = [round(a + (b - a) * step / _EDGE_STEPS) for a, b in pairs]
            colors[mixed[0], mixed[1], mixed[2]] = None
    return [part for color in colors for part in color]


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


_EDGE_STEPS = 3
_NO_DITHER = Image.Dither.NONE
_PALETTE = _palette()


def _draw_one(heat_map: HeatMap, lead: LeadHeat) -> _Canvas:
    """Rows are kinds of action, columns days in weeks."""
    top, row_height, left = 230, 62, 150
    bottom = top + row_height * len(Signal)
    canvas = _Canvas(bottom + 100)
    canvas.text(_MARGIN, 62, _short(lead.name, 20), size=46)
    _badge(canvas, lead, y=102)
    weeks = len(heat_map.days) // 7
    week_width = (_WIDTH - _MARGIN - left) / weeks
    cell = (week_width - 10) / 7
    band = set(_silent_days(heat_map, lead.gap_days))
    for index, day in enumerate(heat_map.days):
        x = left + index // 7 * week_width + index % 7 * cell
        if index % 7 == 0:
            canvas.text(x, top - 44, f"{day.month}月{day.day}日", size=22, color=_GREY)
        if day == heat_map.today:
            canvas.text(x + cell / 2, top - 14, "今", size=19, color=_INK, align="center")
        for row, kind in enumerate(Signal):
            count = lead.counts.get((kind, day), 0)
            color = _shade(heat_map, day, count, silent=lead.light if day in band else None)
            corner = (x + 1, top + row * row_height + 4)
            _cell(canvas, corner, (cell - 2, row_height - 8), count, color=color)
    for row, kind in enumerate(Signal):
        y = top + (row + 0.5) * row_height
        canvas.text(left - 16, y, kind, size=24, align="right")
    extra = [("休息日", _OFF), *([("无有效跟进", _BANDS[lead.light])] if band else [])]
    _legend(canvas, bottom + 52, extra)
    return canvas


def _draw_several(heat_map: HeatMap) -> _Canvas:
    """Rows are leads, columns working days."""
    top, row_height, left = 200, 58, 400
    bottom = top + row_height * len(heat_map.leads)
    canvas = _Canvas(bottom + 100)
    reds = sum(lead.light is Light.RED for lead in heat_map.leads)
    title = f"{len(heat_map.leads)}个商机近{len(heat_map.days)}个工作日的跟进"
    canvas.text(_MARGIN, 58, title, size=42)
    if reds:
        canvas.text(_MARGIN, 116, f"其中红灯{reds}个", size=28, color=_LIGHTS[Light.RED])
    if heat_map.more:
        more = f"另有{heat_map.more}个没有画出"
        canvas.text(_WIDTH - _MARGIN, 116, more, size=25, color=_GREY, align="right")
    cell = (_WIDTH - _MARGIN - left) / len(heat_map.days)
    for index, day in enumerate(heat_map.days):
        x = left + index * cell
        starts_week = index > 0 and day.weekday() < heat_map.days[index - 1].weekday()
        if starts_week and index < len(heat_map.days) - 1:
            canvas.text(x, top - 26, f"{day.month}/{day.day}", size=21, color=_GREY)
        if day == heat_map.today:
            canvas.text(x + cell / 2, top - 26, "今", size=21, align="center")
    for row, lead in enumerate(heat_map.leads):
        _lead_row(canvas, heat_map, lead, left=left, y=top + row * row_height, cell=cell)
    _legend(canvas, bottom + 50)
    return canvas


def _lead_row(
    canvas: _Canvas, heat_map: HeatMap, lead: LeadHeat, *, left: float, y: float, cell: float
) -> None:
    height = 58
    canvas.pill(_MARGIN, y + height / 2 - 10, 20, 20, _LIGHTS[lead.light])
    canvas.text(_MARGIN + 34, y + 20, _short(lead.name, 11), size=25)
    gap = f"{_short(lead.owner, 4)} · 已{lead.gap_days}个工作日"
    canvas.text(_MARGIN + 34, y + 44, gap, size=18, color=_GREY)
    for index, day in enumerate(heat_map.days):
        count = sum(lead.counts.get((kind, day), 0) for kind in Signal)
        _cell(canvas, (left + index * cell + 1, y + 5), (cell - 2, height - 10),
              count, color=_shade(heat_map, day, count))  # fmt: skip


def _badge(canvas: _Canvas, lead: LeadHeat, *, y: float) -> None:
    words = f"{_WORDS[lead.light]} · 已{lead.gap_days}个工作日没有有效跟进"
    if lead.light is Light.GREEN:
        words = _WORDS[Light.GREEN]
    width = 26 * len(words) + 10
    canvas.pill(_MARGIN, y, width, 44, _LIGHTS[lead.light])
    canvas.text(_MARGIN + width / 2, y + 22, words, size=25, color=_PAPER, align="center")
    owner = f"负责人 {_short(lead.owner, 6)}"
    canvas.text(_WIDTH - _MARGIN, y + 22, owner, size=25, color=_GREY, align="right")


def _cell(
    canvas: _Canvas,
    corner: tuple[float, float],
    size: tuple[float, float],
    count: int,
    *,
    color: str,
) -> None:
    canvas.box(*corner, *size, color)
    if count:
        ink = _PAPER if count > 1 else _INK
        middle = (corner[0] + size[0] / 2, corner[1] + size[1] / 2)
        canvas.text(*middle, str(min(count, 9)), size=19, color=ink, align="center")


def _shade(heat_map: HeatMap, day: date, count: int, *, silent: Light | None = None) -> str:
    """silent: the light whose gap the day belongs to."""
    if count:
        return _SCALE[min(count, len(_SCALE)) - 1]
    if day > heat_map.today:
        return _PAPER
    if day in heat_map.off:
        return _OFF
    return _BANDS[silent] if silent else _EMPTY


def _legend(canvas: _Canvas, y: float, extra: Sequence[tuple[str, str]] = ()) -> None:
    """extra: (words, colour) beside the counts."""
    x = float(_MARGIN)
    counts = zip(("没有", "1次", "2次", "3次", "4次以上"), (_EMPTY, *_SCALE), strict=True)
    for words, color in [*counts, *extra]:
        canvas.box(x, y - 12, 24, 24, color, frame=_FAINT if color == _OFF else "none")
        canvas.text(x + 34, y, words, size=22, color=_GREY)
        x += 34 + 22 * len(words) + 30


def _silent_days(heat_map: HeatMap, gap_days: int) -> Sequence[date]:
    """The days of the gap: back from yesterday until `gap_days` working days are counted."""
    silent: list[date] = []
    for day in reversed(heat_map.days):
        if gap_days and day < heat_map.today:
            silent.append(day)
            gap_days -= day not in heat_map.off
    return silent


def _drawable(text: str) -> str:
    """Without what the font lacks, such as emoji; the dollar begins no formula here."""
    font = get_font(_FONT)
    known = (letter for letter in text if font.get_char_index(ord(letter)))
    return "".join(known).replace("$", r"\$")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
