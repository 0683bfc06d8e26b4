"""What both chat platforms' sections have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr


def _no_address(key: SecretStr) -> SecretStr:
    """Consoles show a whole address, of which only the key is wanted."""
    if "/" in key.get_secret_value():
        raise ValueError("an address")
    return key


Webhooks = dict[str, Annotated[SecretStr, AfterValidator(_no_address)]]

Approvals = Annotated[
    dict[str, Literal["discount", "contract", "payment", "bonus", "visit", "trip", "other"]],
    Field(
        description="模板编号 = 含义：discount、contract、payment、bonus、visit、trip、other"
        " (template id = meaning)",
    ),
]
