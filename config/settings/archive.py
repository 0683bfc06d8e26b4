"""The section of a WeCom application's chat archive, [wecom.sales.archive]."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import Count, Secret, Section, Text

DEFAULT_ADAPTER = "connectors.wecom.archive.library:load"
_PEM = "-----BEGIN"


def _read_keys(given: Any) -> Any:
    """Version -> file of the private key, or the key itself."""
    if not isinstance(given, dict):
        return given
    return {version: _key(version, value) for version, value in given.items()}


def _key(version: object, value: Any) -> Any:
    if not str(version).isdecimal() or not int(str(version)):
        told = f"{version}：版本号应为正整数 (a version, from 1)"
        raise PydanticCustomError(SECTION_MISTAKE, told)
    if not isinstance(value, str) or value.lstrip().startswith(_PEM):
        return value
    try:
        return Path(value).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text file"
        told = f"{version}：私钥文件读不到 ({why})"
        raise PydanticCustomError(SECTION_MISTAKE, told) from None


class ArchiveSettings(Section):
    """The chat archive (会话内容存档) of the application's company.

    secret: of the archive, not of the application. library: path of libWeWorkFinanceSdk_C.so.
    keys: version of the public key as the console shows it -> file of its private key; all that
    were ever used. poll_s: between two looks. keep_days: how long chats are kept beside the
    streams. keep_internal: also chats among members. silence_agrees: whether somebody who was
    told of the archive and did not refuse has agreed.
    """

    secret: Secret
    library: Text
    adapter: Annotated[
        str, Field(pattern=r"^[\w.]+:\w+$", description="模块:名字 (module:factory)")
    ] = DEFAULT_ADAPTER
    keys: Annotated[
        dict[int, SecretStr],
        BeforeValidator(_read_keys),
        Field(description='版本号 = "私钥文件" 的表 (version = "file")'),
    ]
    proxy: str = ""
    proxy_password: SecretStr = SecretStr("")
    page: Annotated[int, Field(ge=1, le=1000, description="1 到 1000 的整数 (1 to 1000)")] = 200
    timeout_s: Count = 15
    poll_s: Annotated[float, Field(ge=1, description="至少 1 的秒数 (seconds, at least 1)")] = 3.0
    keep_days: Count = 180
    keep_internal: Annotated[bool, Field(description="true 或 false")] = False
    silence_agrees: Annotated[bool, Field(description="true 或 false")] = True

    @model_validator(mode="after")
    def _keys_are_keys(self) -> Self:
        for version, key in self.keys.items():
            if not key.get_secret_value().lstrip().startswith(_PEM):
                told = f"keys.{version}：应为 PEM 格式的 RSA 私钥 (a PEM private key)"
                raise PydanticCustomError(SECTION_MISTAKE, told)
        if self.adapter == DEFAULT_ADAPTER and not Path(self.library).is_absolute():
            told = "library：应为 libWeWorkFinanceSdk_C.so 的绝对路径 (an absolute path)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self

    def access(self) -> dict[str, Any]:
        """As in `revealed`, without what is not for the connector."""
        not_its = ("poll_s", "keep_days", "keep_internal")
        return {key: value for key, value in self.revealed().items() if key not in not_its}
