"""Accounts and opportunities: the company, and a possible sale to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OpportunityState(StrEnum):
    """Whether a possible sale lives, and how it ended."""

    OPEN = "open"
    ON_HOLD = "on_hold"  # until a date; no lights meanwhile
    WON = "won"
    LOST = "lost"
    INVALID = "invalid"


class Light(StrEnum):
    """How a lead stands. GREEN is the absence of a light."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Account:
    """A customer company. name: in full. aliases: other names people use for it.

    credit_code, phone, domain: in one spelling (bot/domain/identifiers.py), "" if unknown.
    in_pool_since: UTC; nobody looks after it since then, and owner_id is who did last.
    """

    id: int
    name: str
    owner_id: int
    created_at: datetime
    aliases: tuple[str, ...] = ()
    industry: str = ""
    credit_code: str = ""
    phone: str = ""
    domain: str = ""
    in_pool_since: datetime | None = None
    pool_reason: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at the customer's. title: as spoken, e.g. "采购经理". external_id: of the
    external contact on a platform, e.g. "wecom:wmXXXX"."""

    id: int
    account_id: int
    name: str
    title: str = ""
    mobile: str | None = None
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A possible sale. Times in UTC.

    stage: a key of `library`, which is an `ActionLibrary.ref` ("": the one of policy.toml).
    amount_fen: integer fen, None if unknown.
    assigned_at: when the present owner got it; last_valid_at: of the last valid action by
    the present owner's clock (None: none yet). hold_until: for ON_HOLD.
    light: as last judged; light_due_at: when light or stuck mark may next change
    (None: never by the passing of time). episode: number of the present light episode.
    next_contact_at: what the rep last promised (start of the day where no hour was said).
    furthest: the stage it came to so far, in its present library.
    """

    id: int
    account_id: int
    account_name: str
    name: str
    owner_id: int
    stage: str
    stage_since: datetime
    state: OpportunityState
    created_at: datetime
    assigned_at: datetime
    amount_fen: int | None = None
    last_valid_at: datetime | None = None
    hold_until: datetime | None = None
    light: Light = Light.GREEN
    stuck: bool = False
    light_due_at: datetime | None = None
    episode: int = 0
    next_contact_at: datetime | None = None
    library: str = ""
    furthest: str = ""
