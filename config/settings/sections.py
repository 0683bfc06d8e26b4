"""What the sections of the configuration are made of: their base, and the types of their keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from config.settings.mistakes import SECTION_MISTAKE


def bare(url: str) -> str:
    return url.rstrip("/")


def split(given: Any) -> Any:
    """Lists may be one text with commas, which is how the environment carries them."""
    if not isinstance(given, str):
        return given
    return tuple(part.strip() for part in given.split(",") if part.strip())


# Descriptions are what a mistake's line says after 应为.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$", max_length=32)]
Text = Annotated[str, Field(min_length=1, description="非空文字 (text)")]
FirstPage = Annotated[int, Field(ge=0, le=1, description="0 或 1")]
Secret = Annotated[SecretStr, Field(min_length=1, description="非空文字 (text)")]
Token = Annotated[
    SecretStr, Field(max_length=64, description="至多 64 位的文字 (at most 64 characters)")
]
AES_KEY = "43 位字母和数字 (43 letters or digits)"
AesKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{43}$", repr=False, description=AES_KEY)]
Url = Annotated[
    str,
    Field(pattern=r"^https?://[^\s?#]+$", description="http(s):// 开头、不带参数的地址 (a URL)"),
    AfterValidator(bare),
]
Count = Annotated[int, Field(gt=0, description="正整数 (a whole number above 0)")]


class Section(BaseModel):
    """Base of the sections of gendan.toml. A key that we do not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, given: Any) -> Any:
        """`x_file = "path"` stands for `x` with the file's content, without its newline."""
        if not isinstance(given, dict):
            return given
        read = dict(given)
        for key in given:
            name = key.removesuffix("_file")
            if name == key or name not in cls.model_fields:
                continue
            if name in given:
                raise PydanticCustomError(SECTION_MISTAKE, f"{key}：与 {name} 只能写一个")
            read[name] = _content(key, read.pop(key))
        return read

    def revealed(self) -> dict[str, Any]:
        """Plain keyword arguments with the secrets in clear: hand them on, never log them."""
        return {name: plain(getattr(self, name)) for name in type(self).model_fields}


def _content(key: str, path: Any) -> str:
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, TypeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        raise PydanticCustomError(SECTION_MISTAKE, f"{key}：文件读不到 ({why})") from None
    if not content:
        raise PydanticCustomError(SECTION_MISTAKE, f"{key}：文件是空的 (the file is empty)")
    return content


def plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value.revealed() if isinstance(value, Section) else value
