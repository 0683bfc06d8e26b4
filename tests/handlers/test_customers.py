"""Customers by chat and by CSV, and typed commands with every kind of argument."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import Unavailable
from bot.messages import Incoming
from handlers.customers.importing import LongImports
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI = "杭州恒锐机电有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def test_an_administrator_imports_customers_and_hears_of_bad_rows(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    table = (
        "name,owner,contact\n"
        "绍兴嵊州领带机械有限公司,张伟,马总\n"
        ",张伟,\n"
        "台州温岭泵业有限公司,没有这个人,\n"
        f"{HENGRUI},张伟,\n"
        "温州瓯海锁具有限公司,chen,\n"
    )
    said = await chat.upload("zhao", "客户.csv", table.encode("gb18030"))
    assert "新建2家，已存在1家" in said
    assert "第3行：没有客户名" in said
    assert "第4行「台州温岭泵业有限公司」：负责人「没有这个人」不在通讯录里" in said
    assert "请核对" in await chat.say("zhang", "嵊州领带打了20分钟，没异议，后天再联系")


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"\xff\xfe\x00\xff", "不是文本表格"), ("甲,乙\n1,2\n".encode(), "表头缺少列")],
)
async def test_a_broken_table_says_what_is_wrong(chat: Chat, data: bytes, told: str) -> None:
    assert told in await chat.upload("zhao", "客户.csv", data)


async def test_chat_goes_on_while_a_long_table_comes_in(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    office = chat.office
    long = LongImports(office, begin=chat.database.begin, read=chat.database.read)
    chat.preparations = [long]
    rows = "".join(f"宁波测试{number}号机械有限公司,张伟\n" for number in range(100, 160))
    coming = asyncio.create_task(chat.upload("zhao", "客户.csv", f"name,owner\n{rows}".encode()))
    while len(office.customers.names_of(chat.people["zhang"].id)) < 3:  # noqa: ASYNC110 - no event
        await asyncio.sleep(0)
    async with chat.database.begin() as tx:
        assert await tx.accounts.find_by_name("宁波测试159号机械有限公司") is None
    assert "新建60家，已存在0家" in await coming


async def test_a_long_table_that_was_interrupted_is_taken_up_again(chat: Chat) -> None:
    office = chat.office
    long = LongImports(office, begin=chat.database.begin, read=chat.database.read)
    chat.preparations = [long, Interrupted()]
    rows = "".join(f"宁波测试{number}号机械有限公司,张伟\n" for number in range(100, 120))
    table = f"name,owner\n{rows},张伟\n".encode()
    with pytest.raises(Unavailable):
        await chat.upload("zhao", "客户.csv", table)
    chat.preparations = [long]
    said = await chat.upload("zhao", "客户.csv", table)
    assert "新建0家，已存在20家" in said
    assert "第22行：没有客户名" in said


class Interrupted:
    """A preparation that fails after the one before it is done."""

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        raise Unavailable("the machine stopped")


async def test_a_reps_table_is_a_file_like_any_other(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    assert "哪家客户" in await chat.upload("zhang", "客户.csv", b"name,owner\nA,B\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("客户", "想看哪家客户"),
        ("动态", "想看哪家客户"),
        ("新建客户", "要新建哪家客户"),
        ("客户 恒锐机电", "最近动态"),
        ("查客户 恒锐机电", "最近动态"),
        ("动态：恒锐机电", "第一次通话"),
        ("恒锐机电", "最近动态"),
        ("客户 不存在的公司", "没有找到「不存在的公司」"),
        ("新建客户 x", "2到60个字"),
        ("新建客户 杭州恒锐机电", "名字很像"),
        ("新建客户 杭州恒锐机电有限公司", "已经在册，负责人是张伟"),
        ("帮助", "像平时说话一样"),
        ("？", "像平时说话一样"),
        ("确认", "没有等你确认的记录"),
        ("取消", "没有未完成的记录"),
        ("撤销", "没有找到"),
        ("我的灯", "没有亮灯"),
        ("谢谢", "在的"),
    ],
)
async def test_a_command_answers_with_something_useful(chat: Chat, text: str, told: str) -> None:
    await chat.customer(HENGRUI)
    assert told in await chat.say("zhang", text)


async def test_a_customer_created_meanwhile_belongs_to_the_draft_that_waits(chat: Chat) -> None:
    await chat.say("zhang", "跟杭州天目湖精工李总打了10分钟电话，没异议，下周一联系")
    said = await chat.say("zhang", "新建客户 杭州天目湖精工有限公司")
    assert "已新建客户" in said
    assert "请核对" in said


async def test_a_customer_that_sounds_alike_is_created_after_a_second_word(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    assert "确认新建客户 杭州恒锐机电设备" in await chat.say("zhang", "新建客户 杭州恒锐机电设备")
    assert "已新建" in await chat.say("zhang", "确认新建客户 杭州恒锐机电设备")
