"""The groups that belong to a customer, in memory: each message of a group asks."""

from __future__ import annotations

from collections.abc import Mapping


class GroupBook:
    """Follows the database once it has committed. A merge of customers needs no change here:
    whoever looks the customer up gets the one that stands."""

    def __init__(self) -> None:
        self._bound: dict[tuple[str, str], int] = {}

    def load(self, bound: Mapping[tuple[str, str], int]) -> None:
        """(platform, chat id) -> customer: these and no others."""
        self._bound = dict(bound)

    def put(self, platform: str, chat_id: str, account_id: int) -> None:
        self._bound[platform, chat_id] = account_id

    def remove(self, platform: str, chat_id: str) -> None:
        self._bound.pop((platform, chat_id), None)

    def customer_of(self, platform: str, chat_id: str) -> int | None:
        return self._bound.get((platform, chat_id))
