"""A customer's stream as its page shows it, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.activities import Activity
from bot.domain.library import ActionLibrary
from bot.domain.mails import IN, OUT
from bot.domain.policy import PrivacyPolicy
from bot.errors import InvalidInput
from bot.messages import StoredFile
from handlers.desk import Office
from handlers.lights.heatmap import Signal
from handlers.lights.light_heat import kind_of_unit
from handlers.pages.people import Names
from handlers.texts import alerts
from handlers.texts import archive as archive_texts
from handlers.texts import mails as mail_texts
from handlers.texts import pages as texts
from handlers.texts import queries as query_texts
from storage.activities import Only
from storage.unit_of_work import UnitOfWork

PAGE = 30
ALL = ""
KINDS = {
    ALL: "全部",
    "call": "电话",
    "visit": "面访",
    "offer": "方案和报价",
    "message": "沟通",
    "other": "其他",
    "file": "有附件",
}
_OF_KIND = {
    "call": (Signal.CALL,),
    "visit": (Signal.VISIT,),
    "offer": (Signal.PROPOSAL, Signal.QUOTE),
    "message": (Signal.MESSAGE,),
}
_TALKS = frozenset(
    {
        query_texts.TALK,
        *(
            archive_texts.title(in_group=in_group, recalled=recalled)
            for in_group in (True, False)
            for recalled in (True, False)
        ),
        *(
            mail_texts.title(direction, automatic=automatic)
            for direction in (IN, OUT)
            for automatic in (True, False)
        ),
    }
)
"""What entries that are no action unit are called where somebody talked with the customer."""
_SHOWN = ("image", "audio", "video")


@dataclass(frozen=True, slots=True)
class EntryFile:
    """shown: "image", "audio", "video", "pdf", or "" for what is only fetched."""

    url: str
    name: str
    shown: str
    size: str


@dataclass(frozen=True, slots=True)
class Entry:
    """kind: a key of KINDS, for the mark beside it. mark: why it does not count, "" if it does
    or need not. counts: whether it is a valid action."""

    id: int
    kind: str
    when: str
    iso: str
    title: str
    text: str
    actor: str
    mark: str
    counts: bool
    taken_back: bool
    late: bool
    files: tuple[EntryFile, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """address: of the page it stands on. more: the cursor of the next page, None on the last."""

    address: str
    kind: str
    kinds: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...]
    first: bool
    more: str | None


async def read(
    tx: UnitOfWork,
    office: Office,
    account_id: int,
    *,
    kind: str,
    before: str | None,
    at: datetime,
    deal_id: int | None = None,
) -> Stream:
    """deal_id: of that deal alone. Raises InvalidInput for a kind or a cursor that is none."""
    if kind not in KINDS:
        raise InvalidInput(texts.NO_SUCH_KIND)
    library = office.libraries.organisation
    page, more = await tx.activities.page(
        account_id, limit=PAGE, before=before, only=_only(library, kind, deal_id)
    )
    entries = await _entries(tx, office, account_id, page, at)
    kinds = tuple(KINDS.items())
    address = f"/opportunities/{deal_id}" if deal_id else f"/customers/{account_id}"
    return Stream(address, kind, kinds, entries, first=before is None, more=more)


def kind_of(library: ActionLibrary, activity: Activity) -> str:
    if not activity.unit:
        return "message" if activity.title in _TALKS else "other"
    signal = kind_of_unit(library, activity.unit)
    return next((kind for kind, signals in _OF_KIND.items() if signal in signals), "message")


def _only(library: ActionLibrary, kind: str, deal_id: int | None) -> Only:
    only = Only(opportunity_id=deal_id, with_files=kind == "file")
    if kind == "other":
        return replace(only, units=frozenset({""}), untitled=_TALKS)
    if kind not in _OF_KIND:
        return only
    every = {unit.key for unit in (*library.units, *library.past)}
    units = frozenset(key for key in every if kind_of_unit(library, key) in _OF_KIND[kind])
    return replace(only, units=units, titled=_TALKS if kind == "message" else frozenset())


async def _entries(
    tx: UnitOfWork, office: Office, account_id: int, page: Sequence[Activity], at: datetime
) -> tuple[Entry, ...]:
    ids = [one.id for one in page]
    taken_back = await tx.activities.retracted_among(ids)
    locked = await tx.deadlines.locked_among(ids)
    stored = await tx.files.list_some({sha for one in page for sha in one.file_hashes})
    names, today = Names(tx), office.calendar.day_of(at)
    library = office.libraries.organisation
    await names.learn(one.actor_id for one in page)
    return tuple(
        [
            Entry(
                id=one.id,
                kind=kind_of(library, one),
                when=texts.happened(one.occurred_at.astimezone(office.zone), today),
                iso=one.occurred_at.isoformat(),
                title=one.title,
                text=one.text or _no_words(one, office.policy.privacy, at),
                actor=await names.of(one.actor_id),
                mark=alerts.entry_mark(
                    one.invalid_reason, taken_back=one.id in taken_back, locked=one.id in locked
                ),
                counts=one.valid and one.id not in taken_back,
                taken_back=one.id in taken_back,
                late=one.late,
                files=_files(account_id, one, stored),
            )
            for one in page
        ]
    )


def _files(
    account_id: int, activity: Activity, stored: dict[str, StoredFile]
) -> tuple[EntryFile, ...]:
    return tuple(
        EntryFile(
            url=f"/customers/{account_id}/entries/{activity.id}/files/{place}",
            name=file.name,
            shown=_shown(file.media_type),
            size=texts.size(file.size),
        )
        for place, sha in enumerate(activity.file_hashes)
        if (file := stored.get(sha)) is not None
    )


def _shown(media_type: str) -> str:
    if media_type == "application/pdf":
        return "pdf"
    kind = media_type.partition("/")[0]
    return kind if kind in _SHOWN and media_type != "image/svg+xml" else ""


def _no_words(entry: Activity, policy: PrivacyPolicy, at: datetime) -> str:
    """What stands in their place where they are not kept that long; "" where they would be."""
    since = policy.history_since(at)
    if since is None or entry.recorded_at >= since:
        return ""
    return texts.NO_WORDS_KEPT.format(years=policy.history_years)
