"""A customer's mail that was forwarded to the bot as a file, or came into a mailbox, and speaks of
a budget: a card says what was checked on it, and a press makes it evidence. The level itself is
not touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain import levels as rules
from bot.domain.identifiers import one_domain
from bot.domain.levels import Evidence, Level
from bot.domain.opportunities import Account, Opportunity
from bot.errors import Refused
from bot.messages import Button, Card, OutboundMessage, Paper
from handlers.conversation import files
from handlers.customers import customers
from handlers.desk import Desk
from handlers.erp import erp_entries
from handlers.levels import changing, recognising, showing
from handlers.levels.recognising import Exhibit
from handlers.payouts import awaiting
from handlers.texts import levels as texts
from handlers.understanding.evidence import approves_budget

CARD = "mailproof-"
CONFIRM, DROP = "confirm", "drop"


async def propose(desk: Desk) -> bool:
    """Whether the message is one such mail, of the domain of exactly one of the speaker's own
    customers, and nothing else waits for a file."""
    papers = desk.incoming.evidence
    if len(papers) != 1 or len(desk.incoming.files) != 1 or desk.message.in_group:
        return False
    paper = papers[0]
    if paper.mail is None or not approves_budget(paper) or await _is_wanted(desk):
        return False
    found = await _whose(desk, paper)
    if found is None:
        return False
    account, deal = found
    held = await desk.tx.levels.evidence_of(deal.id)
    before = [one for one in held if one.sha256 == paper.sha256 and one.holds(desk.at)]
    if before:
        desk.say(texts.mail_known(account.name, before[0].id))
        return True
    await files.keep(desk)
    card, data = _offered(desk, account, deal, paper)
    await desk.show(card, subject=f"opportunity:{deal.id}", data=data)
    return True


async def offer(desk: Desk, account: Account, paper: Paper) -> None:
    """The same of a mail out of a mailbox, to whoever looks after its customer. Nothing where there
    is no open deal, or the mail approves nothing."""
    deals = await desk.tx.opportunities.open_of_account(account.id)
    if not deals or account.in_pool_since is not None or not approves_budget(paper):
        return
    owner = await desk.tx.people.get(account.owner_id)
    deputy = owner.deputy_id if owner.on_leave(desk.at) else None
    to = desk.office.address_of(owner if deputy is None else await desk.tx.people.get(deputy))
    if to is None:
        return
    card, data = _offered(desk, account, deals[-1], paper)
    await desk.tx.cards.show(
        card, to.key, subject=f"opportunity:{deals[-1].id}", at=desk.at, data=data
    )
    morning = desk.office.first_allowed(desk.at)
    desk.add([OutboundMessage(card.card_id, to, card, not_before=morning)])


async def press(desk: Desk) -> None:
    """«作为凭据», «不作凭据». Raises NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    known = await desk.tx.cards.get(action.card_id)
    if known is None or known.state != "open":
        raise Refused(texts.MAIL_GONE)
    deal = await desk.tx.opportunities.get_for_update(known.data["deal_id"])
    account = await desk.tx.accounts.get(deal.account_id)
    await customers.refuse_foreign(desk, account)
    exhibit = recognising.from_json(known.data["exhibits"])[0]
    closed = texts.MAIL_DROPPED
    if action.action == CONFIRM:
        await _add(desk, account, deal, exhibit)
        closed = texts.MAIL_TAKEN
    card = replace(_card(action.card_id, account, exhibit), buttons=(), closed=closed)
    await desk.change(card, subject=known.subject, data={})


async def _is_wanted(desk: Desk) -> bool:
    drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    return bool(drafts) or await awaiting.awaited(desk) is not None


async def _whose(desk: Desk, paper: Paper) -> tuple[Account, Opportunity] | None:
    """Public mailboxes have no domain that would say so."""
    domain = one_domain(paper.mail.sender) if paper.mail is not None else None
    owned = await desk.tx.accounts.list_of_owner(desk.rep.id) if domain else []
    senders = [account for account in owned if account.domain == domain]
    if len(senders) != 1:
        return None
    deals = await desk.tx.opportunities.open_of_account(senders[0].id)
    return (senders[0], deals[-1]) if deals else None


async def _add(desk: Desk, account: Account, deal: Opportunity, exhibit: Exhibit) -> None:
    held = await desk.tx.levels.evidence_of(deal.id)
    if any(one.sha256 == exhibit.sha256 and one.holds(desk.at) for one in held):
        raise Refused(texts.MAIL_GONE)
    end = changing.end_of_evidence(desk.office, desk.at)
    added = await desk.tx.levels.add_evidence(
        Evidence(
            id=0,
            opportunity_id=deal.id,
            kind=exhibit.kind,
            added_by=desk.rep.id,
            added_at=desk.at,
            expires_at=end,
            sha256=exhibit.sha256,
            fields=exhibit.fields,
            machine_read=True,
        )
    )
    await files.use_loose(desk, account.id, exhibit.sha256)
    await erp_entries.enter(
        desk.tx,
        account.id,
        texts.MAIL_ENTRY,
        f"{exhibit.name}（{texts.recognised(exhibit.fields)}）",
        occurred_at=desk.at,
        at=desk.at,
        key=f"evidence-mail:{added.id}",
        by=desk.rep.id,
        opportunity_id=deal.id,
        files=(exhibit.sha256,),
    )
    missing = rules.missing_for(Level.L2, [*held, added], desk.at)
    desk.say(texts.mail_taken(account.name, added.id, showing.last_day(desk.office, end), missing))


def _offered(
    desk: Desk, account: Account, deal: Opportunity, paper: Paper
) -> tuple[Card, dict[str, Any]]:
    """The card, and what a press on it needs."""
    exhibit = recognising.exhibit(paper, account, Level.L2, held=())
    card_id = f"{CARD}{deal.id}-{paper.sha256[:12]}-{desk.at:%H%M%S%f}"
    data = {"deal_id": deal.id, "exhibits": recognising.to_json([exhibit])}
    return _card(card_id, account, exhibit), data


def _card(card_id: str, account: Account, exhibit: Exhibit) -> Card:
    line = texts.file_line(exhibit.kind, exhibit.name, exhibit.fields, looks_like=None)
    return Card(
        card_id=card_id,
        title=texts.MAIL_TITLE,
        lines=(texts.MAIL_MAY, line, texts.MAIL_CHECK),
        facts=(("客户", account.name),),
        buttons=(
            Button(CONFIRM, texts.MAIL_CONFIRM, style="primary"),
            Button(DROP, texts.MAIL_DROP),
        ),
    )
