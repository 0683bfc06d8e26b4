"""An administrator says who leads whom and what somebody is."""

from __future__ import annotations

import pytest

from bot.domain.people import Directory, DirectoryUser, Role
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI = "杭州恒锐机电有限公司"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def roles(chat: Chat, who: str) -> frozenset[Role]:
    async with chat.database.read() as tx:
        return (await tx.people.get(chat.people[who].id)).roles


async def supervisor_of(chat: Chat, who: str) -> int | None:
    async with chat.database.read() as tx:
        return (await tx.people.get(chat.people[who].id)).supervisor_override_id


async def test_a_supervisor_is_set_and_both_hear_of_it(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    assert "张伟的主管已设为王建国" in await chat.say("zhao", "设置主管 张伟 王建国")
    assert await supervisor_of(chat, "zhang") == chat.people["wang"].id
    assert "你的主管现在是王建国" in chat.heard_by("zhang")
    assert "张伟现在由你带" in chat.heard_by("wang")
    assert "由双方的主管" in await chat.say("li", "把恒锐机电转给陈静")
    assert "恢复按通讯录" in await chat.say("zhao", "设置主管 张伟 默认")
    assert await supervisor_of(chat, "zhang") is None


async def test_everybody_may_ask_what_they_are_taken_for(chat: Chat) -> None:
    rep = await chat.say("zhang", "我领导是谁")
    assert "你是张伟，角色：销售。" in rep
    assert "你的主管：李敏。" in rep
    assert "不对的话请找管理员改" in rep
    assert "设置角色" not in rep
    assert "你带的销售：张伟、陈静。" in await chat.say("li", "我是谁")
    admin = await chat.say("zhao", "我的角色")
    assert "你上面没有主管" in admin
    assert "要改就发「设置主管 " in admin


async def test_roles_are_set_in_words_and_stay_whatever_the_title_is(chat: Chat) -> None:
    told = await chat.say("zhao", "设置角色 陈静 csm、主管，产品经理")
    assert "主管、客户成功、产品" in told
    assert await roles(chat, "chen") == {Role.SUPERVISOR, Role.CSM, Role.PRODUCT}
    async with chat.database.begin() as tx:
        news = Directory(
            "wecom", users=(DirectoryUser("chen", "陈静", titles=("法务",)),), whole=False
        )
        await tx.people.save_directory(
            news, roles_by_title=chat.office.policy.roles.roles_of, at=chat.now
        )
    assert Role.CSM in await roles(chat, "chen")
    await chat.say("zhao", "设置角色 陈静 默认")
    async with chat.database.begin() as tx:
        await tx.people.save_directory(
            news, roles_by_title=chat.office.policy.roles.roles_of, at=chat.now
        )
    assert Role.CSM not in await roles(chat, "chen")


@pytest.mark.parametrize(
    ("who", "said", "told"),
    [
        ("li", "设置主管 张伟 李敏", "只有管理员"),
        ("wang", "设置角色 张伟 管理员", "只有管理员"),
        ("zhao", "设置主管 张伟", "请写清楚谁的主管"),
        ("zhao", "设置主管 张三丰 李敏", "没有在岗的「张三丰」"),
        ("zhao", "设置主管 李敏 李敏", "不能做自己的主管"),
        ("zhao", "设置主管 李敏 张伟", "是李敏的下级"),
        ("zhao", "设置角色 张伟", "请写清楚谁是什么角色"),
        ("zhao", "设置角色 张伟 司机", "没有「司机」这个角色"),
        ("zhao", "设置角色 赵倩 销售", "最后一位管理员"),
    ],
)
async def test_what_cannot_be_set_says_why(chat: Chat, who: str, said: str, told: str) -> None:
    assert told in await chat.say(who, said)
    assert await roles(chat, "zhao") == {Role.ADMIN}
    assert await supervisor_of(chat, "li") == chat.people["wang"].id


async def test_the_role_of_admin_goes_on_to_another(chat: Chat) -> None:
    await chat.say("zhao", "设置角色 王建国 销售总监 管理员")
    await chat.say("zhao", "设置角色 赵倩 财务")
    assert await roles(chat, "zhao") == {Role.FINANCE}
    assert "只有管理员" in await chat.say("zhao", "设置角色 赵倩 管理员")
