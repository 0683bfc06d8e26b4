"""Files, pictures and voice: onto the open draft, or kept until the rep says for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain import drafting
from bot.domain.activities import Activity, Draft, Grade
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.errors import NotAllowed
from bot.messages import Button, Card, Fetched, StoredFile
from handlers.coaching import track_library
from handlers.conversation import drafts
from handlers.customers import customers, importing
from handlers.desk import Desk
from handlers.growth_fund import catalogue as growth_catalogue
from handlers.libraries import library_import
from handlers.payouts import disputing, rule_import
from handlers.receivables.paper_reading import ASK as ASK_TO_READ
from handlers.receivables.paper_reading import is_paper
from handlers.texts import dialog
from handlers.texts import directory as directory_texts
from handlers.texts import papers as paper_texts
from handlers.texts import pool as pool_texts


async def receive(desk: Desk) -> None:
    """Attachments without words: onto the open draft, else the question for whom."""
    stored = await _record(desk)
    if stored and await disputing.take_files(desk, stored):
        return
    if stored and not await _was_table(desk, stored):
        await _attach_or_ask(desk, [_file(fetched) for fetched in stored])


async def keep(desk: Desk) -> bool:
    """Keep the attachments until a draft takes them along; False if there is none to keep."""
    files = [_file(fetched) for fetched in await _record(desk)]
    await _set_aside(desk, files)
    return bool(files)


async def place_rest(desk: Desk) -> None:
    """What no new draft took along goes onto the open one, or is asked about."""
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    found = [await desk.tx.files.get(item.sha256) for item in loose]
    files = [file for file in found if file is not None]
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    if files and open_drafts:
        hashes = await drafts.take_loose(desk)
        await drafts.show(desk, drafts.with_files(open_drafts[0], hashes))
    elif files:
        await _ask_for_whom(desk, files)


async def _record(desk: Desk) -> list[Fetched]:
    """Note what was stored; what could not be fetched is said, and can be replayed."""
    for fetched in desk.incoming.files:
        if fetched.lost:
            desk.say(dialog.file_lost(fetched.attachment.kind))
    stored = [fetched for fetched in desk.incoming.files if fetched.stored is not None]
    for fetched in stored:
        await desk.tx.files.record(_file(fetched), at=desk.at)
    return stored


async def _set_aside(desk: Desk, files: Sequence[StoredFile]) -> None:
    for number, file in enumerate(files):
        source = f"{desk.incoming.source_id}:{number}"
        await desk.tx.drafts.add_loose(desk.conversation, desk.rep.id, file.sha256, source, desk.at)


async def _was_table(desk: Desk, stored: Sequence[Fetched]) -> bool:
    """Bonus rules from who may write them, or a table from an administrator: talk tracks, an
    action library, or customers."""
    if len(stored) == 1 and await rule_import.take_file(desk, stored[0], _file(stored[0]).name):
        return True
    if len(stored) == 1 and await growth_catalogue.take_file(
        desk, stored[0], _file(stored[0]).name
    ):
        return True
    if len(stored) != 1 or Role.ADMIN not in desk.rep.roles:
        return False
    file = _file(stored[0])
    if stored[0].table and await track_library.was_table(desk, file.name, stored[0].table):
        return True
    if await library_import.take_file(desk, stored[0], file.name):
        return True
    if not file.name.lower().endswith(".csv"):
        return False
    done = desk.incoming.imported
    if done is None:
        table = stored[0].table
        done = await importing.import_customers(
            desk.tx, desk.office, table, actor=desk.rep, at=desk.at
        )
    else:
        await importing.note(desk.tx, done, actor=desk.rep, at=desk.at)
    told = directory_texts.imported(done.created, done.known, done.mistakes, done.doubts)
    desk.say(told + (pool_texts.without_owner(done.ownerless) if done.ownerless else ""))
    return True


async def _attach_or_ask(desk: Desk, files: list[StoredFile]) -> None:
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    wanting = [draft for draft in open_drafts if _wants(desk, draft, files)]
    target = (wanting or open_drafts)[0] if open_drafts else None
    if target is not None:
        await drafts.show(desk, await drafts.attach(desk, target, files))
        return
    await _set_aside(desk, files)
    await _ask_for_whom(desk, files)


def _wants(desk: Desk, draft: Draft, files: Sequence[StoredFile]) -> bool:
    """Whether a draft's action unit asks for a file of this kind."""
    unit = drafts.unit_of(desk, draft)
    spec = unit.slot("files") if unit else None
    return spec is not None and any(drafting.accepts_file(spec, f.media_type) for f in files)


async def _ask_for_whom(desk: Desk, files: Sequence[StoredFile]) -> None:
    choices = await customers.recent(desk, limit=4)
    card = Card(
        card_id=f"files-{desk.rep.id}-{files[0].sha256[:12]}-{desk.at:%H%M%S%f}",
        title="这是给哪家客户的？",
        lines=(dialog.file_for_whom([file.name for file in files]),),
        buttons=(
            *(Button(f"pick-{one.id}", dialog.short_name(one.name)) for one in choices),
            *_contract_button(desk, files),
            Button("drop", "不用了", style="danger"),
        ),
    )
    await desk.show(card, subject=f"files:{desk.rep.id}")


def _contract_button(desk: Desk, files: Sequence[StoredFile]) -> tuple[Button, ...]:
    papers = desk.office.reads_papers and any(is_paper(file.media_type) for file in files)
    return (Button(ASK_TO_READ, paper_texts.BUTTON),) if papers else ()


async def give_to(desk: Desk, account: Account) -> None:
    """The answer to "for whom?": the waiting files enter that customer's stream."""
    await customers.refuse_foreign(desk, account)
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    if not loose:
        await _close_question(desk, dialog.NO_FILES_WAITING)
        desk.say(dialog.NO_FILES_WAITING)
        return
    names = "、".join(item.name for item in loose)
    deals = await desk.tx.opportunities.open_of_account(account.id)
    await desk.tx.activities.add(
        Activity(
            id=0,
            account_id=account.id,
            opportunity_id=deals[0].id if deals else None,
            actor_id=desk.rep.id,
            unit="",
            title="附件",
            text=names,
            occurred_at=desk.message.sent_at,
            recorded_at=desk.at,
            source_id=desk.incoming.source_id,
            file_hashes=tuple(dict.fromkeys(item.sha256 for item in loose)),
            grade=Grade.FILE_ATTACHED,
        )
    )
    for item in loose:
        await desk.tx.files.use(item.sha256, account.id, desk.at)
    await desk.tx.drafts.settle_loose([item.id for item in loose], desk.at)
    await _close_question(desk, dialog.files_given(names, account.name))
    desk.say(dialog.files_given(names, account.name))


async def use_loose(desk: Desk, account_id: int, sha256: str) -> None:
    """A file that somebody else has found a customer for waits no longer."""
    await desk.tx.files.use(sha256, account_id, desk.at)
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    ids = [one.id for one in loose if one.sha256 == sha256]
    await desk.tx.drafts.settle_loose(ids, desk.at)


async def press(desk: Desk) -> None:
    """A button of the "for whom?" card."""
    action = desk.message.action
    assert action is not None
    asked = int(action.card_id.split("-")[1])
    if asked != desk.rep.id:
        owner = await desk.tx.people.get(asked)
        raise NotAllowed(dialog.not_yours_to_press(owner.name))
    if action.action == "drop":
        loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
        await desk.tx.drafts.settle_loose([item.id for item in loose], desk.at)
        told = dialog.FILES_DROPPED if loose else dialog.NO_FILES_WAITING
        await _close_question(desk, told)
        desk.say(told)
        return
    await give_to(desk, await desk.tx.accounts.get(int(action.action.removeprefix("pick-"))))


async def _close_question(desk: Desk, note: str) -> None:
    action = desk.message.action
    if action is not None:
        card = Card(card_id=action.card_id, title="附件", lines=(note,), closed="已处理")
        await desk.change(card, subject=f"files:{desk.rep.id}")


def _file(fetched: Fetched) -> StoredFile:
    assert fetched.stored is not None
    name = fetched.stored.name or fetched.attachment.name
    return replace(fetched.stored, name=name)
