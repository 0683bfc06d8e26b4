"""A change of rules becomes public: in the same transaction everybody affected is told what
changes, in words and for themselves, and from which day (docs/rules-canvas.md)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.payouts.impacts import Impact
from bot.domain.payouts.recipients import id_of
from bot.domain.payouts.rule_changes import SIMULATED_MONTHS, Change, State, effective_on
from bot.domain.payouts.rules import Rule
from bot.domain.payouts.words import in_words
from bot.domain.people import Person, Role
from bot.messages import Markdown, OutboundMessage
from handlers.desk import Desk
from handlers.payouts import deal_facts, simulating
from handlers.texts import payout_rules as texts


async def publish(desk: Desk, change: Change) -> tuple[Change, int]:
    """The change as published, and how many people are told."""
    before = deal_facts.book_of(await deal_facts.rules_document(desk.tx)).rules
    moved = await desk.tx.payout_rules.move(
        change.id, State.PUBLISHED, published_by=desk.rep.id, published_at=desk.at
    )
    after = deal_facts.book_of(await deal_facts.rules_document(desk.tx)).rules
    await desk.tx.payout_facts.make_stale(effective_on(change.rules), desk.at)
    assert change.simulation is not None
    impact = simulating.from_json(change.simulation).impact
    told = await _affected(desk, impact)
    messages = _news(desk, change, told, impact, _sentences(change, before, after))
    desk.add(messages)
    return moved, len(messages)


async def _affected(desk: Desk, impact: Impact) -> list[Person]:
    """Everybody who sells, and who got or would get something by these rules."""
    paid = {id_of(one) for one in impact.people}
    active = await desk.tx.people.list_active()
    return [one for one in active if Role.REP in one.roles or one.id in paid]


def _sentences(
    change: Change, before: Sequence[Rule], after: Sequence[Rule]
) -> tuple[list[str], list[str]]:
    """The new rules, and those whose place they take."""
    ids = {str(rule["id"]) for rule in change.rules}
    keys = {(str(rule["id"]), rule["version"]) for rule in change.rules}
    newest = {rule.id: rule for rule in before if rule.id in ids}
    new = [in_words(rule) for rule in after if (rule.id, rule.version) in keys]
    return new, [in_words(rule) for rule in newest.values()]


def _news(
    desk: Desk,
    change: Change,
    people: Sequence[Person],
    impact: Impact,
    sentences: tuple[list[str], list[str]],
) -> list[OutboundMessage]:
    morning = desk.office.first_allowed(desk.at)
    own = {
        id_of(one): (impact.before.get(one, 0), impact.after.get(one, 0)) for one in impact.people
    }
    new, old = sentences
    messages = []
    for person in people:
        to = desk.office.address_of(person)
        if to is None:
            continue
        words = texts.news(
            first=effective_on(change.rules),
            new=new,
            old=old,
            own=own.get(person.id),
            months=SIMULATED_MONTHS,
            people=len(impact.people),
            changed=len(impact.changed),
        )
        key = f"payrule:{change.id}:published:{person.id}"
        content = Markdown("奖金规则有变化", words)
        messages.append(OutboundMessage(key, to, content, not_before=morning))
    return messages
