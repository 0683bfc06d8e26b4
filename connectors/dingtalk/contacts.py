"""External contacts of DingTalk: an address book of the company, outside the monthly quota.

Source: protocol notes 6.3. An entry is no chat partner: there is nothing to read but the entry,
no event tells of a change, and nobody can be handed one. So all are read each night.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow
from connectors.dingtalk.api import Api
from connectors.dingtalk.errors import PERSON_GONE, DingtalkRejected
from connectors.dingtalk.read import Body, rows, text

PAGE = 100


class Contacts:
    """Reads for one application. Every method raises as `Api` does."""

    platform = "dingtalk"
    lists_groups = False

    def __init__(self, app: str, api: Api) -> None:
        self.app = app
        self._api = api

    async def check(self) -> None:
        """Raises where they may not be read."""
        await self._labels()

    async def everything(self) -> AsyncIterator[ContactNews]:
        """All contacts, page by page; after the last one that was everything of everybody."""
        labels = await self._labels()
        offset = 0
        while True:
            wanted = {"size": PAGE, "offset": offset}
            answer = await self._api.old_answer("topapi/extcontact/list", wanted)
            page = [one for one in rows(answer, "results") if isinstance(one, dict)]
            news = _to_news(page, labels)
            if len(page) < PAGE:
                yield ContactNews(news.platform, news.contacts, news.follows, is_last=True)
                return
            yield news
            offset += PAGE

    async def groups(self) -> AsyncIterator[ChatGroup]:
        """No call lists them: a group is known once somebody speaks to the robot there."""
        return
        yield

    async def contact(self, external_id: str) -> ContactNews:
        """One contact, or that it is gone."""
        try:
            answer = await self._api.old("topapi/extcontact/get", {"user_id": external_id})
        except DingtalkRejected as refusal:
            if refusal.code not in PERSON_GONE:
                raise
            return ContactNews("dingtalk", of_contacts=(external_id,))
        news = _to_news([answer], await self._labels())
        return ContactNews("dingtalk", news.contacts, news.follows, of_contacts=(external_id,))

    async def group(self, chat_id: str) -> ChatGroup | None:
        """By the call for groups that were made from a template; paid for by the month."""
        try:
            answer = await self._api.new(
                "POST", "v1.0/im/sceneGroups/query", {"openConversationId": chat_id}
            )
        except DingtalkRejected:
            return None
        return ChatGroup(
            "dingtalk", chat_id, text(answer, "title")[:200], text(answer, "ownerUserId")
        )

    async def _labels(self) -> dict[str, str]:
        """Id -> name."""
        answer = await self._api.old_answer(
            "topapi/extcontact/listlabelgroups", {"size": PAGE, "offset": 0}
        )
        return {
            text(label, "id"): text(label, "name")
            for group in rows(answer, "results")
            if isinstance(group, dict)
            for label in rows(group, "labels")
            if isinstance(label, dict)
        }


def _to_news(page: list[dict[str, Any]], labels: Mapping[str, str]) -> ContactNews:
    entries = [one for one in page if text(one, "userid")]
    return ContactNews(
        "dingtalk",
        tuple(_to_contact(one) for one in entries),
        tuple(_to_follow(one, labels) for one in entries if text(one, "follower_user_id")),
    )


def _to_contact(entry: Body) -> ExternalContact:
    return ExternalContact(
        platform="dingtalk",
        external_id=text(entry, "userid"),
        name=text(entry, "name")[:120],
        title=text(entry, "title")[:120],
        company=text(entry, "company_name")[:200],
        mobile=text(entry, "mobile")[:40],
    )


def _to_follow(entry: Body, labels: Mapping[str, str]) -> Follow:
    ids = [text({"id": one}, "id") for one in rows(entry, "label_ids")]
    return Follow(
        platform="dingtalk",
        user_id=text(entry, "follower_user_id"),
        external_id=text(entry, "userid"),
        description=text(entry, "remark")[:600],
        tags=tuple(sorted(labels[one] for one in ids if one in labels)),
    )
