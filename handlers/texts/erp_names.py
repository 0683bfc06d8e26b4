"""What people call an ERP and a line of one of its receipts."""

from __future__ import annotations

_NAMES = {"kingdee": "金蝶", "u9c": "用友 U9C"}
"""Of the names that the examples of the configuration give to an ERP."""


def system_words(system: str) -> str:
    """kingdee -> 金蝶; a name that is the company's own stands."""
    return _NAMES.get(system.lower(), system)


def erp(system: str) -> str:
    return f"ERP「{system_words(system)}」"


def receipt_words(key: str) -> str:
    """`kingdee:SK-31:1`, a line as bonuses are worked out from it -> 金蝶收款单 SK-31 第1行.
    What was not written so stands as it is."""
    system, _, rest = key.partition(":")
    number, _, line = rest.rpartition(":")
    if not (system and number and line.isdecimal()):
        return f"单据 {key}"
    name = system_words(system)
    space = " " if name[-1].isascii() else ""
    return f"{name}{space}收款单 {number} 第{line}行"
