"""Where messages go to and come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Platform(StrEnum):
    """Where messages come from and go to."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    ERP = "erp"  # tells of receipts and takes forecasts; nobody chats there
    MAIL = "mail"  # a mailbox that is read; nothing is sent through it


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes to or comes from: one person, or one group, seen by one app.

    user_id: the platform's id of the person (WeCom userid lower-cased, DingTalk userId);
    chat_id: of the group (WeCom appchat id, DingTalk openConversationId), verbatim;
    webhook: name of a configured group robot. Exactly one of the three is set.
    """

    platform: Platform
    app: str
    user_id: str | None = None
    chat_id: str | None = None
    webhook: str | None = None

    @property
    def key(self) -> str:
        """Stable text form, e.g. "wecom:sales:u:zhang3", "dingtalk:sales:g:cidX=="."""
        if self.user_id is not None:
            return f"{self.platform}:{self.app}:u:{self.user_id}"
        if self.chat_id is not None:
            return f"{self.platform}:{self.app}:g:{self.chat_id}"
        return f"{self.platform}:{self.app}:w:{self.webhook}"
