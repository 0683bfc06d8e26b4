"""The first words of a day."""

from __future__ import annotations

import pytest

from bot.domain.people import Role
from handlers.texts.dialog import welcome


@pytest.mark.parametrize("role", list(Role))
def test_only_who_talks_to_customers_is_asked_to_tell_of_it(role: Role) -> None:
    told = welcome("马东", {role})
    selling = {Role.REP, Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.CSM}
    assert ("跟客户聊完" in told) == (role in selling)
    assert "发「帮助」" in told
    assert "发「隐私」" in told
