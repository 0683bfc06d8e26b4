"""External contacts and groups with them, as the platforms tell them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from bot.domain.bindings import BoundBy
from bot.domain.company_names import SHORTEST_CORE, CompanyName, one_spelling, take_apart
from bot.domain.identifiers import one_phone


@dataclass(frozen=True, slots=True)
class ExternalContact:
    """Somebody outside, known to one of us.

    external_id: WeCom external_userid, DingTalk userid of the external contact. company: as the
    platform knows it; only WeCom users of other companies and DingTalk's contacts have one.
    mobile: DingTalk's; on WeCom it is the follower who notes it. union_id: WeCom, for users of
    WeChat, where the corp has a developer account.
    """

    platform: str
    external_id: str
    name: str
    title: str = ""
    company: str = ""
    mobile: str = ""
    union_id: str = ""


@dataclass(frozen=True, slots=True)
class Follow:
    """One of our people has this contact, and what they noted of it.

    user_id: of the member, as in `Identity`. tags: names. since: None where it is not told.
    """

    platform: str
    user_id: str
    external_id: str
    remark: str = ""
    description: str = ""
    company: str = ""
    mobiles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    state: str = ""
    add_way: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class GroupMember:
    """Somebody in a group with customers. member_id: a member's user id or an external id.
    joined_at: None where it is not told."""

    member_id: str
    is_staff: bool
    name: str = ""
    joined_at: datetime | None = None


INTERNAL = "internal"
"""`ChatGroup.version` of a group of members alone, which is not among those with customers."""


@dataclass(frozen=True, slots=True)
class ChatGroup:
    """A group with customers in it. members: None where the platform does not tell them.
    version: of the list of members, "" where there is none."""

    platform: str
    chat_id: str
    name: str
    owner: str = ""
    members: tuple[GroupMember, ...] | None = None
    version: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContactNews:
    """What was read of contacts. of_users: members of whom everything has been told by now, in
    this part or the ones before it; whom they were not told to have, they have no more.
    of_contacts: the same by contact, in this part. is_last: that was everything of everybody."""

    platform: str
    contacts: tuple[ExternalContact, ...] = ()
    follows: tuple[Follow, ...] = ()
    of_users: tuple[str, ...] = ()
    of_contacts: tuple[str, ...] = ()
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class ContactHint:
    """Something about contacts or groups changed; they are read again.

    chats: with the version of the group's members in which the change is, or "". renamed: groups
    with their new names. gone_chats: groups that are no more. failed: the contact stays with
    whom it was to be taken from, and the platform's reason. agreed: (corp, member, contact) whose
    chats may be archived from now on.
    """

    contacts: tuple[str, ...] = ()
    chats: tuple[tuple[str, str], ...] = ()
    gone_chats: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    failed: str = ""
    agreed: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ContactKey:
    """What a contact may have in common with a customer, in the words of `account_keys`."""

    how: BoundBy
    key: str


def keys_of_contact(contact: ExternalContact, places: Set[str]) -> frozenset[ContactKey]:
    return frozenset(_keys([contact.mobile], [contact.company], (), places))


def keys_of_follow(follow: Follow, places: Set[str]) -> frozenset[ContactKey]:
    return frozenset(_keys(follow.mobiles, [follow.company], follow.tags, places))


def _keys(
    mobiles: Sequence[str], companies: Sequence[str], tags: Sequence[str], places: Set[str]
) -> Iterator[ContactKey]:
    for mobile in mobiles:
        if phone := one_phone(mobile):
            yield ContactKey(BoundBy.MOBILE, phone)
    for how, names in ((BoundBy.COMPANY, companies), (BoundBy.TAG, tags)):
        for name in names:
            if core := _core(name, frozenset(places)):
                yield ContactKey(how, f"core {core}")


@lru_cache(maxsize=65_536)
def _core(name: str, places: frozenset[str]) -> str:
    """Reps note the same company for many contacts."""
    if not one_spelling(name):
        return ""
    core = take_apart(name, places).core
    return core if len(core) >= SHORTEST_CORE else ""


def same_company(one: CompanyName, other: CompanyName) -> bool:
    """Equal but for place and legal form, and in no two cities: 宏达机电 is in every one."""
    elsewhere = bool(one.place and other.place) and one.place != other.place
    return one.core == other.core and not elsewhere and one.branch == other.branch


@dataclass(frozen=True, slots=True)
class Match:
    """A customer that a contact has a key in common with. said: the company or tag."""

    account_id: int
    how: BoundBy
    said: tuple[str, ...] = field(default=())


_STRONGEST_FIRST = (BoundBy.MOBILE, BoundBy.COMPANY, BoundBy.TAG)


def choose(matches: Sequence[Match]) -> Match | None:
    """The one customer that the strongest reason names; None where it names several, since a
    weaker reason does not settle it."""
    for how in _STRONGEST_FIRST:
        found = {one.account_id: one for one in matches if one.how is how}
        if found:
            return next(iter(found.values())) if len(found) == 1 else None
    return None
