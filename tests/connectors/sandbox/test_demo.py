"""The demo company: who is there, and that the platforms would take its registration."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.policy import RolePolicy
from connectors.sandbox.demo import populate
from connectors.sandbox.world import Hooks, World

ROLES = {
    "rep", "supervisor", "sales_director", "csm", "legal", "finance", "hrbp", "product",
    "warehouse", "planning", "admin",
}  # fmt: skip


def _world() -> World:
    async def nothing(*_: object) -> Any:
        return None

    now = datetime(2026, 3, 2, 1, tzinfo=UTC)
    world = World(Hooks(lambda: now, nothing, nothing, nothing, nothing))
    populate(world, bot_url="http://127.0.0.1:8080")
    return world


@pytest.fixture
def world() -> World:
    return _world()


def test_every_role_can_be_tried(world: World) -> None:
    assert {role for member in world.members for role in member.roles} == ROLES


def test_titles_lead_the_directory_to_the_same_roles(world: World) -> None:
    for member in world.members:
        assert set(member.roles) <= set(RolePolicy().roles_of((member.title,))), member.name


def test_a_rep_reports_to_a_supervisor_of_the_same_platform(world: World) -> None:
    for rep in (member for member in world.members if "rep" in member.roles):
        leader = world.member(rep.platform, rep.direct_leader)
        assert leader is not None
        assert "supervisor" in leader.roles


def test_the_director_and_the_admin_are_on_both_platforms_by_one_mobile(world: World) -> None:
    numbers: dict[str, set[tuple[str, str]]] = {}
    for member in world.members:
        numbers.setdefault(member.mobile, set()).add((member.platform, member.name))
    twice = [people for people in numbers.values() if len(people) > 1]
    assert {frozenset(people) for people in twice} == {
        frozenset({("wecom", "王建国"), ("dingtalk", "王建国")}),
        frozenset({("wecom", "赵倩"), ("dingtalk", "赵倩")}),
    }


def test_no_mobile_number_can_belong_to_anybody(world: World) -> None:
    for member in world.members:
        assert len(member.mobile) == 11
        assert member.mobile.startswith("100")


def test_departments_groups_and_leaders_name_only_members_that_exist(world: World) -> None:
    depts = {(dept.platform, dept.id) for dept in world.depts}
    for member in world.members:
        assert (member.platform, member.department) in depts
    for dept in world.depts:
        assert dept.parent == "" or (dept.platform, dept.parent) in depts
        assert all(world.member(dept.platform, leader) for leader in dept.leaders)
    for chat in world.chats:
        assert all(world.member(chat.platform, user_id) for user_id in chat.members)
        assert chat.owner in chat.members


@pytest.mark.parametrize("platform", ["wecom", "dingtalk"])
def test_the_callback_keys_are_of_the_platforms_form(world: World, platform: str) -> None:
    app = world.app(platform)
    assert app.name == "sales"
    assert len(app.aes_key) == 43
    assert app.aes_key.isalnum()
    assert len(base64.b64decode(app.aes_key + "=", validate=True)) == 32
    assert app.token.isalnum()
    assert 3 <= len(app.token) <= 32


def test_the_platforms_know_where_the_bot_is(world: World) -> None:
    wecom, dingtalk = world.app("wecom"), world.app("dingtalk")
    assert wecom.callback_url == "http://127.0.0.1:8080/wecom/sales"
    assert dingtalk.callback_url == "http://127.0.0.1:8080/dingtalk/sales/robot"
    assert dingtalk.events_url == "http://127.0.0.1:8080/dingtalk/sales/events"
    assert dingtalk.cards_url == "http://127.0.0.1:8080/dingtalk/sales/cards"
    assert set(dingtalk.webhooks.values()) <= {chat.chat_id for chat in world.chats}


def test_a_second_sandbox_begins_afresh(world: World) -> None:
    world.chats[0].members.clear()
    world.members.clear()
    second = _world()
    assert second.chats[0].members
    assert second.members
