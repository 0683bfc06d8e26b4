"""The AES envelope of events, as dingtalk-sdk has it; a file of its own, since the SDK brings
a blocking HTTP client along and is slow to load."""

from __future__ import annotations

import secrets

from dingtalk.core.exceptions import InvalidCorpIdOrSuiteKeyException as NotForUs
from dingtalk.crypto import PrpCrypto

__all__ = ["Envelope", "NotForUs"]


class Envelope(PrpCrypto):  # type: ignore[misc]  # the SDK has no types
    """The SDK's, with randomness nobody can foresee."""

    def get_random_string(self) -> str:
        return secrets.token_hex(8)
