"""What a supervisor does from the digest: acknowledge, put off, hand over, remark, look closer."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.lights import Lead
from bot.domain.notifying import Reason
from bot.errors import NotAllowed, Refused
from bot.messages import Button, Card, Markdown
from handlers.customers import commenting
from handlers.desk import Desk
from handlers.leading import team, team_digest, teams
from handlers.leading.team_digest import ACK, ASSIGN, COMMENT, DETAIL, LATER, LEAD
from handlers.lights import light_presses, light_showing
from handlers.texts import alerts as alert_texts
from handlers.texts import dialog
from handlers.texts import team_digest as texts

MOST_COLLEAGUES = 6
TO = "to-"


async def press(desk: Desk) -> None:
    """A button of the digest; then the card shows what is left. Raises NotAllowed on somebody
    else's, Refused where one lead must be chosen first."""
    action = desk.message.action
    assert action is not None
    leader_id = int(action.card_id.split("-")[1])
    if leader_id != desk.rep.id:
        raise NotAllowed(dialog.not_yours_to_press((await desk.tx.people.get(leader_id)).name))
    watch = desk.office.watch
    present = await team_digest.team_of(desk.tx, watch, desk.rep, desk.at)
    ids = team_digest.loud_ids(present, desk.at)
    chosen = action.values.get(LEAD, team_digest.ALL)
    everything = chosen in (team_digest.ALL, team_digest.UNCHOSEN)
    meant = ids if everything else [number for number in ids if str(number) == chosen]
    if meant:
        await _act(desk, action.action, meant)
    else:
        desk.say(texts.GONE)
    await _show_rest(desk, action.card_id)


async def assign(desk: Desk) -> None:
    """«转给陈静» on the card that asks whom to give a customer to."""
    action = desk.message.action
    assert action is not None
    account = await desk.tx.accounts.get(int(action.card_id.split("-")[1]))
    if not action.action.startswith(TO):
        raise Refused(dialog.CARD_UNKNOWN)
    person = await desk.tx.people.get(int(action.action.removeprefix(TO)))
    await team.hand_over(desk, account, person)
    card = Card(action.card_id, texts.assign_title(account.name), closed=f"已转给{person.name}")
    await desk.change(card, subject=f"assign:{account.id}")


async def _act(desk: Desk, action: str, ids: list[int]) -> None:
    if action == ACK:
        count = await light_presses.acknowledge(desk.tx, ids, desk.rep, desk.at)
        desk.say(alert_texts.acknowledged(count))
    elif action == LATER:
        await _ask_reason(desk, await desk.tx.lights.list_leads(ids))
    elif action == DETAIL:
        leads = await desk.tx.lights.list_leads(ids)
        told = await light_presses.detail(desk.tx, desk.office.watch, leads, desk.rep, desk.at)
        desk.answer(Markdown(alert_texts.DETAIL_TITLE, told))
    elif len(ids) != 1:
        raise Refused(texts.CHOOSE_ONE)
    else:
        deal = await desk.tx.opportunities.get(ids[0])
        account = await desk.tx.accounts.get(deal.account_id)
        if action == COMMENT:
            await commenting.ask(desk, account)
        elif action == ASSIGN:
            await _ask_whom(desk, account.id)


async def _ask_reason(desk: Desk, leads: list[Lead]) -> None:
    """A card with the reasons and the days, as when the lights were pushed."""
    card_id = f"lights-later-{desk.rep.id}-{int(desk.at.timestamp())}"
    await light_showing.show(desk, leads, card_id=card_id, reason=Reason.CHANGED)


async def _ask_whom(desk: Desk, account_id: int) -> None:
    account = await desk.tx.accounts.get(account_id)
    owner = await desk.tx.people.get(account.owner_id)
    colleagues = [
        person
        for person in await teams.below(desk.tx, desk.rep)
        if person.id != owner.id and not person.on_leave(desk.at)
    ]
    buttons = [Button(f"{TO}{person.id}", person.name) for person in colleagues[:MOST_COLLEAGUES]]
    if not buttons:
        raise Refused(texts.NOBODY_TO_TAKE_IT)
    card = Card(
        card_id=f"assign-{account.id}-{desk.rep.id}-{int(desk.at.timestamp())}",
        title=texts.assign_title(account.name),
        lines=(texts.assign_question(account.name, owner.name),),
        buttons=tuple(buttons),
    )
    await desk.show(card, subject=f"assign:{account.id}")


async def _show_rest(desk: Desk, card_id: str) -> None:
    watch = desk.office.watch
    rest = await team_digest.team_of(desk.tx, watch, desk.rep, desk.at)
    card = await team_digest.build(desk.tx, watch, desk.rep.id, rest, desk.at)
    if card is None or not card.buttons:
        today = desk.office.calendar.day_of(desk.at)
        title = texts.title(today, reds=0, locked=len(rest.locked))
        card = Card(card_id, title, closed=texts.NOTHING_LEFT)
    card = replace(card, card_id=card_id)
    await desk.change(card, subject=card_id, only_in_place=True)
