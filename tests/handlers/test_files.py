"""Files before, in the middle of and after a draft."""

from __future__ import annotations

import pytest

from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI = "杭州恒锐机电有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def test_a_file_sent_first_belongs_to_the_draft_that_follows(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    assert "哪家客户" in await chat.say("zhang", "", files=("方案.pdf",))
    question = chat.card()
    assert "请核对" in await chat.say("zhang", "给恒锐机电发了方案，客户已查收")
    await chat.say("zhang", "确认")
    assert len((await chat.stream(account))[0].file_hashes) == 1
    assert "没有等着归档的文件" in await chat.press("zhang", question, "杭州恒锐机电")


@pytest.mark.parametrize("answer", ["恒锐机电", "这是恒锐机电的方案"])
async def test_a_name_answers_for_whom_a_file_is(chat: Chat, answer: str) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "", files=("方案.pdf",))
    assert "已把方案.pdf存到" in await chat.say("zhang", answer)
    assert [one.title for one in await chat.stream(account)] == ["附件"]


async def test_files_can_be_dropped_and_only_by_who_sent_them(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.say("zhang", "", files=("照片.png",))
    card = chat.card()
    assert "只有张伟可以操作" in await chat.press("chen", card, "不用了")
    assert "不归到客户名下" in await chat.press("zhang", card, "不用了")
    assert "可能已经处理过" in await chat.press("zhang", card, "不用了")


async def test_a_customer_handed_over_is_no_longer_offered(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    await chat.customer("宁波甬江轴承有限公司")
    await chat.say("li", "把恒锐机电转给陈静")
    await chat.say("zhang", "", files=("照片.png",))
    assert [button.label for button in chat.card().buttons] == ["宁波甬江轴承", "不用了"]


async def test_an_undone_record_gives_its_file_back(chat: Chat) -> None:
    """A file logged for the wrong customer used to count against it for ever."""
    accounts = [await chat.customer(HENGRUI), await chat.customer("宁波甬江轴承有限公司")]
    accounts.append(await chat.customer("嘉兴南湖铸造有限公司"))
    for account in accounts:
        await chat.say("zhang", f"给{account.name}发了方案，客户已查收")
        await chat.say("zhang", "", files=("方案.pdf",))
        await chat.say("zhang", "确认")
        if account is accounts[0]:
            await chat.say("zhang", "撤销")
    assert (await chat.stream(accounts[2]))[0].valid
