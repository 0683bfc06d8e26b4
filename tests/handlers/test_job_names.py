"""What the administrator's page calls the timers."""

from __future__ import annotations

import re

from handlers.texts import operations
from storage.database import Database
from tests.handlers.chat_company import Chat


async def test_every_timer_has_a_name_that_an_administrator_reads(database: Database) -> None:
    chat = await Chat(database).open()
    named = {job.name: operations.job(job.name) for job in chat.handlers.jobs()}
    assert named
    assert [name for name, words in named.items() if not re.search("[一-鿿]", words)] == []


def test_a_timer_of_each_company_is_named_without_its_key() -> None:
    assert operations.job("names of archived groups ww0de30c") == "读存档客户群的名字"


def test_the_timer_of_mailboxes_is_named_too() -> None:
    """A chat without a mailbox has none."""
    assert "邮箱" in operations.job("watch mailboxes")
