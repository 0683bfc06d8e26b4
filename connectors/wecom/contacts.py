"""External contacts, their groups and their transfers (客户联系).

Source: developer.work.weixin.qq.com/document/path/92109 to 92137. `get` tells tags with their
names, `batch/get_by_user` by id only, so the names are read once before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.clock import Clock
from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow, GroupMember
from connectors.wecom import group_chats
from connectors.wecom.api import Api
from connectors.wecom.errors import (
    NO_CONTACT_RIGHT,
    NO_CUSTOMER_GROUP,
    NOBODY_LICENSED,
    NOT_RELATED,
    WecomRejected,
    in_shape,
)
from connectors.wecom.patience import Pace, in_parallel, patiently, side_by_side

USERS_A_CALL = 100
CONTACTS_A_PAGE = 100
GROUPS_A_PAGE = 1_000
_WECOM_USER = 2
_EXTERNAL = 2  # among the members of a group

_Raw = dict[str, Any]


class Contacts:
    """Reads and transfers for one application. Every method raises as `Api` does, once the
    platform stays busy."""

    platform = "wecom"
    lists_groups = True

    def __init__(self, app: str, api: Api, clock: Clock) -> None:
        self.app = app
        self._api = api
        self._pace = Pace(clock)

    async def check(self) -> None:
        """Raises where they may not be read."""
        await self.followers()

    async def everything(self) -> AsyncIterator[ContactNews]:
        """All contacts of all members, in parts; see `ContactNews.of_users`."""
        tags = await self.tags()
        members = await self.followers()
        async for news in side_by_side(
            [partial(self.of_members, some, tags) for some in _portions(members)]
        ):
            yield news

    async def groups(self) -> AsyncIterator[ChatGroup]:
        """All customer groups, with their members."""
        members = await self.followers()
        listed = await in_parallel(self.groups_of, _portions(members))
        chat_ids = dict.fromkeys(chat_id for some in listed for chat_id in some)
        async for group in side_by_side([partial(self._one, chat_id) for chat_id in chat_ids]):
            yield group

    async def followers(self) -> list[str]:
        """The members who may have contacts, in lower case."""
        answer = await self._get("externalcontact/get_follow_user_list")
        with in_shape("externalcontact/get_follow_user_list"):
            return [str(user_id).lower() for user_id in answer.get("follow_user", ())]

    async def tags(self) -> dict[str, str]:
        """Id -> name of the corp's tags."""
        answer = await self._post("externalcontact/get_corp_tag_list", {})
        with in_shape("externalcontact/get_corp_tag_list"):
            return {
                str(tag["id"]): str(tag["name"])
                for group in answer.get("tag_group", ())
                if not group.get("deleted")
                for tag in group.get("tag", ())
                if not tag.get("deleted")
            }

    async def of_members(
        self, user_ids: Sequence[str], tags: Mapping[str, str]
    ) -> AsyncIterator[ContactNews]:
        """All that at most USERS_A_CALL members have, in parts; the last part says of whom that
        was everything: not of those without a licence or the right, of whom nothing is told."""
        silent: set[str] = set()
        cursor = ""
        while True:
            body = {"userid_list": list(user_ids), "cursor": cursor, "limit": CONTACTS_A_PAGE}
            try:
                answer = await self._post("externalcontact/batch/get_by_user", body)
            except WecomRejected as refusal:
                async for news in self._despite(refusal, user_ids, tags):
                    yield news
                return
            with in_shape("externalcontact/batch/get_by_user"):
                failed = answer.get("fail_info") or {}
                silent |= {str(one).lower() for one in failed.get("unlicensed_userid_list", ())}
                cursor = str(answer.get("next_cursor") or "")
                whole = () if cursor else tuple(one for one in user_ids if one not in silent)
                news = _to_news(answer.get("external_contact_list", ()), tags, of_users=whole)
            yield news
            if not cursor:
                return

    async def contact(self, external_id: str) -> ContactNews:
        """One contact with all who have it; nobody where it is gone."""
        contact: ExternalContact | None = None
        follows: list[Follow] = []
        cursor = ""
        while True:
            try:
                answer = await self._get(
                    "externalcontact/get", external_userid=external_id, cursor=cursor
                )
            except WecomRejected as refusal:
                if refusal.errcode != NOT_RELATED:
                    raise
                break
            with in_shape("externalcontact/get"):
                contact = _to_contact(answer["external_contact"])
                told = answer.get("follow_user", ())
                follows += [_to_follow(external_id, raw, {}) for raw in told]
            cursor = str(answer.get("next_cursor") or "")
            if not cursor:
                break
        return ContactNews(
            "wecom",
            contacts=(contact,) if contact else (),
            follows=tuple(follows),
            of_contacts=(external_id,),
        )

    async def groups_of(self, user_ids: Sequence[str]) -> list[str]:
        """Ids of the customer groups that at most USERS_A_CALL members own."""
        found: list[str] = []
        cursor = ""
        while True:
            body = {
                "status_filter": 0,
                "owner_filter": {"userid_list": list(user_ids)},
                "cursor": cursor,
                "limit": GROUPS_A_PAGE,
            }
            answer = await self._post("externalcontact/groupchat/list", body)
            with in_shape("externalcontact/groupchat/list"):
                found += [str(raw["chat_id"]) for raw in answer.get("group_chat_list", ())]
            cursor = str(answer.get("next_cursor") or "")
            if not cursor:
                return found

    async def group(self, chat_id: str) -> ChatGroup | None:
        """With its members; None when it is no group with customers and none of our own, or no
        more."""
        if group_chats.is_own(chat_id):
            return await group_chats.read(self._api, chat_id)
        body = {"chat_id": chat_id, "need_name": 1}
        try:
            answer = await self._post("externalcontact/groupchat/get", body)
        except WecomRejected as refusal:
            if refusal.errcode != NO_CUSTOMER_GROUP:
                raise
            return None
        with in_shape("externalcontact/groupchat/get"):
            return _to_group(answer["group_chat"])

    async def transfer(
        self, external_ids: Sequence[str], *, of: str, to: str, has_left: bool
    ) -> dict[str, int]:
        """At most 100. External id -> errcode, 0 for one that is on the way: the
        platform carries it out within a day, and tells nobody but `transferred`."""
        family = "externalcontact/resigned/" if has_left else "externalcontact/"
        body = {
            "handover_userid": of, "takeover_userid": to, "external_userid": list(external_ids),
        }  # fmt: skip
        answer = await self._post(f"{family}transfer_customer", body)
        with in_shape(f"{family}transfer_customer"):
            return {
                str(one["external_userid"]): int(one.get("errcode", 0))
                for one in answer.get("customer", ())
            }

    async def transfer_groups(
        self, chat_ids: Sequence[str], *, to: str, has_left: bool
    ) -> dict[str, str]:
        """At most TRANSFERS_A_CALL get another owner, at once and without a word to us. Chat id ->
        the platform's reason, of those that did not. has_left: whether the owner has."""
        call = "transfer" if has_left else "onjob_transfer"
        body = {"chat_id_list": list(chat_ids), "new_owner": to}
        answer = await self._post(f"externalcontact/groupchat/{call}", body)
        with in_shape(f"externalcontact/groupchat/{call}"):
            return {
                str(one["chat_id"]): str(one.get("errmsg") or one.get("errcode"))
                for one in answer.get("failed_chat_list") or ()
            }

    async def transferred(self, *, of: str, to: str, has_left: bool) -> dict[str, int]:
        """External id -> 1 done, 2 waiting, 3 refused by the customer, 4 the new one has too
        many, 5 no such transfer."""
        family = "externalcontact/resigned/" if has_left else "externalcontact/"
        found: dict[str, int] = {}
        cursor = ""
        while True:
            body = {"handover_userid": of, "takeover_userid": to, "cursor": cursor}
            answer = await self._post(f"{family}transfer_result", body)
            with in_shape(f"{family}transfer_result"):
                found |= {
                    str(one["external_userid"]): int(one["status"])
                    for one in answer.get("customer", ())
                }
            cursor = str(answer.get("next_cursor") or "")
            if not cursor:
                return found

    async def _one(self, chat_id: str) -> AsyncIterator[ChatGroup]:
        group = await self.group(chat_id)
        if group is not None:
            yield group

    async def _despite(
        self, refusal: WecomRejected, user_ids: Sequence[str], tags: Mapping[str, str]
    ) -> AsyncIterator[ContactNews]:
        """Where one of many lacks the right, the platform may refuse them all: then each is
        asked about alone. Nobody there is an answer, too."""
        if refusal.errcode == NOT_RELATED:
            yield ContactNews("wecom", of_users=tuple(user_ids))
        elif refusal.errcode in NO_CONTACT_RIGHT and len(user_ids) > 1:
            for user_id in user_ids:
                async for news in self.of_members([user_id], tags):
                    yield news
        elif refusal.errcode not in NO_CONTACT_RIGHT | {NOBODY_LICENSED}:
            raise refusal

    async def _get(self, api: str, **params: str) -> _Raw:
        given = {name: value for name, value in params.items() if value}
        return await self._paced(api, lambda: self._api.get(api, **given))

    async def _post(self, api: str, body: _Raw) -> _Raw:
        return await self._paced(api, lambda: self._api.post(api, body))

    async def _paced(self, api: str, call: Callable[[], Any]) -> _Raw:
        async def once() -> _Raw:
            await self._pace.wait(api)
            answer: _Raw = await call()
            return answer

        return await patiently(once)


def _portions(members: Sequence[str]) -> list[Sequence[str]]:
    starts = range(0, len(members), USERS_A_CALL)
    return [members[start : start + USERS_A_CALL] for start in starts]


def _to_news(
    raws: Sequence[_Raw], tags: Mapping[str, str], *, of_users: tuple[str, ...]
) -> ContactNews:
    contacts = [_to_contact(raw["external_contact"]) for raw in raws]
    follows = [
        _to_follow(contact.external_id, raw["follow_info"], tags)
        for contact, raw in zip(contacts, raws, strict=True)
    ]
    unique = {one.external_id: one for one in contacts}
    return ContactNews("wecom", tuple(unique.values()), tuple(follows), of_users=of_users)


def _to_contact(raw: _Raw) -> ExternalContact:
    """Only users of WeCom have a company and a position."""
    at_work = raw.get("type") == _WECOM_USER
    company = str(raw.get("corp_full_name") or raw.get("corp_name") or "") if at_work else ""
    return ExternalContact(
        platform="wecom",
        external_id=str(raw["external_userid"]),
        name=str(raw.get("name") or "")[:120],
        title=str(raw.get("position") or "")[:120] if at_work else "",
        company=company[:200],
        union_id=str(raw.get("unionid") or ""),
    )


def _to_follow(external_id: str, raw: _Raw, tags: Mapping[str, str]) -> Follow:
    mobiles = [str(one) for one in raw.get("remark_mobiles", ()) if one]
    return Follow(
        platform="wecom",
        user_id=str(raw["userid"]).lower(),
        external_id=external_id,
        remark=str(raw.get("remark") or "")[:200],
        description=str(raw.get("description") or "")[:600],
        company=str(raw.get("remark_corp_name") or "")[:200],
        mobiles=tuple(mobiles),
        tags=tuple(sorted(_tags(raw, tags))),
        state=str(raw.get("state") or "")[:140],
        add_way=int(raw.get("add_way") or 0),
        since=_moment(raw.get("createtime")),
    )


def _tags(raw: _Raw, names: Mapping[str, str]) -> Iterator[str]:
    """The corp's own tags alone: a member's personal ones have no id, and come from one of the
    two calls only."""
    for tag in raw.get("tags", ()):
        if tag.get("type", 1) == 1 and tag.get("tag_name"):
            yield str(tag["tag_name"])
    for tag_id in raw.get("tag_id", ()):
        if str(tag_id) in names:
            yield names[str(tag_id)]


def _to_group(raw: _Raw) -> ChatGroup:
    members = tuple(
        GroupMember(
            member_id=str(one["userid"]) if one.get("type") == _EXTERNAL else _staff(one),
            is_staff=one.get("type") != _EXTERNAL,
            name=str(one.get("name") or one.get("group_nickname") or "")[:120],
            joined_at=_moment(one.get("join_time")),
        )
        for one in raw.get("member_list", ())
    )
    return ChatGroup(
        platform="wecom",
        chat_id=str(raw["chat_id"]),
        name=str(raw.get("name") or "")[:200],
        owner=str(raw.get("owner") or "").lower(),
        members=members,
        version=str(raw.get("member_version") or ""),
        created_at=_moment(raw.get("create_time")),
    )


def _staff(raw: _Raw) -> str:
    return str(raw["userid"]).lower()


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(int(str(seconds)), UTC) if seconds else None
