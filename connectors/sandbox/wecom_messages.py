"""message/send, update_template_card and recall.

Source: developer.work.weixin.qq.com/document/path/90236, 94888, 94867.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from .wecom_calls import Answer, Api, Call
from .wecom_cards import calls_back, check_card
from .wecom_contents import Shown, read_content
from .wecom_errors import WecomError
from .wecom_state import UpdateCode, WecomState, fingerprint, reachable
from .world import App, Member, Said

MEMBER_LIMITS = [(30, 60), (1000, 3600)]  # messages to one member: (count, seconds)
_RECALL_WITHIN = timedelta(hours=24)


async def send(state: WecomState, call: Call) -> Answer:
    """Send to members. Beyond a member's limit the message is lost and the answer is 0."""
    body = call.body
    _check_agent(call.app, body)
    members, invalid = _receivers(state, body)
    shown = read_content(state, body)
    if known := _repeated(state, body):
        return known
    card = shown.wire.get("template_card")
    if card:
        _check_new_card(state, call.app, card)
    if not members:
        raise WecomError(81013)
    msgid = secrets.token_urlsafe(42)
    state.senders[msgid] = call.app
    state.sent[msgid] = [
        await _deliver(state, call.app, member, msgid, shown)
        for member in members
        if _within_limit(state, member)
    ]
    answer = {**invalid, "msgid": msgid}
    if card and card.get("task_id"):
        state.task_ids[call.app.agent_id, card["task_id"]] = msgid
    if card and calls_back(card):
        answer["response_code"] = state.new_code(msgid, call.app)
    if body.get("enable_duplicate_check") == 1:
        state.repeats[fingerprint(body)] = (state.world.now(), answer)
    return answer


def _check_agent(app: App, body: dict[str, Any]) -> None:
    agent = body.get("agentid")
    if isinstance(agent, bool) or not isinstance(agent, int | str) or not str(agent).isdigit():
        raise WecomError(40056)
    if str(agent) != app.agent_id:
        raise WecomError(301002)


def _receivers(state: WecomState, body: dict[str, Any]) -> tuple[list[Member], dict[str, str]]:
    """Who gets it, each once, and the answer's lists of who does not.
    Raises 82001, 40031, 82002, 82003; 81013 when there is nobody at all."""
    users, parties, tags = (_ids(body, name) for name in ("touser", "toparty", "totag"))
    if not users and not parties and not tags:
        raise WecomError(82001)
    for ids, most, code in ((users, 1000, 40031), (parties, 100, 82002), (tags, 100, 82003)):
        if len(ids) > most:
            raise WecomError(code)
    found, bad_users = _find_members(state, users)
    in_parties, bad_parties = _members_of(state, parties)
    everybody = {member.user_id: member for member in (*found, *in_parties) if reachable(member)}
    unlicensed = state.unlicensed & everybody.keys()
    lists = {
        "invaliduser": "|".join(bad_users),
        "invalidparty": "|".join(bad_parties),
        "invalidtag": "|".join(tags),
        "unlicenseduser": "|".join(sorted(unlicensed)),
    }
    return [member for user_id, member in everybody.items() if user_id not in unlicensed], lists


def _ids(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise WecomError(40058, f"{name} must be a string")
    return [part for part in value.split("|") if part]


def _find_members(state: WecomState, users: list[str]) -> tuple[list[Member], list[str]]:
    if users == ["@all"]:
        return state.members(), []
    found: list[Member] = []
    invalid: list[str] = []
    for user in users:
        member = state.world.member("wecom", user)
        if member is not None and reachable(member):
            found.append(member)
        else:
            invalid.append(user.lower())
    return found, invalid


def _members_of(state: WecomState, parties: list[str]) -> tuple[list[Member], list[str]]:
    known = {dept.id for dept in state.depts()}
    wanted = {dept.id for party in parties if party in known for dept in state.below(party)}
    invalid = [party for party in parties if party not in known]
    return [member for member in state.members() if member.department in wanted], invalid


def _repeated(state: WecomState, body: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to the same content sent before, if the caller asked for that check."""
    if body.get("enable_duplicate_check") != 1:
        return None
    seconds = body.get("duplicate_check_interval", 1800)
    if not isinstance(seconds, int):
        raise WecomError(40058, "duplicate_check_interval must be a number")
    at, answer = state.repeats.get(fingerprint(body), (None, {}))
    interval = timedelta(seconds=min(seconds, 14400))
    return answer if at is not None and state.world.now() - at < interval else None


def _check_new_card(state: WecomState, app: App, card: dict[str, Any]) -> None:
    if calls_back(card) and not app.callback_url:
        raise WecomError(43012)
    if (app.agent_id, card.get("task_id")) in state.task_ids:
        raise WecomError(42014, "task_id repeated")


def _within_limit(state: WecomState, member: Member) -> bool:
    taken = state.meter.take(f"to:{member.user_id}", state.world.now(), MEMBER_LIMITS)
    if not taken:
        state.world.count("wecom:dropped")
    return taken


async def _deliver(state: WecomState, app: App, member: Member, msgid: str, shown: Shown) -> Said:
    return await state.put(
        kind=shown.kind,
        sender=f"bot:{app.name}",
        to=member.user_id,
        text=shown.text,
        card=deepcopy(shown.card),
        file=shown.file,
        wire={"msgid": msgid, **shown.wire},
    )


async def update_card(state: WecomState, call: Call) -> Answer:
    """Grey the buttons or replace the card, for the listed members; the code is then spent."""
    body = call.body
    code = _usable_code(state, body)
    if code.app is not call.app:
        raise WecomError(42015)
    _check_agent(call.app, body)
    copies, invalid = _copies_of(state, code.msgid, body)
    if not copies:
        raise WecomError(81013)
    card = body.get("template_card")
    note = _replace_name(body) if card is None else ""
    if card is not None:
        check_card(_with_task_id(card, copies[0]))
    code.used = True
    for said in copies:
        if card is None:
            await state.grey_buttons(said, note)
        else:
            await state.replace_card(said, _with_task_id(card, said))
    _remember_task(state, call.app, copies[0], code.msgid)
    return {"invaliduser": invalid}


def _usable_code(state: WecomState, body: dict[str, Any]) -> UpdateCode:
    value = body.get("response_code")
    code = state.codes.get(value) if isinstance(value, str) else None
    if code is None or code.used or state.world.now() >= code.expires_at:
        raise WecomError(60140)
    return code


def _copies_of(state: WecomState, msgid: str, body: dict[str, Any]) -> tuple[list[Said], list[str]]:
    copies = state.sent[msgid]
    if body.get("atall") == 1:
        return copies, []
    users = _texts(body, "userids")
    in_parties, _ = _members_of(state, _texts(body, "partyids"))
    wanted = _folded([*users, *(member.user_id for member in in_parties)])
    found = [said for said in copies if (said.to or "").lower() in wanted]
    have = _folded(said.to or "" for said in found)
    return found, [user.lower() for user in users if user.lower() not in have]


def _texts(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str | int) for item in value):
        raise WecomError(40058, f"{name} must be a list")
    return [str(item) for item in value]


def _folded(user_ids: Iterable[str]) -> set[str]:
    return {user_id.lower() for user_id in user_ids}


def _replace_name(body: dict[str, Any]) -> str:
    button = body.get("button")
    name = button.get("replace_name") if isinstance(button, dict) else None
    if not isinstance(name, str) or not name:
        raise WecomError(40063, "button.replace_name")
    return name


def _with_task_id(card: Any, said: Said) -> Any:
    """An update that names no task_id keeps the card's own."""
    if not isinstance(card, dict) or "task_id" in card or not said.wire.get("task_id"):
        return card
    return {**card, "task_id": said.wire["task_id"]}


def _remember_task(state: WecomState, app: App, said: Said, msgid: str) -> None:
    if task_id := said.wire.get("task_id"):
        state.task_ids[app.agent_id, task_id] = msgid


async def recall(state: WecomState, call: Call) -> Answer:
    """Take back a message of the last 24 hours. Raises 40058."""
    msgid = call.body.get("msgid")
    copies = state.sent.get(msgid) if isinstance(msgid, str) else None
    if copies is None or state.senders.get(str(msgid)) is not call.app:
        raise WecomError(40058, "msgid")
    now: datetime = state.world.now()
    if any(now - said.at > _RECALL_WITHIN for said in copies):
        raise WecomError(40058, "msgid older than 24 hours")
    for said in copies:
        said.recalled, said.updated_at = True, now
    await state.world.changed()
    return {}


APIS = {
    "message/send": Api("POST", send, scope="app"),
    "message/update_template_card": Api("POST", update_card, scope="app"),
    "message/recall": Api("POST", recall, scope="app"),
}
