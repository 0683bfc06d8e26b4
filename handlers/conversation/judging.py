"""What a draft would be in the stream, and whether it would count there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain import drafting
from bot.domain.activities import Activity, Draft, Grade, Intent
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.valid_actions import ActionFacts, Verdict, earlier_facts, judge
from bot.messages import StoredFile
from handlers.deadlines import settling
from handlers.desk import Desk, Office
from storage.unit_of_work import UnitOfWork

LOOK_BACK = timedelta(days=120)
DRAFT_ONLY = ("customer_mention", "not_these", "replaces", "vague_intent", "remark")


def title_of(office: Office, draft: Draft) -> str:
    unit = office.libraries.of(draft.library).unit(draft.unit)
    if unit is not None:
        return unit.label
    return drafting.NOTES.get(Intent(draft.unit), "沟通记录")


def entry_of(desk: Desk, draft: Draft) -> Activity:
    """The entry that confirming the draft appends, not judged yet. Its customer is known.

    An entry that is no action unit keeps its intent, so that it can be corrected and undone
    as what it was.
    """
    assert draft.account_id is not None
    slots = {key: value for key, value in draft.slots.items() if key not in DRAFT_ONLY}
    is_unit = desk.office.libraries.of(draft.library).unit(draft.unit) is not None
    remark = draft.slots.get("remark")
    return Activity(
        id=0,
        account_id=draft.account_id,
        opportunity_id=draft.opportunity_id,
        actor_id=draft.person_id,
        unit=draft.unit if is_unit else "",
        title=title_of(desk.office, draft),
        text=f"{draft.text}\n{remark}" if remark else draft.text,
        occurred_at=draft.occurred_at,
        recorded_at=desk.at,
        source_id=f"draft:{draft.id}",
        slots=slots if is_unit else {**slots, "intent": draft.unit},
        file_hashes=draft.file_hashes,
        grade=Grade.FILE_ATTACHED if draft.file_hashes else Grade.SELF_REPORTED,
        library=draft.library,
    )


def begins_anew(desk: Desk, draft: Draft, past: Sequence[Opportunity]) -> bool:
    """Whether the draft tells of work on a customer whose last deal had been lost before: that
    is a new opportunity. Notes, and what follows a won deal, belong to the old one."""
    gave_up = past[-1].state in (OpportunityState.LOST, OpportunityState.INVALID)
    is_work = desk.office.libraries.of(draft.library).unit(draft.unit) is not None
    return gave_up and is_work and draft.opportunity_id is None


async def verdict_on(
    desk: Desk, entry: Activity, *, replaces: object = None, unlocked: bool = False
) -> Verdict | None:
    """Whether the entry counts; None for entries that are no action unit.

    replaces: the id of an earlier entry whose place it takes. unlocked: the supervisor lets
    it be late.
    """
    library = desk.office.libraries.of(entry.library)
    unit = library.unit(entry.unit)
    if unit is None:
        return None
    unlocked = unlocked or await settling.is_reopened(desk, entry, replaces)
    files = await files_of(desk.tx, entry.file_hashes)
    counts = {
        file.sha256: await desk.tx.files.accounts_using(file.sha256, besides=entry.account_id)
        for file in files
    }
    past = [one for one in await stream_of(desk, entry.opportunity_id) if one.id != replaces]
    return judge(
        unit,
        ActionFacts(
            occurred_at=entry.occurred_at,
            recorded_at=max(entry.recorded_at, desk.message.sent_at),
            slots=entry.slots,
            files={file.sha256: file.media_type for file in files},
            unlocked=unlocked,
        ),
        earlier_facts(past, library, file_customers=counts),
        desk.office.policies.of(entry.actor_id or desk.rep.id).actions,
        desk.office.calendar,
    )


async def stream_of(desk: Desk, opportunity_id: int | None) -> list[Activity]:
    """As far back as the rules look."""
    if opportunity_id is None:
        return []
    since = desk.at - LOOK_BACK
    return await desk.tx.activities.list_of_opportunity(opportunity_id, since=since)


async def files_of(tx: UnitOfWork, hashes: Sequence[str]) -> list[StoredFile]:
    found = [await tx.files.get(sha256) for sha256 in hashes]
    return [file for file in found if file is not None]
