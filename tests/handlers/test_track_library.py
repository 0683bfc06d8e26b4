"""Administrators keep the talk tracks: by questions, in one message, by upload."""

from __future__ import annotations

import pytest

from bot.domain.tracks import to_row
from config.coaching import load_tracks
from storage.database import Database
from tests.handlers.chat_company import Chat

WHOLE = """新增话术 先请他挑毛病
行业：制造业
异议：价格高、竞品
阶段：中期
开场：这份方案您先挑三处毛病。
提问：哪一处最不能接受？
证据：改过三版的对照表。
下一步：周五前发改后的一版。"""


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database, tracks=load_tracks()).open()


async def test_a_track_is_written_by_answering_questions(chat: Chat) -> None:
    assert "叫什么" in await chat.say("zhao", "新增话术")
    assert "开场第一句" in await chat.say("zhao", "先请他挑毛病")
    for answer in ("您先挑三处毛病。", "哪一处最不能接受？", "三版对照表。"):
        await chat.say("zhao", answer)
    assert "已存为 U1「先请他挑毛病」：所有行业" in await chat.say("zhao", "周五前发改后的一版。")
    assert "U1 先请他挑毛病：还没推过" in await chat.say("zhao", "话术库")


async def test_in_one_message_it_is_saved_once_its_mistake_is_mended(chat: Chat) -> None:
    assert "「异议」里没有「竞品」" in await chat.say("zhao", WHOLE)
    assert "已存为 U1" in await chat.say("zhao", "异议：价格高、有竞品")


async def test_one_that_is_not_finished_can_be_dropped(chat: Chat) -> None:
    await chat.say("zhao", "新增话术 先请他挑毛病")
    assert "不写了" in await chat.say("zhao", "取消")
    assert "U1" not in await chat.say("zhao", "话术库")
    assert "开场" not in await chat.say("zhao", "你好")


async def test_only_administrators_change_the_library(chat: Chat) -> None:
    for order in (WHOLE, "停用话术 M07", "话术材料 M07 https://example.com/a"):
        assert "由管理员维护" in await chat.say("zhang", order)
    assert "由管理员维护" in await chat.say("zhang", "话术库")
    assert "M07" in await chat.say("li", "话术库")


async def test_a_stopped_track_is_offered_to_nobody_until_it_is_started(chat: Chat) -> None:
    await chat.customer("杭州恒锐机电有限公司")
    await chat.say("zhang", "刚和恒锐机电王总通了25分钟电话，嫌交期太长，下周三再联系")
    await chat.say("zhang", "确认")
    assert "已停用 M04" in await chat.say("zhao", "停用话术 m04")
    assert "M04" not in await chat.say("zhang", "话术 恒锐机电")
    await chat.say("zhao", "启用话术 M04")
    assert "M04" in await chat.say("zhang", "换一批")


async def test_material_is_a_link_or_the_file_sent_before(chat: Chat) -> None:
    assert "还没有配材料" in await chat.say("zhang", "材料 M07")
    assert "http 或 https" in await chat.say("zhao", "话术材料 M07 javascript:alert(1)")
    await chat.say("zhao", "话术材料 M07 https://example.com/case")
    assert "https://example.com/case" in await chat.say("zhang", "材料 M07")
    assert "先把文件发给我" in await chat.say("zhao", "话术材料 M07")
    await chat.say("zhao", "", files=("案例.pdf",))
    assert "案例.pdf" in await chat.say("zhao", "话术材料 M07")
    assert "案例.pdf" in await chat.say("zhang", "材料 M07")


async def test_a_table_is_stored_as_a_whole(chat: Chat) -> None:
    head = "编号,标题,行业,异议,开场,提问,证据,下一步\n"
    good = "K01,先挑毛病,制造业,价格高,您先挑。,哪处？,对照表。,周五前。\n"
    said = await chat.upload("zhao", "话术.csv", (head + good).encode("gbk"))
    assert "已存1条话术：K01" in said
    bad = "K02,先挑毛病,造船业,价格高,您先挑。,哪处？,对照表。,周五前。\nK03,,,,,,,\n"
    said = await chat.upload(
        "zhao", "话术.csv", (head + good.replace("先挑", "改挑") + bad).encode()
    )
    assert "第3行：「行业」里没有「造船业」" in said
    assert "第4行：缺「标题」" in said
    listed = await chat.say("zhao", "话术库")
    assert "K01 先挑毛病" in listed
    assert "K02" not in listed


async def test_a_toml_says_the_line_of_each_mistake(chat: Chat) -> None:
    track = '[[tracks]]\ntitle = "先挑毛病"\nopening = "挑"\nquestion = "哪处"\nproof = "表"\n'
    said = await chat.upload("zhao", "t.toml", f'{track}next_step = "周五"\n{track}'.encode())
    assert "第7行：缺「下一步」" in said
    said = await chat.upload("zhao", "t.toml", b"[[tracks]\n")
    assert "第1行：不是有效的 TOML" in said
    assert "已存1条" in await chat.upload("zhao", "t.toml", f'{track}next_step = "周五"'.encode())


async def test_a_built_in_track_is_reworded_under_its_code(chat: Chat) -> None:
    row = to_row(next(track for track in load_tracks() if track.code == "M07"))
    lines = [f"标题：{row['title']}改", "编号：M07", "开场：改过的开场。", "提问：改过的。"]
    await chat.say("zhao", "\n".join(["新增话术", *lines, "证据：表。", "下一步：周五。"]))
    listed = await chat.say("zhao", "话术库")
    assert listed.count("M07 ") == 1
    assert f"M07 {row['title']}改" in listed


async def test_other_tables_of_an_administrator_are_customers_still(chat: Chat) -> None:
    said = await chat.upload("zhao", "客户.csv", "name,owner\n杭州某某有限公司,张伟\n".encode())
    assert "话术" not in said
    assert "杭州某某" in await chat.say("zhang", "客户 杭州某某有限公司")
