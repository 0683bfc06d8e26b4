"""Action libraries: stages, verifiable action units and vocabulary of an industry, as plain data.

Libraries are read and checked by config/library.py; docs/libraries.md says how to write one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from bot.domain.activities import Grade, Intent


class FieldKind(StrEnum):
    """What a field of a library's own holds, and how an answer to it is read."""

    TEXT = "text"
    NUMBER = "number"  # a whole number
    AMOUNT = "amount"  # integer fen
    DATE = "date"
    CHOICE = "choice"  # one of its options


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """One thing an action unit or a stage asks for.

    key: a slot of Record ("duration_min", "objections", "next_contact", "contact",
    "amount_fen", "customer_received"), "files", or the library's own, which has a `kind`.
    label: what users read. question: what the bot asks when it is missing. file_kinds: for
    "files", accepted media types such as "application/pdf" or "image/*"; empty accepts any.
    options: of a choice.
    """

    key: str
    label: str
    question: str
    required: bool = True
    file_kinds: tuple[str, ...] = ()
    kind: FieldKind | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """A minimal verifiable action. deadline_h: hours on the working clock after the
    action within which it must be recorded. min_duration_s: for calls. None: what the policy
    says.

    counts: whether it can be a valid action at all (a log of a message never is).
    words: what the trade calls it; a sentence that holds one means this unit.
    grade: the least evidence with which it counts.
    """

    key: str
    label: str
    intent: Intent
    slots: tuple[SlotSpec, ...]
    counts: bool = True
    min_duration_s: int | None = 0
    deadline_h: int | None = None
    words: tuple[str, ...] = ()
    grade: Grade = Grade.SELF_REPORTED

    def slot(self, key: str) -> SlotSpec | None:
        return next((slot for slot in self.slots if slot.key == key), None)


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the sale. stuck_days: whole working days after which it shows 停滞.

    fields: what must be known of a deal that enters it. next: keys of the stages that may
    follow.
    """

    key: str
    label: str
    stuck_days: int
    fields: tuple[SlotSpec, ...] = ()
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionLibrary:
    """One industry's stages, in order, and its action units.

    version: 0 is the one that ships. refusals: (objection code, words of the trade for it).
    past: units of other libraries and versions, by which older entries of a stream are still
    understood; nothing new is begun with them.
    """

    key: str
    label: str
    stages: tuple[Stage, ...]
    units: tuple[ActionUnit, ...]
    version: int = 0
    refusals: tuple[tuple[str, tuple[str, ...]], ...] = ()
    past: tuple[ActionUnit, ...] = ()

    @property
    def ref(self) -> str:
        """What deals and drafts note as the library they are written in."""
        return f"{self.key}@{self.version}"

    def unit(self, key: str) -> ActionUnit | None:
        for unit in chain(self.units, self.past):
            if unit.key == key:
                return unit
        return None

    def stage(self, key: str) -> Stage | None:
        return next((stage for stage in self.stages if stage.key == key), None)

    def rank(self, key: str) -> int | None:
        """Its place among the stages, 0 for the first."""
        keys = [stage.key for stage in self.stages]
        return keys.index(key) if key in keys else None

    def path(self, start: str, end: str) -> tuple[Stage, ...] | None:
        """The stages entered on the shortest way forward, `end` the last of them; None if no
        way leads there."""
        came_from: dict[str, str] = {start: ""}
        waiting = deque([start])
        while waiting and end not in came_from:
            here = self.stage(waiting.popleft())
            for key in here.next if here is not None else ():
                if key not in came_from:
                    came_from[key] = here.key if here is not None else ""
                    waiting.append(key)
        if end not in came_from or end == start:
            return None
        keys = [end]
        while came_from[keys[0]] != start:
            keys.insert(0, came_from[keys[0]])
        return tuple(stage for key in keys if (stage := self.stage(key)) is not None)


@dataclass(frozen=True, slots=True)
class LibraryUse:
    """Which library is worked by, and since whose decision. team_id: the person whose team it
    is for, None for the whole organisation. ref: see `ActionLibrary.ref`."""

    team_id: int | None
    ref: str


def map_stages(old: ActionLibrary, new: ActionLibrary) -> dict[str, str]:
    """Where a deal goes when its library changes, by stage: to the same key, else the same
    name, else to the same share of the way, not past its neighbours that are the same."""
    last_old, last_new = len(old.stages) - 1, len(new.stages) - 1
    same = [_same_stage(stage, new) for stage in old.stages]
    mapped: dict[str, str] = {}
    for index, stage in enumerate(old.stages):
        found = same[index]
        if found is None:
            before = [one for one in same[:index] if one is not None]
            after = [one for one in same[index + 1 :] if one is not None]
            # half of a step goes to the earlier stage: it asks for less than was shown
            share = (2 * index * last_new + last_old - 1) // (2 * last_old) if last_old else 0
            found = max(share, max(before, default=0))
            found = min(found, min(after, default=last_new))
        mapped[stage.key] = new.stages[found].key
    return mapped


def _same_stage(stage: Stage, new: ActionLibrary) -> int | None:
    for index, other in enumerate(new.stages):
        if other.key == stage.key:
            return index
    return next((i for i, other in enumerate(new.stages) if other.label == stage.label), None)
