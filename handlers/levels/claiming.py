"""«恒锐 L1 PO号 PO-2026-018» with its file: a card of what was understood and recognised, and a
press that sets the level. What is missing is asked for, and may follow in words or files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain import levels as rules
from bot.domain.activities import Record
from bot.domain.levels import Cause, Evidence, EvidenceKind, Level
from bot.domain.opportunities import Account, Opportunity
from bot.errors import Refused
from bot.messages import Button, Card
from handlers.conversation import files
from handlers.customers import customers
from handlers.desk import Desk
from handlers.levels import changing, recognising, showing
from handlers.levels.reading import AWAITED
from handlers.levels.recognising import Exhibit
from handlers.texts import levels as texts
from handlers.understanding.evidence import po_number

CARD = "level-"
CONFIRM, DROP = "confirm", "drop"
AWAITED_FOR = timedelta(hours=24)
PROOF_DAYS = 30  # an entry of the stream proves a need for so long

_NAMED = re.compile(r"(?<![A-Za-z0-9])[lL] ?(?P<level>[123](?:\.5)?)(?![\d\-_])")
_NEED = re.compile(r"需求(?:是|为|[:： ])+ ?(?P<need>.+?)(?=[，,。;；]|联系人|对接人|$)")
_CONTACT = re.compile(r"(?:联系人|对接人)(?:是|[:： ])*(?P<name>[一-鿿A-Za-z]{2,8})")
_REASON = re.compile(r"(?:因为|由于|原因(?:是)?[:： ]?)(?P<reason>.{2,120})")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a card about a level holds."""

    deal_id: int
    level: Level
    number: str = ""
    need: str = ""
    contact: str = ""
    activity_id: int | None = None
    reason: str = ""
    exhibits: tuple[Exhibit, ...] = ()


async def take(desk: Desk, record: Record, text: str) -> bool:
    """Whether it is about a level that is named. Raises NotAllowed, Refused, NotFound."""
    match = _NAMED.search(text)
    if match is None or record.customer is None:
        return False
    account = await desk.tx.accounts.find_by_name(record.customer)
    if account is None:
        return False
    await customers.refuse_foreign(desk, account)
    level = Level(f"L{match['level']}")
    if level is Level.L2_5:
        raise Refused(texts.refused(rules.Refusal.DERIVED))
    if record.level_refused is not None:
        raise Refused(texts.refused_as_denied(match[0]))
    deal = await open_deal(desk, account, text)
    claim = await _understood(desk, account, deal, (level, text, record))
    await _show(desk, account, deal, claim)
    return True


async def take_words(desk: Desk, text: str) -> bool:
    """Whether the words give what the open card still asks for."""
    waiting = await _awaited(desk)
    if waiting is None:
        return False
    given = _said(text)
    if not given or _NAMED.search(text):
        return False
    card_id, claim = waiting
    await _show_again(desk, card_id, _with(claim, given))
    return True


async def take_files(desk: Desk) -> bool:
    """Whether the files were for the open card."""
    waiting = await _awaited(desk)
    if waiting is None or not desk.incoming.evidence:
        return False
    card_id, claim = waiting
    deal = await desk.tx.opportunities.get(claim.deal_id)
    account = await desk.tx.accounts.get(deal.account_id)
    await files.keep(desk)
    claim = replace(claim, exhibits=await _exhibits(desk, account, claim))
    await _settle_loose(desk, claim)
    await _show_again(desk, card_id, claim)
    return True


async def press(desk: Desk) -> None:
    """«确认定级», «确认下调», «取消». Raises NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    known = await desk.tx.cards.get(action.card_id)
    if known is None or known.state != "open":
        raise Refused(texts.GONE)
    claim = _from_json(known.data)
    deal = await desk.tx.opportunities.get_for_update(claim.deal_id)
    account = await desk.tx.accounts.get(deal.account_id)
    await customers.refuse_foreign(desk, account)
    card = await _card(desk, account, deal, claim, action.card_id)  # from what it was
    closed = texts.DROPPED
    if action.action == DROP:
        await _give_back(desk, claim)
    elif claim.reason:
        await _lower(desk, account, deal, claim)
        closed = texts.LOWERED
    else:
        await _set(desk, account, deal, claim)
        closed = texts.DONE
    await _forget(desk)
    await desk.change(replace(card, buttons=(), closed=closed), subject=known.subject, data={})


async def open_deal(desk: Desk, account: Account, text: str) -> Opportunity:
    """The one that is named, else the latest. Raises Refused where none is open."""
    deals = await desk.tx.opportunities.open_of_account(account.id)
    if not deals:
        raise Refused(texts.no_open_deal(account.name))
    named = [deal for deal in deals if deal.name != account.name and deal.name in text]
    return (named or deals)[-1]


async def _understood(
    desk: Desk, account: Account, deal: Opportunity, told: tuple[Level, str, Record]
) -> Claim:
    level, text, record = told
    noted, _ = await changing.standing(desk.tx, deal.id, desk.at)
    if noted is level:
        raise Refused(texts.refused(rules.Refusal.SAME))
    if rules.is_higher(noted, level):
        reason = _REASON.search(text)
        if reason is None:
            raise Refused(texts.refused(rules.Refusal.NO_REASON))
        return Claim(deal.id, level, reason=reason["reason"].strip(" 。！!"))
    claim = _with(Claim(deal.id, level), _said(text))
    if level is Level.L1 and record.ref and not claim.number:
        claim = replace(claim, number=record.ref.upper())
    if level is Level.L3:
        claim = await _with_proof(desk, account, deal, claim, record)
    claim = replace(claim, exhibits=await _exhibits(desk, account, claim))
    await _settle_loose(desk, claim)
    return claim


def _said(text: str) -> dict[str, str]:
    """What of a claim the words give."""
    need, contact = _NEED.search(text), _CONTACT.search(text)
    said = {"number": po_number(text)}
    said["need"] = need["need"].strip() if need else ""
    said["contact"] = contact["name"] if contact else ""
    return {name: value for name, value in said.items() if value}


def _with(claim: Claim, said: Mapping[str, str]) -> Claim:
    return replace(
        claim,
        number=said.get("number", claim.number),
        need=said.get("need", claim.need),
        contact=said.get("contact", claim.contact),
    )


async def _with_proof(
    desk: Desk, account: Account, deal: Opportunity, claim: Claim, record: Record
) -> Claim:
    """The newest action on record shows a need, where no file does; the only contact is meant
    where none is named."""
    contact = claim.contact or record.contact or ""
    if not contact:
        known = await desk.tx.accounts.contacts(account.id)
        contact = known[0].name if len(known) == 1 else ""
    since = desk.at - timedelta(days=PROOF_DAYS)
    entries = await desk.tx.activities.list_of_opportunity(deal.id, since=since)
    proof = next((one for one in reversed(entries) if one.valid), None)
    return replace(claim, contact=contact, activity_id=proof.id if proof else None)


async def _exhibits(desk: Desk, account: Account, claim: Claim) -> tuple[Exhibit, ...]:
    """Those on the card, and those that came now."""
    held = await desk.tx.levels.evidence_of(claim.deal_id)
    kinds = {one.kind for one in held if one.holds(desk.at)}
    found = {one.sha256: one for one in claim.exhibits}
    for paper in desk.incoming.evidence:
        taken = kinds | {one.kind for one in found.values()}
        if paper.sha256 not in found:
            one = recognising.exhibit(paper, account, claim.level, held=taken)
            found[paper.sha256] = one
    return tuple(found.values())


def _pieces(desk: Desk, claim: Claim) -> list[Evidence]:
    """As they will be on record."""
    plain = Evidence(
        id=0,
        opportunity_id=claim.deal_id,
        kind=EvidenceKind.NEED,
        added_by=desk.rep.id,
        added_at=desk.at,
        expires_at=changing.end_of_evidence(desk.office, desk.at),
    )
    pieces = []
    for one in claim.exhibits:
        fields = dict(one.fields)
        number = ""
        if one.kind is EvidenceKind.PURCHASE_ORDER:
            number = claim.number or fields.get("po", "")
        if one.kind is EvidenceKind.NEED:
            fields |= {"need": claim.need, "contact": claim.contact}
        pieces.append(
            replace(
                plain, kind=one.kind, number=number[:60], sha256=one.sha256, fields=fields,
                machine_read="trouble" not in fields,
            )
        )  # fmt: skip
    if claim.level is Level.L3 and not pieces:
        fields = {"need": claim.need, "contact": claim.contact}
        pieces.append(replace(plain, activity_id=claim.activity_id, fields=fields))
    return pieces


async def _asks(desk: Desk, claim: Claim) -> list[str]:
    """What must still be given, in words."""
    if claim.reason:
        return []
    pieces = _pieces(desk, claim)
    held = await desk.tx.levels.evidence_of(claim.deal_id)
    asks = []
    for kind in rules.missing_for(claim.level, [*held, *pieces], desk.at):
        given = next((one for one in pieces if one.kind is kind), None)
        if given is None:
            number = kind is EvidenceKind.PURCHASE_ORDER and not claim.number
            asks += [
                texts.ask_for(kind, "file"),
                *([texts.ask_for(kind, "number")] if number else []),
            ]
        else:
            asks += [texts.ask_for(kind, str(flaw)) for flaw in rules.flaws(given)]
    return asks


async def _set(desk: Desk, account: Account, deal: Opportunity, claim: Claim) -> None:
    asks = await _asks(desk, claim)
    if asks:
        raise Refused(texts.still_missing(asks))
    for piece in _pieces(desk, claim):
        if not rules.flaws(piece):
            await desk.tx.levels.add_evidence(piece)
        if piece.sha256:
            await desk.tx.files.use(piece.sha256, account.id, desk.at)
    done = await changing.set_level(
        desk.tx, desk.office, deal, claim.level, cause=Cause.CLAIMED, at=desk.at, by=desk.rep.id
    )
    end = changing.end_of_evidence(desk.office, desk.at)
    desk.say(texts.claimed(account.name, claim.level, showing.last_day(desk.office, end)))
    desk.add(done.messages)


async def _lower(desk: Desk, account: Account, deal: Opportunity, claim: Claim) -> None:
    done = await changing.set_level(
        desk.tx, desk.office, deal, claim.level, cause=Cause.LOWERED, at=desk.at,
        by=desk.rep.id, reason=claim.reason,
    )  # fmt: skip
    desk.say(texts.was_lowered(account.name, done.change))
    desk.add(done.messages)


async def _show(desk: Desk, account: Account, deal: Opportunity, claim: Claim) -> None:
    card_id = f"{CARD}{hashlib.sha256(desk.incoming.source_id.encode()).hexdigest()[:16]}"
    card = await _card(desk, account, deal, claim, card_id)
    await desk.show(card, subject=f"opportunity:{deal.id}", data=_to_json(claim))
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    awaited = {AWAITED: {"card": card_id, "at": desk.at.isoformat()}}
    await desk.tx.dialogs.put(desk.conversation, desk.rep.id, {**state, **awaited}, desk.at)


async def _show_again(desk: Desk, card_id: str, claim: Claim) -> None:
    deal = await desk.tx.opportunities.get(claim.deal_id)
    account = await desk.tx.accounts.get(deal.account_id)
    card = await _card(desk, account, deal, claim, card_id)
    await desk.change(card, subject=f"opportunity:{deal.id}", data=_to_json(claim))


def _to_check(claim: Claim) -> list[str]:
    if not claim.exhibits:
        return []
    was_read = any("trouble" not in one.fields for one in claim.exhibits)
    return [texts.CHECK if was_read else texts.UNREAD]


async def _card(
    desk: Desk, account: Account, deal: Opportunity, claim: Claim, card_id: str
) -> Card:
    noted, _ = await changing.standing(desk.tx, deal.id, desk.at)
    read = next((one.fields["po"] for one in claim.exhibits if "po" in one.fields), "")
    asks = await _asks(desk, claim)
    lines = [
        *(
            texts.file_line(one.kind, one.name, one.fields, looks_like=one.looks_like)
            for one in claim.exhibits
        ),
        *_to_check(claim),
    ]
    if claim.number and read and claim.number != read:
        lines.append(texts.number_differs(claim.number, read))
    if asks:
        lines.append(texts.still_missing(asks))
    facts = [("客户", account.name), ("级别", texts.set_from_to(noted, claim.level))]
    facts += [("PO号", claim.number or f"{read}（机器识别）")] if claim.number or read else []
    facts += [("需求", claim.need)] if claim.need else []
    facts += [("联系人", claim.contact)] if claim.contact else []
    facts += [("原因", claim.reason)] if claim.reason else []
    if claim.activity_id is not None and not claim.exhibits:
        entry = await desk.tx.activities.get(claim.activity_id)
        local = entry.occurred_at.astimezone(desk.office.zone)
        facts.append(("凭据", f"{local.month}月{local.day}日 {entry.title}"))
    label = texts.LOWER if claim.reason else texts.CONFIRM
    confirm = () if asks else (Button(CONFIRM, label, style="primary"),)
    return Card(
        card_id=card_id,
        title=texts.TITLE,
        lines=tuple(lines),
        facts=tuple(facts),
        buttons=(*confirm, Button(DROP, texts.DROP)),
    )


async def _settle_loose(desk: Desk, claim: Claim) -> None:
    """Files on the card wait for no customer any more."""
    taken = {one.sha256 for one in claim.exhibits}
    loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
    ids = [one.id for one in loose if one.sha256 in taken]
    await desk.tx.drafts.settle_loose(ids, desk.at)


async def _give_back(desk: Desk, claim: Claim) -> None:
    for number, one in enumerate(claim.exhibits):
        source = f"{desk.incoming.source_id}:{number}"
        await desk.tx.drafts.add_loose(desk.conversation, desk.rep.id, one.sha256, source, desk.at)


async def _awaited(desk: Desk) -> tuple[str, Claim] | None:
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    waiting = state.get(AWAITED)
    if waiting is None or desk.at - datetime.fromisoformat(waiting["at"]) > AWAITED_FOR:
        return None
    known = await desk.tx.cards.get(waiting["card"])
    if known is None or known.state != "open":
        return None
    return known.card_id, _from_json(known.data)


async def _forget(desk: Desk) -> None:
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    if AWAITED in state:
        rest = {key: value for key, value in state.items() if key != AWAITED}
        await desk.tx.dialogs.put(desk.conversation, desk.rep.id, rest, desk.at)


def _to_json(claim: Claim) -> dict[str, Any]:
    return {
        "deal_id": claim.deal_id,
        "level": str(claim.level),
        "number": claim.number,
        "need": claim.need,
        "contact": claim.contact,
        "activity_id": claim.activity_id,
        "reason": claim.reason,
        "exhibits": recognising.to_json(claim.exhibits),
    }


def _from_json(told: Mapping[str, Any]) -> Claim:
    rest = {name: told[name] for name in ("number", "need", "contact", "activity_id", "reason")}
    return Claim(
        deal_id=told["deal_id"],
        level=Level(told["level"]),
        exhibits=tuple(recognising.from_json(told["exhibits"])),
        **rest,
    )
