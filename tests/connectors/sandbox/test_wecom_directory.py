"""Members and departments as the emulated WeCom tells them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.connectors.sandbox.wecom_bed import Bed, open_bed


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def test_member_is_told_in_full(bed: Bed) -> None:
    user = await bed.get("user/get", userid="ZHANG3")
    assert (user["userid"], user["name"], user["position"]) == ("zhang3", "张三", "销售代表")
    assert (user["department"], user["main_department"]) == ([3], 3)
    assert (user["direct_leader"], user["status"]) == (["wang5"], 1)
    assert user["mobile"] == "13800000003"
    assert (await bed.get("user/get", userid="wang5"))["is_leader_in_dept"] == [1]


async def test_new_application_sees_neither_mobile_nor_mail(bed: Bed) -> None:
    bed.emulator.state.gives_mobile = False
    user = await bed.get("user/get", userid="zhang3")
    assert not {"mobile", "email"} & user.keys()


async def test_who_is_unknown_or_gone_is_not_found(bed: Bed) -> None:
    for user_id in ("ghost1", "gone7"):
        assert (await bed.get("user/get", userid=user_id))["errcode"] == 60111


async def test_lists_hold_one_department_without_those_below(bed: Bed) -> None:
    simple = (await bed.get("user/simplelist", department_id="2"))["userlist"]
    assert [(user["userid"], user["department"]) for user in simple] == [("wang5", [2])]
    full = (await bed.get("user/list", department_id="3"))["userlist"]
    assert [(user["userid"], user["status"]) for user in full] == [
        ("zhang3", 1),
        ("Li4", 1),
        ("new6", 4),
    ]
    assert (await bed.get("user/list", department_id="9"))["errcode"] == 60123


async def test_all_ids_come_by_pages_and_only_for_the_contact_secret(bed: Bed) -> None:
    assert (await bed.post("user/list_id", {}))["errcode"] == 48002
    token = await bed.token(bed.emulator.state.contact_secret)
    found: list[tuple[str, int]] = []
    cursor = ""
    while True:
        page = await bed.post("user/list_id", {"limit": 3, "cursor": cursor}, token=token)
        found += [(row["userid"], row["department"]) for row in page["dept_user"]]
        if not (cursor := page["next_cursor"]):
            break
    assert found == [("zhang3", 3), ("Li4", 3), ("wang5", 2), ("new6", 3)]
    assert (await bed.post("user/list_id", {"limit": 0}, token=token))["errcode"] == 40058
    assert (await bed.post("message/send", {}, token=token))["errcode"] == 48002


async def test_member_is_found_by_mobile(bed: Bed) -> None:
    assert (await bed.post("user/getuserid", {"mobile": "13800000004"}))["userid"] == "Li4"
    assert (await bed.post("user/getuserid", {"mobile": "13900000000"}))["errcode"] == 46004
    assert (await bed.post("user/getuserid", {}))["errcode"] == 40063


async def test_departments_are_told_with_all_below(bed: Bed) -> None:
    everything = (await bed.get("department/list"))["department"]
    assert [(dept["id"], dept["parentid"]) for dept in everything] == [(1, 0), (2, 1), (3, 2)]
    below = (await bed.get("department/simplelist", id="2"))["department_id"]
    assert [dept["id"] for dept in below] == [2, 3]
    one = (await bed.get("department/get", id="2"))["department"]
    assert (one["name"], one["department_leader"]) == ("销售部", ["wang5"])
    assert (await bed.get("department/get", id="9"))["errcode"] == 60123
