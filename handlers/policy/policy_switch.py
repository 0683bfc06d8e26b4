"""Changing a number of the policy: what it comes to on a card, one press, and 撤销 under it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bot.domain.people import Person, Role
from bot.domain.policy_changes import Setting, Value, setting_of, value_of
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import Button, Card, OutboundMessage, Text
from handlers.desk import Desk
from handlers.policy.policies import line_of
from handlers.texts import dialog
from handlers.texts import libraries as library_texts
from handlers.texts import policy as texts

PREFIX = "policy-"
APPLY, CANCEL, UNDO, OFFER = "apply", "cancel", "undo", "offer-"


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that somebody wants. team: its leader, None for the organisation. was: in force
    now. to: None for what applies without a change. people: whom it concerns."""

    setting: Setting
    team: Person | None
    was: Value
    to: Value | None
    people: int = 0

    @property
    def team_id(self) -> int | None:
        return self.team.id if self.team is not None else None

    @property
    def whose(self) -> str:
        return whose(self.team)


def whose(team: Person | None) -> str:
    return library_texts.team_of(team.name) if team is not None else library_texts.ORGANISATION


async def ask(desk: Desk, setting: Setting, team: Person | None, to: Value | None) -> None:
    """What the change comes to, and a button. Raises NotAllowed, InvalidInput, Refused."""
    plan = await preview(desk, setting, team, to)
    data = {"key": setting.key, "team": plan.team_id, "was": plan.was, "to": to}
    await desk.show_privately(_card(desk, plan), subject=_subject(plan), data=data)
    if desk.message.in_group:
        desk.say(dialog.TOLD_PRIVATELY)


async def press(desk: Desk) -> None:
    """«开启» of a diagnosis, «确认修改», «取消», «撤销». Who may, and whether the number is still
    what the card shows, is looked at again."""
    action = desk.message.action
    assert action is not None
    known = await desk.tx.cards.get(action.card_id)
    if known is None or not known.data:
        raise Refused(texts.CANCELLED)
    data = known.data
    if action.action.startswith(OFFER):
        data = data["offers"][int(action.action.removeprefix(OFFER))]
    setting = setting_of(data["key"])
    team = await desk.tx.people.get(data["team"]) if data["team"] is not None else None
    if action.action.startswith(OFFER):
        await ask(desk, setting, team, data["to"])
    elif action.action == UNDO:
        await _undo(desk, setting, team, data)
    elif known.state == "closed" or "change" in data:
        raise Refused(
            texts.stale(setting, texts.value(setting, value_now(desk, setting, data["team"])))
        )
    elif action.action == CANCEL:
        await _close(desk, await _plan(desk, setting, team, data["to"]), texts.CANCELLED)
        desk.say(texts.NOTHING_CHANGED)
    else:
        await _apply(desk, setting, team, data)


def may_change(person: Person, setting: Setting, team: Person | None) -> bool:
    """Administrators everything; sales directors what a team may have of its own."""
    director = Role.SALES_DIRECTOR in person.roles
    return Role.ADMIN in person.roles or (director and team is not None and setting.per_team)


def value_now(desk: Desk, setting: Setting, team_id: int | None) -> Value:
    return value_of(desk.office.policies.of_team(team_id), setting.key)


async def _apply(desk: Desk, setting: Setting, team: Person | None, data: dict[str, Any]) -> None:
    plan, change_id = await change(desk, setting, team, data["to"], was=data["was"])
    undo = Button(UNDO, texts.UNDO)
    card = replace(
        _card(desk, plan),
        card_id=_card_id(desk),
        title=f"{texts.title(setting)}（{texts.DONE}）",
        buttons=(undo,),
    )
    await desk.change(card, subject=_subject(plan), data={**data, "change": change_id})
    tell_changed(desk, plan)


async def change(
    desk: Desk, setting: Setting, team: Person | None, to: Value | None, *, was: Value
) -> tuple[Plan, int]:
    """What was done, and its number. was: what the person saw in force. Raises NotAllowed,
    InvalidInput, and Refused where somebody else was faster."""
    await desk.tx.policy_changes.take_turn()
    await desk.office.policies.follow(desk.tx)
    plan = await _plan(desk, setting, team, to)
    if plan.was != was:
        raise Refused(texts.stale(setting, texts.value(setting, plan.was)))
    return plan, await _store(desk, plan)


async def preview(desk: Desk, setting: Setting, team: Person | None, to: Value | None) -> Plan:
    """What the change would come to. Raises NotAllowed, InvalidInput, Refused."""
    plan = await _plan(desk, setting, team, to)
    if plan.was == _after(desk, plan) and not _gives_up_own(desk, plan):
        raise Refused(texts.same(setting, texts.value(setting, plan.was)))
    return plan


def tell_changed(desk: Desk, plan: Plan) -> None:
    desk.say(texts.changed(plan.setting, to=_to_words(desk, plan), whose=plan.whose))


async def _undo(desk: Desk, setting: Setting, team: Person | None, data: dict[str, Any]) -> None:
    await desk.tx.policy_changes.take_turn()
    await desk.office.policies.follow(desk.tx)
    newest = await desk.tx.policy_changes.newest(setting.key, data["team"])
    if newest is None or newest.id != data.get("change"):
        raise Refused(
            texts.changed_since(
                setting, texts.value(setting, value_now(desk, setting, data["team"]))
            )
        )
    plan = await _plan(desk, setting, team, newest.before)
    await _store(desk, plan)
    await _close(desk, plan, texts.UNDONE)
    desk.say(texts.changed(setting, to=_to_words(desk, plan), whose=plan.whose))


async def _plan(desk: Desk, setting: Setting, team: Person | None, to: Value | None) -> Plan:
    """Raises NotAllowed, and InvalidInput for a number that does not go with the others."""
    if not may_change(desk.rep, setting, team):
        per_team = setting.per_team and team is not None
        raise NotAllowed(texts.ADMINS_ONLY if per_team else texts.ORGANISATION_ADMINS_ONLY)
    policies, team_id = desk.office.policies, team.id if team is not None else None
    if team is not None and not setting.per_team:
        raise Refused(texts.not_per_team(setting))
    plan = Plan(setting, team, value_now(desk, setting, team_id), to)
    changes = {key: value for key, value in policies.own(team_id).items() if key != setting.key}
    try:
        await policies.try_change(
            desk.tx, team_id, changes | ({} if to is None else {setting.key: to})
        )
    except InvalidInput as error:
        raise InvalidInput(texts.refused(setting, _to_words(desk, plan), str(error))) from None
    people = await _concerned(desk, plan)
    if team is not None and people <= 1:
        raise Refused(texts.leads_nobody(team.name))
    return replace(plan, people=people)


async def _concerned(desk: Desk, plan: Plan) -> int:
    """Active people whose nearest team with its own number for this is the plan's."""
    lines = await desk.tx.libraries.leaders_of_everybody()
    own = {*desk.office.policies.teams_with(plan.setting.key)}
    own |= {plan.team.id} if plan.team is not None else set()
    active = {person.id for person in await desk.tx.people.list_active()}
    nearest = {
        person: next((one for one in line_of(lines, person) if one in own), None)
        for person in active
    }
    return sum(found == plan.team_id for found in nearest.values())


async def _store(desk: Desk, plan: Plan) -> int:
    """The change, the audit entry, and what has to be judged anew; its number."""
    key, before = plan.setting.key, desk.office.policies.own(plan.team_id).get(plan.setting.key)
    change_id = await desk.tx.policy_changes.add(
        team_id=plan.team_id, key=key, before=before, after=plan.to, by=desk.rep.id, at=desk.at
    )
    if key.startswith("lights."):
        await desk.tx.lights.make_due(desk.at)
    if key.startswith("customers.pool_"):
        await desk.tx.pool.look_again(desk.at)
    if plan.team is not None and plan.team.id != desk.rep.id:
        _tell(desk, plan, plan.team)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="change_policy",
        subject=_subject(plan),
        before={"value": plan.was},
        after={"value": _after(desk, plan), "change": change_id},
    )
    desk.tx.once_committed(desk.office.policies.forget)
    return change_id


def _after(desk: Desk, plan: Plan) -> Value:
    """What is in force then."""
    if plan.to is not None:
        return plan.to
    policies = desk.office.policies
    beneath = policies.base if plan.team is None else policies.organisation
    return value_of(beneath, plan.setting.key)


def _gives_up_own(desk: Desk, plan: Plan) -> bool:
    """«默认» where the same number was set: it follows what is beneath from now on."""
    return plan.to is None and plan.setting.key in desk.office.policies.own(plan.team_id)


def _to_words(desk: Desk, plan: Plan) -> str:
    return texts.value(plan.setting, _after(desk, plan))


def preview_lines(desk: Desk, plan: Plan) -> list[str]:
    """What the change comes to, in words."""
    return texts.preview(
        plan.setting,
        was=texts.value(plan.setting, plan.was),
        to=_to_words(desk, plan),
        whose=plan.whose,
        people=plan.people,
    )


def _card(desk: Desk, plan: Plan) -> Card:
    number = "".join(filter(str.isalnum, desk.message.message_id))[-24:]
    return Card(
        card_id=f"{PREFIX}{number}",
        title=texts.title(plan.setting),
        lines=tuple(preview_lines(desk, plan)),
        buttons=(
            Button(APPLY, texts.CONFIRM, style="primary"),
            Button(CANCEL, texts.CANCEL, style="danger"),
        ),
    )


def _card_id(desk: Desk) -> str:
    assert desk.message.action is not None
    return desk.message.action.card_id


async def _close(desk: Desk, plan: Plan, note: str) -> None:
    card = replace(_card(desk, plan), card_id=_card_id(desk), buttons=(), closed=note)
    await desk.change(card, subject=_subject(plan))


def _subject(plan: Plan) -> str:
    team = plan.team.id if plan.team is not None else "organisation"
    return f"policy:{plan.setting.key}:{team}"


def _tell(desk: Desk, plan: Plan, leader: Person) -> None:
    to = desk.office.address_of(leader)
    if to is not None:
        text = texts.told(
            plan.setting,
            was=texts.value(plan.setting, plan.was),
            to=_to_words(desk, plan),
            whose=plan.whose,
            by=desk.rep.name,
        )
        key = f"{desk.incoming.source_id}:policy:{leader.id}"
        desk.add([OutboundMessage(key, to, Text(text))])
