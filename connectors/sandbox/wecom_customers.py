"""What members and people outside do with each other in the client, and the events of it.

What goes through the server API sends no events.
Source: developer.work.weixin.qq.com/document/path/92130.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .wecom_contactbook import Bond, CustomerGroup, Outsider
from .wecom_state import WecomState

_Post = Callable[[Mapping[str, Any]], None]


class CustomerEvents:
    """Changes the ContactBook and tells the application."""

    def __init__(self, state: WecomState, post: _Post) -> None:
        self._state = state
        self._post = post

    def add(self, user_id: str, outsider: Outsider, *, quietly: bool = False, **noted: Any) -> Bond:
        """They become each other's contact. noted: fields of the Bond. quietly: it was so
        before anybody listened."""
        book = self._state.contacts
        book.outsiders[outsider.external_id] = outsider
        bond = Bond(user_id, outsider.external_id, self._state.world.now(), **noted)
        book.bind(bond)
        if not quietly:
            self._contact("add_external_contact", bond, State=bond.state, WelcomeCode="WC")
        return bond

    def edit(self, user_id: str, external_id: str, **noted: Any) -> Bond:
        """The member notes something. Raises KeyError where they do not have the contact."""
        bond = self._state.contacts.bonds[user_id.lower()][external_id]
        for name, value in noted.items():
            setattr(bond, name, value)
        self._contact("edit_external_contact", bond)
        return bond

    def let_archive(self, user_id: str, external_id: str) -> None:
        """The contact agrees that what it writes with this member is archived."""
        bond = self._state.contacts.bonds[user_id.lower()][external_id]
        self._state.archive.consents[user_id.lower(), external_id] = "Agree", bond.since
        self._contact("msg_audit_approved", bond, WelcomeCode="WC")

    def part(self, user_id: str, external_id: str, *, by_customer: bool = False) -> None:
        bond = self._state.contacts.part(user_id, external_id)
        if bond is not None:
            kind = "del_follow_user" if by_customer else "del_external_contact"
            self._contact(kind, bond)

    def open_group(
        self, chat_id: str, name: str, owner: str, *others: str, quietly: bool = False
    ) -> CustomerGroup:
        now = self._state.world.now()
        members = dict.fromkeys([owner, *others], now)
        group = CustomerGroup(chat_id, name, owner, now, members)
        self._state.contacts.groups[chat_id] = group
        if not quietly:
            self._chat(group, "create")
        return group

    def join_group(self, chat_id: str, *members: str, in_one_string: bool = False) -> None:
        """in_one_string: the platform writes the list of who came either way."""
        group = self._state.contacts.groups[chat_id]
        before = group.version
        group.members |= dict.fromkeys(members, self._state.world.now())
        group.version += 1
        listed = ",".join(members) if in_one_string else {"Item": list(members)}
        self._chat(
            group, "update", UpdateDetail="add_member", JoinScene=1, MemChangeCnt=len(members),
            MemChangeList=listed, LastMemVer=str(before), CurMemVer=str(group.version),
        )  # fmt: skip

    def rename_group(self, chat_id: str, name: str) -> None:
        group = self._state.contacts.groups[chat_id]
        group.name = name
        self._chat(group, "update", UpdateDetail="change_name")

    def dismiss_group(self, chat_id: str) -> None:
        self._chat(self._state.contacts.groups.pop(chat_id), "dismiss")

    def carry_out_transfers(self) -> None:
        """What a day brings: who refused is told of."""
        for one in self._state.contacts.carry_out(self._state.world.now()):
            self._post(
                {
                    "Event": "change_external_contact", "ChangeType": "transfer_fail",
                    "FailReason": "customer_refused", "UserID": one.to,
                    "ExternalUserID": one.external_id,
                }
            )  # fmt: skip

    def _contact(self, change: str, bond: Bond, **more: Any) -> None:
        self._post(
            {
                "Event": "change_external_contact", "ChangeType": change,
                "UserID": bond.user_id, "ExternalUserID": bond.external_id, **more,
            }
        )  # fmt: skip

    def _chat(self, group: CustomerGroup, change: str, **more: Any) -> None:
        self._post(
            {
                "Event": "change_external_chat", "ChangeType": change,
                "ChatId": group.chat_id, **more,
            }
        )  # fmt: skip
