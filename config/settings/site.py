"""The sections `[site.<name>]`: websites that tell what visitors do."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import Count, Section, Text

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _split(given: Any) -> Any:
    return [one.strip() for one in given.split(",")] if isinstance(given, str) else given


class SiteSettings(Section):
    """One website. secret: signs its requests and the links in material. pages: kind of event ->
    patterns of paths. titles: what people call a page -> patterns of paths. materials: title ->
    address that reps may send. per_s, per_visitor_min: events that are taken."""

    origins: Annotated[tuple[Text, ...], BeforeValidator(_split), Field(min_length=1)]
    secret: Annotated[
        SecretStr, Field(min_length=24, description="至少 24 位的文字 (at least 24 characters)")
    ]
    pages: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    titles: dict[Text, tuple[str, ...]] = Field(default_factory=dict)
    materials: dict[str, Text] = Field(default_factory=dict)
    per_s: Count = 2000
    per_visitor_min: Count = 120

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for origin in self.origins:
            if not _ORIGIN.fullmatch(origin):
                told = f"origins：{origin} 应像 https://www.example.com，不带路径 (without a path)"
                raise PydanticCustomError(SECTION_MISTAKE, told)
        for kind in self.pages:
            if not _KIND.fullmatch(kind):
                told = f"pages.{kind}：应为小写字母、数字和 _ (small letters, digits and _)"
                raise PydanticCustomError(SECTION_MISTAKE, told)
        for title, url in self.materials.items():
            if not url.startswith(tuple(f"{origin}/" for origin in self.origins)):
                told = f"materials.{title}：应在 origins 之内 (an address within origins)"
                raise PydanticCustomError(SECTION_MISTAKE, told)
        return self
