"""The server API of 客户联系.

Source: developer.work.weixin.qq.com/document/path/92109 to 92137. Lists take at most five calls
at a time; the number is a guess, that there is one is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from .wecom_calls import Answer, Api, Call
from .wecom_contactbook import (
    BETWEEN_TRANSFERS,
    MOST_TRANSFERS,
    Bond,
    ContactBook,
    CustomerGroup,
    Moving,
    Outsider,
)
from .wecom_errors import WecomError
from .wecom_state import WecomState

_MOST_USERS = 100
_MOST_CONTACTS = 100
_MOST_GROUPS = 1_000
_MOST_TRANSFERS_A_CALL = 100
_MOST_FOLLOWERS = 500
_MOST_AT_ONCE = 5
_TOO_OFTEN = 40058  # which code it really is, is not documented

_T = TypeVar("_T")


def _listing(
    handle: Callable[[WecomState, Call], Awaitable[Answer]],
) -> Callable[[WecomState, Call], Awaitable[Answer]]:
    async def counted(state: WecomState, call: Call) -> Answer:
        book = state.contacts
        if book.lists_underway >= _MOST_AT_ONCE:
            raise WecomError(45033)
        book.lists_underway += 1
        try:
            await asyncio.sleep(0)
            return await handle(state, call)
        finally:
            book.lists_underway -= 1

    return counted


async def list_followers(state: WecomState, _call: Call) -> Answer:
    members = [one for one in state.members() if one.status == 1]
    return {"follow_user": [one.user_id for one in members if state.contacts.may(one.user_id)]}


@_listing
async def list_contacts(state: WecomState, call: Call) -> Answer:
    bonds = state.contacts.bonds.get(_member(state, call.query.get("userid")), {})
    if not bonds:
        raise WecomError(84061)
    return {"external_userid": list(bonds)}


async def get_contact(state: WecomState, call: Call) -> Answer:
    external_id, book = call.query.get("external_userid", ""), state.contacts
    holders = list(book.holders.get(external_id, {}).values())
    if not holders:
        raise WecomError(84061)
    start = _cursor(call.query.get("cursor", ""))
    page = holders[start : start + _MOST_FOLLOWERS]
    more = start + len(page) < len(holders)
    return {
        "external_contact": _outsider(book.outsiders[external_id]),
        "follow_user": [_bond_in_full(book, one) for one in page],
        "next_cursor": str(start + len(page)) if more else "",
    }


@_listing
async def list_of_users(state: WecomState, call: Call) -> Answer:
    """Without the names of tags. Who has no licence is told apart, and their contacts not."""
    book = state.contacts
    users = call.body.get("userid_list")
    if not isinstance(users, list) or not 1 <= len(users) <= _MOST_USERS:
        raise WecomError(40058, "userid_list must have 1 to 100")
    limit = _limit(call, default=50, most=_MOST_CONTACTS)
    members = [_member(state, one) for one in users]
    silent = [one for one in members if one in book.unlicensed]
    if len(silent) == len(members):
        raise WecomError(701008)
    bonds = [
        bond
        for one in members
        if one not in book.unlicensed
        for bond in book.bonds.get(one, {}).values()
    ]
    if not bonds and not silent:
        raise WecomError(84061)
    page, cursor = _page(book, bonds, call.body.get("cursor", ""), limit)
    answer: dict[str, Any] = {
        "external_contact_list": [
            {"external_contact": _outsider(book.outsiders[one.external_id]),
             "follow_info": _bond_in_list(one)}
            for one in page
        ],
        "next_cursor": cursor,
    }  # fmt: skip
    if silent:
        answer["fail_info"] = {"unlicensed_userid_list": silent}
    return answer


async def list_tags(state: WecomState, call: Call) -> Answer:
    wanted = call.body.get("tag_id") or []
    groups: dict[str, list[dict[str, Any]]] = {}
    for tag_id, (group, name) in state.contacts.tags.items():
        if not wanted or tag_id in wanted:
            tag = {"id": tag_id, "name": name, "create_time": 0, "order": 0, "deleted": False}
            groups.setdefault(group, []).append(tag)
    return {
        "tag_group": [
            {"group_id": f"gr{name}", "group_name": name, "create_time": 0, "order": 0,
             "deleted": False, "tag": tags}
            for name, tags in groups.items()
        ]
    }  # fmt: skip


@_listing
async def list_groups(state: WecomState, call: Call) -> Answer:
    book = state.contacts
    owners = (call.body.get("owner_filter") or {}).get("userid_list")
    if owners is None and len(book.groups) > _MOST_GROUPS:
        raise WecomError(81017)
    if owners is not None and not 1 <= len(owners) <= _MOST_USERS:
        raise WecomError(40058, "owner_filter.userid_list must have 1 to 100")
    if call.body.get("status_filter", 0) not in (0, 1, 2, 3):
        raise WecomError(40058, "status_filter")
    wanted = {str(one).lower() for one in owners} if owners is not None else None
    found = [one for one in book.groups.values() if wanted is None or one.owner.lower() in wanted]
    limit = _limit(call, default=_MOST_GROUPS, most=_MOST_GROUPS)
    page, cursor = _page(book, found, call.body.get("cursor", ""), limit)
    return {
        "group_chat_list": [{"chat_id": one.chat_id, "status": 0} for one in page],
        "next_cursor": cursor,
    }


async def get_group(state: WecomState, call: Call) -> Answer:
    group = state.contacts.groups.get(str(call.body.get("chat_id", "")))
    if group is None:
        raise WecomError(90501)
    with_names = call.body.get("need_name", 0) == 1
    return {"group_chat": _group(state, group, with_names=with_names)}


async def transfer_groups(state: WecomState, call: Call) -> Answer:
    """Of owners who have left."""
    return _transfer_groups(state, call, has_left=True)


async def transfer_groups_on_job(state: WecomState, call: Call) -> Answer:
    return _transfer_groups(state, call, has_left=False)


def _transfer_groups(state: WecomState, call: Call, *, has_left: bool) -> Answer:
    """At once. Source: developer.work.weixin.qq.com/document/path/92127, 95703."""
    ids, to = call.body.get("chat_id_list"), str(call.body.get("new_owner", ""))
    if not isinstance(ids, list) or not 1 <= len(ids) <= _MOST_TRANSFERS_A_CALL:
        raise WecomError(40058, "chat_id_list must have 1 to 100")
    _member(state, to)
    failed = []
    for chat_id in ids:
        group = state.contacts.groups.get(str(chat_id))
        owner = state.world.member("wecom", group.owner) if group is not None else None
        gone = owner is None or owner.status == 5
        if group is None:
            failed.append({"chat_id": chat_id, "errcode": 90501, "errmsg": "not a customer group"})
        elif gone != has_left:
            failed.append({"chat_id": chat_id, "errcode": 90500, "errmsg": "owner has not left"})
        else:
            group.owner = to
            group.members.setdefault(to, state.world.now())
    return {"failed_chat_list": failed}


async def transfer(state: WecomState, call: Call) -> Answer:
    return await _transfer(state, call, has_left=False)


async def transfer_resigned(state: WecomState, call: Call) -> Answer:
    return await _transfer(state, call, has_left=True)


async def _transfer(state: WecomState, call: Call, *, has_left: bool) -> Answer:
    """Carried out within a day; who asks too early, too often or of a stranger hears it at once."""
    book, now = state.contacts, state.world.now()
    of, to = str(call.body.get("handover_userid", "")), str(call.body.get("takeover_userid", ""))
    ids = call.body.get("external_userid")
    if not isinstance(ids, list) or not 1 <= len(ids) <= _MOST_TRANSFERS_A_CALL:
        raise WecomError(40058, "external_userid must have 1 to 100")
    _member(state, to)
    giver = state.world.member("wecom", of)
    gone = giver is None or giver.status == 5
    if gone != has_left:
        raise WecomError(40003)
    answer = []
    for external_id in ids:
        code = _refusal(book, external_id, of.lower(), has_left=has_left, now=now)
        if code == 0:
            book.moving.append(Moving(external_id, of.lower(), to, now, has_left))
        answer.append({"external_userid": external_id, "errcode": code})
    return {"customer": answer}


async def transfer_result(state: WecomState, call: Call) -> Answer:
    return _transfer_result(state, call, has_left=False)


async def transfer_result_resigned(state: WecomState, call: Call) -> Answer:
    return _transfer_result(state, call, has_left=True)


def _transfer_result(state: WecomState, call: Call, *, has_left: bool) -> Answer:
    book = state.contacts
    book.carry_out(state.world.now())
    of = str(call.body.get("handover_userid", "")).lower()
    to = str(call.body.get("takeover_userid", "")).lower()
    found = [
        one for one in book.moving
        if (one.of, one.to.lower(), one.has_left) == (of, to, has_left)
    ]  # fmt: skip
    page, cursor = _page(book, found, call.body.get("cursor", ""), _MOST_GROUPS)
    return {
        "customer": [
            {"external_userid": one.external_id, "status": one.outcome,
             "takeover_time": int(one.ended_at.timestamp()) if one.ended_at else 0}
            for one in page
        ],
        "next_cursor": cursor,
    }  # fmt: skip


def _refusal(book: ContactBook, external_id: str, of: str, *, has_left: bool, now: Any) -> int:
    if of not in book.holders.get(external_id, {}):
        return 84061
    if any(one.external_id == external_id and one.outcome == 2 for one in book.moving):
        return _TOO_OFTEN
    if has_left:
        return 0
    before = book.times_moved(external_id)
    if len(before) >= MOST_TRANSFERS:
        return _TOO_OFTEN
    last = max((one.ended_at for one in before if one.ended_at), default=None)
    return _TOO_OFTEN if last is not None and now < last + BETWEEN_TRANSFERS else 0


def _member(state: WecomState, user_id: object) -> str:
    """In lower case. Raises WecomError 60111, or 84074 without the right."""
    member = state.world.member("wecom", str(user_id or ""))
    if member is None or member.status == 5:
        raise WecomError(60111)
    if not state.contacts.may(member.user_id):
        raise WecomError(84074)
    return member.user_id.lower()


def _limit(call: Call, *, default: int, most: int) -> int:
    limit = call.body.get("limit", default)
    if not isinstance(limit, int) or not 1 <= limit <= most:
        raise WecomError(40058, f"limit must be 1 to {most}")
    return limit


def _cursor(value: object) -> int:
    if not isinstance(value, str) or not (value == "" or value.isdigit()):
        raise WecomError(50100)
    return int(value or 0)


def _page(
    book: ContactBook, found: Sequence[_T], cursor: object, limit: int
) -> tuple[Sequence[_T], str]:
    """Cursors count in halves, where pages may come empty with a cursor."""
    place = _cursor(cursor)
    if book.page_gaps and place % 2 == 0:
        return [], str(place + 1)
    start = place // 2
    page = found[start : start + limit]
    following = start + len(page)
    return page, str(following * 2) if following < len(found) else ""


def _outsider(outsider: Outsider) -> dict[str, Any]:
    at_work = outsider.kind == 2
    told: dict[str, Any] = {
        "external_userid": outsider.external_id, "name": outsider.name, "avatar": "",
        "type": outsider.kind, "gender": 0,
    }  # fmt: skip
    if at_work:
        told |= {"position": outsider.position, "external_profile": {"external_attr": []}}
        told |= {"corp_name": outsider.corp_name, "corp_full_name": outsider.corp_name}
    elif outsider.union_id:
        told["unionid"] = outsider.union_id
    return told


def _bond(bond: Bond) -> dict[str, Any]:
    return {
        "userid": bond.user_id, "remark": bond.remark, "description": bond.description,
        "createtime": int(bond.since.timestamp()), "remark_corp_name": bond.company,
        "remark_mobiles": bond.mobiles, "oper_userid": bond.user_id, "add_way": bond.add_way,
        "state": bond.state,
    }  # fmt: skip


def _bond_in_list(bond: Bond) -> dict[str, Any]:
    return {**_bond(bond), "tag_id": bond.tag_ids}


def _bond_in_full(book: ContactBook, bond: Bond) -> dict[str, Any]:
    tags = [
        {"group_name": book.tags[key][0], "tag_name": book.tags[key][1], "tag_id": key, "type": 1}
        for key in bond.tag_ids
        if key in book.tags
    ]
    own = [{"group_name": "", "tag_name": name, "type": 2} for name in bond.own_tags]
    return {**_bond(bond), "tags": [*tags, *own]}


def _group(state: WecomState, group: CustomerGroup, *, with_names: bool) -> dict[str, Any]:
    members = []
    for member_id, came in group.members.items():
        outsider = state.contacts.outsiders.get(member_id)
        staff = None if outsider else state.world.member("wecom", member_id)
        told: dict[str, Any] = {
            "userid": member_id, "type": 2 if outsider else 1, "join_time": int(came.timestamp()),
            "join_scene": 1, "invitor": {"userid": group.owner}, "group_nickname": "",
        }  # fmt: skip
        if with_names:
            told["name"] = outsider.name if outsider else (staff.name if staff else member_id)
        members.append(told)
    return {
        "chat_id": group.chat_id, "name": group.name, "owner": group.owner,
        "create_time": int(group.created_at.timestamp()), "notice": group.notice,
        "member_list": members, "admin_list": [], "member_version": str(group.version),
    }  # fmt: skip


_GROUPCHAT = "externalcontact/groupchat"
APIS = {
    "externalcontact/get_follow_user_list": Api("GET", list_followers, scope="app"),
    "externalcontact/list": Api("GET", list_contacts, scope="app"),
    "externalcontact/get": Api("GET", get_contact, scope="app"),
    "externalcontact/batch/get_by_user": Api("POST", list_of_users, scope="app"),
    "externalcontact/get_corp_tag_list": Api("POST", list_tags, scope="app"),
    f"{_GROUPCHAT}/list": Api("POST", list_groups, scope="app"),
    f"{_GROUPCHAT}/get": Api("POST", get_group, scope="app"),
    "externalcontact/groupchat/transfer": Api("POST", transfer_groups, scope="app"),
    "externalcontact/groupchat/onjob_transfer": Api("POST", transfer_groups_on_job, scope="app"),
    "externalcontact/transfer_customer": Api("POST", transfer, scope="app"),
    "externalcontact/transfer_result": Api("POST", transfer_result, scope="app"),
    "externalcontact/resigned/transfer_customer": Api("POST", transfer_resigned, scope="app"),
    "externalcontact/resigned/transfer_result": Api("POST", transfer_result_resigned, scope="app"),
}
