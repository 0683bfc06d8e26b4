"""Templates to HTML. What is not there is an error, and everything is escaped."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from connectors.web.assets import Assets

TEMPLATES = Path(__file__).parent / "templates"

_UNITS = "万元|亿元|元|%|个工作日|分钟|小时|[天个条单人笔份家次版]"
_WHOLE = re.compile(
    # 12月4日(周五) 09:30, 11月16日–22日
    r"(?:\d{4}年)?\d{1,2}月\d{1,2}日(?:\(周.\))?(?:–(?:\d{1,2}月)?\d{1,2}日)?(?: \d\d:\d\d)?"
    r"|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+"  # HT-2026-022
    rf"|[+−-]?\d[\d,]*(?:\.\d+)?(?:{_UNITS})"
)


def unbroken(words: str) -> Markup:
    """The words as HTML in which no date, number of a contract or figure with its unit is torn at
    the end of a line. A figure that was sealed with a hyphen is shown with a minus."""
    at, told = 0, Markup()
    for found in _WHOLE.finditer(words):
        told += escape(words[at : found.start()])
        shown = f"−{found[0][1:]}" if found[0].startswith("-") else found[0]
        told += Markup('<span class="keep">{}</span>').format(shown)
        at = found.end()
    return told + escape(words[at:])


class Renderer:
    """Templates with our filters and headers. One per program."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals["asset"] = assets.url
        self._templates.filters["unbroken"] = unbroken

    def render(self, name: str, **data: object) -> str:
        """Where no front end was built, a page that says so."""
        if not self._assets.built:
            name = "unbuilt.html"
        return self._templates.get_template(name).render(**data)
