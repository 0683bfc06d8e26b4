"""客户联系 as the emulated WeCom answers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.sandbox.wecom_contactbook import ContactBook, Outsider
from tests.connectors.sandbox.wecom_bed import Bed, open_bed

WANG = Outsider("wmWang", "王总", kind=2, position="采购", corp_name="恒锐机电")


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        tag = bed.emulator.state.contacts.tag("A级", "等级")
        bed.emulator.customers.add(
            "zhang3", WANG, quietly=True, remark="恒锐-王总", mobiles=["13800001111"],
            tag_ids=[tag], own_tags=["老朋友"],
        )  # fmt: skip
        yield bed


def book(bed: Bed) -> ContactBook:
    return bed.emulator.state.contacts


async def of_users(bed: Bed, *users: str, **more: Any) -> dict[str, Any]:
    body = {"userid_list": list(users), **more}
    return await bed.post("externalcontact/batch/get_by_user", body)


async def test_one_contact_comes_with_tags_by_name_and_a_list_with_their_ids(bed: Bed) -> None:
    one = await bed.get("externalcontact/get", external_userid="wmWang")
    [follow] = one["follow_user"]
    assert [(tag["tag_name"], tag["type"]) for tag in follow["tags"]] == [("A级", 1), ("老朋友", 2)]
    [listed] = (await of_users(bed, "ZHANG3"))["external_contact_list"]
    assert listed["external_contact"]["corp_name"] == "恒锐机电"
    assert "tags" not in listed["follow_info"]
    [group] = (await bed.post("externalcontact/get_corp_tag_list", {}))["tag_group"]
    assert [tag["id"] for tag in group["tag"]] == listed["follow_info"]["tag_id"]


async def test_a_user_of_wechat_has_no_company(bed: Bed) -> None:
    bed.emulator.customers.add("zhang3", Outsider("wmLi", "李", union_id="ou1"), quietly=True)
    told = (await bed.get("externalcontact/get", external_userid="wmLi"))["external_contact"]
    assert told["unionid"] == "ou1"
    assert not {"corp_name", "position"} & told.keys()


async def test_the_limits_of_the_calls_are_kept(bed: Bed) -> None:
    assert (await of_users(bed))["errcode"] == 40058
    assert (await of_users(bed, *(f"u{n}" for n in range(101))))["errcode"] == 40058
    assert (await of_users(bed, "zhang3", limit=101))["errcode"] == 40058
    assert (await of_users(bed, "zhang3", cursor="x"))["errcode"] == 50100
    assert (await of_users(bed, "ghost"))["errcode"] == 60111
    groups = "externalcontact/groupchat/list"
    assert (await bed.post(groups, {"limit": 1001}))["errcode"] == 40058
    too_many = {"owner_filter": {"userid_list": ["zhang3"] * 101}}
    assert (await bed.post(groups, too_many))["errcode"] == 40058


async def test_who_may_not_is_refused_in_its_own_words(bed: Bed) -> None:
    book(bed).allowed = {"zhang3"}
    assert (await of_users(bed, "wang5"))["errcode"] == 84074
    assert (await bed.get("externalcontact/get_follow_user_list"))["follow_user"] == ["zhang3"]
    bed.emulator.state.refused = {"externalcontact"}
    assert (await of_users(bed, "zhang3"))["errcode"] == 48002


async def test_without_a_licence_nothing_is_told(bed: Bed) -> None:
    bed.emulator.customers.add("wang5", Outsider("wmLi", "李"), quietly=True)
    book(bed).unlicensed = {"zhang3"}
    told = await of_users(bed, "zhang3", "wang5")
    assert [one["external_contact"]["name"] for one in told["external_contact_list"]] == ["李"]
    assert told["fail_info"]["unlicensed_userid_list"] == ["zhang3"]
    assert (await of_users(bed, "zhang3"))["errcode"] == 701008


async def test_pages_go_on_by_cursor_and_may_come_empty(bed: Bed) -> None:
    for number in range(4):
        bed.emulator.customers.add("zhang3", Outsider(f"wm{number}", "某"), quietly=True)
    book(bed).page_gaps = True
    found: list[str] = []
    empty, cursor = 0, ""
    while True:
        page = await of_users(bed, "zhang3", limit=2, cursor=cursor)
        ids = [one["external_contact"]["external_userid"] for one in page["external_contact_list"]]
        found, empty = found + ids, empty + (not ids)
        if not (cursor := page["next_cursor"]):
            break
    assert found == ["wmWang", "wm0", "wm1", "wm2", "wm3"]
    assert empty == 3


async def test_lists_take_five_calls_at_a_time(bed: Bed) -> None:
    answers = await asyncio.gather(*(of_users(bed, "zhang3") for _ in range(5)))
    assert {answer["errcode"] for answer in answers} == {0}
    book(bed).lists_underway = 5
    assert (await of_users(bed, "zhang3"))["errcode"] == 45033


async def test_a_removed_contact_is_unknown_and_told_of_once(bed: Bed) -> None:
    bed.emulator.customers.part("zhang3", "wmWang", by_customer=True)
    assert (await bed.get("externalcontact/get", external_userid="wmWang"))["errcode"] == 84061
    assert (await of_users(bed, "zhang3"))["errcode"] == 84061
    assert (await bed.get("externalcontact/list", userid="zhang3"))["errcode"] == 84061
    await bed.settled()
    [post] = bed.door.said("change_external_contact")
    assert (post.text("ChangeType"), post.text("FromUserName")) == ("del_follow_user", "sys")
    assert (post.text("UserID"), post.text("ExternalUserID")) == ("zhang3", "wmWang")


@pytest.mark.parametrize("in_one_string", [True, False])
async def test_a_change_of_a_group_tells_its_version_in_either_shape(
    bed: Bed, in_one_string: bool
) -> None:
    bed.emulator.customers.open_group("wrA", "项目群", "zhang3", "wmWang")
    bed.emulator.customers.join_group("wrA", "wang5", in_one_string=in_one_string)
    await bed.settled()
    joined = bed.door.said("change_external_chat")[-1]
    assert (joined.text("UpdateDetail"), joined.text("CurMemVer")) == ("add_member", "2")
    listed = joined.text("MemChangeList" if in_one_string else "MemChangeList/Item")
    assert listed == "wang5"
    group = await bed.post("externalcontact/groupchat/get", {"chat_id": "wrA", "need_name": 1})
    assert group["group_chat"]["member_version"] == "2"
    members = group["group_chat"]["member_list"]
    assert [(one["userid"], one["type"], one["name"]) for one in members] == [
        ("zhang3", 1, "张三"),
        ("wmWang", 2, "王总"),
        ("wang5", 1, "王五"),
    ]
    assert (await bed.post("externalcontact/groupchat/get", {"chat_id": "x"}))["errcode"] == 90501


async def transferred(bed: Bed, *, resigned: bool = False, of: str = "zhang3") -> list[Any]:
    path = "externalcontact/resigned/transfer_" if resigned else "externalcontact/transfer_"
    who = {"handover_userid": of, "takeover_userid": "wang5"}
    asked = await bed.post(f"{path}customer", {**who, "external_userid": ["wmWang"]})
    if asked["errcode"]:
        return [asked["errcode"]]
    [one] = asked["customer"]
    if one["errcode"]:
        return [one["errcode"]]
    seen = []
    for hours in (0, 24):
        bed.clock.pass_by(hours=hours)
        result = await bed.post(f"{path}result", {**who, "cursor": ""})
        seen.append(result["customer"][-1]["status"])
    return seen


async def test_a_transfer_takes_a_day_and_sends_no_event(bed: Bed) -> None:
    assert await transferred(bed) == [2, 1]
    assert list(book(bed).holders["wmWang"]) == ["wang5"]
    await bed.settled()
    assert bed.door.said("change_external_contact") == []
    assert await transferred(bed) == [84061]


async def test_a_refused_transfer_is_told_of(bed: Bed) -> None:
    book(bed).refusing = {"wmWang"}
    asked = {
        "handover_userid": "zhang3", "takeover_userid": "wang5", "external_userid": ["wmWang"],
    }  # fmt: skip
    await bed.post("externalcontact/transfer_customer", asked)
    bed.clock.pass_by(hours=24)
    bed.emulator.customers.carry_out_transfers()
    await bed.settled()
    [post] = bed.door.said("change_external_contact")
    assert (post.text("ChangeType"), post.text("FailReason")) == (
        "transfer_fail",
        "customer_refused",
    )


async def test_who_has_left_is_asked_about_by_calls_of_their_own(bed: Bed) -> None:
    assert await transferred(bed, resigned=True) == [40003]
    bed.emulator.change_member("zhang3", status=5)
    assert await transferred(bed) == [40003]
    assert await transferred(bed, resigned=True) == [2, 1]
