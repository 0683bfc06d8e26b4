"""The names of all customers in memory, for reading messages; the database decides."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.opportunities import Account
from handlers.understanding.customers import CustomerIndex, many


class CustomerBook:
    """Every customer's names, and who owns them. Rebuilt at start, added to at once."""

    def __init__(self) -> None:
        self.index = CustomerIndex()
        self._owners: dict[str, int | None] = {}

    def load(self, accounts: Iterable[Account]) -> None:
        with many():
            for account in accounts:
                self.put(account)

    def put(self, account: Account) -> None:
        """Add a customer, or note its new owner or alias."""
        if account.name in self._owners:
            self.index.remove(account.name)
        self.index.add(account.name, account.aliases, key=account.id)
        pooled = account.in_pool_since is not None
        self._owners[account.name] = None if pooled else account.owner_id

    def remove(self, name: str) -> None:
        """Merged into another; an unknown name is no error."""
        self.index.remove(name)
        self._owners.pop(name, None)

    def names_of(self, person_id: int) -> list[str]:
        """Whom a person owns."""
        return [name for name, owner_id in self._owners.items() if owner_id == person_id]

    def owner_of(self, name: str) -> int | None:
        return self._owners.get(name)

    def owned_by(self, person_id: int, name: str) -> bool:
        return self._owners.get(name) == person_id
