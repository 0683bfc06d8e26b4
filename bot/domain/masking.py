"""Numbers that belong to a person, not to be read in chats and logs: mobile phones, identity cards,
bank accounts.

docs/privacy.md. What stays lets who knows the number recognise it.
"""

from __future__ import annotations

import re

_MOBILE = r"(?:(?:\+|00)?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
_IDENTITY = r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
_ACCOUNT = r"[3-6]\d{3}(?:[- ]?\d{4}){3}(?:[- ]?\d{1,3})?"
_NUMBER = re.compile(
    rf"(?<![0-9A-Za-z])(?<![A-Za-z]-)(?:(?P<identity>{_IDENTITY})|(?P<account>{_ACCOUNT})"
    rf"|(?P<mobile>{_MOBILE}))(?![0-9A-Za-z])"
)
"""Part of a longer number, or behind letters, it is a number of an order, a parcel, a contract."""


def masked(text: str) -> str:
    """138****5678, 110***********1234, **** 1234."""
    return _NUMBER.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    digits = re.sub(r"[- ]", "", match[0])
    if match["mobile"]:
        return f"{digits[-11:-8]}****{digits[-4:]}"
    if match["identity"]:
        return f"{digits[:3]}{'*' * 11}{digits[-4:]}"
    return f"**** {digits[-4:]}" if _is_account(digits) else match[0]


def _is_account(digits: str) -> bool:
    """By the check digit of bank cards (Luhn)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(digits[::-1])]
    return sum(divmod(one, 10)[0] + one % 10 for one in doubled) % 10 == 0
