"""Action libraries: the verifiable action units of an industry, as plain data.

A library is read from config/actions/<industry>.toml by config/policy.py and checked there.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.activities import Intent


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """One thing an action unit asks for.

    key: a slot of Record ("duration_min", "objections", "next_contact", "contact",
    "amount_fen", "customer_received") or "files". label: what users read.
    question: what the bot asks when it is missing. file_kinds: for "files", accepted
    media types such as "application/pdf" or "image/*"; empty accepts any.
    """

    key: str
    label: str
    question: str
    required: bool = True
    file_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """A minimal verifiable action. deadline_h: hours on the working-day clock after the
    action within which it must be recorded. min_duration_s: for calls.

    counts: whether it can be a valid action at all (a log of a message never is).
    """

    key: str
    label: str
    intent: Intent
    slots: tuple[SlotSpec, ...]
    counts: bool = True
    min_duration_s: int = 0
    deadline_h: int = 48

    def slot(self, key: str) -> SlotSpec | None:
        return next((slot for slot in self.slots if slot.key == key), None)


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the sale. stuck_days: whole working days after which it shows 停滞."""

    key: str
    label: str
    stuck_days: int


@dataclass(frozen=True, slots=True)
class ActionLibrary:
    """One industry's stages, in order, and its action units."""

    key: str
    label: str
    stages: tuple[Stage, ...]
    units: tuple[ActionUnit, ...]

    def unit(self, key: str) -> ActionUnit | None:
        return next((unit for unit in self.units if unit.key == key), None)

    def stage(self, key: str) -> Stage | None:
        return next((stage for stage in self.stages if stage.key == key), None)
