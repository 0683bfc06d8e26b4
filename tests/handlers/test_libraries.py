"""Action libraries in chat: an administrator sends one, switches the company or a team, and
nothing that is in flight is lost."""

from __future__ import annotations

import pytest

from bot.domain.opportunities import Opportunity
from storage.database import Database
from tests.config.test_library import OWN
from tests.handlers.chat_company import Chat

ORDER = "切换动作库 医疗器械"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def switch(chat: Chat, who: str, order: str) -> str:
    await chat.say(who, order)
    return await chat.press(who, chat.card(who), "确认切换")


async def test_an_administrator_switches_the_company_after_seeing_what_it_means(
    chat: Chat,
) -> None:
    account = await chat.customer("恒锐机电")
    await chat.customer("天目湖精工", "chen")
    await chat.say("chen", "刚和天目湖精工李总通了25分钟电话")
    preview = await chat.say("zhao", ORDER)
    assert "进行中的商机2个，没填完的记录1条" in preview
    assert "报价 → 招标挂网 2个" in preview
    assert "科室会" in preview
    assert (await chat.deal(account)).stage == "quote"
    told = await chat.press("zhao", chat.card("zhao"), "确认切换")
    assert "全公司已切换到动作库「医疗器械」，2个进行中的商机" in told
    assert (await chat.deal(account)).stage == "tender"
    assert "招标挂网" in await chat.say("zhang", "客户 恒锐机电")


async def test_an_open_draft_is_filled_as_it_was_begun(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    await chat.say("zhang", "给恒锐机电报价12万8")
    await switch(chat, "zhao", ORDER)
    await chat.say("zhang", "", files=("报价单.pdf",))
    assert "已记录" in await chat.press("zhang", chat.shown(), "确认")
    entry = (await chat.stream(account))[0]
    assert (entry.title, entry.library, entry.valid) == ("报价", "manufacturing@0", True)
    assert (await chat.deal(account)).amount_fen == 12_800_000


async def test_the_words_of_the_trade_are_understood_after_the_switch(chat: Chat) -> None:
    account = await chat.customer("市一院")
    await switch(chat, "zhao", ORDER)
    card = await chat.say("zhang", "在市一院开了科室会，挂网价高")
    assert "科室会 · 市一院" in card
    assert "价格高" in card
    for answer in ("王主任", "12位", "主题是导管术后护理", "下周三"):
        card = await chat.say("zhang", answer)
    assert "参会医生数：12" in card
    assert "主题：主题是导管术后护理" in card
    await chat.say("zhang", "", files=("签到表.png",))
    await chat.say("zhang", "确认")
    entry = (await chat.stream(account))[0]
    assert (entry.title, entry.valid, entry.grade) == ("科室会", True, "E1")
    assert entry.slots["attendee_count"] == 12


async def test_the_sentence_itself_fills_what_the_trade_counts(chat: Chat) -> None:
    await chat.customer("大润发")
    await switch(chat, "zhao", "切换动作库 快消品")
    card = await chat.say("zhang", "去大润发做了陈列检查，排面12个，堆头，见了刘店长")
    assert "陈列检查 · 大润发" in card
    assert "排面数：12" in card
    assert "陈列方式：堆头" in card


async def test_a_team_may_work_by_another_library_than_the_company(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    told = await switch(chat, "zhao", "切换动作库 SaaS软件 给 李敏团队")
    assert "李敏的团队已切换到动作库「SaaS 软件」" in told
    assert "把你的团队切换到了动作库「SaaS 软件」" in chat.heard_by("li")
    await switch(chat, "zhao", ORDER)
    assert (await chat.deal(account)).library == "saas@0"
    await chat.say("zhang", "新建客户 云溪科技")
    await chat.say("wang", "新建客户 仁和医院")
    assert {one.name: one.library for one in await _deals(chat)} == {
        "恒锐机电": "saas@0",
        "云溪科技 商机": "saas@0",
        "仁和医院 商机": "medical@0",
    }


async def test_a_supervisor_switches_the_own_team_only(chat: Chat) -> None:
    assert "由管理员导入和切换" in await chat.say("li", ORDER)
    assert "只有管理员" in await chat.say("zhang", f"{ORDER} 给 李敏团队")
    assert "李敏的团队已切换" in await switch(chat, "li", f"{ORDER} 给 我的团队")
    assert "现在用的就是" in await chat.say("li", f"{ORDER} 给 我的团队")


async def test_whoever_presses_must_be_allowed_to(chat: Chat) -> None:
    await chat.say("zhao", ORDER)
    card = chat.card("zhao")
    assert "由管理员导入和切换" in await chat.press("zhang", card, "confirm")
    assert "一切照旧" in await chat.press("zhao", card, "取消")
    assert "制造业：6个阶段、7个动作，使用中：全公司" in await chat.say("zhao", "动作库")


async def test_an_own_library_is_kept_by_version_and_survives_a_restart(chat: Chat) -> None:
    account = await chat.customer("恒锐机电")
    assert "请把动作库文件直接发给我" in await chat.say("zhao", "导入动作库")
    assert "「泵阀」第1版" in await chat.upload("zhao", "泵阀.yaml", OWN.encode())
    assert "完全一样" in await chat.upload("zhao", "泵阀.yaml", OWN.encode())
    await switch(chat, "zhao", "切换动作库 泵阀")
    second = OWN.replace("label: 报价", "label: 出价")
    assert "「泵阀」第2版" in await chat.upload("zhao", "泵阀.yaml", second.encode())
    await chat.restart()
    assert (await chat.deal(account)).library == "pumps@1"
    assert "报价" in await chat.say("zhang", "客户 恒锐机电")
    await switch(chat, "zhao", "切换动作库 泵阀")
    assert "出价" in await chat.say("zhang", "客户 恒锐机电")
    await switch(chat, "zhao", "切换动作库 泵阀 第1版")
    assert (await chat.deal(account)).library == "pumps@1"
    assert "泵阀 第1版：赵倩" in await chat.say("zhao", "动作库")


async def test_a_wrong_library_changes_nothing_and_says_every_line(chat: Chat) -> None:
    wrong = OWN.replace("deadline_h: 24", "deadline_h: 0").replace("stuck_days: 5", "stuckdays: 5")
    told = await chat.upload("zhao", "泵阀.yaml", wrong.encode())
    assert "没有导入" in told
    assert "第4行 stages[1].stuckdays：没有这个键" in told
    assert "第17行 units[1].deadline_h：不能是 0" in told
    assert "没有叫「泵阀」的动作库" in await chat.say("zhao", "切换动作库 泵阀")


async def test_a_reps_yaml_is_a_file_like_any_other(chat: Chat) -> None:
    assert "这是给哪家客户的" in await chat.upload("zhang", "泵阀.yaml", OWN.encode())
    assert "由管理员导入" in await chat.say("zhang", "导入动作库")


async def test_a_trade_word_makes_no_action_without_a_customer(chat: Chat) -> None:
    await chat.customer("市一院")
    await switch(chat, "zhao", ORDER)
    assert "科室会 ·" not in await chat.say("zhang", "科室会一般几点开")


async def test_objections_in_the_words_of_the_trade_answer_the_question(chat: Chat) -> None:
    await chat.customer("市一院")
    await switch(chat, "zhao", ORDER)
    await chat.say("zhang", "刚和市一院王主任通了25分钟电话，下周三再联系")
    await chat.say("zhang", "取消")
    await chat.say("zhang", "新建客户 仁和医院")
    await chat.say("zhang", "刚和仁和医院李主任通了25分钟电话，下周三再联系")
    assert "决策流程" in await chat.say("zhang", "要等药事会")


async def _deals(chat: Chat) -> list[Opportunity]:
    async with chat.database.begin() as tx:
        accounts = await tx.accounts.list_all()
        return [deal for one in accounts for deal in await tx.opportunities.of_account(one.id)]
