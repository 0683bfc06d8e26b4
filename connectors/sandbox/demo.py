"""The demo company: 恒远机电科技有限公司, half of it on WeCom, half on DingTalk.

People, groups and credentials are invented. The mobile numbers begin with 100, which no
mobile network uses; they join the two accounts of one person.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from .world import App, Chat, Dept, Member, World

COMPANY = "恒远机电科技有限公司"
APP_NAME = "sales"
ROBOT_NAME = "helper"
ROBOT_TITLE = "跟单"

_HIRED_AT = datetime(2024, 3, 1, 1, tzinfo=UTC)

_WECOM_DEPTS = (
    # id, name, parent, leaders
    ("1", COMPANY, "", ()),
    ("2", "销售部", "1", ("wangjianguo",)),
    ("3", "华东销售组", "2", ("limin",)),
    ("4", "客户成功部", "1", ()),
    ("5", "职能中心", "1", ()),
    ("6", "供应链中心", "1", ()),
)

_WECOM_MEMBERS = (
    # user id, name, title, role, department, direct leader, number of the mobile
    ("zhangwei", "张伟", "销售代表", "rep", "3", "limin", 101),
    ("chenjing", "陈静", "销售代表", "rep", "3", "limin", 102),
    ("liuyang", "刘洋", "销售代表", "rep", "3", "limin", 103),
    ("limin", "李敏", "销售主管", "supervisor", "3", "wangjianguo", 104),
    ("wangjianguo", "王建国", "销售总监", "sales_director", "2", "", 105),
    ("sunli", "孙丽", "客户成功经理", "csm", "4", "", 106),
    ("zhoulv", "周律", "法务专员", "legal", "5", "", 107),
    ("qianjin", "钱进", "财务会计", "finance", "5", "", 108),
    ("fengxiao", "冯晓", "HRBP", "hrbp", "5", "", 109),
    ("xunuo", "许诺", "产品经理", "product", "5", "", 110),
    ("madong", "马东", "仓管员", "warehouse", "6", "", 111),
    ("gaoyuan", "高远", "生产计划员", "planning", "6", "", 112),
    ("zhaoqian", "赵倩", "系统管理员", "admin", "5", "", 113),
)

_DINGTALK_DEPTS = (
    ("1", COMPANY, "", ("wangjianguo-d",)),
    ("520001", "华南销售组", "1", ("zhoutao001",)),
    ("520002", "信息部", "1", ()),
)

_DINGTALK_MEMBERS = (
    ("wulei01", "吴磊", "销售代表", "rep", "520001", "zhoutao001", 201),
    ("zhengshuang", "郑爽", "销售代表", "rep", "520001", "zhoutao001", 202),
    ("hejie88", "何洁", "销售代表", "rep", "520001", "zhoutao001", 203),
    ("zhoutao001", "周涛", "销售主管", "supervisor", "520001", "wangjianguo-d", 204),
    ("wangjianguo-d", "王建国", "销售总监", "sales_director", "1", "", 105),
    ("0147001", "赵倩", "系统管理员", "admin", "520002", "", 113),
)

_EAST_GROUP = Chat(
    chat_id="huadongsales",
    name="华东销售群",
    platform="wecom",
    members=["limin", "zhangwei", "chenjing", "liuyang", "wangjianguo"],
    owner="limin",
)
_ROBOT_GROUP = Chat(
    chat_id="wrGendanEast0001",
    name="华东跟单讨论群",
    platform="wecom",
    members=["limin", "zhangwei", "chenjing"],
    owner="limin",
    robot=ROBOT_NAME,
)
_ROBOT_CHATS = tuple(
    Chat(f"robot-{user_id}", "跟单（智能机器人）", "wecom", [user_id], user_id, ROBOT_NAME)
    for user_id in ("zhangwei", "chenjing")
)
_SOUTH_GROUP = Chat(
    chat_id="cidHuananSales001==",
    name="华南销售群",
    platform="dingtalk",
    members=["zhoutao001", "wulei01", "zhengshuang", "hejie88", "wangjianguo-d"],
    owner="zhoutao001",
)


def populate(world: World, *, bot_url: str) -> None:
    """Fill an empty world. bot_url: where the platforms reach the bot, without a slash."""
    world.depts += _depts("wecom", _WECOM_DEPTS) + _depts("dingtalk", _DINGTALK_DEPTS)
    world.members += _members("wecom", _WECOM_MEMBERS) + _members("dingtalk", _DINGTALK_MEMBERS)
    groups = (_EAST_GROUP, _SOUTH_GROUP, _ROBOT_GROUP)
    world.chats += [_copy(chat) for chat in (*groups, *_ROBOT_CHATS)]
    world.apps += [_wecom_app(bot_url), _dingtalk_app(bot_url), _aibot(bot_url)]


def _depts(platform: str, rows: tuple[tuple[str, str, str, tuple[str, ...]], ...]) -> list[Dept]:
    return [
        Dept(id=number, name=name, platform=platform, parent=parent, leaders=list(leaders))
        for number, name, parent, leaders in rows
    ]


def _members(
    platform: str, rows: tuple[tuple[str, str, str, str, str, str, int], ...]
) -> list[Member]:
    return [
        Member(
            user_id=user_id,
            name=name,
            platform=platform,
            roles=[role],
            department=department,
            title=title,
            mobile=f"100{number:08}",
            direct_leader=leader,
            union_id=f"demoUnion{number}" if platform == "dingtalk" else "",
            email=f"{user_id}@hengyuan.example",
            hired_at=_HIRED_AT,
        )
        for user_id, name, title, role, department, leader, number in rows
    ]


def _copy(chat: Chat) -> Chat:
    """Groups change while the sandbox runs; the next one begins afresh."""
    return replace(chat, members=list(chat.members))


def _wecom_app(bot_url: str) -> App:
    return App(
        platform="wecom",
        name=APP_NAME,
        kind="app",
        callback_url=f"{bot_url}/wecom/{APP_NAME}",
        token="GendanDemoWecomToken",
        aes_key="GendanDemoWecomAesKey0123456789abcdefghijkE",
        corp_id="ww0de30c0417b5a2f1",
        agent_id="1000002",
        app_secret="GendanDemoWecomSecret-worthless-0123456789a",
    )


def _aibot(bot_url: str) -> App:
    return App(
        platform="wecom",
        name=ROBOT_NAME,
        kind="aibot",
        title=ROBOT_TITLE,
        callback_url=f"{bot_url}/wecom/{ROBOT_NAME}/aibot",
        token="GendanDemoAibotToken",
        aes_key="GendanDemoAibotAesKey0123456789abcdefghijkE",
        app_key="aibDemoGendan0001",
        app_secret="GendanDemoAibotSecret-worthless",
    )


def _dingtalk_app(bot_url: str) -> App:
    door = f"{bot_url}/dingtalk/{APP_NAME}"
    return App(
        platform="dingtalk",
        name=APP_NAME,
        kind="robot",
        callback_url=f"{door}/robot",
        events_url=f"{door}/events",
        cards_url=f"{door}/cards",
        token="GendanDemoDingtalkToken",
        aes_key="GendanDemoDingtalkAesKey0123456789abcdefghE",
        corp_id="ding0de30c0417b5a2f1",
        agent_id="900000001",
        app_key="dingdemosales00001",
        app_secret="GendanDemoDingtalkSecret-worthless",
        card_secret="GendanDemoCardSecret-worthless",
        webhooks={"demo-south-group-robot": _SOUTH_GROUP.chat_id},
    )
