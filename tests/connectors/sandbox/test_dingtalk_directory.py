"""Departments and people of the emulated company, and the events that tell of changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from dingtalk.crypto import DingTalkCrypto

from connectors.sandbox.world import Dept, Member
from tests.connectors.sandbox.dingtalk_bed import (
    AES_KEY,
    KEY,
    TOKEN,
    Bed,
    Post,
    answer_500,
    open_bed,
)

WANG, LI, BOSS, LEFT = "0147001", "0147002", "0147009", "0147005"
FAILED = "call_back/get_call_back_failed_result"


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


def opened(post: Post) -> dict[str, Any]:
    """An event as a library that is not ours reads it."""
    crypto = DingTalkCrypto(TOKEN, AES_KEY, KEY)
    query = post.query
    assert query["signature"] == query["msg_signature"]
    return json.loads(
        crypto.decrypt_message(post.body, query["signature"], query["timestamp"], query["nonce"])
    )


async def events(bed: Bed) -> list[dict[str, Any]]:
    await bed.drained()
    return [opened(post) for post in bed.door.at("events")]


async def test_departments_one_level_at_a_time(bed: Bed) -> None:
    top = await bed.old("topapi/v2/department/listsub", {})
    assert [(row["dept_id"], row["name"], row["parent_id"]) for row in top["result"]] == [
        (20, "销售部", 1)
    ]
    below = await bed.old("topapi/v2/department/listsubid", {"dept_id": 20})
    assert below["result"] == {"dept_id_list": [21]}
    assert (await bed.old("topapi/v2/department/listsub", {"dept_id": 21}))["result"] == []


async def test_one_department_names_its_managers(bed: Bed) -> None:
    result = (await bed.old("topapi/v2/department/get", {"dept_id": 20}))["result"]
    assert result["dept_manager_userid_list"] == [BOSS]
    assert result["member_count"] == 1
    root = (await bed.old("topapi/v2/department/get", {"dept_id": 1}))["result"]
    assert "parent_id" not in root


async def test_chain_of_departments_of_a_person(bed: Bed) -> None:
    body = await bed.old("topapi/v2/department/listparentbyuser", {"userid": WANG})
    assert body["result"]["parent_list"] == [{"parent_dept_id_list": [21, 20, 1]}]


async def test_people_come_page_by_page_without_those_who_left(bed: Bed) -> None:
    path = "topapi/v2/user/list"
    first = (await bed.old(path, {"dept_id": 21, "cursor": 0, "size": 1}))["result"]
    assert (first["has_more"], first["next_cursor"]) == (True, 1)
    second = (await bed.old(path, {"dept_id": 21, "cursor": 1, "size": 1}))["result"]
    assert (second["has_more"], "next_cursor" in second) == (False, False)
    assert [page["list"][0]["userid"] for page in (first, second)] == [WANG, LI]
    assert first["list"][0]["leader"] is False


async def test_short_lists_of_people(bed: Bed) -> None:
    query = {"dept_id": 20, "cursor": 0, "size": 100}
    simple = (await bed.old("topapi/user/listsimple", query))["result"]["list"]
    assert simple == [{"userid": BOSS, "name": "周主管"}]
    ids = (await bed.old("topapi/user/listid", {"dept_id": 21}))["result"]
    assert ids == {"userid_list": [WANG, LI]}


async def test_one_person_in_full(bed: Bed) -> None:
    wang = (await bed.old("topapi/v2/user/get", {"userid": WANG}))["result"]
    assert (wang["name"], wang["unionid"], wang["mobile"]) == ("小王", "uWang", "13800000001")
    assert (wang["active"], wang["dept_id_list"]) == (True, [21])
    assert (wang["manager_userid"], wang["role_list"][0]["name"]) == (BOSS, "销售代表")
    assert "email" not in wang
    boss = (await bed.old("topapi/v2/user/get", {"userid": BOSS}))["result"]
    assert boss["leader_in_dept"] == [{"dept_id": 20, "leader": True}]
    assert (boss["email"], "role_list" in boss) == ("zhou@example.com", False)


async def test_fields_without_their_scope_are_absent(bed: Bed) -> None:
    bed.emulator.gate.granted -= {"fieldMobile", "fieldEmail"}
    boss = (await bed.old("topapi/v2/user/get", {"userid": BOSS}))["result"]
    assert not {"mobile", "state_code", "email"} & boss.keys()


async def test_person_found_by_mobile_and_union_id(bed: Bed) -> None:
    found = await bed.old("topapi/v2/user/getbymobile", {"mobile": "13800000002"})
    assert found["result"]["userid"] == LI
    found = await bed.old("topapi/user/getbyunionid", {"unionid": "uWang"})
    assert found["result"] == {"userid": WANG, "contact_type": 0}


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        ("v2/user/get", {"userid": "nobody"}, 60121),
        ("v2/user/get", {"userid": LEFT}, 60121),
        ("v2/user/get", {}, 40035),
        ("v2/user/getbymobile", {"mobile": "abc"}, 40104),
        ("v2/user/getbymobile", {"mobile": "13900000000"}, 60121),
        ("user/getbyunionid", {"unionid": "uNobody"}, 60121),
        ("v2/department/get", {"dept_id": 99}, 60003),
        ("v2/department/listsub", {"dept_id": "abc"}, 40035),
        ("v2/user/list", {"dept_id": 21, "cursor": 0, "size": 101}, 40069),
        ("v2/user/list", {"dept_id": 21, "cursor": -1, "size": 10}, 40068),
        ("v2/user/list", {"dept_id": 21, "size": 10}, 40035),
    ],
)
async def test_bad_questions(bed: Bed, path: str, body: dict[str, Any], errcode: int) -> None:
    assert (await bed.old(f"topapi/{path}", body))["errcode"] == errcode


async def test_what_is_outside_the_visible_range_is_refused(bed: Bed) -> None:
    bed.emulator.directory.visible = {21}
    scopes = await bed.old("auth/scopes", method="GET")
    assert scopes["auth_org_scopes"]["authed_dept"] == [21]
    assert (await bed.old("topapi/v2/department/get", {"dept_id": 20}))["errcode"] == 50004
    assert (await bed.old("topapi/v2/user/get", {"userid": BOSS}))["errcode"] == 50002
    assert (await bed.old("topapi/v2/user/get", {"userid": WANG}))["errcode"] == 0
    # The two lists of bare ids ignore the range.
    assert (await bed.old("topapi/user/listid", {"dept_id": 20}))["result"]["userid_list"] == [BOSS]


async def test_url_check_passes_only_with_an_encrypted_success(bed: Bed) -> None:
    assert await bed.emulator.verify_callback()
    assert await events(bed) == [{"EventType": "check_url"}]

    async def plain(request: web.Request, raw: bytes) -> web.StreamResponse:
        return web.Response(text="success")

    async def failure(request: web.Request, raw: bytes) -> web.StreamResponse:
        return web.json_response(DingTalkCrypto(TOKEN, AES_KEY, KEY).encrypt_message("failure"))

    async def corp_bound(request: web.Request, raw: bytes) -> web.StreamResponse:
        crypto = DingTalkCrypto(TOKEN, AES_KEY, "dingcorp01")
        return web.json_response(crypto.encrypt_message("success"))

    for answer in (plain, failure, corp_bound):
        bed.door.answers["events"] = answer
        assert not await bed.emulator.verify_callback()


async def test_owner_key_may_be_the_corporation(bed: Bed) -> None:
    bed.emulator.events.owner_key = "dingcorp01"

    async def corp_bound(request: web.Request, raw: bytes) -> web.StreamResponse:
        crypto = DingTalkCrypto(TOKEN, AES_KEY, "dingcorp01")
        return web.json_response(crypto.encrypt_message("success"))

    bed.door.answers["events"] = corp_bound
    assert await bed.emulator.verify_callback()


async def test_changes_of_people_are_told(bed: Bed) -> None:
    bed.emulator.add_member(Member("0147100", "新人", "dingtalk", ["rep"], "21"))
    bed.emulator.change_member(WANG, name="王小明", direct_leader=LI)
    bed.emulator.change_member(LI, status=5)
    told = {event["EventType"]: event for event in await events(bed)}
    assert told["user_add_org"]["userId"] == ["0147100"]
    assert told["user_modify_org"]["diffInfo"] == {
        "userid": WANG,
        "prev": {"name": "小王", "managerUserid": BOSS},
        "curr": {"name": "王小明", "managerUserid": LI},
    }
    assert told["user_leave_org"]["userId"] == [LI]
    assert len({event["eventId"] for event in told.values()}) == 3
    gone = await bed.old("topapi/v2/user/get", {"userid": LI})
    assert gone["errcode"] == 60121
    with pytest.raises(ValueError, match="没有这个人"):
        bed.emulator.change_member("nobody", name="x")


async def test_changes_of_departments_are_told(bed: Bed) -> None:
    dept = Dept("22", "华南组", "dingtalk", "20")
    bed.emulator.add_dept(dept)
    bed.emulator.change_dept(dept, name="华南大区")
    bed.emulator.remove_dept(dept)
    told = [(event["EventType"], event["deptId"]) for event in await events(bed)]
    assert sorted(told) == [
        ("org_dept_create", [22]),
        ("org_dept_modify", [22]),
        ("org_dept_remove", [22]),
    ]


async def test_older_generation_of_bodies(bed: Bed) -> None:
    bed.emulator.events.old_casing = True
    bed.emulator.change_member(WANG, status=5)
    (event,) = await events(bed)
    assert event.keys() == {"EventType", "TimeStamp", "CorpId", "UserId"}


async def test_refused_event_is_tried_three_times_with_one_id(bed: Bed) -> None:
    bed.door.answers["events"] = answer_500
    bed.emulator.change_member(WANG, status=5)
    told = await events(bed)
    assert len(told) == 3
    assert len({event["eventId"] for event in told}) == 1


async def test_failed_event_is_listed_later_and_once(bed: Bed) -> None:
    bed.door.answers["events"] = answer_500
    bed.emulator.change_member(WANG, status=5)
    await bed.drained()
    assert (await bed.old(FAILED, method="GET"))["failed_list"] == []
    bed.clock.pass_by(minutes=4)
    body = await bed.old(FAILED, method="GET")
    (entry,) = body["failed_list"]
    assert entry["call_back_tag"] == "user_leave_org"
    assert entry["user_leave_org"] == {"corpid": "dingcorp01", "userid": [WANG]}
    assert (await bed.old(FAILED, method="GET"))["failed_list"] == []


async def test_failed_list_comes_in_pages_and_each_read_clears_the_one_before(bed: Bed) -> None:
    bed.door.answers["events"] = answer_500
    bed.emulator.events.pauses_s = ()
    for number in range(201):
        bed.emulator.change_member(WANG, name=f"小王{number}")
    await bed.drained()
    bed.clock.pass_by(minutes=4)
    pages = [await bed.old(FAILED, method="GET") for _ in range(3)]
    assert [len(page["failed_list"]) for page in pages] == [200, 1, 0]
    assert [page["has_more"] for page in pages] == [True, False, False]
