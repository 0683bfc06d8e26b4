"""A contract that came from the same sentence as a record which is taken back: asked about, and
taken off the record by a press. One that somebody paid for, or that is under review, stays."""

from __future__ import annotations

from bot.domain.activities import Activity, retraction_of
from bot.domain.receivables import Contract
from bot.errors import Refused
from bot.messages import Button, Card
from handlers.desk import Desk
from handlers.erp import erp_forecasts
from handlers.payouts import following
from handlers.receivables import contracts
from handlers.texts import receivables as texts

PREFIX = "withdraw-"
TAKE, KEEP = "take", "keep"
LOOKED_AT = 50


async def after_undoing(desk: Desk, entry: Activity) -> None:
    """A card that still waits is closed; a contract on record is asked about."""
    kind, _, number = entry.source_id.partition(":")
    if kind != "draft":
        return
    draft = await desk.tx.drafts.get_for_update(int(number))
    shown = await desk.tx.cards.get(contracts.card_id_of(draft.source_id.rpartition(":")[0]))
    if shown is None or not shown.data:
        return
    if shown.state == "open":
        await contracts.drop(desk, shown)
        return
    contract = await desk.tx.contracts.find(shown.data["terms"]["number"])
    if contract is None or contract.account_id != entry.account_id:
        return
    card = Card(
        card_id=f"{PREFIX}{contract.id}-{entry.id}",
        title=texts.WITHDRAW_TITLE,
        lines=(texts.withdraw_question(contract.terms.number, entry.title),),
        buttons=(
            Button(TAKE, texts.WITHDRAW, style="danger"),
            Button(KEEP, texts.KEEP_CONTRACT, style="primary"),
        ),
    )
    await desk.show(card, subject=f"contract:{contract.id}")


async def press(desk: Desk) -> None:
    """«一起撤下» or «保留合同». Raises NotAllowed, NotFound, Refused."""
    action = desk.message.action
    assert action is not None
    contract = await desk.tx.contracts.get(int(action.card_id.split("-")[1]))
    account = await desk.tx.accounts.get(contract.account_id)
    await contracts.refuse_others(desk, account)
    number = contract.terms.number
    told = texts.contract_kept(number)
    if action.action == TAKE:
        await _take_off(desk, contract)
        told = texts.contract_withdrawn(number)
    card = Card(action.card_id, texts.WITHDRAW_TITLE, lines=(told,), closed=texts.DECIDED)
    await desk.change(card, subject=f"contract:{contract.id}")
    desk.say(told)


async def _take_off(desk: Desk, contract: Contract) -> None:
    received = (await desk.tx.contracts.received([contract.id]))[contract.id]
    reviewed = await desk.tx.clause_reviews.of_contract(contract.id)
    if received or reviewed is not None:
        raise Refused(texts.not_withdrawn(contract.terms.number))
    await desk.tx.contracts.withdraw(contract.id, at=desk.at)
    desk.add(await following.follow(desk.tx, desk.office, [contract.id], desk.at))
    desk.add(await erp_forecasts.follow_withdrawn(desk.tx, desk.office, contract, desk.at))
    page, _ = await desk.tx.activities.page(contract.account_id, limit=LOOKED_AT, before=None)
    gone = {one.retracts_id for one in page}
    for entry in page:
        if entry.source_id.startswith(f"contract:{contract.id}:") and entry.id not in gone:
            why = texts.withdrawn_entry(contract.terms.number, desk.rep.name)
            await desk.tx.activities.add(retraction_of(entry, why, by=desk.rep.id, at=desk.at))
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="withdraw_contract",
        subject=f"contract:{contract.id}",
        before={"number": contract.terms.number, "amount_fen": contract.terms.amount_fen},
        after=None,
    )
