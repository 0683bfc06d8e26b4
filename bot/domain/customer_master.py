"""Which customers may be one and the same, why, and how likely.

A score is no verdict: who may merge decides. Reasons of different kinds add up as independent
evidence; two different valid credit codes speak against it, for they are two legal entities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from bot.domain.company_names import SHORTEST_CORE, CompanyName, one_spelling, take_apart
from bot.domain.identifiers import fault_of_credit_code, one_credit_code, one_domain, one_phone

WORTH_TELLING = 50
MOST = 10
TWO_ENTITIES_AT_MOST = 60

_SHORTEST_SLIP = 4
"""Of shorter cores one wrong character makes another company."""


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """What is known of a customer, as entered. names: the name, then aliases and former ones.
    contacts: platform ids of external contacts, e.g. "wecom:wmXXXX"."""

    id: int
    names: tuple[str, ...]
    credit_code: str = ""
    phones: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()


class Reason(StrEnum):
    """What two customers have in common."""

    CREDIT_CODE = "credit_code"
    NAME = "name"
    CORE = "core"  # the same but for place and legal form
    CORE_ELSEWHERE = "core_elsewhere"  # the same in another city: a sister, or a namesake
    SOUND = "sound"
    SLIP = "slip"  # one character wrong, missing, added or swapped
    PART = "part"  # the one name begins with the other
    CONTACT = "contact"
    PHONE = "phone"
    DOMAIN = "domain"


PERCENT: Mapping[Reason, int] = {
    Reason.CREDIT_CODE: 100,
    Reason.NAME: 97,
    Reason.CORE: 88,
    Reason.CORE_ELSEWHERE: 40,  # 宏达机电 is in every city: worth telling only beside another
    Reason.SOUND: 70,
    Reason.SLIP: 55,
    Reason.PART: 52,
    Reason.CONTACT: 85,
    Reason.PHONE: 80,
    Reason.DOMAIN: 70,
}
"""How likely one reason alone makes two customers one. Judgement, not measurement."""

_OF_NAMES = (
    Reason.NAME,
    Reason.CORE,
    Reason.SOUND,
    Reason.SLIP,
    Reason.PART,
    Reason.CORE_ELSEWHERE,
)
"""Only the strongest of them counts: they are one piece of evidence."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Customer `id` may be the one that was asked about. score: percent. reasons: strongest
    first. two_entities: both have a valid credit code, and not the same."""

    id: int
    score: int
    reasons: tuple[Reason, ...]
    two_entities: bool = False


class Likeness:
    """What makes two customers alike, and the keys under which they find each other: whoever
    has anything in common with a card stands under one of its `keys_to_find`.

    places: see `company_names.take_apart`. sound_of: one character per syllable, such that
    what sounds alike is equal.
    """

    def __init__(self, places: Set[str], sound_of: Callable[[str], str]) -> None:
        self._places = places
        self._sound_of = sound_of

    def keys_of(self, card: CustomerCard) -> frozenset[str]:
        """What to file a customer under; some fifteen for one name."""
        return frozenset(self._profile(card).filed_under)

    def keys_to_find(self, card: CustomerCard) -> frozenset[str]:
        return frozenset(self._profile(card).looked_up)

    def rank(self, card: CustomerCard, others: Iterable[CustomerCard]) -> list[Duplicate]:
        """Who of them may be the same as `card`, the likeliest first, at most MOST. Never
        itself."""
        asked = self._profile(card)
        found = [compare(one.id, asked, self._profile(one)) for one in others if one.id != card.id]
        likely = [duplicate for duplicate in found if duplicate.score >= WORTH_TELLING]
        return sorted(likely, key=lambda one: (-one.score, one.id))[:MOST]

    def _profile(self, card: CustomerCard) -> _Profile:
        names = [take_apart(name, self._places) for name in card.names if one_spelling(name)]
        code = one_credit_code(card.credit_code)
        return _Profile(
            names=tuple((name, self._sound_of(name.core)) for name in names),
            code="" if fault_of_credit_code(code) else code,
            phones=frozenset(filter(None, map(one_phone, card.phones))),
            domains=frozenset(filter(None, map(one_domain, card.domains))),
            contacts=frozenset(card.contacts),
        )


@dataclass(frozen=True, slots=True)
class _Profile:
    """A card in one spelling, each name with its core's sound. An invalid code is none."""

    names: tuple[tuple[CompanyName, str], ...]
    code: str
    phones: frozenset[str]
    domains: frozenset[str]
    contacts: frozenset[str]

    @property
    def filed_under(self) -> set[str]:
        """Keys by which others find this customer."""
        beginnings = {f"begins {part}" for name, _ in self.names for part in _parts(name.core)}
        whole = {f"core {name.core}" for name, _ in self.names}
        return self._shared_keys() | beginnings | whole

    @property
    def looked_up(self) -> set[str]:
        """Keys under which a customer stands that has anything in common with this one."""
        parts = {f"core {part}" for name, _ in self.names for part in _parts(name.core)}
        whole = {f"{key} {name.core}" for name, _ in self.names for key in ("core", "begins")}
        return self._shared_keys() | parts | whole

    def _shared_keys(self) -> set[str]:
        keys = {*self.phones, *self.domains, *self.contacts}
        keys |= {f"code {self.code}"} if self.code else set()
        for name, sound in self.names:
            keys |= {f"whole {name.whole}", f"sound {sound}"}
            keys |= {f"slip {form}" for form in _slips(name.core)}
        return keys


def _parts(core: str) -> list[str]:
    """The shorter names that the core begins with."""
    return [core[:length] for length in range(SHORTEST_CORE, len(core))]


def _slips(core: str) -> set[str]:
    """Of two cores that are one slip apart, these have one in common."""
    if len(core) < _SHORTEST_SLIP:
        return set()
    return {core, *(core[:at] + core[at + 1 :] for at in range(len(core)))}


def compare(customer_id: int, one: _Profile, other: _Profile) -> Duplicate:
    """All that two customers have in common, and what it is worth together."""
    reasons = [
        reason
        for reason, shared in (
            (Reason.CREDIT_CODE, bool(one.code) and one.code == other.code),
            (Reason.CONTACT, bool(one.contacts & other.contacts)),
            (Reason.PHONE, bool(one.phones & other.phones)),
            (Reason.DOMAIN, bool(one.domains & other.domains)),
        )
        if shared
    ]
    alike = {
        reason
        for name, sound in one.names
        for second, second_sound in other.names
        if (reason := _likeness(name, sound, second, second_sound)) is not None
    }
    reasons += [reason for reason in _OF_NAMES if reason in alike][:1]
    reasons.sort(key=lambda reason: (-PERCENT[reason], reason))
    two_entities = bool(one.code and other.code) and one.code != other.code
    score = _together(reasons)
    if two_entities:
        score = min(score, TWO_ENTITIES_AT_MOST)
    return Duplicate(customer_id, score, tuple(reasons), two_entities)


def _together(reasons: Iterable[Reason]) -> int:
    """One minus the chance that every reason misleads, in whole percent, rounded down."""
    misled = Fraction(1)
    for reason in reasons:
        misled *= 1 - Fraction(PERCENT[reason], 100)
    return int((1 - misled) * 100)


def _likeness(one: CompanyName, sound: str, other: CompanyName, other_sound: str) -> Reason | None:
    """How two names are alike; names in two different cities are alike only in full."""
    if one.whole == other.whole:
        return Reason.NAME
    elsewhere = bool(one.place and other.place) and one.place != other.place
    if one.core == other.core:
        return Reason.CORE_ELSEWHERE if elsewhere or one.branch != other.branch else Reason.CORE
    if elsewhere:
        return None
    if sound == other_sound:
        return Reason.SOUND
    if min(len(one.core), len(other.core)) >= _SHORTEST_SLIP and _is_one_slip(one.core, other.core):
        return Reason.SLIP
    shorter, longer = sorted((one.core, other.core), key=len)
    return Reason.PART if longer.startswith(shorter) else None


def _is_one_slip(one: str, other: str) -> bool:
    """One character wrong, missing or added, or two neighbours swapped."""
    start = next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(len(one), len(other)),
    )
    left, right = one[start:], other[start:]
    return (
        left[1:] == right[1:]
        or left[1:] == right
        or left == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )
