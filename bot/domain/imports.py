"""What came of a table of customers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a table of customers. mistakes: one readable line for each refused row. doubts:
    for each that was created although something is a little like it. ownerless: of the created,
    those that wait in the pool to be assigned."""

    created: int = 0
    known: int = 0
    mistakes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    ownerless: int = 0

    def __add__(self, other: Imported) -> Imported:
        return Imported(
            self.created + other.created,
            self.known + other.known,
            self.mistakes + other.mistakes,
            self.doubts + other.doubts,
            self.ownerless + other.ownerless,
        )
