"""The sections `[llm]`, `[speech]` and `[ocr]`: what reads, hears and recognises."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import Count, Section, bare


class LlmSettings(Section):
    """A language model that reads what the rules could not; see docs/understanding.md.

    base_url: of an OpenAI-compatible API, with its /v1. key: empty where none is needed.
    """

    enabled: Annotated[bool, Field(description="true 或 false")] = False
    base_url: Annotated[
        str,
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
        AfterValidator(bare),
    ] = ""
    model: str = ""
    key: SecretStr = SecretStr("")
    timeout_s: Annotated[
        float, Field(gt=0, le=20, description="大于 0、至多 20 的秒数 (seconds, at most 20)")
    ] = 4.0

    @model_validator(mode="after")
    def _enabled_needs_a_model(self) -> Self:
        if self.enabled and not (self.base_url and self.model):
            told = "enabled：要同时写 base_url 和 model (base_url and model are needed)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self


class SpeechSettings(Section):
    """Which engine makes recordings text. sherpa, whisper: here, from the model in `folder`.
    openai: the server at base_url (up to and with /v1), by its `model`.

    threads: of a local engine. timeout_s: what a recording may take besides three times its
    own length.
    """

    engine: Annotated[
        Literal["none", "sherpa", "whisper", "openai"],
        Field(description="none、sherpa、whisper 或 openai"),
    ] = "none"
    folder: Annotated[Path | None, Field(description="模型的文件夹 (a folder)")] = None
    threads: Count = 2
    base_url: Annotated[
        str,
        AfterValidator(bare),
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
    ] = ""
    model: str = ""
    api_key: SecretStr = SecretStr("")
    timeout_s: Count = 30

    @model_validator(mode="after")
    def _engine_has_what_it_needs(self) -> Self:
        needed = {"sherpa": ("folder",), "whisper": ("folder",), "openai": ("base_url", "model")}
        for key in needed.get(self.engine, ()):
            if not getattr(self, key):
                told = f'{key}：engine = "{self.engine}" 时必填 (required)'
                raise PydanticCustomError(SECTION_MISTAKE, told)
        return self


class OcrSettings(Section):
    """Which engine reads contracts on paper. rapidocr: here, with the models of its package.

    threads: of the engine. timeout_s: what one paper may take.
    """

    engine: Annotated[Literal["none", "rapidocr"], Field(description="none 或 rapidocr")] = "none"
    threads: Count = 2
    timeout_s: Count = 120
