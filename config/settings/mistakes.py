"""What is wrong in a configuration, in words: one line a mistake, and never the value,
which may be a secret."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

PREFIX = "GENDAN_"

SECTION_MISTAKE = "section_mistake"
"""Type of a custom error of a whole section; its text begins with the key it is about."""

_APP_NAME = "应用名应为小写字母开头，至多 32 位，只含小写字母、数字、单个 - 或 _ (a short name)"

Loc = Sequence[int | str]


def readable(
    error: ValidationError, source: Path, model: type[BaseModel], variables: Mapping[str, str]
) -> str:
    """variables: environment variables that were set, by their names in small letters."""
    mistakes = error.errors(include_input=False, include_url=False)
    return "\n".join(_line(mistake, source, model, variables) for mistake in mistakes)


def _line(
    mistake: ErrorDetails, source: Path, model: type[BaseModel], variables: Mapping[str, str]
) -> str:
    named = [part for part in mistake["loc"] if part != "[key]"]
    section, field, loc = _look_up(model, named)
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)[1:]
    variable = _variable(loc)
    given_by = variables.get(variable.lower())
    where = f"环境变量 {given_by}" if given_by else str(source)
    match mistake["type"]:
        case "missing":
            hint = f"，或用 {loc[-1]}_file 指向文件" if field and _is_secret(field) else ""
            return f"{key}：必填 (required)，写在 {source} 或环境变量 {variable}{hint}"
        case "extra_forbidden":
            return f"{key}：没有这个键 (unknown key)，在 {where}{_suggestion(loc, section)}"
        case _ if mistake["type"] == SECTION_MISTAKE:
            return f"{key}.{mistake['msg']}，在 {where}".lstrip(".")
        case _ if "[key]" in mistake["loc"]:
            return f"{key}：{_APP_NAME}，在 {where}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{key}：应为一个表 (a table)，如 {_as_table(loc)}，在 {where}"
    should_be = field.description if field and field.description else mistake["msg"]
    return f"{key}：应为 {should_be}，在 {where}"


def _variable(loc: Loc) -> str:
    names = [part.upper().replace("-", "_") for part in loc if isinstance(part, str)]
    return PREFIX + "__".join(names)


def _as_table(loc: Loc) -> str:
    """[storage], or with the application's name in between: [wecom.sales]."""
    return f"[{loc[0]}]" if loc[0] in ("storage", "llm", "speech", "ocr") else f"[{loc[0]}.sales]"


def _look_up(
    model: type[BaseModel], loc: Loc
) -> tuple[type[BaseModel], FieldInfo | None, list[int | str]]:
    """The innermost section on the way to `loc`, its field there, if it has one, and the way
    as the file has it: without the tag that says which kind of section was meant."""
    section, field, way = model, None, []
    kind: Any = model
    for part in loc:
        if (tagged := _tagged(kind, part)) is not None:
            kind = section = tagged
            continue
        way.append(part)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            section, field = kind, kind.model_fields.get(str(part))
            kind = _without_none(field.annotation) if field else None
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
    return section, field, way


def _without_none(kind: Any) -> Any:
    """The section of a key that may be left out."""
    if isinstance(kind, UnionType):
        return next((one for one in get_args(kind) if one is not type(None)), kind)
    return kind


def _tagged(kind: Any, part: int | str) -> type[BaseModel] | None:
    """Of several kinds of section, the one that `part` of a location is the tag of."""
    for one in get_args(get_args(kind)[0]) if get_origin(kind) is Annotated else ():
        section, *marks = get_args(one)
        if any(isinstance(mark, Tag) and mark.tag == part for mark in marks):
            found: type[BaseModel] = section
            return found
    return None


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or not field.repr


def _suggestion(loc: Loc, section: type[BaseModel]) -> str:
    wrong = str(loc[-1])
    tables = [name for name in section.model_fields if wrong.startswith(f"{name}_")]
    if len(loc) == 1 and tables:
        return f"；各层之间是两个下划线 (two underscores)，如 {PREFIX}{tables[0].upper()}__…"
    known = [*section.model_fields]
    known += [f"{name}_file" for name, field in section.model_fields.items() if _is_secret(field)]
    near = difflib.get_close_matches(wrong, known, n=1)
    return f"；是不是 {near[0]}？(did you mean it?)" if near else ""
