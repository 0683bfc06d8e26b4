"""Templates to HTML. What is not there is an error, and everything is escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from connectors.web.assets import Assets

TEMPLATES = Path(__file__).parent / "templates"


class Renderer:
    """One per program."""

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

    def render(self, name: str, **data: object) -> str:
        """Where no front end was built, a page that says so."""
        if not self._assets.built:
            name = "unbuilt.html"
        return self._templates.get_template(name).render(**data)
