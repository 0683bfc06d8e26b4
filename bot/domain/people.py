"""People: who they are on each platform, what they may do, who leads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person is in the company; one person may have several."""

    REP = "rep"
    SUPERVISOR = "supervisor"
    SALES_DIRECTOR = "sales_director"
    CSM = "csm"
    LEGAL = "legal"
    FINANCE = "finance"
    HRBP = "hrbp"
    PRODUCT = "product"
    WAREHOUSE = "warehouse"
    PLANNING = "planning"
    ADMIN = "admin"


class PersonStatus(StrEnum):
    """Whether somebody works here."""

    ACTIVE = "active"
    INACTIVE = "inactive"  # disabled, or not yet activated
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as one platform knows them. user_id: WeCom userid in lower case."""

    platform: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """One human being, on one platform or both.

    on_leave_until: UTC; None or past means at work. deputy_id: covers while on leave.
    supervisor_override_id: a supervisor named in our own table; goes before the platform's.
    """

    id: int
    name: str
    status: PersonStatus = PersonStatus.ACTIVE
    roles: frozenset[Role] = frozenset({Role.REP})
    mobile: str | None = None
    identities: tuple[Identity, ...] = ()
    on_leave_until: datetime | None = None
    deputy_id: int | None = None
    supervisor_override_id: int | None = None

    def on_leave(self, at: datetime) -> bool:
        return self.on_leave_until is not None and at < self.on_leave_until


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """A member as read from a platform. mobile may be withheld by the platform.

    titles: position and role names, for deriving roles. main_department: where the
    platform names one. leads: departments this member leads. leaders: user ids of the
    direct leaders the platform names.
    """

    user_id: str
    name: str
    mobile: str | None = None
    status: PersonStatus = PersonStatus.ACTIVE
    titles: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    main_department: str | None = None
    leads: tuple[str, ...] = ()
    leaders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryDepartment:
    """A department as read from a platform. The root has no parent."""

    id: str
    name: str
    parent_id: str | None = None
    leaders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """What a platform told about its people. whole: everybody in range was read, so
    whoever is missing has left; otherwise only the listed ones are news."""

    platform: str
    users: tuple[DirectoryUser, ...] = ()
    departments: tuple[DirectoryDepartment, ...] = ()
    whole: bool = True
    left_user_ids: tuple[str, ...] = field(default=())
