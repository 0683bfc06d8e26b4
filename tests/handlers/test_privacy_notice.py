"""An employee asks what is kept of what they say."""

from __future__ import annotations

import pytest

from bot.domain.people import Role
from storage.database import Database
from tests.handlers.chat_company import Chat

ANSWERS = (
    "跟进管理、亮灯、预测、奖金核算",  # what for
    "第13条",
    "各级主管",
    "HRBP、财务",
    "180天",
    "由人裁定",
    "管理员（赵倩）",
)


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


@pytest.mark.parametrize("words", ["隐私", "隐私说明", "个人信息"])
async def test_everybody_is_told_what_is_kept_and_why(chat: Chat, words: str) -> None:
    said = await chat.say("zhang", words)
    assert [one for one in ANSWERS if one not in said] == []
    assert len(said.encode()) <= 2048  # one text of WeCom


async def test_only_some_of_many_administrators_are_named(chat: Chat) -> None:
    async with chat.database.begin() as tx:
        for one in chat.people.values():
            await tx.people.set_roles(one.id, [Role.ADMIN])
    said = await chat.say("zhang", "隐私")
    assert sum(one.name in said for one in chat.people.values()) == 3


async def test_a_report_that_mentions_privacy_is_still_a_report(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司", "zhang", "恒锐机电")
    said = await chat.say("zhang", "刚和恒锐机电王总通了25分钟电话，他担心隐私，下周三再联系")
    assert "第13条" not in said
