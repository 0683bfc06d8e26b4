"""JSON in which every number is a whole one, and its canonical bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from bot.errors import InvalidInput

_SURROGATE = re.compile(r"\\u[dD][89abAB]")


def parse(data: bytes, source: str) -> Any:
    """source: how a refusal names the document.

    Raises InvalidInput for what is not UTF-8, not JSON, holds a fraction, NaN or Infinity,
    the same key twice in one object, or half a character.
    """

    def no_fraction(said: str) -> NoReturn:
        raise InvalidInput(f"{source}：{said} 不是整数；金额用分、比例用万分之几，不用小数")

    try:
        text = data.decode("utf-8-sig")
        value = json.loads(
            text, parse_float=no_fraction, parse_constant=no_fraction, object_pairs_hook=_once
        )
        if _SURROGATE.search(text):
            canonical(value)
    except UnicodeDecodeError:
        raise InvalidInput(f"{source}：不是 UTF-8 文字 (not UTF-8)") from None
    except UnicodeEncodeError:
        raise InvalidInput(f"{source}：有不完整的字符 (half a surrogate pair)") from None
    except RecursionError:
        raise InvalidInput(f"{source}：嵌套太深 (nested too deeply)") from None
    except json.JSONDecodeError as problem:
        where = f"第 {problem.lineno} 行第 {problem.colno} 列"
        raise InvalidInput(f"{source}：{where}不是 JSON ({problem.msg})") from None
    except ValueError as problem:
        raise InvalidInput(f"{source}：{problem}") from None
    return value


def canonical(value: object) -> bytes:
    """Sorted keys, no spaces, UTF-8: the same value is always the same bytes."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"键「{twice}」在同一个对象里出现两次")
    return found
