"""Names of people, each read once for a page."""

from __future__ import annotations

from collections.abc import Iterable

from storage.unit_of_work import UnitOfWork


class Names:
    """Of one page."""

    def __init__(self, tx: UnitOfWork) -> None:
        self._tx = tx
        self._known: dict[int, str] = {}

    async def learn(self, person_ids: Iterable[int | None]) -> None:
        """Those of many at once."""
        unknown = {one for one in person_ids if one is not None} - self._known.keys()
        self._known |= await self._tx.people.names(unknown)

    async def of(self, person_id: int | None) -> str:
        """ "" for nobody."""
        if person_id is None:
            return ""
        if person_id not in self._known:
            await self.learn([person_id])
        return self._known[person_id]
