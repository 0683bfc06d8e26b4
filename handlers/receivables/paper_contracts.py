"""Contracts on paper: what a machine read becomes a card to check; only a press makes it a fact."""

from __future__ import annotations

from typing import Any

from bot.domain.opportunities import Account
from bot.domain.receivables import ContractTerms
from bot.errors import UserError
from bot.messages import Paper
from handlers.conversation import conversations, files, hearing
from handlers.desk import Desk
from handlers.receivables import contracts
from handlers.texts import papers as texts
from handlers.understanding.paper_contracts import PaperContract, read_paper


def is_sent(desk: Desk) -> bool:
    """A file that was read because it is called a contract."""
    return desk.incoming.paper is not None and bool(desk.incoming.files)


async def receive(desk: Desk) -> None:
    """The file goes where every file goes; nobody is asked for whom where the paper says it."""
    paper = desk.incoming.paper
    assert paper is not None
    waiting = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    readable = bool(paper.lines) and read_paper(paper.lines, desk.office.calendar).found
    if hearing.spoken_text(desk):
        await conversations.words_and_files(desk)
    elif readable and not waiting:
        await files.keep(desk)
    else:
        await files.receive(desk)
        if not readable and waiting:
            return  # it was wanted as a file, not for what it says
    await _show(desk, paper)


async def by_order(desk: Desk, _: str) -> None:
    """«识别合同»: the paper sent last."""
    paper = desk.incoming.paper
    if paper is None:
        desk.say(texts.NOTHING_WAITS)
        return
    await _show(desk, paper)


async def press(desk: Desk) -> None:
    """The same, by the button of the card that asks for whom a file is."""
    await by_order(desk, "")


async def _show(desk: Desk, paper: Paper) -> None:
    """A refusal is said, not raised: the file must stay."""
    if not paper.lines:
        desk.say(texts.not_read(paper.name, paper.trouble))
        return
    read = read_paper(paper.lines, desk.office.calendar)
    if not read.found:
        desk.say(texts.not_read(paper.name, texts.NOT_A_CONTRACT))
        return
    try:
        await _ask(desk, paper, read)
    except UserError as refusal:
        desk.say(str(refusal))


async def _ask(desk: Desk, paper: Paper, read: PaperContract) -> None:
    account = await _customer(desk, read)
    missing = {"客户": account, "合同号": read.number, "金额": read.amount_fen}
    lacking = [name for name, found in missing.items() if found is None]
    if account is None or read.number is None or read.amount_fen is None:
        desk.say(texts.incomplete(read, account.name if account else "", lacking))
        return
    terms = ContractTerms(
        number=read.number,
        amount_fen=read.amount_fen,
        signed_on=read.signed_on or desk.office.calendar.day_of(desk.at),
        prepayment_fen=read.prepayment_fen,
        prepayment_due_on=read.prepayment_due_on,
        post_paid=read.post_paid,
    )
    lines = [
        texts.CHECK,
        texts.doubts(read.doubts),
        texts.lowest(min(line.confidence for line in paper.lines)),
        texts.terms_line(read.payment_terms),
        "" if read.signed_on else texts.DAY_ASSUMED,
    ]
    told = tuple(line for line in lines if line)
    kept = _kept(paper, read)
    await contracts.show_read(desk, account, terms, sha256=paper.sha256, lines=told, read=kept)


def _kept(paper: Paper, read: PaperContract) -> dict[str, Any]:
    """What was read, in words, as evidence packs show it."""
    lowest = min(line.confidence for line in paper.lines)
    return {"fields": texts.fields(read), "lowest_bp": int(lowest * 10_000)}


async def _customer(desk: Desk, read: PaperContract) -> Account | None:
    """The buyer, where we know them; else the other party, should the sides be mixed up."""
    for name in (read.buyer, read.seller):
        found = await contracts.customer_in(desk, name) if name else None
        if found is not None:
            return found
    return None
