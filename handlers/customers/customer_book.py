"""The names of all customers in memory, for reading messages; the database decides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bot.domain.opportunities import Account
from handlers.understanding.customers import CustomerIndex, many


class _Kept(NamedTuple):
    """What is known of a customer by its number."""

    name: str
    aliases: tuple[str, ...]
    owner_id: int | None


class CustomerBook:
    """Every customer's names, and who owns them. Rebuilt at start, added to at once."""

    def __init__(self) -> None:
        self.index = CustomerIndex()
        self._owners: dict[str, int | None] = {}
        self._kept: dict[int, _Kept] = {}
        self._numbers: dict[str, int] = {}

    def load(self, accounts: Iterable[Account]) -> None:
        with many():
            for account in accounts:
                self.put(account)

    def put(self, account: Account) -> None:
        """Add a customer, or note its new name, owner or alias."""
        pooled = account.in_pool_since is not None
        new = _Kept(account.name, account.aliases, None if pooled else account.owner_id)
        before = self._kept.get(account.id)
        if before == new:
            return
        if before is not None:
            self.remove(before.name)
        self.remove(account.name)
        self.index.add(account.name, account.aliases, key=account.id)
        self._owners[account.name] = new.owner_id
        self._kept[account.id] = new
        self._numbers[account.name] = account.id

    def remove(self, name: str) -> None:
        """Merged into another; an unknown name is no error."""
        self.index.remove(name)
        self._owners.pop(name, None)
        number = self._numbers.pop(name, None)
        if number is not None:
            del self._kept[number]

    def forget(self, account_id: int) -> None:
        """No customer of its own any more; an unknown number is no error."""
        if account_id in self._kept:
            self.remove(self._kept[account_id].name)

    @property
    def known(self) -> frozenset[int]:
        """The numbers of all that are here."""
        return frozenset(self._kept)

    def names_of(self, person_id: int) -> list[str]:
        """Of the customers that a person owns."""
        return [name for name, owner_id in self._owners.items() if owner_id == person_id]

    def owner_of(self, name: str) -> int | None:
        return self._owners.get(name)

    def owned_by(self, person_id: int, name: str) -> bool:
        return self._owners.get(name) == person_id
